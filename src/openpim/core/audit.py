"""The audit event: one for each thing that happened, with who, what, on whom, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from openpim.proof.leaf import VERSION, canonical

Category = Literal[
    "RoleManagement",
    "GroupManagement",
    "UserManagement",
    "ApplicationManagement",
    "Policy",
    "Authentication",
    "DirectoryManagement",
    "ResourceManagement",
]


@dataclass(frozen=True, slots=True)
class Target:
    """A thing an event touched. kind: Role | Request | User | Group | ServicePrincipal | Directory | Policy | Other."""

    kind: str
    id: str
    name: str = ""
    changes: tuple[tuple[str, str | None, str | None], ...] = ()  # (property, before, after)


# The longest texts that are kept; what is longer is cut.
LONGEST_NAME = 256
LONGEST_CLIENT = 256
LONGEST_CORRELATION = 64
LONGEST_TICKET = 128
LONGEST_VERSION = 64


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Immutable once written. `id` is a guid; `sequence` is given by the store in the order of writing.

    on_behalf_of: in whose place the actor acted (an approver who delegated). ticket: of the request it is about.
    correlation_id: of the request in the life of a grant, the same in all its events; request_id: of the call.
    policy_version: of the role's settings that were applied. mac: made by this server with its key file.
    position: in the log, None while it is not there yet.
    """

    id: str
    at: datetime
    activity: str
    category: Category
    result: Literal["success", "failure"]
    reason: str = ""
    actor_id: str = ""
    actor_kind: str = "system"
    actor_name: str = ""
    actor_upn: str | None = None
    app_id: str | None = None
    ip: str | None = None
    client: str | None = None
    amr: tuple[str, ...] = ()
    correlation_id: str = ""
    targets: tuple[Target, ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    on_behalf_of_id: str = ""
    on_behalf_of_name: str = ""
    ticket_number: str = ""
    ticket_system: str = ""
    request_id: str = ""
    policy_version: str = ""
    mac: bytes = b""
    sequence: int = 0
    position: int | None = None


def fitting(event: AuditEvent) -> AuditEvent:
    """The event as it can be kept."""
    if (
        len(event.actor_name) <= LONGEST_NAME
        and len(event.client or "-") <= LONGEST_CLIENT
        and event.client != ""
        and len(event.correlation_id) <= LONGEST_CORRELATION
        and len(event.on_behalf_of_name) <= LONGEST_NAME
        and len(event.ticket_number) <= LONGEST_TICKET
        and len(event.ticket_system) <= LONGEST_TICKET
        and len(event.request_id) <= LONGEST_CORRELATION
        and len(event.policy_version) <= LONGEST_VERSION
    ):
        return event
    return replace(
        event,
        actor_name=event.actor_name[:LONGEST_NAME],
        client=event.client[:LONGEST_CLIENT] if event.client else None,
        correlation_id=event.correlation_id[:LONGEST_CORRELATION],
        on_behalf_of_name=event.on_behalf_of_name[:LONGEST_NAME],
        ticket_number=event.ticket_number[:LONGEST_TICKET],
        ticket_system=event.ticket_system[:LONGEST_TICKET],
        request_id=event.request_id[:LONGEST_CORRELATION],
        policy_version=event.policy_version[:LONGEST_VERSION],
    )


def moment(at: datetime) -> str:
    """An instant in the bytes of an event: always to the microsecond, so that their order is that of the texts."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


def leaf_of(event: AuditEvent, tenant_id: str) -> dict[str, Any]:
    """The event as the log keeps it: see proof/leaf.py. What says nothing is left out."""
    leaf: dict[str, Any] = {
        "v": VERSION,
        "tenantId": tenant_id,
        "id": event.id,
        "at": moment(event.at),
        "activity": event.activity,
        "category": event.category,
        "result": event.result,
        "actorKind": event.actor_kind,
    }
    texts = (
        ("reason", event.reason),
        ("actorId", event.actor_id),
        ("actorName", event.actor_name),
        ("correlationId", event.correlation_id),
        ("onBehalfOfId", event.on_behalf_of_id),
        ("onBehalfOfName", event.on_behalf_of_name),
        ("ticketNumber", event.ticket_number),
        ("ticketSystem", event.ticket_system),
        ("requestId", event.request_id),
        ("policyVersion", event.policy_version),
    )
    leaf |= {name: text for name, text in texts if text != ""}
    perhaps = (
        ("actorUserPrincipalName", event.actor_upn),
        ("appId", event.app_id),
        ("ipAddress", event.ip),
        ("client", event.client),
    )
    leaf |= {name: text for name, text in perhaps if text is not None}
    if event.amr:
        leaf["authenticationMethods"] = list(event.amr)
    if event.targets:
        leaf["targets"] = [_target(one) for one in event.targets]
    if event.details:
        leaf["details"] = [{"name": name, "value": value} for name, value in event.details]
    return leaf


def _target(target: Target) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": target.kind, "id": target.id, "name": target.name}
    if target.changes:
        found["changes"] = [
            {"name": name, "before": before, "after": after} for name, before, after in target.changes
        ]
    return found


def leaf_bytes(event: AuditEvent, tenant_id: str) -> bytes:
    """What the log hashes, and what `mac` is made of."""
    return canonical(leaf_of(event, tenant_id))


def line_of(event: AuditEvent, position: int | None, tenant_id: str) -> bytes:
    """The event as a line of an export, without its end: what `pim audit verify` reads."""
    return b'{"position":%s,"leaf":%s}' % (
        b"null" if position is None else str(position).encode(),
        leaf_bytes(event, tenant_id),
    )
