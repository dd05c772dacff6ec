"""Writes what happened into the audit, in the unit of work in which it happens."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from openpim.core.audit import AuditEvent, Category, Target, fitting, leaf_bytes
from openpim.core.caller import Caller
from openpim.core.grants import NO_TICKET, Provider, Request, Schedule, Ticket
from openpim.core.refusals import Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction

_HALVES = re.compile("[\ud800-\udfff]")
MAC_PURPOSE: Final = "audit-event"


def add(tx: Transaction, deps: Deps, *events: AuditEvent) -> None:
    """The one road into the audit: each event gets the mark that only this server can make, so that one that somebody
    else wrote, or changed before it was in the log, is found."""
    kept = [fitting(event) for event in events]
    marked = [
        replace(event, mac=deps.sealer.mac(MAC_PURPOSE, leaf_bytes(event, tx.tenant_id))) for event in kept
    ]
    tx.audit.add(*marked)


@dataclass(frozen=True, slots=True)
class Happened:
    """What one event says; who did it and when is said once for many (`record_all`)."""

    activity: str
    category: Category
    targets: tuple[Target, ...] = ()
    result: Literal["success", "failure"] = "success"
    reason: str = ""
    details: tuple[tuple[str, str], ...] = ()
    correlation_id: str | None = None


def record_all(
    tx: Transaction, deps: Deps, caller: Caller, now: datetime, happened: Iterable[Happened]
) -> None:
    """As `record`, for many at once: a few statements, however many there are."""
    events = [_event(deps, caller, now, one) for one in happened]
    if events:
        add(tx, deps, *events)


def record(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    now: datetime,
    *,
    activity: str,
    category: Category,
    targets: tuple[Target, ...] = (),
    result: Literal["success", "failure"] = "success",
    reason: str = "",
    details: tuple[tuple[str, str], ...] = (),
    correlation_id: str | None = None,
    ticket: Ticket = NO_TICKET,
    on_behalf_of: tuple[str, str] = ("", ""),
    policy_version: str = "",
    then: str = "",
) -> AuditEvent:
    """Add one event; it commits, or rolls back, with the rest of the unit of work.

    on_behalf_of: id and name of the person in whose place the caller acted. then: an activity that happened right after, of which all else is the same: two events by one write.
    """
    happened = Happened(activity, category, targets, result, reason, details, correlation_id)
    event = _event(
        deps, caller, now, happened, ticket=ticket, on_behalf_of=on_behalf_of, policy_version=policy_version
    )
    add(tx, deps, event, *([replace(event, id=deps.new_id(), activity=then)] if then else []))
    return event


def _event(
    deps: Deps,
    caller: Caller,
    now: datetime,
    one: Happened,
    *,
    ticket: Ticket = NO_TICKET,
    on_behalf_of: tuple[str, str] = ("", ""),
    policy_version: str = "",
) -> AuditEvent:
    said = dict(one.details)
    return AuditEvent(
        id=deps.new_id(),
        at=now,
        activity=one.activity,
        category=one.category,
        result=one.result,
        reason=one.reason,
        actor_id=caller.principal_id,
        actor_kind=caller.kind.value,
        actor_name=caller.display_name,
        actor_upn=caller.user_principal_name,
        app_id=caller.app_id,
        ip=caller.ip,
        client=caller.client,
        amr=tuple(sorted(caller.amr)),
        correlation_id=one.correlation_id or caller.request_id or "",
        targets=one.targets,
        details=one.details,
        on_behalf_of_id=on_behalf_of[0],
        on_behalf_of_name=on_behalf_of[1],
        ticket_number=ticket.number or said.get("TicketNumber", ""),
        ticket_system=ticket.system or said.get("TicketSystem", ""),
        request_id=caller.request_id or "",
        policy_version=policy_version or said.get("PolicyVersion", ""),
    )


def storable(text: str) -> bool:
    """Whether every database can keep it: no NUL, and no half of a surrogate pair."""
    return "\x00" not in text and (text.isascii() or not _HALVES.search(text))


def record_refusal(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    now: datetime,
    refusal: Refusal,
    *,
    activity: str,
    provider: Provider,
    targets: tuple[Target, ...],
    details: tuple[tuple[str, str], ...] = (),
    correlation_id: str | None = None,
) -> None:
    """A no is on record too, with its reasons."""
    record(
        tx,
        deps,
        caller,
        now,
        activity=activity,
        category=category_of(provider),
        targets=targets,
        result="failure",
        reason=refusal.message,
        details=(("Refusal", refusal.code.value), ("FailedRules", ",".join(refusal.rules)), *details),
        correlation_id=correlation_id,
    )


def category_of(provider: Provider) -> Category:
    """Entra's category of an event of this provider."""
    return {
        Provider.DIRECTORY: "RoleManagement",
        Provider.GROUP: "GroupManagement",
        Provider.RESOURCE: "ResourceManagement",
    }[provider]  # type: ignore[return-value]


def grant_targets(
    tx: Transaction, *, role_id: str, role_name: str, principal_id: str, scope: str, request_id: str | None
) -> tuple[Target, ...]:
    """The targets of an event about a grant, in Entra's order: role, request, subject, directory."""
    principal = tx.principals.get(principal_id, deleted=True)
    kind = {"user": "User", "group": "Group", "servicePrincipal": "ServicePrincipal"}.get(
        principal.kind.value if principal else "user", "Other"
    )
    targets = [Target("Role", role_id, role_name)]
    if request_id is not None:
        targets.append(Target("Request", request_id))
    targets.append(Target(kind, principal_id, principal.display_name if principal else ""))
    targets.append(Target("Directory", scope if scope != "/" else tx.tenant_id, scope))
    return tuple(targets)


def grant_details(
    *, request: Request | None = None, schedule: Schedule | None = None, role_id: str = ""
) -> tuple[tuple[str, str], ...]:
    """Entra's additional details of an event about a grant."""
    details = [
        ("RoleDefinitionOriginId", role_id),
        ("RoleDefinitionOriginType", "BuiltInRole"),
        ("TemplateId", role_id),
    ]
    if schedule is not None:
        details.append(("StartTime", schedule.starts_at.isoformat()))
        if schedule.ends_at is not None:
            details.append(("ExpirationTime", schedule.ends_at.isoformat()))
    if request is not None:
        details.append(("RequestId", request.id))
        if request.justification:
            details.append(("Justification", request.justification))
        if request.ticket.number:
            details.append(("TicketNumber", request.ticket.number))
        if request.ticket.system:
            details.append(("TicketSystem", request.ticket.system))
    return tuple(details)
