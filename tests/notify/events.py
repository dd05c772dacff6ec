"""Audit events of every sort, friendly and not, for what is sent to others."""

from __future__ import annotations

from datetime import UTC, datetime

from openpim.core.audit import AuditEvent, Target
from openpim.core.streams import Stream, StreamKind
from openpim.ports.streams import Outgoing

NOW = datetime(2026, 11, 2, 9, 0, 0, 123456, tzinfo=UTC)
TENANT = "7e9b0d3c-0000-4000-8000-000000000001"
HOSTILE = (
    "line\r\nbreak",
    "<13>1 2026-11-02T09:00:00Z evil - - - - forged",
    'quote " bracket ] backslash \\ end',
    '"]][openpim@32473 id="forged"]',
    "escape \x1b[31m bell \x07 delete \x7f next \x85 line\u2028sep\u2029",
    "right to left \u202e and a face 😀 and ü",
    "12 <14>1 octets",
    "x" * 20_000,
    "]" * 3000,
    "😀" * 20_000,
)
ROLE = Target("Role", "69091246-20e8-4a56-aa4d-066075b2a7a8", "Teams Administrator")
ANN = Target("User", "11111111-0000-4000-8000-000000000001", "Ann")
GROUP = Target(
    "Group", "22222222-0000-4000-8000-000000000001", "Ops", (("description", None, "x"), ("a", "b", None))
)
PLACE = Target("Directory", TENANT, "/")


def event(
    number: int = 1, activity: str = "Add member to role completed (PIM activation)", **more: object
) -> AuditEvent:
    values: dict[str, object] = {
        "category": "RoleManagement",
        "result": "success",
        "reason": "because",
        "actor_id": ANN.id,
        "actor_kind": "user",
        "actor_name": "Ann",
        "actor_upn": "ann@contoso.com",
        "ip": "192.0.2.1",
        "client": "pim/1",
        "amr": ("mfa", "pwd"),
        "correlation_id": "abc",
        "targets": (ROLE, ANN, PLACE),
        "details": (("TicketNumber", "INC-1"),),
        "sequence": number,
        "position": number,
    }
    return AuditEvent(f"33333333-0000-4000-8000-{number:012d}", NOW, activity, **(values | more))  # type: ignore[arg-type]


def outgoing(*events: AuditEvent) -> list[Outgoing]:
    return [Outgoing(TENANT, one.position or 0, one) for one in events]


def hostile_events() -> list[AuditEvent]:
    return [
        event(
            number,
            reason=text,
            actor_name=text,
            actor_upn=text,
            client=text,
            targets=(Target("User", text[:36], text, ((text, text, text),)), Target("Role", "r", text)),
            details=((text, text),),
            correlation_id=text[:64],
            result="failure",
        )
        for number, text in enumerate(HOSTILE)
    ]


def stream(kind: StreamKind, address: str, **more: object) -> Stream:
    return Stream("s", "siem", kind, address, NOW, "", NOW, **more)  # type: ignore[arg-type]
