"""`auditLogs/directoryAudits`: the history, in the shape that Graph gives it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from openpim.core import query as q
from openpim.core.audit import AuditEvent, Target
from openpim.faces.graph import filters, grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import settled
from openpim.faces.graph.resource import Resource, Row
from openpim.faces.graph.table import BETA, Endpoint
from openpim.services import audits
from openpim.wire.ids import is_guid

PATH = "auditLogs/directoryAudits"
PIM: Final = "PIM"
_PIM_CATEGORIES: Final = ("RoleManagement", "GroupManagement", "ResourceManagement")
# What is the directory's own in these, not PIM's.
_NOT_PIM: Final = (
    "Add role definition", "Update role definition", "Delete role definition",
    "Add group", "Update group", "Delete group",
    "Add member to group", "Remove member from group", "Add owner to group", "Remove owner from group",
)  # fmt: skip
_SERVICES: Final = {"Authentication": "Authentication Methods"}
_ROLE_DETAILS: Final = ("RoleDefinitionOriginId", "RoleDefinitionOriginType", "TemplateId")
_OPERATIONS: Final = ("Add", "Update", "Delete", "Remove")


def service(event: AuditEvent) -> str:
    """Which service it was logged by: loggedByService."""
    if event.category in _PIM_CATEGORIES and event.activity not in _NOT_PIM:
        return PIM
    return _SERVICES.get(event.category, "Core Directory")


def _by_service(text: str | None) -> q.Condition:
    pim = q.All((q.AnyOf("category", _PIM_CATEGORIES), q.Not(q.AnyOf("activity", _NOT_PIM))))
    word = (text or "").lower()
    if word == "pim":
        return pim
    if word == "authentication methods":
        return q.Compare("category", "eq", "Authentication")
    if word == "core directory":
        return q.All((q.Not(pim), q.Compare("category", "ne", "Authentication")))
    return filters.NONE


def row(call: Call, event: AuditEvent) -> Row:
    return {
        "id": f"{'PIM' if service(event) == PIM else 'Directory'}_{event.id}_{call.caller.tenant_id}",
        "category": event.category,
        "correlationId": event.correlation_id or None,
        "result": event.result,
        "resultReason": event.reason,
        "activityDisplayName": event.activity,
        "activityDateTime": grants.when(event.at),
        "loggedByService": service(event),
        "operationType": next((one for one in _OPERATIONS if event.activity.startswith(one)), ""),
        "userAgent": event.client,
        "initiatedBy": _initiator(call, event),
        "targetResources": [_target(event, one) for one in event.targets],
        "additionalDetails": _details(call, event),
    }


def _initiator(call: Call, event: AuditEvent) -> Row:
    if event.actor_kind == "servicePrincipal":
        app = {
            "appId": event.app_id,
            "displayName": event.actor_name,
            "servicePrincipalId": event.actor_id,
            "servicePrincipalName": None,
        }
        return {"user": None, "app": app}
    user = {
        "id": event.actor_id or None,
        "displayName": event.actor_name,
        "userPrincipalName": event.actor_upn,
        "ipAddress": event.ip,
    }
    if call.version == BETA:
        guest = event.actor_upn is not None and "#ext#" in event.actor_upn.lower()
        kind = None if event.actor_upn is None else "Guest" if guest else "Member"
        user |= {"userType": kind, "homeTenantId": None, "homeTenantName": None}
    return {"user": user, "app": None}


def _target(event: AuditEvent, target: Target) -> Row:
    changes = [_change(name, before, after) for name, before, after in target.changes]
    if target.kind == "Role":
        known = dict(event.details)
        changes += [_change(name, "", known[name]) for name in _ROLE_DETAILS if name in known]
    return {
        "id": target.id,
        "displayName": target.name or None,
        "type": target.kind,
        "userPrincipalName": None,
        "groupType": None,
        "modifiedProperties": changes,
    }


def _change(name: str, before: str | None, after: str | None) -> Row:
    """Values are JSON texts, as Graph has them."""
    return {"displayName": name, "oldValue": _json(before), "newValue": _json(after)}


def _json(value: str | None) -> str | None:
    return json.dumps(value, ensure_ascii=False) if value is not None else None


def _details(call: Call, event: AuditEvent) -> list[Row]:
    found: list[tuple[str, str | None]] = list(event.details)
    found += [("oid", event.actor_id), ("tid", call.caller.tenant_id), ("ipaddr", event.ip)]
    if event.amr:
        found.append(("amr", ",".join(event.amr)))
    return [{"key": key, "value": value} for key, value in found if value]


def _by_id(text: str | None) -> q.Condition:
    key = event_key(text or "")
    return q.Compare("id", "eq", key) if key else filters.NONE


def event_key(text: str) -> str:
    """The guid in an audit id, "" when there is none."""
    parts: list[Any] = [part for part in text.split("_") if is_guid(part)]
    return str(parts[0]).lower() if parts else ""


AUDITS: Resource[AuditEvent] = Resource(
    path="auditLogs/directoryAudits",
    type="directoryAudit",
    render=row,
    properties={
        "id": filters.decided(_by_id),
        "activitydatetime": filters.instant("at"),
        "activitydisplayname": filters.text("activity"),
        "category": filters.text("category"),
        "correlationid": filters.text("correlation_id"),
        "result": filters.text("result", lower=True),
        "loggedbyservice": filters.decided(_by_service),
        "initiatedby/user/id": filters.guid("actor_id"),
        "initiatedby/user/displayname": filters.text("actor_name"),
        "initiatedby/user/userprincipalname": filters.text("actor_upn"),
        "initiatedby/app/appid": filters.guid("app_id"),
        "initiatedby/app/displayname": filters.text("actor_name"),
        "initiatedby/app/serviceprincipalid": filters.guid("actor_id"),
        "targetresources/any/id": filters.guid("target_id", sortable=False),
    },
)


def index(call: Call) -> Answer:
    query = AUDITS.query(call, order=(q.Order("at", descending=True),))
    query = replace(query, order=tuple(each for one in query.order for each in told_in_order(one)))
    return AUDITS.collection(call, audits.page(call.deps, call.caller, query))


def told_in_order(order: q.Order) -> tuple[q.Order, ...]:
    """Events of one instant stand as they happened, in the direction of the time."""
    return (order, q.Order("sequence", order.descending)) if order.field == "at" else (order,)


def show(call: Call) -> Answer:
    key = call.params["id"]
    return AUDITS.entity(call, settled(audits.get(call.deps, call.caller, event_key(key)), key))


ENDPOINTS = (
    Endpoint("GET", PATH, index, p.AUDITS_READ),
    Endpoint("GET", f"{PATH}/{{id}}", show, p.AUDITS_READ),
)
