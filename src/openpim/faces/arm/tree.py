"""What the files of the tree share: tags, and rows of subscriptions, resource groups and resources."""

from __future__ import annotations

from openpim.core.resources import Resource
from openpim.faces.arm.call import Call, Row
from openpim.faces.arm.filters import Filter
from openpim.faces.arm.grants import bare
from openpim.wire.jsonbody import Body

PAGE = 1000


def subscription_row(call: Call, one: Resource) -> Row:
    return {
        "id": one.path,
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": one.name.lower(),
        "tenantId": call.caller.tenant_id,
        "displayName": one.display_name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "OpenPIM",
            "spendingLimit": "Off",
        },
        "tags": dict(one.tags),
    }


def group_row(one: Resource) -> Row:
    return bare(
        {
            "id": one.path,
            "name": one.name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": one.location or "global",
            "tags": dict(one.tags) or None,
            "properties": {"provisioningState": "Succeeded"},
        }
    )


def resource_row(one: Resource) -> Row:
    return bare(
        {
            "id": one.path,
            "name": one.name,
            "type": one.type,
            "location": one.location,
            "tags": dict(one.tags) or None,
            "properties": {"provisioningState": "Succeeded"},
        }
    )


def read_tags(body: Body) -> tuple[tuple[str, str], ...] | None:
    tags = body.object("tags")
    if tags is None:
        return None
    return tuple((name, tags.text(name, max_length=256) or "") for name in tags)


def keeps(asked: Filter, one: Resource, facts: Row) -> bool:
    """Whether the filter keeps it; `tagName eq 'a' and tagValue eq 'b'` is about one and the same tag."""
    return any(
        asked.keeps({"properties": {**facts, "tagName": name, "tagValue": value}})
        for name, value in one.tags or ((None, None),)
    )
