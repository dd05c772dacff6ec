"""When people leave a group, what they activated through it ends, unless another eligibility covers it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.directory import PrincipalKind
from openpim.core.grants import AssignmentType, Kind
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import identities
from openpim.services.ending import rest_anew


def people_in(tx: Transaction, principal_id: str, now: datetime) -> frozenset[str]:
    """The principal, and all that are in it when it is a group: whoever a change of its membership concerns."""
    principal = tx.principals.get(principal_id)
    if principal is None or principal.kind is not PrincipalKind.GROUP:
        return frozenset({principal_id})
    return tx.groups.transitive_member_ids(principal_id, now) | {principal_id}


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
