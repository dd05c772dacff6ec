"""Bad input: always a 4xx in Graph's shape that names what is at fault, never a 500, never a half-done change."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from openpim.core.query import Query
from openpim.faces.graph.call import Raw
from openpim.faces.graph.dispatch import Dispatcher
from openpim.faces.graph.endpoints import ENDPOINTS
from openpim.faces.graph.table import Table
from tests.faces.graph.client import Graph, error
from tests.faces.graph.test_life import ELIGIBLE, REQUESTS, activation
from tests.world import TEAMS

EVERYTHING = Query(limit=1000)
ZERO = "00000000-0000-0000-0000-000000000000"
IDS = (
    "x",
    ZERO,
    "../me",
    "a b",
    "é",
    "%F0%9F%92%A9",
    "a" * 3000,
    "(",
    "('",
    "1'--",
    "$filter",
    "%00",
    "%2e%2e",
    "null",
    "{id}",
)
FILTERS = (
    "displayName", "displayName eq", "eq 'x'", "displayName eq 'x", "(displayName eq 'x'", "nope eq 'x'", "displayName eq 5",
    "displayName gt null", "id eq null", "createdDateTime ge 'yesterday'", "createdDateTime ge 99999-01-01", "not", "any(x:x)",
    "displayName in ()", "displayName in ('a',", "startswith(displayName)", "startswith('a','b')", "frobnicate(displayName)",
    "displayName eq displayName", "'a' eq 'a'", "displayName eq 'a' and", "displayName eq %00", "members/any(m:m/id eq 'x')",
    "groupTypes/any(c:c eq 'Unified')", "(" * 300 + "id eq 'x'" + ")" * 300, " or ".join(["id eq 'x'"] * 1500), "status eq 'Nonsense'",
    "principalId eq 12", "action eq 'dance'", "directoryScopeId eq '\u0000'", "true", "false", "id ne 'x'", "isof('x')", "5", "duration'PT1H'",
    "not startswith(displayName,'a')", "tolower(displayName) eq 'ann'", "displayName eq 'ann' eq true", "endswith(mail,'\u0000')",
)  # fmt: skip
OPTIONS = (
    "$top=-1", "$top=x", "$top=99999999999", "$top=0", "$skip=-1", "$skip=x", "$skip=2147483647", "$count=maybe", "$orderby=nope", "$orderby=id up",
    "$orderby=" + ",".join(["id"] * 9), "$select=" + "a" * 9000, "$select=a b", "$expand=nope", "$expand=a(b", "$expand=" + "a(" * 20, "$skiptoken=x",
    "$skiptoken=" + "A" * 9000, "$filter=id eq 'a'&$filter=id eq 'b'", "$search=", '$search="', "$search=NOT", "%ff=1", "$select=%ff", "&" * 500, "$apply=x", "$expand=*", "$select=*", "$expand=*($expand=*($expand=*))", "$skiptoken=%00", "$skiptoken=1e9",
)  # fmt: skip


def reads() -> list[str]:
    return [one.address for one in ENDPOINTS if one.method == "GET"]


def filled(address: str, key: str) -> str:
    for name in ("{id}", "{rule}", "{stage}", "{member}", "{owner}"):
        address = address.replace(name, key)
    return "/" + address.replace("filterByCurrentUser()", "filterByCurrentUser(on='principal')")


def fine(answer: Any) -> None:
    """Done, or refused as Graph refuses; in any case not broken."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert set(answer.json()) == {"error"}, answer.text
        assert answer.json()["error"]["message"]


@pytest.mark.slow
def test_every_list_takes_every_option(graph: Graph, half: Any) -> None:
    for address, option in half(reads(), OPTIONS):
        path = filled(address, ZERO)
        fine(graph.get(f"{path}?{quote(option, safe='$=&%(),*')}", graph.world.ga))


@pytest.mark.slow
def test_every_list_takes_every_filter(graph: Graph, half: Any) -> None:
    lists = [address for address in reads() if "{" not in address or address.endswith("members")]
    for address, text in half(lists, FILTERS):
        path = filled(address, graph.world.ann)
        fine(graph.get(f"{path}?$filter={quote(text)}", graph.world.ga))


@pytest.mark.slow
def test_every_key_takes_every_id(graph: Graph, half: Any) -> None:
    for one, key in half([one for one in ENDPOINTS if "{" in one.address], IDS):
        path = filled(one.address, key if "%" in key else quote(key, safe="()'$"))
        body = {} if one.method in {"POST", "PATCH", "PUT"} else None
        answer = graph.send(one.method, path, graph.world.ga, body)
        fine(answer)
        assert one.method == "GET" or answer.status_code >= 400, (path, answer.text)


BODIES: tuple[Any, ...] = (
    b"", b"{", b"[]", b"null", b"5", b'"x"', b"\xff\xfe", b'{"action":"\\ud800"}', b'{"a":' * 3000, b"[" * 100_000, b'{"a":1,"A":2}',
    b'{"a":NaN}', b'{"a":1e999}', b'{"a":' + b"9" * 5000 + b"}", {}, {"id": 5}, {"x": "y"}, {"displayName": None}, {"displayName": 5},
    {"displayName": "x" * 5000}, {"displayName": "\u0000"}, {"@odata.id": "x"}, {"@odata.id": 5}, {"rules": []}, {"rules": [5]}, {"ids": 5},
    {"ids": [5]}, {"ids": ["\u0000"]}, {"ids": ["x"] * 2000}, {"action": "dance"}, {"reviewResult": "Maybe"}, {"reviewResult": 1}, {"setting": 5},
    {"rolePermissions": 5}, {"rolePermissions": [{"allowedResourceActions": ["x"]}]}, {"accountEnabled": None}, {"value": [5]},
    {"userPrincipalName": "x"}, {"membershipRule": "\u0000", "displayName": "z"}, {"members@odata.bind": ["x"], "displayName": "z"},
)  # fmt: skip


@pytest.mark.slow
def test_every_write_takes_every_body(graph: Graph, half: Any) -> None:
    world = graph.world
    before = world.read(
        lambda tx: (len(tx.users.page(EVERYTHING).items), len(tx.groups.page(EVERYTHING).items))
    )
    writes = [one for one in ENDPOINTS if one.method in {"POST", "PATCH", "PUT"}]
    for one, body in half(writes, BODIES):
        fine(graph.send(one.method, filled(one.address, ZERO), world.ga, body))
    after = world.read(
        lambda tx: (len(tx.users.page(EVERYTHING).items), len(tx.groups.page(EVERYTHING).items))
    )
    assert after == before


BAD_ASKS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("action", {"action": "activate"}, "InvalidRoleAssignmentRequest"),
    ("action", {"action": None}, "InvalidRoleAssignmentRequest"),
    ("principalId", {"principalId": "x"}, "InvalidRoleAssignmentRequest"),
    ("principalId", {"principalId": 5}, "InvalidRoleAssignmentRequest"),
    ("roleDefinitionId", {"roleDefinitionId": None}, "InvalidRoleAssignmentRequest"),
    ("directoryScopeId", {"directoryScopeId": "nowhere"}, "InvalidRoleAssignmentRequest"),
    ("directoryScopeId", {"directoryScopeId": None}, "InvalidRoleAssignmentRequest"),
    ("directoryScopeId", {"directoryScopeId": f"/administrativeUnits/{ZERO}"}, "InvalidRoleAssignmentRequest"),
    ("appScopeId", {"appScopeId": "/x"}, "InvalidRoleAssignmentRequest"),
    ("justification", {"justification": 5}, "InvalidRoleAssignmentRequest"),
    ("justification", {"justification": "x\u0000"}, "InvalidRoleAssignmentRequest"),
    ("justification", {"justification": "x" * 20_000}, "InvalidRoleAssignmentRequest"),
    ("ticketInfo", {"ticketInfo": []}, "InvalidRoleAssignmentRequest"),
    ("ticketInfo.ticketNumber", {"ticketInfo": {"ticketNumber": {}}}, "InvalidRoleAssignmentRequest"),
    ("isValidationOnly", {"isValidationOnly": "no"}, "InvalidRoleAssignmentRequest"),
    ("targetScheduleId", {"targetScheduleId": "x"}, "InvalidRoleAssignmentRequest"),
    ("scheduleInfo", {"scheduleInfo": "now"}, "InvalidRoleAssignmentRequest"),
    ("scheduleInfo.recurrence", {"scheduleInfo": {"recurrence": {}}}, "InvalidRoleAssignmentRequest"),
    ("scheduleInfo.startDateTime", {"scheduleInfo": {"startDateTime": "2026-11-02T10:00:00"}}, "InvalidRoleAssignmentRequest"),
    ("scheduleInfo.startDateTime", {"scheduleInfo": {"startDateTime": "0000-01-01T00:00:00Z"}}, "InvalidRoleAssignmentRequest"),
    ("scheduleInfo.startDateTime", {"scheduleInfo": {"startDateTime": "10000-01-01T00:00:00Z"}}, "InvalidRoleAssignmentRequest"),
    ("scheduleInfo.startDateTime", {"scheduleInfo": {"startDateTime": "2026-02-30T00:00:00Z"}}, "InvalidRoleAssignmentRequest"),
    ("scheduleInfo.startDateTime", {"scheduleInfo": {"startDateTime": 1}}, "InvalidRoleAssignmentRequest"),
    ("scheduleInfo.expiration.type", {"scheduleInfo": {"expiration": {"type": "never"}}}, "InvalidRoleAssignmentRequest"),
    ("scheduleInfo.expiration.duration", {"scheduleInfo": {"expiration": {"type": "afterDuration"}}}, "InvalidRoleAssignmentRequest"),
    ("scheduleInfo.expiration.duration", {"scheduleInfo": {"expiration": {"type": "afterDuration", "duration": "-PT1H"}}}, "InvalidRoleAssignmentRequest"),
    ("scheduleInfo.expiration.duration", {"scheduleInfo": {"expiration": {"type": "afterDuration", "duration": "PT0S"}}}, "InvalidRoleAssignmentRequest"),
    ("scheduleInfo.expiration.duration", {"scheduleInfo": {"expiration": {"type": "afterDuration", "duration": "P9999999999Y"}}}, "InvalidRoleAssignmentRequest"),
    ("scheduleInfo.expiration.duration", {"scheduleInfo": {"expiration": {"type": "afterDuration", "duration": 3600}}}, "InvalidRoleAssignmentRequest"),
    ("scheduleInfo.expiration.endDateTime", {"scheduleInfo": {"expiration": {"type": "afterDateTime"}}}, "InvalidRoleAssignmentRequest"),
    ("principalId", {"principalId": ZERO}, "SubjectNotFound"),
    ("roleDefinitionId", {"roleDefinitionId": ZERO}, "RoleNotFound"),
)  # fmt: skip


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("member", "change", "code"), BAD_ASKS)
def test_bad_requests_name_the_member(graph: Graph, member: str, change: dict[str, Any], code: str) -> None:
    world = graph.world
    body = {
        "action": "adminAssign",
        "principalId": world.ann,
        "roleDefinitionId": TEAMS,
        "directoryScopeId": "/",
        "justification": "x",
        "scheduleInfo": {"expiration": {"type": "noExpiration"}},
        **change,
    }
    answer = graph.post(ELIGIBLE, world.pra, body)
    found = error(answer, 404 if code.endswith("NotFound") else 400, code)
    named = [one["target"] for one in found.get("details", [])]
    assert named == [member], found
    assert not graph.rows(f"{ELIGIBLE}?$filter=principalId eq '{world.ann}'", world.pra)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("expiration", [
    {"type": "afterDuration", "duration": "P100Y"},
    {"type": "afterDateTime", "endDateTime": "9999-12-31T23:59:59.9999999Z"},
    {"type": "afterDateTime", "endDateTime": "1970-01-01T00:00:00Z"},
    {"type": "afterDuration", "duration": "PT1S"},
])  # fmt: skip
def test_absurd_windows(graph: Graph, expiration: dict[str, Any]) -> None:
    world = graph.world
    world.eligible(world.ann)
    for start in (None, "9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "2300-01-01T00:00:00+14:00"):
        body = activation(world.ann, scheduleInfo={"startDateTime": start, "expiration": expiration})
        fine(graph.post(REQUESTS, world.ann, body))
        for action in ("adminAssign", "adminExtend", "adminRenew", "adminUpdate"):
            given = {**body, "action": action, "principalId": world.bob}
            fine(graph.post(ELIGIBLE, world.pra, given))
            fine(graph.post(REQUESTS, world.pra, given))


def test_a_filter_of_100_kb(graph: Graph) -> None:
    """Longer than an HTTP client for tests would send."""
    face = Dispatcher(graph.world.deps, graph.authenticate, Table(ENDPOINTS))
    headers = {name.lower(): value for name, value in graph.headers(graph.world.ga).items()}
    for query in (
        "$filter=" + "a" * 100_000,
        "$filter=" + "id eq 'x' or " * 8000,
        "$search=" + "(" * 100_000,
    ):
        answer = face.run(Raw("GET", b"/v1.0/users", query.encode(), headers))
        assert answer.status == 400
        assert isinstance(answer.body, dict)
        assert answer.body["error"]["code"] == "BadRequest"


def test_bodies_of_the_wrong_kind_or_size(graph: Graph) -> None:
    world = graph.world
    body = json.dumps(activation(world.ann))
    for kind in ("text/plain", "application/xml", "", "multipart/form-data", "application/jsonp"):
        error(
            graph.post(REQUESTS, world.ann, body, headers={"Content-Type": kind}), 415, "UnsupportedMediaType"
        )
    for kind in (
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/json;odata.metadata=minimal",
    ):
        assert (
            graph.post(REQUESTS, world.ann, body, headers={"Content-Type": kind}).json()["error"]["code"]
            == "RoleAssignmentDoesNotExist"
        )
    error(graph.post(REQUESTS, world.ann, b" " * 10_000_000), 413, "RequestEntityTooLarge")
    error(
        graph.post(REQUESTS, world.ann, body, headers={"Content-Length": "99999999999"}),
        413,
        "RequestEntityTooLarge",
    )


def test_replays_have_one_outcome(graph: Graph) -> None:
    world = graph.world
    world.eligible(world.ann)
    body = activation(world.ann, id="5f0b7a52-3c1d-4e6f-9a27-5d2c1b8e4f10")
    headers = {"client-request-id": "again"}
    assert graph.post(REQUESTS, world.ann, body, headers=headers).status_code == 201
    error(graph.post(REQUESTS, world.ann, body, headers=headers), 400, "RoleAssignmentExists")


def test_a_database_that_is_away(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    from openpim.ports.store import StoreUnavailableError

    world = graph.world
    headers = graph.headers(world.ann)

    def away(*_: Any) -> None:
        raise StoreUnavailableError("x")

    monkeypatch.setattr(world.database, "read", away)
    answer = graph.client.get("/v1.0/me", headers=headers)
    error(answer, 503, "ServiceUnavailable")
    assert answer.headers["retry-after"]
    batch = graph.client.post(
        "/v1.0/$batch", headers=headers, json={"requests": [{"id": "1", "method": "GET", "url": "/me"}]}
    )
    error(batch, 503, "ServiceUnavailable")


def test_a_fault_of_ours_says_nothing_of_ours(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    from openpim.services import browse

    def broken(*_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(browse, "user", broken)
    answer = graph.get("/me", graph.world.ann)
    error(answer, 500, "UnknownError")
    assert "secret" not in answer.text
