"""`openPim/auditStreams`, an addition of ours: where the audit history is sent to. A secret goes in and never out."""

from __future__ import annotations

from typing import Final

from openpim.core.streams import LONGEST_ADDRESS, LONGEST_SECRET, StreamKind
from openpim.faces.graph import grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.faults import settled
from openpim.faces.graph.resource import Resource, Row, plain_page
from openpim.faces.graph.table import Endpoint
from openpim.services.streams import manage
from openpim.services.streams.manage import View, Wanted
from openpim.wire.jsonbody import Body

PATH: Final = "openPim/auditStreams"


def row(call: Call, view: View) -> Row:
    one = view.stream
    return {
        "id": one.id,
        "displayName": one.name,
        "kind": one.kind.value,
        "address": one.address,
        "headerName": one.header if one.kind is not StreamKind.SYSLOG else None,
        "hasSecret": bool(one.secret),
        "facility": one.facility if one.kind is StreamKind.SYSLOG else None,
        "isCompressed": one.gzip if one.kind is not StreamKind.SYSLOG else None,
        "isPaused": one.paused,
        "createdDateTime": grants.when(one.created_at),
        "createdBy": one.created_by,
        "status": {
            "eventsBehind": view.lag.events,
            "secondsBehind": view.lag.seconds(call.now),
            "eventsSent": one.sent,
            "lastSentDateTime": grants.when(one.sent_at),
            "failures": one.failures,
            "lastError": one.error or None,
            "lastErrorDateTime": grants.when(one.error_at),
            "nextTryDateTime": grants.when(one.next_at) if one.failures and not one.paused else None,
        },
    }


STREAMS: Resource[View] = Resource(path=PATH, type="openPimAuditStream", render=row)


def index(call: Call) -> Answer:
    found = settled(manage.all_of(call.deps, call.caller), "")
    return STREAMS.collection(call, plain_page(found, call.options))


def show(call: Call) -> Answer:
    key = call.params["id"].lower()
    return STREAMS.entity(call, settled(manage.get(call.deps, call.caller, key), key))


def create(call: Call) -> Answer:
    """`startFrom`: `now` (when it is missing) or `beginning`."""
    body = call.json()
    kind = body.need_choice("kind", StreamKind)
    start = body.text("startFrom", max_length=20) or "now"
    if start not in {"now", "beginning"}:
        raise body.fail("startFrom", "is neither now nor beginning")
    made = manage.create(call.deps, call.caller, kind, _wanted(body), from_beginning=start == "beginning")
    return STREAMS.entity(call, settled(made, ""), status=201)


def update(call: Call) -> Answer:
    """What is missing stays as it is; a failing one is tried again at once."""
    key = call.params["id"].lower()
    wanted = _wanted(call.json(allow_empty=True))
    return STREAMS.entity(call, settled(manage.update(call.deps, call.caller, key, wanted), key))


def delete(call: Call) -> Answer:
    key = call.params["id"].lower()
    settled(manage.remove(call.deps, call.caller, key), key)
    return NO_CONTENT


def _wanted(body: Body) -> Wanted:
    return Wanted(
        name=body.text("displayName", max_length=256),
        address=body.text("address", max_length=LONGEST_ADDRESS + 1),
        header=body.text("headerName", max_length=256),
        secret=body.text("secret", max_length=LONGEST_SECRET + 1),
        facility=body.integer("facility", least=-1, most=1000),
        gzip=body.boolean("isCompressed"),
        paused=body.boolean("isPaused"),
    )


ENDPOINTS = (
    Endpoint("GET", PATH, index, p.AUDITS_READ, people_only=True),
    Endpoint("POST", PATH, create, p.AUDIT_STREAMS_WRITE, people_only=True),
    Endpoint("GET", f"{PATH}/{{id}}", show, p.AUDITS_READ, people_only=True),
    Endpoint("PATCH", f"{PATH}/{{id}}", update, p.AUDIT_STREAMS_WRITE, people_only=True),
    Endpoint("DELETE", f"{PATH}/{{id}}", delete, p.AUDIT_STREAMS_WRITE, people_only=True),
)
