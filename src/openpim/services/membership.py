"""Until when somebody is in a group, so that what he activates through it, or a token that names a role he has through
it, never outlasts it: with every worker dead, what rests on a membership is gone the instant the membership ends."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from openpim.core.grants import Kind, Provider, Schedule
from openpim.ports.store import Transaction


def bounded(
    tx: Transaction, principal_id: str, who: Collection[str], given: Sequence[Schedule], now: datetime
) -> list[Schedule]:
    """The schedules as this principal has them: those of a group end for him when he leaves it.

    who: the principal and every group he is in at `now`.
    """
    groups = {one.principal_id for one in given} - {principal_id}
    ends = left_at(tx, principal_id, who, groups, now) if groups else {}
    return [
        replace(one, ends_at=ends[one.principal_id])
        if one.principal_id in ends and (one.ends_at is None or ends[one.principal_id] < one.ends_at)
        else one
        for one in given
    ]


def left_at(
    tx: Transaction, principal_id: str, who: Collection[str], groups: Collection[str], now: datetime
) -> dict[str, datetime]:
    """When he leaves each of these groups, as far as that is known; those he is in for good are left out.

    Somebody can only leave where a schedule ends, his own or that of a group on the way.
    """
    memberships = tx.schedules.of(
        who, provider=Provider.GROUP, kind=Kind.ASSIGNMENT, role_id="member", live_at=now
    )
    found: dict[str, datetime] = {}
    for moment in sorted({one.ends_at for one in memberships if one.ends_at is not None}):
        left = set(groups) - found.keys()
        if not left:
            break
        found |= dict.fromkeys(left - tx.groups.groups_of(principal_id, moment), moment)
    return found
