"""The last able owner of a group that roles can be assigned to cannot be lost: nobody but role managers could
repair it."""

from __future__ import annotations

from datetime import datetime

from openpim.core.query import Compare, Query
from openpim.core.refusals import Code, Refusal
from openpim.ports.store import Transaction

_ASSIGNABLE = Query(Compare("role_assignable", "eq", True), limit=500)
_OWNERS = Query(limit=500)


def able_owners(tx: Transaction, group_id: str, now: datetime) -> int:
    return sum(owner.able for owner in tx.groups.owners(group_id, now, _OWNERS).items)


def refuse_to_orphan(tx: Transaction, principal_id: str, now: datetime) -> Refusal | None:
    """Asked after the principal was disabled, or before its ownerships are gone when it is deleted."""
    for group in tx.groups.owned(principal_id, now, _ASSIGNABLE).items:
        others = [
            owner
            for owner in tx.groups.owners(group.id, now, _OWNERS).items
            if owner.able and owner.id != principal_id
        ]
        if not others:
            return Refusal(
                Code.CONFLICT,
                f"This is the last owner of the group {group.display_name}, which roles can be assigned to. "
                "Give the group another owner first.",
            )
    return None
