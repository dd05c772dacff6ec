"""What Microsoft Entra ID and Okta really send (their documented requests, less what is not ours to say)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faces.scim.client import ENTERPRISE, GROUP, USER, Scim


def test_entra_makes_changes_and_disables_a_user(scim: Scim) -> None:
    made = scim.person(
        "Test_User",
        externalId="0a21f0f2",
        active=True,
        emails=[{"primary": True, "type": "work", "value": "test@work.test"}],
        meta={"resourceType": "User"},
        name={"formatted": "given family", "familyName": "family", "givenName": "given"},
        roles=[],
    )
    where = f"/Users/{made['id']}"
    changed = scim.patch(
        where,
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "updated@work.test"},
        {"op": "Replace", "path": "name.familyName", "value": "updatedFamily"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Sales"},
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "+49 1"},
        {"op": "Add", "path": 'addresses[type eq "work"].locality', "value": "Berlin"},
        {"op": "Replace", "path": "nosuchattribute", "value": "x"},
    )
    assert changed.status_code == 200, changed.text
    user = scim.world.read(lambda tx: tx.users.get(made["id"]))
    assert (user.mail, user.surname, user.department, user.mobile_phone) == (
        "updated@work.test", "updatedFamily", "Sales", "+49 1",
    )  # fmt: skip
    off = scim.patch(where, {"op": "Replace", "path": "active", "value": "False"})
    assert off.status_code == 200, off.text
    assert off.json()["active"] is False
    assert not scim.world.read(lambda tx: tx.users.get(made["id"])).enabled
    assert scim.patch(where, {"op": "Replace", "value": {"active": "True", "displayName": "New"}}).json()[
        "active"
    ]


@pytest.mark.parametrize("form", ["bare", "object", "pathless", "whole"])
def test_a_manager_in_every_form(scim: Scim, form: str) -> None:
    boss, made = scim.world.ann, scim.person()
    where, path = f"/Users/{made['id']}", f"{ENTERPRISE}:manager"
    operation: dict[str, Any] = {
        "bare": {"op": "Add", "path": path, "value": boss},
        "object": {"op": "replace", "path": path, "value": {"value": boss}},
        "pathless": {"op": "add", "value": {f"{path}": boss}},
        "whole": {"op": "add", "value": {ENTERPRISE: {"manager": boss}}},
    }[form]
    answer = scim.patch(where, operation)
    assert answer.status_code == 200, answer.text
    assert answer.json()[ENTERPRISE]["manager"]["value"] == boss
    assert scim.world.read(lambda tx: tx.users.get(made["id"])).manager_id == boss
    assert scim.get(f'/Users?filter={ENTERPRISE}:manager eq "{boss}"').json()["totalResults"] == 1
    assert scim.patch(where, {"op": "Replace", "path": path, "value": ""}).status_code == 200
    assert scim.world.read(lambda tx: tx.users.get(made["id"])).manager_id is None


def test_entra_and_members(scim: Scim) -> None:
    group = scim.post("/Groups", {"schemas": [GROUP, "http://schemas.microsoft.com/2006/11/x"], "externalId": "8aa1a0c0",
                                  "displayName": "displayName", "meta": {"resourceType": "Group"}})  # fmt: skip
    assert group.status_code == 201, group.text
    where = f"/Groups/{group.json()['id']}"
    ann, bob = scim.world.ann, scim.world.bob
    added = {"op": "Add", "path": "members", "value": [{"$ref": None, "value": ann}, {"value": bob}]}
    assert scim.patch(where, added).status_code == 200
    assert scim.members(group.json()["id"]) == {ann, bob}
    taken = {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": ann}]}
    assert scim.patch(where, taken).status_code == 200
    assert scim.members(group.json()["id"]) == {bob}
    assert (
        scim.patch(where, {"op": "Remove", "path": f'members[value eq "{bob.upper()}"]'}).status_code == 200
    )
    assert scim.members(group.json()["id"]) == set()
    both = {"op": "Add", "path": f"{GROUP}:members", "value": [{"value": ann}, {"value": bob}]}
    either = {"op": "remove", "path": f'members[value eq "{ann}" or value eq "{bob}"]'}
    assert scim.patch(where, both, either).status_code == 200
    assert scim.members(group.json()["id"]) == set()


def test_okta_and_groups(scim: Scim) -> None:
    made = scim.team("Test SCIMv2")
    where, ann, bob = f"/Groups/{made['id']}", scim.world.ann, scim.world.bob
    renamed = scim.patch(where, {"op": "replace", "value": {"id": made["id"], "displayName": "Renamed"}})
    assert (renamed.status_code, renamed.json()["displayName"]) == (200, "Renamed")
    pushed = scim.patch(
        where,
        {"op": "remove", "path": "members"},
        {"op": "add", "path": "members", "value": [{"value": ann, "display": "ann@okta.test"}]},
    )
    assert {one["value"] for one in pushed.json()["members"]} == {ann}
    replaced = scim.patch(where, {"op": "replace", "path": "members", "value": [{"value": bob}]})
    assert {one["value"] for one in replaced.json()["members"]} == {bob}
    mixed = scim.patch(where, {"op": "add", "value": {"members": [{"value": ann}], "displayName": "Mixed"}})
    assert {one["value"] for one in mixed.json()["members"]} == {ann, bob}
    assert mixed.json()["displayName"] == "Mixed"


def test_okta_makes_and_deactivates_a_user(scim: Scim) -> None:
    made = scim.person(
        "okta.user",
        name={"givenName": "Test", "familyName": "User"},
        emails=[{"primary": True, "value": "test@okta.test", "type": "work"}],
        displayName="Test User",
        locale="en-US",
        externalId="00ujl29u0le5T6Aj10h7",
        groups=[],
        password="1mz050nq",
        active=True,
    )
    where = f"/Users/{made['id']}"
    assert scim.put(where, {**made, "active": False, "schemas": [USER]}).json()["active"] is False
    assert scim.patch(where, {"op": "replace", "value": {"active": True}}).json()["active"] is True


def test_members_are_not_changed_in_place(scim: Scim) -> None:
    group = scim.team("", scim.world.ann)["id"]
    for path in (f'members[value eq "{scim.world.ann}"]', "members.value", 'members[display sw "x"]'):
        answer = scim.patch(f"/Groups/{group}", {"op": "replace", "path": path, "value": scim.world.bob})
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidPath"), answer.text
    assert scim.members(group) == {scim.world.ann}
