"""Hostile input gives an error of RFC 7644 3.12, never a 500, and changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openpim.services.provisioning import members
from tests.faces.scim.client import ENTERPRISE, GROUP, PATCH, USER, Scim

BODIES: list[Any] = [
    b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"a":' * 3000 + b"1" + b"}" * 3000, b"[" * 100_000,
    {"schemas": "x"}, {"schemas": []}, {"schemas": [None]}, {"userName": 5}, {"userName": ["a"]}, {"userName": {"a": 1}},
    {"userName": ""}, {"userName": " "}, {"userName": "a\x00b"}, {"userName": "a" * 5000}, {"userName": "a@b@c"},
    {"userName": "\u202eevil"}, {"userName": "x", "externalId": "a\x00b"}, {"userName": "x", "externalId": "y" * 10_000},
    {"userName": "x", "externalId": 5}, {"userName": "x", "active": "perhaps"}, {"userName": "x", "active": [True]},
    {"userName": "x", "name": "text"}, {"userName": "x", "name": {"givenName": {"a": 1}}}, {"userName": "x", "emails": "a@b"},
    {"userName": "x", "emails": [1, 2]}, {"userName": "x", "emails": [{"value": {"a": 1}}]},
    {"userName": "x", "emails": [{"value": "a", "primary": True}, {"value": "b", "primary": True}]},
    {"userName": "x", "title": "t\x00t"}, {"userName": "x", "nickName": "n" * 100_000}, {"userName": "x", "displayName": "a\x00"},
    {"userName": "x", ENTERPRISE: "text"}, {"userName": "x", ENTERPRISE: {"manager": {"value": "nobody"}}},
    {"userName": "x", ENTERPRISE: {"manager": {"value": "00000000-0000-4000-8000-00000000dead"}}},
    {"userName": "x", ENTERPRISE: {"manager": 7}}, {"userName": "x", "USERNAME": "y"}, {"userName": "x", "id": "mine"},
    {"userName": "x", "meta": "text"}, {"userName": "x", "addresses": [{"a": [[[]]]}]}, {"displayName": 5}, {"displayName": ""},
    {"displayName": "a\x00"}, {"displayName": "g" * 5000}, {"displayName": "g", "members": "all"},
    {"displayName": "g", "members": [None]}, {"displayName": "g", "members": [{"value": 5}]},
    {"displayName": "g", "members": [{"value": "\x00"}]}, {"displayName": "g", "members": [{}]},
    {"Operations": []}, {"Operations": {}}, {"Operations": [1]}, {"Operations": [{}]}, {"Operations": [{"op": "move"}]},
    {"Operations": [{"op": 5}]}, {"Operations": [{"op": "add"}]}, {"Operations": [{"op": "add", "path": 5, "value": 1}]},
    {"Operations": [{"op": "add", "path": "((", "value": 1}]}, {"Operations": [{"op": "remove"}]},
    {"Operations": [{"op": "remove", "path": "userName"}]}, {"Operations": [{"op": "replace", "path": "id", "value": "x"}]},
    {"Operations": [{"op": "replace", "path": "schemas", "value": ["x"]}]},
    {"Operations": [{"op": "replace", "path": "meta.created", "value": "x"}]},
    {"Operations": [{"op": "replace", "path": "displayName", "value": "a\x00"}]},
    {"Operations": [{"op": "add", "path": "members", "value": {"a": 1}}]}, {"Operations": [{"op": "add", "path": "members", "value": 5}]},
    {"Operations": [{"op": "add", "path": "members"}]}, {"Operations": [{"op": "add", "path": "members[", "value": []}]},
    {"Operations": [{"op": "remove", "path": 'members[value eq "\\u0000"]'}]},
    {"Operations": [{"op": "add", "value": {"members": None}}]}, {"Operations": [{"op": "add", "value": "text"}]},
    {"Operations": [{"op": "add", "path": "emails[type eq 5].value", "value": "x"}]},
    {"Operations": [{"op": "add", "path": "x" * 10_000, "value": 1}]},
    {"Operations": [{"op": "add", "path": "displayName", "value": "x"}] * 2000},
    {"filter": "((" * 3000}, {"filter": 5}, {"count": "many"}, {"startIndex": 10**40}, {"count": -(10**40)}, {"sortBy": "emails[x]"},
    {"attributes": "\x00"}, {"attributes": 5}, {"attributes": ["a" * 5000]}, {"sortOrder": "sideways"},
]  # fmt: skip


def places(scim: Scim) -> list[tuple[str, str]]:
    user, group = scim.person()["id"], scim.team()["id"]
    return [
        ("POST", "/Users"), ("PUT", f"/Users/{user}"), ("PATCH", f"/Users/{user}"), ("POST", "/Users/.search"),
        ("POST", "/Groups"), ("PUT", f"/Groups/{group}"), ("PATCH", f"/Groups/{group}"), ("POST", "/Groups/.search"),
        ("POST", "/.search"), ("POST", "/Bulk"),
    ]  # fmt: skip


def check(answer: Any) -> None:
    assert answer.status_code < 500 or answer.status_code == 501, answer.text
    if answer.status_code >= 400:
        body = answer.json()
        assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        assert body["status"] == str(answer.status_code)
        assert body["detail"]
        assert "Traceback" not in answer.text


def test_bodies(scim: Scim, half: Any) -> None:
    for (method, path), body in half(places(scim), BODIES):
        sent = body
        if isinstance(body, dict):
            sent = {
                "schemas": [PATCH if "Operations" in body else GROUP if "Groups" in path else USER],
                **body,
            }
        check(scim.send(method, path, sent))
        check(scim.send(method, path, body, Content_Type="text/plain"))


@pytest.mark.parametrize(
    "path",
    [
        "/Users/x", "/Users/%00", "/Users/..%2F..%2Fetc", "/Users/" + "a" * 3000, "/Users/%ff%fe", "/users", "/USERS?count=0", "/Nothing",
        "/Users?filter=%00", "/Users?filter=%ff", "/Users?startIndex=99999999999999999999999", "/Users?count=-5", "/Users?count=x",
        "/Users?startIndex=0", "/Users?attributes=%00", "/Users?sortBy=name", "/Users?filter=a&filter=b", "/Users?" + "a=b&" * 500,
        "/Schemas/nothing", "/Schemas?filter=a", "/ResourceTypes/x", "/Me", "/Groups/x/members", "/Users/.search", "/", "",
        "/Users?sortBy=userName&sortOrder=descending&startIndex=2147483648",
    ],
)  # fmt: skip
def test_addresses(scim: Scim, path: str) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"):
        answer = scim.send(method, path, {"schemas": [USER]} if method in {"POST", "PUT", "PATCH"} else None)
        if method == "HEAD":
            assert answer.status_code < 500 or answer.status_code == 501
        else:
            check(answer)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["op", "path", "value", "members", "emails", "type", "manager", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_anything_at_all(scim: Scim) -> None:
    user, group = scim.person()["id"], scim.team()["id"]
    paths = st.sampled_from(
        [
            "members",
            "emails",
            'emails[type eq "work"].value',
            "name.givenName",
            "active",
            "",
            f"{ENTERPRISE}:manager",
        ]
    )
    operation = st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "Remove", "REPLACE"])},
        optional={"path": paths | st.text(max_size=12), "value": JSON},
    )

    @given(st.lists(operation, min_size=1, max_size=3), JSON)
    @settings(suppress_health_check=list(HealthCheck))
    def try_it(operations: list[Any], attributes: Any) -> None:
        for where in (f"/Users/{user}", f"/Groups/{group}"):
            check(scim.patch(where, *operations))
        body = {"schemas": [USER], "userName": "fuzzed"} | (
            attributes if isinstance(attributes, dict) else {"name": attributes}
        )
        check(scim.put(f"/Users/{user}", json.dumps(body).encode()))

    try_it()


@pytest.mark.parametrize("how", ["patch", "put", "post", "two steps"])
def test_one_request_does_not_hold_up_all_others(
    scim: Scim, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While members are written, nobody else writes: a megabyte of them would take minutes."""
    monkeypatch.setattr(members, "MOST_AT_ONCE", 3)
    people = [{"value": scim.world.user(f"Person{number}")} for number in range(4)]
    team = scim.team("Team", *(one["value"] for one in people[:1]))
    path, body = f"/Groups/{team['id']}", {"schemas": [GROUP], "displayName": "Team", "members": people}
    if how == "patch":
        refused = scim.patch(path, {"op": "add", "path": "members", "value": people})
    elif how == "two steps":
        steps = [{"op": "add", "path": "members", "value": some} for some in (people[:2], people[2:])]
        refused = scim.patch(path, *steps)
    elif how == "put":
        assert scim.put(path, body).status_code == 200, "three are new"
        refused = scim.put(path, {**body, "members": []})
    else:
        refused = scim.post("/Groups", {**body, "displayName": "Other"})
    assert refused.status_code == 400, refused.text
    assert "at most 3 members" in refused.text
    assert len(scim.members(team["id"])) == (4 if how == "put" else 1), "nothing of it was done"
