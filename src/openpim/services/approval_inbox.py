"""What waits for a person's decision, with all an approver wants to know: who asks, for what, where, why, until when, what
he activated before, and what to look at twice."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from openpim.core.approval import ApprovalStage
from openpim.core.caller import Caller
from openpim.core.directory import User
from openpim.core.grants import Action, ExpirationType, Provider, Request, Schedule
from openpim.core.policy import Policy
from openpim.core.refusals import Refusal
from openpim.core.risk import Risk, WorkingHours, risks
from openpim.core.settings import working_hours
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import approvals
from openpim.services.approvals import ApprovalView
from openpim.services.authority import decider
from openpim.services.eligibilities import Key, Names, policies_of

A_PAGE = 20
_BEFORE = 5


@dataclass(frozen=True, slots=True)
class Item:
    """before: his last activations of this role at this scope, the last one first (at most five). stage: the one the
    caller decides; None where he only looks on. begins, ends_at: if it is approved now; None: permanent."""

    request: Request
    role_name: str
    scope_name: str
    scope_path: str
    requestor: User | None
    before: tuple[Schedule, ...]
    risks: tuple[Risk, ...]
    stage: ApprovalStage | None
    begins: datetime
    ends_at: datetime | None
    approved: int = 0


@dataclass(frozen=True, slots=True)
class Inbox:
    """One page of what waits, oldest first. number: of the page, from 1. ids: of everything that waits."""

    items: tuple[Item, ...]
    number: int
    pages: int
    ids: frozenset[str]


def waiting(deps: Deps, caller: Caller, page: int = 1) -> Inbox:
    """The page, or the last one where there are not so many."""
    now = deps.clock()

    def work(tx: Transaction) -> Inbox:
        me = decider(tx, caller.principal_id, now)
        ids = approvals.waiting_for(tx, me, now)
        pages = max(1, -(-len(ids) // A_PAGE))
        number = min(max(1, page), pages)
        shown = approvals.views(tx, me, ids[(number - 1) * A_PAGE : number * A_PAGE])
        return Inbox(_items(tx, deps, shown, now), number, pages, frozenset(ids))

    return deps.store.read(caller.tenant_id, work)


def get(deps: Deps, caller: Caller, approval_id: str) -> Item | Refusal:
    """One of them, decided or not; for whoever may see the approval. REQUEST_MISSING, NOT_APPROVER."""
    view = approvals.get(deps, caller, approval_id)
    if isinstance(view, Refusal):
        return view
    now = deps.clock()
    return deps.store.read(caller.tenant_id, lambda tx: _items(tx, deps, [view], now))[0]


def _items(tx: Transaction, deps: Deps, views: Collection[ApprovalView], now: datetime) -> tuple[Item, ...]:
    hours = working_hours(deps.settings)
    requests = [view.request for view in views]
    named = Names(tx, {(one.provider, one.role_id, one.scope) for one in requests})
    people = tx.users.many({one.principal_id for one in requests}) if requests else {}
    before = tx.schedules.last_activations([_asked(one) for one in requests], _BEFORE + 1)
    policies = policies_of(
        tx, {(one.provider, one.role_id, one.scope) for one in requests if _as_long_as_may_be(one)}
    )
    return tuple(
        _item(view, named, people, _others(before[_asked(view.request)], view.request), policies, hours, now)
        for view in views
    )


def _asked(request: Request) -> tuple[str, Provider, str, str]:
    return request.principal_id, request.provider, request.role_id, request.scope


def _as_long_as_may_be(request: Request) -> bool:
    """An activation that does not say how long."""
    return request.action is Action.SELF_ACTIVATE and request.window.type is ExpirationType.NOT_SPECIFIED


def _others(before: list[Schedule], request: Request) -> tuple[Schedule, ...]:
    return tuple(one for one in before if one.id != request.id)[:_BEFORE]


def _item(
    view: ApprovalView,
    named: Names,
    people: dict[str, User],
    before: tuple[Schedule, ...],
    policies: dict[Key, Policy],
    hours: WorkingHours,
    now: datetime,
) -> Item:
    request = view.request
    key = (request.provider, request.role_id, request.scope)
    stage = view.approval.current
    mine = stage is not None and stage.id in view.assigned and stage.open_at(now)
    activation = request.action is Action.SELF_ACTIVATE
    begins = max(now, request.window.start or now)
    ends_at = request.window.ends(begins)
    if _as_long_as_may_be(request):
        maximum = policies[key].activation.maximum
        ends_at = maximum.after(begins) if maximum is not None else None
    return Item(
        request=request,
        role_name=named.roles.get(key, request.role_id),
        scope_name=named.scopes.get(key, request.scope),
        scope_path=named.paths.get(request.scope, request.scope),
        requestor=people.get(request.principal_id),
        before=before,
        risks=risks(before, hours, begins, ends_at) if activation else (),
        stage=stage if mine else None,
        begins=begins,
        ends_at=ends_at,
        approved=len(view.approval.of_stage(stage.id)) if stage is not None else 0,
    )
