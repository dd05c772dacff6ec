"""What the actions share: making the request, writing the schedule, telling the audit."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from openpim.core.ask import Ask
from openpim.core.caller import Caller
from openpim.core.deciding import Proof
from openpim.core.grants import (
    AssignmentType,
    Kind,
    Request,
    Schedule,
    Ticket,
)
from openpim.core.lifecycle import RequestStatus, ScheduleStatus
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import identities
from openpim.services.membership import bounded
from openpim.services.providers import PROVIDERS
from openpim.services.recording import category_of, grant_details, grant_targets, record


def minimum(deps: Deps) -> timedelta:
    """The shortest time an assignment may last (Entra: five minutes)."""
    return timedelta(minutes=deps.settings.minimum_minutes)


def proof_of(caller: Caller) -> Proof:
    return Proof(caller.amr, caller.acrs)


def new_request(
    deps: Deps,
    caller: Caller,
    ask: Ask,
    status: RequestStatus,
    now: datetime,
    *,
    completed_at: datetime | None = None,
) -> Request:
    return Request(
        id=ask.request_id or deps.new_id(),
        kind=ask.kind,
        provider=ask.provider,
        action=ask.action,
        status=status,
        principal_id=ask.principal_id,
        role_id=ask.role_id,
        scope=ask.scope,
        created_at=now,
        created_by=caller.principal_id,
        created_by_kind=caller.kind.value,
        completed_at=completed_at,
        justification=ask.justification,
        ticket=Ticket(ask.ticket.number, ask.ticket.system),
        window=ask.window,
        custom_data=ask.custom_data,
        amr=tuple(sorted(caller.amr)),
        acrs=tuple(sorted(caller.acrs)),
    )


def new_schedule(
    request: Request,
    starts_at: datetime,
    ends_at: datetime | None,
    now: datetime,
    *,
    assignment_type: AssignmentType | None,
    linked_id: str | None = None,
    waits: bool = False,
) -> Schedule:
    """The schedule a request makes; its id is the request's. waits: read the facts again when it comes due."""
    return Schedule(
        id=request.id,
        kind=request.kind,
        provider=request.provider,
        principal_id=request.principal_id,
        role_id=request.role_id,
        scope=request.scope,
        starts_at=starts_at,
        ends_at=ends_at,
        status=ScheduleStatus.GRANTED if waits else ScheduleStatus.PROVISIONED,
        assignment_type=assignment_type,
        created_at=now,
        request_id=request.id,
        linked_id=linked_id,
        window=replace(request.window, start=starts_at),
    )


def eligibilities_for(tx: Transaction, ask: Ask, now: datetime) -> list[Schedule]:
    """Live eligibilities of the person, or of groups he is in, at the asked scope or above it.

    They are shared until the commit: who ends one of them waits, and then sees the activation that rests on it.
    One that comes through a group ends, for him, when he leaves the group.
    """
    who = identities(tx, ask.principal_id, now)
    found = tx.schedules.of(
        who,
        provider=ask.provider,
        kind=Kind.ELIGIBILITY,
        role_id=ask.role_id,
        scopes=PROVIDERS[ask.provider].chain(tx, ask.scope),
        live_at=now,
        share=True,
    )
    return bounded(tx, ask.principal_id, who, found, now)


def held_exactly(tx: Transaction, ask: Ask, now: datetime, kind: Kind | None = None) -> list[Schedule]:
    """Live schedules of exactly this principal, role and scope."""
    return tx.schedules.of(
        [ask.principal_id],
        provider=ask.provider,
        kind=kind or ask.kind,
        role_id=ask.role_id,
        scopes=[ask.scope],
        live_at=now,
    )


def tell(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    now: datetime,
    activity: str,
    request: Request,
    schedule: Schedule | None,
    *,
    then: str = "",
    reason: str = "",
    policy_version: str = "",
    on_behalf_of: tuple[str, str] = ("", ""),
) -> None:
    """One audit event about a request, with Entra's targets and details. then: another activity right after it.
    reason: why, where it is not the requestor's own justification. on_behalf_of: as in `record`."""
    rules = PROVIDERS[request.provider]
    record(
        tx,
        deps,
        caller,
        now,
        activity=activity,
        category=category_of(request.provider),
        targets=grant_targets(
            tx,
            role_id=request.role_id,
            role_name=rules.role_name(tx, request.role_id, request.scope),
            principal_id=request.principal_id,
            scope=request.scope,
            request_id=request.id,
        ),
        reason=reason or request.justification or "",
        details=grant_details(request=request, schedule=schedule, role_id=request.role_id),
        correlation_id=request.id,
        policy_version=policy_version,
        on_behalf_of=on_behalf_of,
        then=then,
    )
