"""One request and all that became of it, whatever provider it is about: what its page in the portal tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from openpim.core.approval import Approval
from openpim.core.caller import Caller
from openpim.core.directory import Principal
from openpim.core.grants import Request, Schedule
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import able_reviewers
from openpim.services.connecting.acting import Mine, of_schedule
from openpim.services.eligibilities import Names
from openpim.services.requests import may_see

MOST_REVIEWERS = 12


@dataclass(frozen=True, slots=True)
class Story:
    """schedule: what the request made or changed. people: subject, maker and deciders, by id. reviewers: names of those
    who can decide the stage that waits (at most MOST_REVIEWERS; more: how many there are beyond). systems: names of other
    systems that decide. effects: what has come of it in real systems."""

    request: Request
    role_name: str
    scope_name: str
    scope_path: str
    schedule: Schedule | None = None
    approval: Approval | None = None
    people: dict[str, Principal] = field(default_factory=dict)
    reviewers: tuple[str, ...] = ()
    more: int = 0
    systems: Mapping[str, str] = field(default_factory=dict)
    effects: tuple[Mine, ...] = ()

    def name_of(self, principal_id: str) -> str:
        found = self.people.get(principal_id)
        return found.display_name if found is not None else self.systems.get(principal_id, principal_id)


def get(deps: Deps, caller: Caller, request_id: str) -> Story | Refusal:
    """For its subject, its maker, its approvers, and readers. REQUEST_MISSING, FORBIDDEN."""
    now = deps.clock()

    def work(tx: Transaction) -> Story | Refusal:
        found = tx.requests.get(request_id)
        if found is None:
            return Refusal(Code.REQUEST_MISSING, f"There is no request {request_id:.40}.")
        refusal = may_see(tx, caller, found, now)
        if refusal is not None:
            return refusal
        approval = tx.approvals.get(found.approval_id) if found.approval_id else None
        schedule = tx.schedules.get(found.schedule_id) if found.schedule_id else None
        decided_by = [one.reviewer_id for one in approval.decisions] if approval is not None else []
        stage = approval.current if approval is not None else None
        names: list[str] = []
        if stage is not None and approval is not None and stage.open_at(now):
            able = able_reviewers(tx, stage.keys, approval.requestor_id, now)
            still = able - {one.reviewer_id for one in approval.of_stage(stage.id)}
            names = sorted(one.display_name for one in tx.principals.many(sorted(still)).values())
        key = (found.provider, found.role_id, found.scope)
        named = Names(tx, {key})
        return Story(
            request=found,
            role_name=named.roles.get(key, found.role_id),
            scope_name=named.scopes.get(key, found.scope),
            scope_path=named.paths.get(found.scope, found.scope),
            schedule=schedule,
            approval=approval,
            people=tx.principals.many([found.principal_id, found.created_by, *decided_by], deleted=True),
            reviewers=tuple(names[:MOST_REVIEWERS]),
            more=max(0, len(names) - MOST_REVIEWERS),
            effects=of_schedule(tx, found.principal_id, schedule, since=found.created_at),
            systems={one.id: one.name for one in tx.channels.all()} if decided_by else {},
        )

    return deps.store.read(caller.tenant_id, work)
