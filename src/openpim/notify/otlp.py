"""Audit events as OpenTelemetry logs: OTLP/HTTP in JSON (opentelemetry-proto, ExportLogsServiceRequest).

Names of attributes are OpenTelemetry's semantic conventions where they have one (`user.*`, `client.address`,
`user_agent.original`), ours (`openpim.*`) elsewhere. docs/how-to/send-the-audit-to-a-siem.md lists them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from openpim import __version__
from openpim.core.audit_form import one_line
from openpim.core.streams import Stream
from openpim.notify.posting import Posting
from openpim.ports.outbound import Outbound
from openpim.ports.streams import Outgoing

EVENT_NAME: Final = "openpim.audit"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SEVERITIES = {"success": (9, "INFO"), "failure": (13, "WARN")}
_SAID = 200


class Otlp:
    """See ports/streams.py, Sender."""

    def __init__(self, outbound: Outbound) -> None:
        self._posting = Posting(outbound)

    def send(self, stream: Stream, secret: str, batch: Sequence[Outgoing]) -> str:
        answer = self._posting.post(stream, secret, request(batch))
        return _rejected(answer.body)


def request(batch: Sequence[Outgoing]) -> dict[str, Any]:
    """ExportLogsServiceRequest of events of one tenant."""
    scope = {"name": "openpim.audit", "version": __version__}
    resource = {
        "service.name": "openpim",
        "service.version": __version__,
        "openpim.tenant.id": batch[0].tenant_id,
    }
    logs = {"scope": scope, "logRecords": [record(one) for one in batch]}
    return {"resourceLogs": [{"resource": {"attributes": _attributes(resource)}, "scopeLogs": [logs]}]}


def record(one: Outgoing) -> dict[str, Any]:
    """LogRecord."""
    event = one.event
    number, severity = _SEVERITIES[event.result]
    nanoseconds = str((event.at - _EPOCH) // timedelta(microseconds=1) * 1000)
    attributes: dict[str, Any] = {
        "openpim.event.id": event.id,
        "openpim.event.position": one.position,
        "openpim.event.activity": event.activity,
        "openpim.event.category": event.category,
        "openpim.event.result": event.result,
        "openpim.event.reason": event.reason,
        "openpim.correlation.id": event.correlation_id,
        "openpim.actor.kind": event.actor_kind,
        "openpim.actor.authentication_methods": list(event.amr),
        "openpim.app.id": event.app_id,
        "openpim.on_behalf_of.id": event.on_behalf_of_id,
        "openpim.on_behalf_of.name": event.on_behalf_of_name,
        "openpim.ticket.number": event.ticket_number,
        "openpim.ticket.system": event.ticket_system,
        "openpim.request.id": event.request_id,
        "openpim.policy.version": event.policy_version,
        "user.id": event.actor_id,
        "user.name": event.actor_upn,
        "user.full_name": event.actor_name,
        "client.address": event.ip,
        "user_agent.original": event.client,
        "openpim.targets": [
            {
                "kind": target.kind,
                "id": target.id,
                "name": target.name,
                "changes": [
                    {"name": name, "before": before or "", "after": after or ""}
                    for name, before, after in target.changes
                ],
            }
            for target in event.targets
        ],
        "openpim.details": [{"name": name, "value": value} for name, value in event.details],
    }
    return {
        "timeUnixNano": nanoseconds,
        "observedTimeUnixNano": nanoseconds,
        "severityNumber": number,
        "severityText": severity,
        "eventName": EVENT_NAME,
        "body": {"stringValue": event.activity},
        "attributes": _attributes(attributes),
    }


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """KeyValue list; what is empty is left out."""
    return [
        {"key": name, "value": _value(value)} for name, value in values.items() if value not in (None, "", [])
    ]


def _value(value: Any) -> dict[str, Any]:
    """AnyValue. 64-bit numbers are texts in protobuf's JSON."""
    match value:
        case int():
            return {"intValue": str(value)}
        case list():
            return {"arrayValue": {"values": [_value(one) for one in value]}}
        case dict():
            return {"kvlistValue": {"values": _attributes(value)}}
        case _:
            return {"stringValue": str(value)}


def _rejected(body: bytes) -> str:
    """What a receiver says that took the batch but not all of it; it must not be sent again (OTLP, Partial Success)."""
    try:
        partial = json.loads(body or b"{}")["partialSuccess"]
        count, why = int(partial.get("rejectedLogRecords", 0)), str(partial.get("errorMessage", ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    if count <= 0:
        return ""
    return f"The receiver rejected {count} of the events for good: {one_line(why)[:_SAID] or 'it does not say why'}"
