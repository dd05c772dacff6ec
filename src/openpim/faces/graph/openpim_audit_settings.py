"""`openPim/auditSettings`, an addition of ours: how long the history is kept, and who witnesses its checkpoints."""

from __future__ import annotations

from typing import Any, Final

from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import settled
from openpim.faces.graph.table import Endpoint
from openpim.services import audit_settings
from openpim.services.audit_settings import AuditSettings

PATH: Final = "openPim/auditSettings"


def _answer(call: Call, one: AuditSettings) -> Answer:
    body: dict[str, Any] = {
        "@odata.context": call.context(PATH),
        "retentionDays": one.retention_days,
        "witnessUrl": one.witness_url or None,
        "timeStampUrl": one.timestamp_url or None,
    }
    if one.secret:
        body["witnessSecret"] = one.secret
    return Answer(200, body)


def show(call: Call) -> Answer:
    return _answer(call, settled(audit_settings.get(call.deps, call.caller)))


def update(call: Call) -> Answer:
    """`retentionDays`: a number, or null for ever. An address that is null is switched off."""
    body = call.json()
    wanted: dict[str, Any] = {}
    if body.has("retentionDays"):
        wanted["retention_days"] = body.integer("retentionDays")
    for member, name in (("witnessUrl", "witness_url"), ("timeStampUrl", "timestamp_url")):
        if body.has(member):
            wanted[name] = (body.text(member) or "").strip()
    return _answer(call, settled(audit_settings.change(call.deps, call.caller, **wanted)))


ENDPOINTS = (
    Endpoint("GET", PATH, show, p.AUDITS_READ),
    Endpoint("PATCH", PATH, update, p.AUDIT_SETTINGS_WRITE),
)
