"""What hangs on places that go, or that come to lie elsewhere: grants, requests, settings, deny assignments."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from openpim.core.approval import StageStatus, with_stage
from openpim.core.caller import Caller
from openpim.core.grants import Action, Kind, Provider, Request, Schedule
from openpim.core.lifecycle import OPEN, ApprovalStatus, RequestStatus
from openpim.core.query import All, AnyOf, Compare, Condition, Query
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import canonical
from openpim.core.roles import is_role_key, read_role_key
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.actions.common import tell
from openpim.services.authority import identities
from openpim.services.cancel import activity_of
from openpim.services.ending import close_request, end, rest_anew
from openpim.services.providers import PROVIDERS

GONE = "Remove member from role completed (resource removed)"
_REASON = "The resource was removed."
_MOVED = "The resource was moved out of the place where the holder was eligible."
_PART = 200


def forget(tx: Transaction, deps: Deps, caller: Caller, scopes: Collection[str], now: datetime) -> None:
    """These places are gone: nothing that was given or asked for there outlives them."""
    for part in _parts(scopes):
        _close(tx, deps, caller, part, now)
        for kind in (Kind.ELIGIBILITY, Kind.ASSIGNMENT):
            for schedule in _live(tx, kind, part, now):
                tx.lock_principal(schedule.principal_id)
                current = tx.schedules.get(schedule.id)
                if current is not None and current.live(now):
                    end(tx, deps, caller, current, now, activity=GONE, reason=_REASON)
        for deny in tx.deny_assignments.at(part):
            tx.deny_assignments.remove(deny.id)
    tx.policies.remove_at(Provider.RESOURCE, sorted(scopes))


def resettle(
    tx: Transaction, deps: Deps, caller: Caller, moved: Mapping[str, tuple[str, ...]], now: datetime
) -> Refusal | None:
    """These places hang elsewhere now: what rested on something further up that no longer contains them is looked at
    again. Activations find another eligibility or end, requests for one are closed, and who decides is asked anew.

    moved: what contained each of them until now. Refusal: a role in use there can only be assigned where it was.
    """
    left = {place: set(before) - set(tx.resources.chain(place)) for place, before in moved.items()}
    lost = set[str]().union(*left.values())
    if not lost:
        return None
    refusal = _stranded(tx, lost, moved, now)
    if refusal is not None:
        return refusal
    for part in _parts(lost):
        for eligibility in _live(tx, Kind.ELIGIBILITY, part, now):
            for activation in tx.schedules.resting_on(eligibility.id, now):
                if eligibility.scope not in tx.resources.chain(activation.scope):
                    rest_anew(tx, deps, caller, activation, now, reason=_MOVED)
    waiting = tuple(status.value for status in OPEN)
    for request in _requests(tx, AnyOf("status", waiting)):
        chain = tx.resources.chain(request.scope)
        gone = set[str]().union(*(left[place] for place in chain if place in left)) - set(chain)
        if not gone:
            continue
        if request.action is Action.SELF_ACTIVATE and not _eligible(tx, request, chain, now):
            _make_moot(tx, deps, caller, request, now, activity_of(request.action, request.kind), _MOVED)
        elif request.approval_id is not None:
            _ask_anew(tx, request, gone, now)
    return None


def _stranded(
    tx: Transaction, lost: Collection[str], moved: Collection[str], now: datetime
) -> Refusal | None:
    """Whether somebody has a role of the tenant's own in a place where it could not be assigned any more."""
    for role in tx.resource_roles.custom():
        places = {canonical(one) for one in role.assignable_scopes}
        if not places & set(lost):
            continue
        for kind in Kind:
            for schedule in _pages(tx, kind, Compare("role_id", "eq", role.id), now):
                chain = tx.resources.chain(schedule.scope)
                if set(moved) & set(chain) and not places & set(chain):
                    return Refusal(
                        Code.CONFLICT,
                        f"The role {role.name} is in use at {schedule.scope}, and could not be assigned there after "
                        "the move. Add a place to its assignable scopes, or remove its eligibilities and assignments.",
                        member="parent",
                    )
    return None


def _eligible(tx: Transaction, request: Request, chain: tuple[str, ...], now: datetime) -> bool:
    found = tx.schedules.of(
        identities(tx, request.principal_id, now),
        provider=Provider.RESOURCE,
        kind=Kind.ELIGIBILITY,
        role_id=request.role_id,
        scopes=chain,
        live_at=now,
    )
    return bool(found)


def _ask_anew(tx: Transaction, request: Request, lost: Collection[str], now: datetime) -> None:
    """Who could decide only because of a role further up cannot any more; who has one there now can."""
    approval = tx.approvals.get(request.approval_id or "", lock=True)
    if approval is None or approval.status is not ApprovalStatus.IN_PROGRESS:
        return
    changed = approval
    for stage in approval.stages:
        stale = {key for key in stage.keys if is_role_key(key) and read_role_key(key)[1] in lost}
        if stale and stage.status in {StageStatus.IN_PROGRESS, StageStatus.NOT_STARTED}:
            rules = PROVIDERS[Provider.RESOURCE]
            anew = rules.default_reviewers(tx, request.role_id, request.scope, now)
            changed = with_stage(changed, replace(stage, keys=(stage.keys - stale) | anew))
    if changed != approval:
        tx.approvals.save(changed, approval)


def _parts(scopes: Collection[str]) -> Iterator[tuple[str, ...]]:
    ids = sorted(scopes)
    for start in range(0, len(ids), _PART):
        yield tuple(ids[start : start + _PART])


def _live(tx: Transaction, kind: Kind, scopes: tuple[str, ...], now: datetime) -> Iterator[Schedule]:
    return _pages(tx, kind, AnyOf("scope", scopes), now)


def _pages(tx: Transaction, kind: Kind, where: Condition, now: datetime) -> Iterator[Schedule]:
    after: str | None = None
    while True:
        page = tx.schedules.page(Provider.RESOURCE, kind, Query(where, limit=500, after=after), live_at=now)
        yield from page.items
        after = page.next
        if after is None:
            return


def _requests(tx: Transaction, where: Condition) -> Iterator[Request]:
    for kind in Kind:
        after: str | None = None
        while True:
            page = tx.requests.page(Provider.RESOURCE, kind, Query(where, limit=500, after=after))
            yield from page.items
            after = page.next
            if after is None:
                break


def _close(tx: Transaction, deps: Deps, caller: Caller, scopes: tuple[str, ...], now: datetime) -> None:
    waiting = tuple(status.value for status in OPEN)
    for request in _requests(tx, All((AnyOf("scope", scopes), AnyOf("status", waiting)))):
        _make_moot(tx, deps, caller, request, now, activity_of(request.action, request.kind), _REASON)


def _make_moot(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    request: Request,
    now: datetime,
    activity: str,
    reason: str,
) -> None:
    tx.lock_principal(request.principal_id)
    close_request(tx, request.id, RequestStatus.CANCELED, now, reason)
    closed = tx.requests.get(request.id) or request
    if closed.status is RequestStatus.CANCELED:
        schedule = tx.schedules.get(closed.schedule_id) if closed.schedule_id else None
        tell(tx, deps, caller, now, activity, closed, schedule, reason=reason)
