"""Scopes are paths: a scope contains itself and the scopes below it.

Directory: "/" (the tenant) contains "/administrativeUnits/{id}" and "/{objectId}". Groups: the group id alone.
Resources have a tree of their own, so the chain is handed to the rules as a fact wherever it matters.
"""

from __future__ import annotations

TENANT = "/"
ADMINISTRATIVE_UNITS = "/administrativeUnits/"


def directory_chain(scope: str) -> tuple[str, ...]:
    """The scope and everything that contains it, nearest first."""
    return (scope,) if scope == TENANT else (scope, TENANT)
