"""`openPim/auditEvents`, an addition of ours: the history with all that an event tells, and searched by words.

Graph's `auditLogs/directoryAudits` shows the same events in Graph's shape. See docs/reference/extensions.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from openpim.core import query as q
from openpim.core.audit import AuditEvent
from openpim.faces.graph import filters, grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.audits import event_key, told_in_order
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import settled
from openpim.faces.graph.resource import Resource, Row
from openpim.faces.graph.table import Endpoint
from openpim.services import audit_proof, audits
from openpim.wire.odata import ODataError
from openpim.wire.odata.search import Search, SearchAll, SearchTerm

PATH: Final = "openPim/auditEvents"


def row(_call: Call, event: AuditEvent) -> Row:
    return {
        "id": event.id,
        "position": event.position,
        "activityDateTime": grants.when(event.at),
        "activity": event.activity,
        "category": event.category,
        "result": event.result,
        "reason": event.reason or None,
        "actor": {
            "id": event.actor_id or None,
            "kind": event.actor_kind,
            "displayName": event.actor_name,
            "userPrincipalName": event.actor_upn,
            "appId": event.app_id,
        },
        "onBehalfOf": _other(event),
        "ticket": {"number": event.ticket_number or None, "system": event.ticket_system or None},
        "policyVersion": event.policy_version or None,
        "authenticationMethods": list(event.amr),
        "ipAddress": event.ip,
        "client": event.client,
        "correlationId": event.correlation_id or None,
        "requestId": event.request_id or None,
        "targets": [
            {
                "id": target.id,
                "kind": target.kind,
                "displayName": target.name or None,
                "changes": [
                    {"property": name, "before": before, "after": after}
                    for name, before, after in target.changes
                ],
            }
            for target in event.targets
        ],
        "details": [{"name": name, "value": value} for name, value in event.details],
    }


def _other(event: AuditEvent) -> Row | None:
    if not event.on_behalf_of_id:
        return None
    return {"id": event.on_behalf_of_id, "displayName": event.on_behalf_of_name or None}


EVENTS: Resource[AuditEvent] = Resource(
    path=PATH,
    type="openPimAuditEvent",
    render=row,
    properties={
        "id": filters.guid("id"),
        "activitydatetime": filters.instant("at"),
        "activity": filters.text("activity"),
        "category": filters.text("category"),
        "result": filters.text("result", lower=True),
        "correlationid": filters.text("correlation_id"),
        "actor/id": filters.guid("actor_id"),
        "actor/displayname": filters.text("actor_name"),
        "actor/userprincipalname": filters.text("actor_upn"),
        "actor/appid": filters.guid("app_id"),
        # What it touched, whatever that is; of a role, its definition's id.
        "targets/any/id": filters.text("target_id", sortable=False),
    },
)


def index(call: Call) -> Answer:
    query = EVENTS.query(call, order=(q.Order("at", descending=True),))
    query = replace(query, order=tuple(each for one in query.order for each in told_in_order(one)))
    text = _text(call.options.search)
    if text and (call.options.orderby or call.options.count or call.options.skip):
        raise ODataError(
            "$search", "what is searched comes the newest first: without $orderby, $count and $skip"
        )
    return EVENTS.collection(call, audits.page(call.deps, call.caller, query, text))


def _text(search: Search | None) -> str:
    match search:
        case None:
            return ""
        case SearchTerm(field=None, text=text):
            return text
        case SearchAll(terms=terms):
            return " ".join(_text(one) for one in terms)
        case _:
            raise ODataError(
                "$search", "takes words that an event must all have, without OR, NOT and properties"
            )


def show(call: Call) -> Answer:
    """One event, and the first checkpoint that proves it."""
    key = call.params["id"]
    event = settled(audits.get(call.deps, call.caller, event_key(key)), key)
    answer = EVENTS.entity(call, event)
    proof = None if event.position is None else audit_proof.proved_by(call.deps, call.caller, event.position)
    if isinstance(answer.body, dict) and not call.options.select:
        answer.body["provedByCheckpoint"] = proof.number if proof is not None else None
    return answer


ENDPOINTS = (
    Endpoint("GET", PATH, index, p.AUDITS_READ),
    Endpoint("GET", f"{PATH}/{{id}}", show, p.AUDITS_READ),
)
