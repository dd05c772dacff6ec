"""An audit event as a line of a table, and what lines need to be safe. (Its other form, the same in every export, stream
and proof, is `core.audit.leaf_of`.)"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from openpim.core.audit import AuditEvent

COLUMNS: Final = (
    "position", "time", "activity", "category", "result", "reason", "who", "who_id", "who_kind", "signed_in_with",
    "on_behalf_of", "about", "details", "ticket_number", "ticket_system", "address", "client", "application",
    "policy_version", "correlation_id", "request_id", "id",
)  # fmt: skip
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def when(moment: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def row(event: AuditEvent) -> dict[str, str]:
    """One line of a table: COLUMNS. position: "" for an event that the log has not taken in yet."""
    return {
        "position": "" if event.position is None else str(event.position),
        "time": when(event.at),
        "activity": event.activity,
        "category": event.category,
        "result": event.result,
        "reason": event.reason,
        "who": event.actor_upn or event.actor_name,
        "who_id": event.actor_id,
        "who_kind": event.actor_kind,
        "signed_in_with": " ".join(event.amr),
        "on_behalf_of": event.on_behalf_of_name or event.on_behalf_of_id,
        "about": "; ".join(f"{one.kind} {one.name or one.id} ({one.id})" for one in event.targets),
        "details": "; ".join(f"{name}={value}" for name, value in event.details),
        "ticket_number": event.ticket_number,
        "ticket_system": event.ticket_system,
        "address": event.ip or "",
        "client": event.client or "",
        "application": event.app_id or "",
        "policy_version": event.policy_version,
        "correlation_id": event.correlation_id,
        "request_id": event.request_id,
        "id": event.id,
    }


def one_line(text: str) -> str:
    """Without what ends a line or moves a terminal: for receivers that write lines."""
    return _CONTROLS.sub(" ", text)


def compact(value: Mapping[str, Any]) -> str:
    """JSON in ASCII, on one line."""
    return json.dumps(value, separators=(",", ":"))
