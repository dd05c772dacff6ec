"""`/ServiceProviderConfig`, `/ResourceTypes`, `/Schemas`: what this server is and has (RFC 7644 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scim2_models import Context

from openpim.faces.scim.call import Answer, Call, FaultError
from openpim.faces.scim.paging import list_of


def config(call: Call) -> Answer:
    found = call.provider.config
    assert found is not None  # noqa: S101 - it is made with one
    return Answer(200, _shown(call, found, "ServiceProviderConfig", "ServiceProviderConfig"))


def resource_types(call: Call) -> Answer:
    return _all(call, call.provider.resource_types, "ResourceType", "ResourceTypes")


def resource_type(call: Call, name: str) -> Answer:
    return _one(call, call.provider.resource_types, name, "ResourceType", "ResourceTypes")


def schemas(call: Call) -> Answer:
    return _all(call, call.provider.schemas, "Schema", "Schemas")


def schema(call: Call, name: str) -> Answer:
    return _one(call, call.provider.schemas, name, "Schema", "Schemas")


def _all(call: Call, found: Sequence[Any], kind: str, place: str) -> Answer:
    """RFC 7644 4: a filter here is refused with 403."""
    if any(name.lower() == "filter" for name in call.query):
        raise FaultError(403, f"/{place} cannot be filtered. Read all of it.")
    shown = [_shown(call, one, kind, place, str(one.id)) for one in found]
    return list_of(shown, len(shown))


def _one(call: Call, found: Sequence[Any], name: str, kind: str, place: str) -> Answer:
    for one in found:
        if str(one.id).lower() == name.lower():
            return Answer(200, _shown(call, one, kind, place, str(one.id)))
    raise FaultError(404, f"There is no {kind} {name[:100]!r} here.")


def _shown(call: Call, resource: Any, kind: str, *path: str) -> dict[str, Any]:
    shown: dict[str, Any] = resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    return {**shown, "meta": {"resourceType": kind, "location": call.address(*path)}}
