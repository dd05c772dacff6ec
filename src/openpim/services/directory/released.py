"""When people leave a group, what they activated through it ends, unless another eligibility covers it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.directory import PrincipalKind
from openpim.core.grants import AssignmentType, Kind, Provider
from openpim.core.lifecycle import OPEN, RequestStatus
from openpim.core.query import All, AnyOf, Compare, Query
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import identities
from openpim.services.ending import close_request, end, rest_anew


def people_in(tx: Transaction, principal_id: str, now: datetime) -> frozenset[str]:
    """The principal, and all that are in it when it is a group: whoever a change of its membership concerns."""
    principal = tx.principals.get(principal_id)
    if principal is None or principal.kind is not PrincipalKind.GROUP:
        return frozenset({principal_id})
    return tx.groups.transitive_member_ids(principal_id, now) | {principal_id}


def end_all_at(tx: Transaction, deps: Deps, caller: Caller, group_id: str, now: datetime) -> None:
    """The group is going away: nobody is, or can become, its member or owner by schedule or request any more."""
    here = Compare("scope", "eq", group_id)
    waiting = AnyOf("status", tuple(status.value for status in OPEN))
    reason = "The group was deleted."
    for kind in (Kind.ELIGIBILITY, Kind.ASSIGNMENT):
        while found := tx.requests.page(Provider.GROUP, kind, Query(All((here, waiting)))).items:
            for request in found:
                close_request(tx, request.id, RequestStatus.CANCELED, now, reason)
        while live := tx.schedules.page(Provider.GROUP, kind, Query(here), live_at=now).items:
            for schedule in live:
                current = tx.schedules.get(schedule.id)
                if current is not None and current.live(now):
                    end(
                        tx,
                        deps,
                        caller,
                        current,
                        now,
                        activity="Remove member from group (PIM)",
                        reason=reason,
                    )


def release(
    tx: Transaction, deps: Deps, caller: Caller, principal_ids: Collection[str], now: datetime
) -> None:
    """Asked after the memberships are gone."""
    tx.lock_principals(principal_ids)  # an activation that is being made at this moment must be seen below
    for activation in tx.schedules.of(principal_ids, kind=Kind.ASSIGNMENT, live_at=now):
        if activation.assignment_type is not AssignmentType.ACTIVATED or activation.linked_id is None:
            continue
        basis = tx.schedules.get(activation.linked_id)
        if basis is not None and basis.principal_id in identities(tx, activation.principal_id, now):
            continue
        reason = "The holder left the group that was eligible."
        rest_anew(tx, deps, caller, activation, now, reason=reason)
