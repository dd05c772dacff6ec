"""People and groups as any SCIM client reads and writes them: what scim2-tester does not ask."""

from __future__ import annotations

import pytest

from openpim.faces.scim import groups
from tests.faces.scim.client import ENTERPRISE, GROUP, USER, Scim

FULL = {
    "schemas": [USER, ENTERPRISE],
    "userName": "barbara",
    "externalId": "00u1",
    "name": {"givenName": "Barbara", "familyName": "Jensen", "formatted": "Ms Barbara J Jensen"},
    "title": "Tour guide",
    "active": True,
    "preferredLanguage": "de",
    "emails": [{"value": "babs@home.test", "type": "home"}, {"value": "barbara@work.test", "type": "work"}],
    "phoneNumbers": [{"value": "+49 170 1", "type": "mobile"}, {"value": "+49 30 1", "type": "work"}],
    ENTERPRISE: {"employeeNumber": "4711", "department": "Tours", "costCenter": "a much longer text"},
}


def test_what_was_written_is_read_and_the_directory_has_it(scim: Scim) -> None:
    made = scim.post("/Users", FULL)
    assert made.status_code == 201, made.text
    doc = made.json()
    assert {name: doc.get(name) for name in FULL} == FULL
    assert made.headers["location"] == doc["meta"]["location"]
    assert scim.get(f"/Users/{doc['id']}").json() == doc
    user = scim.world.read(lambda tx: tx.users.get(doc["id"]))
    assert user.user_principal_name == f"barbara@{scim.domain}"
    assert (user.display_name, user.given_name, user.surname) == ("Ms Barbara J Jensen", "Barbara", "Jensen")
    assert (user.mail, user.mobile_phone, user.employee_id) == ("barbara@work.test", "+49 170 1", "4711")
    assert (user.department, user.job_title, user.enabled) == ("Tours", "Tour guide", True)


def test_what_an_administrator_changed_is_shown(scim: Scim) -> None:
    from openpim.services.directory.update_user import update_user

    made = scim.post("/Users", FULL).json()
    changes = {"mail": "new@work.test", "department": None, "display_name": "Babs", "enabled": False}
    update_user(scim.deps, scim.world.caller(scim.world.ga), made["id"], changes)
    doc = scim.get(f"/Users/{made['id']}").json()
    assert doc["emails"] == [{"value": "new@work.test", "type": "work", "primary": True}]
    assert "department" not in doc[ENTERPRISE]
    assert (doc["displayName"], doc["active"]) == ("Babs", False)
    assert doc["preferredLanguage"] == "de"
    assert doc["meta"]["version"] != made["meta"]["version"]


def test_people_of_before_are_seen_and_taken_over(scim: Scim) -> None:
    ann = scim.world.read(lambda tx: tx.users.get(scim.world.ann))
    found = scim.get(f'/Users?filter=userName eq "{ann.user_principal_name}"').json()["Resources"]
    assert [one["id"] for one in found] == [ann.id]
    assert found[0]["active"] is True
    answer = scim.patch(f"/Users/{ann.id}", {"op": "add", "path": "externalId", "value": "x-1"})
    assert answer.json()["externalId"] == "x-1"
    assert scim.world.read(lambda tx: tx.users.get(ann.id)) == ann


def test_external_ids_are_each_provisioners_own(scim: Scim) -> None:
    _, other = scim.provisioner("Okta")
    made = scim.person(externalId="7")
    assert scim.get('/Users?filter=externalId eq "7"').json()["totalResults"] == 1
    assert scim.get('/Users?filter=externalId eq "7"', token=other).json()["totalResults"] == 0
    assert "externalId" not in scim.get(f"/Users/{made['id']}", token=other).json()
    again = scim.post("/Users", {"schemas": [USER], "userName": "b", "externalId": "7"})
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")
    assert (
        scim.post("/Users", {"schemas": [USER], "userName": "b", "externalId": "7"}, token=other).status_code
        == 201
    )
    # Of somebody who is gone it is free again, whoever deleted him.
    assert scim.delete(f"/Users/{made['id']}").status_code == 204
    assert scim.get(f"/Users/{made['id']}").status_code == 404
    scim.person(externalId="7")


def test_versions_keep_one_from_undoing_anothers_change(scim: Scim) -> None:
    for path, made in (("/Users", scim.person()), ("/Groups", scim.team())):
        where, version = f"{path}/{made['id']}", made["meta"]["version"]
        assert scim.get(where).headers["etag"] == version
        assert scim.get(where, If_None_Match=version).status_code == 304
        change = {"op": "replace", "path": "displayName", "value": f"Changed {made['id']}"}
        assert scim.patch(where, change, If_Match='W/"other"').status_code == 412
        changed = scim.patch(where, change, If_Match=version)
        assert changed.status_code == 200
        assert changed.headers["etag"] != version
        assert scim.delete(where, If_Match=version).status_code == 412
        assert scim.put(where, scim.get(where).json(), If_Match=version).status_code == 412
        assert scim.delete(where, If_Match=changed.headers["etag"]).status_code == 204


def test_a_version_tells_of_members_too(scim: Scim) -> None:
    group = scim.team()
    added = scim.patch(
        f"/Groups/{group['id']}", {"op": "add", "path": "members", "value": [{"value": scim.world.ann}]}
    )
    assert added.headers["etag"] != group["meta"]["version"]


def test_pages(scim: Scim) -> None:
    made = sorted(scim.person(f"paged{number}", title="Pager")["id"] for number in range(5))
    seen = []
    for start in (1, 3, 5):
        page = scim.get(f'/Users?filter=title eq "Pager"&startIndex={start}&count=2').json()
        assert (page["totalResults"], page["startIndex"]) == (5, start)
        seen += [one["id"] for one in page["Resources"]]
    assert sorted(seen) == made
    assert scim.get('/Users?filter=title eq "Pager"&count=0').json()["totalResults"] == 5
    sent = scim.get('/Users?filter=title eq "Pager"&sortBy=userName&sortOrder=descending').json()["Resources"]
    assert [one["userName"] for one in sent] == [f"paged{number}" for number in (4, 3, 2, 1, 0)]


def test_what_of_it_is_shown(scim: Scim) -> None:
    made = scim.post("/Users", FULL).json()
    some = scim.get(f"/Users/{made['id']}?attributes=userName,name.givenName").json()
    assert some.keys() <= {"schemas", "id", "userName", "name", "meta"}
    assert some["name"] == {"givenName": "Barbara"}
    without = scim.get(f"/Users/{made['id']}?excludedAttributes=emails,name").json()
    assert not {"emails", "name"} & without.keys()
    group = scim.team("Shown", scim.world.ann)
    assert "members" not in scim.get(f"/Groups/{group['id']}?excludedAttributes=members").json()
    assert (
        "members"
        not in scim.get('/Groups?excludedAttributes=members&filter=displayName eq "shown"').json()[
            "Resources"
        ][0]
    )


FILTERS = [
    ('userName eq "barbara"', True),
    ('userName eq "BARBARA"', True),
    ('userName eq "barbara@{domain}"', True),
    ('urn:ietf:params:scim:schemas:core:2.0:User:userName eq "barbara"', True),
    ('userName ne "barbara"', False),
    ('userName sw "barb"', True),
    ('userName co "rbar"', True),
    ('userName ew "nobody"', False),
    ('externalId eq "00u1"', True),
    ('externalId eq "00U1"', False),
    ('externalId eq "00u1" and active eq true', True),
    ('active eq "False"', False),
    ("not (active eq true)", False),
    ('name.familyName eq "jensen" and (title pr or title eq "x")', True),
    ('emails eq "barbara@work.test"', True),
    ('emails.value co "@work"', True),
    ('emails[type eq "work" and value eq "barbara@work.test"]', True),
    ('emails[type eq "work" and value eq "other@work.test"]', False),
    ('{enterprise}:department eq "Tours"', True),
    ('{enterprise}:employeeNumber gt "4710"', True),
    ('meta.created gt "2020-01-01T00:00:00Z" and userName eq "barbara"', True),
    ('meta.created lt "2020-01-01T00:00:00Z"', False),
    ('title eq "x" or userName eq "barbara"', True),
]


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
def test_filters(scim: Scim) -> None:
    made = scim.post("/Users", FULL).json()["id"]
    for text, wanted in FILTERS:
        query = text.replace("{domain}", scim.domain).replace("{enterprise}", ENTERPRISE)
        for answer in (
            scim.http.get(
                "/scim/v2/Users", params={"filter": query}, headers={"Authorization": f"Bearer {scim.token}"}
            ),
            scim.post("/Users/.search", {"filter": query}),
        ):
            assert answer.status_code == 200, (query, answer.text)
            assert (made in {one["id"] for one in answer.json()["Resources"]}) is wanted, query


@pytest.mark.parametrize(
    "text",
    [
        'externalId sw "0"', "externalId pr", 'nickName eq "x"', 'emails[type eq "home"]', 'password eq "x"',
        'meta.lastModified gt "2020-01-01T00:00:00Z"', "userName eq", 'userName xx "y"', "active gt true", "((((",
        'nosuch eq "x"', "userName eq 5", 'active eq "maybe"', 'groups.value eq "x"', "id pr and " * 60 + "id pr",
        'userName eq "a\\u0000b"', 'meta.created gt "soon"', "x" * 5000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_filter_that_cannot_be_answered_is_refused(scim: Scim, text: str) -> None:
    answer = scim.post("/Users/.search", {"filter": text})
    assert answer.status_code == 400, answer.text
    assert answer.json()["scimType"] == "invalidFilter"
    assert answer.json()["detail"]


def test_groups_are_found_by_their_names(scim: Scim) -> None:
    made = scim.team("Tour guides", externalId="g1")
    for text in (
        'displayName eq "tour GUIDES"',
        'externalId eq "g1"',
        f'id eq "{made["id"]}"',
        'displayName sw "tour"',
    ):
        assert scim.get(f"/Groups?filter={text}").json()["totalResults"] == 1, text
    twice = scim.post("/Groups", {"schemas": [GROUP], "displayName": "TOUR guides"})
    assert (twice.status_code, twice.json()["scimType"]) == (409, "uniqueness")


def test_members_that_do_not_exist(scim: Scim) -> None:
    group = scim.team()["id"]
    for one in ("nobody", "00000000-0000-4000-8000-00000000dead", "'; drop table users; --"):
        answer = scim.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": one}]})
        assert answer.status_code == 400, answer.text
        assert answer.json()["scimType"] == "invalidValue"
        gone = {"op": "remove", "path": "members", "value": [{"value": one}]}
        assert scim.patch(f"/Groups/{group}", gone).status_code == 200


def test_one_patch_is_one_unit_of_work(scim: Scim) -> None:
    group = scim.team()["id"]
    nobody = "00000000-0000-4000-8000-00000000dead"
    answer = scim.patch(
        f"/Groups/{group}",
        {"op": "add", "path": "members", "value": [{"value": scim.world.ann}]},
        {"op": "add", "path": "members", "value": [{"value": nobody}]},
    )
    assert answer.status_code == 400
    assert scim.members(group) == set()


def test_a_change_of_a_large_group_does_not_answer_with_all_of_it(
    scim: Scim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "SHOWN", 2)
    made = scim.team("Large", scim.world.ann, scim.world.bob)
    where, add = (
        f"/Groups/{made['id']}",
        {"op": "add", "path": "members", "value": [{"value": scim.world.cyd}]},
    )
    assert scim.patch(where, {**add, "value": [{"value": scim.world.ann}]}).status_code == 200
    assert scim.patch(where, add).status_code == 204
    asked = scim.patch(f"{where}?attributes=members", add)
    assert len(asked.json()["members"]) == 3
    without = scim.patch(f"{where}?excludedAttributes=members", add)
    assert without.status_code == 200
    assert "members" not in without.json()
    assert len(scim.members(made["id"])) == 3


def test_everything_at_once(scim: Scim) -> None:
    scim.team("Zebra")
    found = scim.post("/.search", {"filter": 'displayName eq "zebra"'}).json()
    assert [one["meta"]["resourceType"] for one in found["Resources"]] == ["Group"]
    both = scim.post("/.search", {"count": 3}).json()
    assert both["itemsPerPage"] == 3
    assert scim.post("/.search", {"filter": 'userName eq "nobody"'}).json()["totalResults"] == 0


def test_tenants_are_apart(scim: Scim) -> None:
    from tests.world import World

    other = Scim(World(scim.world.database))
    theirs, group = other.person("secret")["id"], other.team("Secret")["id"]
    assert scim.get(f"/Users/{theirs}").status_code == 404
    assert scim.delete(f"/Groups/{group}").status_code == 404
    assert scim.get('/Users?filter=userName eq "secret"').json()["totalResults"] == 0
    mine = scim.team()["id"]
    add = {"op": "add", "path": "members", "value": [{"value": theirs}]}
    assert scim.patch(f"/Groups/{mine}", add).status_code == 400
    assert scim.patch(f"/Groups/{mine}", add, token=other.token).status_code == 404
