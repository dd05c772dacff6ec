"""`/tenants`, `/subscriptions`, and making, renaming and removing a subscription."""

from __future__ import annotations

from uuid import UUID, uuid5

from openpim.core.resources import canonical
from openpim.faces.arm import grants, tree
from openpim.faces.arm.call import Answer, Call, Row
from openpim.faces.arm.faults import settled
from openpim.faces.arm.table import Endpoint
from openpim.services import browse as directory
from openpim.services.resources import browse, shaping
from openpim.services.resources.shaping import Wanted
from openpim.wire.jsonbody import Body


def tenants(call: Call) -> Answer:
    found = settled(directory.tenant(call.deps, call.caller))
    row: Row = {
        "id": f"/tenants/{found.id}",
        "tenantId": found.id,
        "countryCode": "",
        "displayName": found.name,
        "domains": list(found.domains or (found.domain,)),
        "tenantCategory": "Home",
        "defaultDomain": found.domain,
        "tenantType": "AAD",
    }
    return grants.listed(call, [row])


def index(call: Call) -> Answer:
    found = browse.subscriptions(call.deps, call.caller)
    body: Row = {
        "value": [tree.subscription_row(call, one) for one in found],
        "count": {"type": "Total", "value": len(found)},
    }
    return Answer(200, body)


def _scope(call: Call) -> str:
    return canonical(f"/subscriptions/{call.params['subscription']}")


def show(call: Call) -> Answer:
    return Answer(200, tree.subscription_row(call, settled(browse.get(call.deps, call.caller, _scope(call)))))


def locations(call: Call) -> Answer:
    settled(browse.get(call.deps, call.caller, _scope(call)))
    return grants.listed(
        call, [{"id": f"{_scope(call)}/locations/global", "name": "global", "displayName": "Global"}]
    )


def rename(call: Call) -> Answer:
    name = call.json().need_text("subscriptionName", max_length=256)
    settled(browse.get(call.deps, call.caller, _scope(call)))
    made = settled(shaping.put(call.deps, call.caller, _scope(call), Wanted(display_name=name)))
    return Answer(200, {"subscriptionId": made.resource.name})


def cancel(call: Call) -> Answer:
    """It goes from the tree at once, with everything in it."""
    gone = settled(shaping.delete(call.deps, call.caller, _scope(call)))
    return Answer(200, {"subscriptionId": gone.name})


# ---------------------------------------------------------------- aliases


def _alias_id(call: Call) -> str:
    """The id of a subscription that an alias makes without naming one: the same each time it is asked for."""
    return str(uuid5(UUID(call.caller.tenant_id), f"subscription/{call.params['alias'].lower()}"))


def _alias_row(call: Call, subscription_id: str, name: str) -> Row:
    return {
        "id": f"/providers/Microsoft.Subscription/aliases/{call.params['alias']}",
        "name": call.params["alias"],
        "type": "Microsoft.Subscription/aliases",
        "properties": {
            "subscriptionId": subscription_id,
            "displayName": name,
            "provisioningState": "Succeeded",
            "acceptOwnershipState": "Completed",
        },
    }


def create(call: Call) -> Answer:
    body = call.properties()
    wanted = body.guid("subscriptionId") or _alias_id(call)
    made = settled(
        shaping.put(
            call.deps,
            call.caller,
            f"/subscriptions/{wanted}",
            Wanted(display_name=body.text("displayName", max_length=256), parent_id=_group(body)),
        )
    )
    row = _alias_row(call, made.resource.name, made.resource.display_name)
    return Answer(201 if made.new else 200, row)


def _group(body: Body) -> str | None:
    more = body.object("additionalProperties")
    text = (more.text("managementGroupId") if more is not None else None) or body.text("managementGroupId")
    if not text:
        return None
    if "/" not in text:
        text = f"/providers/Microsoft.Management/managementGroups/{text}"
    return canonical(text)


def show_alias(call: Call) -> Answer:
    found = settled(browse.get(call.deps, call.caller, f"/subscriptions/{_alias_id(call)}"))
    return Answer(200, _alias_row(call, found.name, found.display_name))


_BELOW = "subscriptions/{subscription}"
_SUBSCRIPTION = "providers/Microsoft.Subscription"
_WRITE = "Microsoft.Management/managementGroups/subscriptions/write"
_DELETE = "Microsoft.Management/managementGroups/subscriptions/delete"
ENDPOINTS = (
    Endpoint("GET", "tenants", tenants),
    Endpoint("GET", "subscriptions", index),
    Endpoint("GET", _BELOW, show, browse.READ_SUBSCRIPTION),
    Endpoint("GET", f"{_BELOW}/locations", locations, browse.READ_SUBSCRIPTION),
    Endpoint("POST", f"{_BELOW}/{_SUBSCRIPTION}/rename", rename, _WRITE),
    Endpoint("POST", f"{_BELOW}/{_SUBSCRIPTION}/cancel", cancel, _DELETE),
    Endpoint("PUT", f"{_SUBSCRIPTION}/aliases/{{alias}}", create, _WRITE),
    Endpoint("GET", f"{_SUBSCRIPTION}/aliases/{{alias}}", show_alias, browse.READ_SUBSCRIPTION),
)
