"""`openPim/channels`, an addition of ours: the other systems of an organisation. Webhooks and chats are told things;
extensions are asked before a role is activated, know its ticket, and may call back.

A signing secret is in the answer that made it and in no other; the address of a chat is never given back.
"""

from __future__ import annotations

from typing import Final

from openpim.core.channels import Channel, ChannelKind
from openpim.faces.graph import grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.faults import settled
from openpim.faces.graph.resource import Resource, Row, plain_page
from openpim.faces.graph.table import Endpoint
from openpim.services.channels import manage
from openpim.services.channels.manage import Wanted
from openpim.services.channels.questions import callback_address
from openpim.wire.jsonbody import Body

PATH: Final = "openPim/channels"
_LONGEST: Final = 2048


def row(call: Call, one: Channel) -> Row:
    asked = one.kind is ChannelKind.EXTENSION
    return {
        "id": one.id,
        "kind": one.kind.value,
        "displayName": one.name,
        "description": one.description or None,
        "address": one.address,
        "isEnabled": one.enabled,
        "isOffered": one.offered,
        "notices": list(one.notices),
        "timeoutInMilliseconds": one.timeout_ms if asked else None,
        "maximumRetries": one.retries if asked else None,
        "callbackUrl": callback_address(call.deps, call.caller.tenant_id, one.id) if asked else None,
        "previousSecretUntilDateTime": grants.when(one.previous_until),
        "createdDateTime": grants.when(one.created_at),
    }


CHANNELS: Resource[Channel] = Resource(path=PATH, type="openPimChannel", render=row)


def index(call: Call) -> Answer:
    found = settled(manage.all_of(call.deps, call.caller))
    return CHANNELS.collection(call, plain_page(found, call.options))


def show(call: Call) -> Answer:
    key = call.params["id"].lower()
    return CHANNELS.entity(call, settled(manage.get(call.deps, call.caller, key), key))


def create(call: Call) -> Answer:
    body = call.json()
    kind = body.need_choice("kind", ChannelKind)
    made = settled(manage.add(call.deps, call.caller, kind, _wanted(body)))
    return _with_secret(CHANNELS.entity(call, made.channel, status=201), made.secret)


def change(call: Call) -> Answer:
    key = call.params["id"].lower()
    return CHANNELS.entity(
        call, settled(manage.update(call.deps, call.caller, key, _wanted(call.json())), key)
    )


def delete(call: Call) -> Answer:
    key = call.params["id"].lower()
    settled(manage.remove(call.deps, call.caller, key), key)
    return NO_CONTENT


def rotate(call: Call) -> Answer:
    """The secret before it counts for another day."""
    key = call.params["id"].lower()
    made = settled(manage.rotate(call.deps, call.caller, key), key)
    return _with_secret(CHANNELS.entity(call, made.channel), made.secret)


def test(call: Call) -> Answer:
    key = call.params["id"].lower()
    outcome = settled(manage.test(call.deps, call.caller, key), key)
    body = {
        "@odata.context": call.context(f"{PATH}/test"),
        "isSent": outcome.sent,
        "reason": outcome.reason or None,
    }
    return Answer(200, body)


def _wanted(body: Body) -> Wanted:
    notices = body.texts("notices", most=100, max_length=60)
    return Wanted(
        name=body.text("displayName", max_length=200),
        description=body.text("description", max_length=1000),
        address=body.text("address", max_length=_LONGEST),
        enabled=body.boolean("isEnabled"),
        offered=body.boolean("isOffered"),
        notices=tuple(notices) if notices is not None else None,
        timeout_ms=body.integer("timeoutInMilliseconds"),
        retries=body.integer("maximumRetries"),
    )


def _with_secret(answer: Answer, secret: str) -> Answer:
    assert isinstance(answer.body, dict)  # noqa: S101 - an entity's is
    return Answer(answer.status, {**answer.body, "secret": secret or None}, answer.headers)


ENDPOINTS = (
    Endpoint("GET", PATH, index, p.CHANNELS_READ),
    Endpoint("POST", PATH, create, p.CHANNELS_WRITE),
    Endpoint("GET", f"{PATH}/{{id}}", show, p.CHANNELS_READ),
    Endpoint("PATCH", f"{PATH}/{{id}}", change, p.CHANNELS_WRITE),
    Endpoint("DELETE", f"{PATH}/{{id}}", delete, p.CHANNELS_WRITE),
    Endpoint("POST", f"{PATH}/{{id}}/rotateSecret", rotate, p.CHANNELS_WRITE),
    Endpoint("POST", f"{PATH}/{{id}}/test", test, p.CHANNELS_WRITE, waits=True),
)
