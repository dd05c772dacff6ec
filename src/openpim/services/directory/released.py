"""When people leave a group, what they activated through it ends, unless another eligibility covers it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.deciding import best_eligibility
from openpim.core.directory import PrincipalKind
from openpim.core.grants import AssignmentType, Kind, Schedule
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import identities
from openpim.services.ending import end
from openpim.services.providers import PROVIDERS


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
    for activation in tx.schedules.of(principal_ids, kind=Kind.ASSIGNMENT, live_at=now):
        if activation.assignment_type is AssignmentType.ACTIVATED and activation.linked_id is not None:
            _check(tx, deps, caller, activation, now)


def _check(tx: Transaction, deps: Deps, caller: Caller, activation: Schedule, now: datetime) -> None:
    mine = identities(tx, activation.principal_id, now)
    basis = tx.schedules.get(activation.linked_id or "")
    if basis is None or basis.principal_id in mine:
        return
    candidates = tx.schedules.of(
        mine,
        provider=activation.provider,
        kind=Kind.ELIGIBILITY,
        role_id=activation.role_id,
        scopes=PROVIDERS[activation.provider].chain(tx, activation.scope),
        live_at=now,
    )
    best = best_eligibility(candidates, max(now, activation.starts_at))
    if best is None:
        end(
            tx,
            deps,
            caller,
            activation,
            now,
            activity="Remove member from role completed (PIM deactivate)",
            reason="The holder left the group that was eligible.",
        )
        return
    ends = activation.ends_at
    if best.ends_at is not None and (ends is None or ends > best.ends_at):
        ends = best.ends_at
    tx.schedules.save(replace(activation, linked_id=best.id, ends_at=ends, modified_at=now))
