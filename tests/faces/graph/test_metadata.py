"""`$metadata` is well formed, speaks of nothing that it does not define, and of everything that can be read."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from openpim.faces.graph.endpoints import ENDPOINTS
from tests.faces.graph.client import Graph

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


def schema(graph: Graph, version: str = "v1.0") -> ET.Element:
    answer = graph.send("GET", f"/{version}/$metadata", graph.world.bob)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml")
    root = ET.fromstring(answer.text)
    found = root.find(f"*/{EDM}Schema")
    assert found is not None
    return found


def bare(name: str) -> str:
    return name.removeprefix("Collection(").removesuffix(")")


@pytest.mark.parametrize("version", ["v1.0", "beta"])
def test_every_type_is_defined_once(graph: Graph, version: str) -> None:
    found = schema(graph, version)
    names = [f"microsoft.graph.{one.get('Name')}" for one in found.iter(f"{EDM}EntityType")]
    assert len(names) == len(set(names))
    used = {bare(one.get("Type", "")) for one in found.iter() if one.get("Type")}
    used |= {one.get("EntityType", "") for one in found.iter(f"{EDM}EntitySet")}
    used |= {one.get("BaseType", "") for one in found.iter(f"{EDM}EntityType") if one.get("BaseType")}
    assert used - {"Edm.String"} <= set(names)
    operations = [
        (one.tag, one.get("Name"), one[0].get("Type"))
        for one in found
        if one.tag in {f"{EDM}Action", f"{EDM}Function"}
    ]
    assert len(operations) == len(set(operations))
    assert (f"{EDM}Action", "getMemberGroups", "microsoft.graph.user") in operations
    on = "Collection(microsoft.graph.unifiedRoleAssignmentSchedule)"
    assert (f"{EDM}Function", "filterByCurrentUser", on) in operations


def test_every_address_leads_somewhere(graph: Graph) -> None:
    found = schema(graph)
    container = found.find(f"{EDM}EntityContainer")
    assert container is not None
    tops = {one.get("Name"): one.get("EntityType") or one.get("Type") for one in container}
    ways = {
        f"microsoft.graph.{one.get('Name')}": {
            way.get("Name"): bare(way.get("Type", "")) for way in one.iter(f"{EDM}NavigationProperty")
        }
        for one in found.iter(f"{EDM}EntityType")
    }
    for endpoint in ENDPOINTS:
        if endpoint.method != "GET" or "$" in endpoint.address:
            continue
        parts = [part for part in endpoint.address.split("/") if not part.startswith("{")]
        at = tops[parts[0].removesuffix("()")]
        for part in parts[1:]:
            if part.endswith("()"):
                break
            assert at is not None
            at = ways[at][part]


def test_nobody_is_told_without_a_token(graph: Graph) -> None:
    assert graph.send("GET", "/v1.0/$metadata", None).status_code == 401
    assert graph.send("POST", "/v1.0/$metadata", graph.world.bob, {}).status_code == 405
