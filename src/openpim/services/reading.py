"""Who may read which grants: one's own always; others' with a reading role; see docs/divergences/graph.md."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from openpim.core.caller import Caller
from openpim.core.grants import Provider
from openpim.core.query import All, Compare, Condition, Query
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
    if pinned_to(query.where, "principal_id", caller.principal_id):
        return None
    return None if PROVIDERS[provider].may_read(tx, caller, now) else NOT_A_READER


def pinned_to(where: Condition | None, field: str, value: str) -> bool:
    """Whether the condition only lets rows through whose field has this value."""
    match where:
        case Compare(name, "eq", given):
            return name == field and given == value
        case All(parts):
            return any(pinned_to(part, field, value) for part in parts)
        case _:
            return False
