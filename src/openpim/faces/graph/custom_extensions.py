"""`identityGovernance/privilegedAccess/customExtensions`: the systems that are asked, in the shape that Entra gives them.

The same things as `openPim/channels` of the kind extension. Calls are signed, not sent with a token of the directory:
see docs/divergences/graph.md. One extension serves roles, groups and resources.
"""

from __future__ import annotations

from typing import Final

from openpim.core.channels import Channel, ChannelKind
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.faults import Style, settled
from openpim.faces.graph.resource import Resource, Row, plain_page
from openpim.faces.graph.table import Endpoint
from openpim.services.channels import manage
from openpim.services.channels.manage import Wanted
from openpim.services.channels.questions import callback_address
from openpim.wire.jsonbody import Body

PATH: Final = "identityGovernance/privilegedAccess/customExtensions"
KIND: Final = ChannelKind.EXTENSION


def row(call: Call, one: Channel) -> Row:
    return {
        "id": one.id,
        "displayName": one.name,
        "description": one.description or None,
        "endpointConfiguration": {
            "@odata.type": "#microsoft.graph.httpRequestEndpoint",
            "targetUrl": one.address,
        },
        "clientConfiguration": {
            "@odata.type": "#microsoft.graph.customExtensionClientConfiguration",
            "timeoutInMilliseconds": one.timeout_ms,
            "maximumRetries": one.retries,
        },
        "authenticationConfiguration": None,
        "customAttributes": [],
        "openPim": {
            "isEnabled": one.enabled,
            "callbackUrl": callback_address(call.deps, call.caller.tenant_id, one.id),
        },
    }


EXTENSIONS: Resource[Channel] = Resource(path=PATH, type="roleManagementCustomCalloutExtension", render=row)


def index(call: Call) -> Answer:
    found = settled(manage.all_of(call.deps, call.caller, KIND))
    return EXTENSIONS.collection(call, plain_page(found, call.options))


def show(call: Call) -> Answer:
    key = call.params["id"].lower()
    return EXTENSIONS.entity(call, settled(manage.get(call.deps, call.caller, key, KIND), key))


def create(call: Call) -> Answer:
    """The signing secret is in this answer's `openPim.secret`, and in no other."""
    made = settled(manage.add(call.deps, call.caller, KIND, _wanted(call.json())))
    answer = EXTENSIONS.entity(call, made.channel, status=201)
    assert isinstance(answer.body, dict)  # noqa: S101 - an entity's is
    ours = {**answer.body["openPim"], "secret": made.secret}
    return Answer(201, {**answer.body, "openPim": ours}, answer.headers)


def change(call: Call) -> Answer:
    key = call.params["id"].lower()
    changed = manage.update(call.deps, call.caller, key, _wanted(call.json()), KIND)
    return EXTENSIONS.entity(call, settled(changed, key))


def delete(call: Call) -> Answer:
    key = call.params["id"].lower()
    settled(manage.remove(call.deps, call.caller, key, KIND), key)
    return NO_CONTENT


def _wanted(body: Body) -> Wanted:
    if body.get("authenticationConfiguration") is not None:
        raise body.fail(
            "authenticationConfiguration",
            "cannot be chosen: calls are signed as the Standard Webhooks specification says. Leave it out",
        )
    endpoint, client = body.object("endpointConfiguration"), body.object("clientConfiguration")
    return Wanted(
        name=body.text("displayName", max_length=200),
        description=body.text("description", max_length=1000),
        address=endpoint.text("targetUrl", max_length=2048) if endpoint is not None else None,
        timeout_ms=client.integer("timeoutInMilliseconds") if client is not None else None,
        retries=client.integer("maximumRetries") if client is not None else None,
    )


ENDPOINTS = (
    Endpoint("GET", PATH, index, p.CHANNELS_READ, Style.PIM),
    Endpoint("POST", PATH, create, p.CHANNELS_WRITE, Style.PIM),
    Endpoint("GET", f"{PATH}/{{id}}", show, p.CHANNELS_READ, Style.PIM),
    Endpoint("PATCH", f"{PATH}/{{id}}", change, p.CHANNELS_WRITE, Style.PIM),
    Endpoint("DELETE", f"{PATH}/{{id}}", delete, p.CHANNELS_WRITE, Style.PIM),
)
