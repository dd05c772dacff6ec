"""Roles that a person keeps together: favourites, and bundles that are activated in one go. Names of roles and places, not
grants: what is in one and no longer held is simply not offered."""

from __future__ import annotations

from dataclasses import dataclass

from openpim.core.grants import Provider

FAVOURITES = ""
MOST_BUNDLES = 30
MOST_ROLES = 30
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Bundle:
    """name: FAVOURITES for the one that has none. roles: (provider, role id, scope), in the order they were put in."""

    name: str
    roles: tuple[tuple[Provider, str, str], ...]
