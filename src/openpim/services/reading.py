"""Who may read which grants: one's own always; others' with a reading role; see docs/divergences/graph.md."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from openpim.core.caller import Caller
from openpim.core.grants import Provider
from openpim.core.query import All, AnyOf, Compare, Condition, Query
from openpim.core.refusals import Code, Refusal
from openpim.ports.store import Transaction
from openpim.services.providers import PROVIDERS


class Whose(StrEnum):
    """PRINCIPAL: mine, through my groups too. APPROVER: waiting for me. CREATED_BY: that I made. ANYONE: all."""

    PRINCIPAL = "principal"
    APPROVER = "approver"
    CREATED_BY = "createdBy"
    ANYONE = "anyone"


NOT_A_READER = Refusal(
    Code.FORBIDDEN,
    "Reading other people's assignments needs a role such as Global Reader or Privileged Role Administrator. "
    "Your own are under filterByCurrentUser(on='principal').",
)


def may_read_all(
    tx: Transaction, caller: Caller, provider: Provider, query: Query, now: datetime
) -> Refusal | None:
    """None when the caller may have this list."""
    if pinned(query.where, "principal_id") == caller.principal_id:
        return None
    scope = pinned(query.where, "scope")
    return None if PROVIDERS[provider].may_read(tx, caller, scope, now) else NOT_A_READER


def pinned(where: Condition | None, field: str) -> str | None:
    """The one value of a field that the condition lets through, if there is only one."""
    match where:
        case Compare(name, "eq", str(given)):
            return given if name == field else None
        case AnyOf(name, (str(given),)):
            return given if name == field else None
        case All(parts):
            return next((value for part in parts if (value := pinned(part, field)) is not None), None)
        case _:
            return None
