"""What a provisioner writes never is active privilege, and powerful people are out of its reach."""

from __future__ import annotations

from typing import Any

import pytest

from openpim.core.ask import Ask
from openpim.core.caller import CallerKind
from openpim.core.connecting import Rule
from openpim.core.grants import Action, Kind, Provider
from openpim.core.policy import ApprovalSettings, Reviewers, Stage
from openpim.core.provisioning import Mode
from openpim.core.refusals import Code
from openpim.core.relying import AppRoleAssignment
from openpim.core.resources import ROOT
from openpim.services import submit
from openpim.services.directory.update_user import set_enabled
from openpim.services.provisioning import tokens
from tests.faces.scim.client import GROUP, USER, Scim
from tests.services.groups import GroupWorld
from tests.world import ASSIGNMENT, ELIGIBILITY, GA, TEAMS, ok, refused, window

AZURE_READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


def standing(scim: Scim, group: str, person: str) -> bool:
    return bool(scim.world.read(lambda tx: tx.groups.is_member(group, person)))


def inside(scim: Scim, group: str, person: str) -> bool:
    """In it now, in whatever way."""
    return bool(scim.world.read(lambda tx: group in tx.groups.groups_of(person, scim.world.now)))


def eligible(scim: Scim, group: str, person: str) -> bool:
    found = scim.world.read(
        lambda tx: tx.schedules.of([person], provider=Provider.GROUP, scopes=[group], live_at=scim.world.now)
    )
    return [one.kind for one in found] == [Kind.ELIGIBILITY]


def add(*people: str) -> dict[str, Any]:
    return {"op": "add", "path": "members", "value": [{"value": one} for one in people]}


def remove(person: str) -> dict[str, Any]:
    return {"op": "remove", "path": f'members[value eq "{person}"]'}


def role_assignable(scim: Scim) -> str:
    return scim.world.group("Admins")


def has_a_role(scim: Scim) -> str:
    group = scim.world.group("Has a role")
    scim.world.assigned(group, TEAMS)
    return group


def is_in_another_by_a_schedule(scim: Scim) -> str:
    group = scim.world.group("Inside", role_assignable=False)
    outer = scim.world.group("Outer", role_assignable=False)
    gives(scim, outer, group, kind=ASSIGNMENT)
    return group


def eligible_for_another(scim: Scim) -> str:
    group = scim.world.group("Eligible", role_assignable=False)
    gives(scim, scim.world.group("Target", role_assignable=False), group)
    return group


def onboarded(scim: Scim) -> str:
    group = scim.world.group("In PIM", role_assignable=False)
    gives(scim, group, scim.world.bob)
    return group


def approves(scim: Scim) -> str:
    group = scim.world.group("Approvers", role_assignable=False)
    scim.world.approval(groups=[group])
    return group


def approves_for_an_ordinary_group(scim: Scim) -> str:
    group = scim.world.group("Approvers of a group", role_assignable=False)
    target = scim.world.group("Ordinary", role_assignable=False)
    stage = Stage(primary=Reviewers((), (group,)))
    GroupWorld(scim.world).policy(target, approval=ApprovalSettings(required=True, stages=(stage,)))
    return group


def inside_one_that_is(scim: Scim) -> str:
    group = scim.world.group("Inner", role_assignable=False)
    outer = onboarded(scim)
    scim.world.write(lambda tx: tx.groups.add_member(outer, tx.principals.get(group)))
    return group


def mapped_to_a_target(scim: Scim) -> str:
    group = scim.world.group("Mapped", role_assignable=False)
    rule = Rule(
        scim.world.new_id(),
        scim.world.new_id(),
        Provider.GROUP,
        "member",
        group,
        "payroll",
        scim.world.now,
        "",
    )
    scim.world.write(lambda tx: tx.targets.add_rule(rule))
    return group


def has_a_role_of_an_application(scim: Scim) -> str:
    group = scim.world.group("App role", role_assignable=False)
    given = AppRoleAssignment(scim.world.new_id(), group, scim.client_id, scim.world.new_id(), scim.world.now)
    scim.world.write(lambda tx: tx.app_role_assignments.add(given))
    return group


def said_so(scim: Scim) -> str:
    group = scim.world.group("Ordinary, but said", role_assignable=False)
    ok(tokens.set_mode(scim.deps, scim.world.caller(scim.world.pra), group, Mode.ELIGIBLE))
    return group


def gives(scim: Scim, group: str, principal: str, kind: Kind = ELIGIBILITY) -> None:
    ask = Ask(kind, Provider.GROUP, Action.ADMIN_ASSIGN, principal, "member", group, window=window(days=30))
    ok(submit.submit(scim.deps, scim.world.system, ask))


SPECIAL = [
    role_assignable, has_a_role, is_in_another_by_a_schedule, eligible_for_another, onboarded, approves,
    approves_for_an_ordinary_group, inside_one_that_is, mapped_to_a_target, has_a_role_of_an_application, said_so,
]  # fmt: skip


@pytest.mark.parametrize("make", SPECIAL, ids=lambda one: one.__name__)
def test_membership_in_a_group_that_gives_something_becomes_an_eligibility(scim: Scim, make: Any) -> None:
    group, ann = make(scim), scim.world.ann
    answer = scim.patch(f"/Groups/{group}", add(ann))
    assert answer.status_code == 200, answer.text
    assert not standing(scim, group, ann)
    assert not inside(scim, group, ann)
    assert eligible(scim, group, ann)
    # It finds what it wrote, and writing it again changes nothing.
    assert ann in scim.members(group)
    assert scim.patch(f"/Groups/{group}", add(ann)).status_code == 200
    assert eligible(scim, group, ann)
    assert scim.patch(f"/Groups/{group}", remove(ann)).status_code == 200
    assert not eligible(scim, group, ann)
    assert ann not in scim.members(group)


def test_an_ordinary_group_gets_members(scim: Scim) -> None:
    group = scim.team("Readers", scim.world.ann)["id"]
    assert standing(scim, group, scim.world.ann)
    assert scim.members(group) == {scim.world.ann}
    assert scim.patch(f"/Groups/{group}", remove(scim.world.ann)).status_code == 200
    assert not standing(scim, group, scim.world.ann)


def test_put_makes_eligible_too(scim: Scim) -> None:
    group = role_assignable(scim)
    body = {"schemas": [GROUP], "displayName": "Admins", "members": [{"value": scim.world.ann}]}
    assert scim.put(f"/Groups/{group}", body).status_code == 200
    assert eligible(scim, group, scim.world.ann)
    assert not inside(scim, group, scim.world.ann)
    body["members"] = [{"value": scim.world.bob}]
    assert scim.put(f"/Groups/{group}", body).status_code == 200
    assert scim.members(group) == {scim.world.bob}
    assert not eligible(scim, group, scim.world.ann)


def test_a_group_put_into_one_that_gives_something_is_eligible_for_it(scim: Scim) -> None:
    """Else the provisioner would put people into the inner one."""
    outer, inner = onboarded(scim), scim.team("Inner")["id"]
    assert scim.patch(f"/Groups/{outer}", add(inner)).status_code == 200
    assert scim.patch(f"/Groups/{inner}", add(scim.world.ann)).status_code == 200
    assert not inside(scim, outer, scim.world.ann)
    assert not standing(scim, inner, scim.world.ann)


def test_the_mapping_can_say_otherwise(scim: Scim) -> None:
    group, pra = role_assignable(scim), scim.world.caller(scim.world.pra)
    ok(tokens.set_mode(scim.deps, pra, group, Mode.MEMBER))
    assert scim.patch(f"/Groups/{group}", add(scim.world.ann)).status_code == 200
    assert standing(scim, group, scim.world.ann)
    ok(tokens.set_mode(scim.deps, pra, group, None))
    assert scim.patch(f"/Groups/{group}", add(scim.world.bob)).status_code == 200
    assert not standing(scim, group, scim.world.bob)
    told = scim.world.events("Update provisioning of group")
    assert [one.actor_id for one in told] == [scim.world.pra] * 2


def test_only_those_who_grant_permissions_say_otherwise(scim: Scim) -> None:
    group = role_assignable(scim)
    refused(tokens.set_mode(scim.deps, scim.world.caller(scim.world.ann), group, Mode.MEMBER), Code.FORBIDDEN)


def test_whom_an_administrator_put_there_it_neither_sees_nor_takes_out(scim: Scim) -> None:
    group = scim.world.group("Admins", [scim.world.bob])
    gives(scim, group, scim.world.cyd)
    assert scim.members(group) == set()
    assert scim.patch(f"/Groups/{group}", remove(scim.world.bob), remove(scim.world.cyd)).status_code == 200
    assert (
        scim.put(f"/Groups/{group}", {"schemas": [GROUP], "displayName": "Admins", "members": []}).status_code
        == 200
    )
    assert standing(scim, group, scim.world.bob)
    assert eligible(scim, group, scim.world.cyd)
    # Put there by both: shown, and taking it out leaves what the administrator gave.
    assert scim.patch(f"/Groups/{group}", add(scim.world.bob, scim.world.cyd)).status_code == 200
    assert scim.members(group) == {scim.world.bob, scim.world.cyd}
    assert scim.patch(f"/Groups/{group}", {"op": "remove", "path": "members"}).status_code == 200
    assert standing(scim, group, scim.world.bob)
    assert eligible(scim, group, scim.world.cyd)


def test_another_provisioner_neither_sees_nor_takes_it_out(scim: Scim) -> None:
    group = role_assignable(scim)
    _, other = scim.provisioner("Okta")
    assert scim.patch(f"/Groups/{group}", add(scim.world.ann)).status_code == 200
    assert scim.members(group, token=other) == set()
    assert scim.patch(f"/Groups/{group}", remove(scim.world.ann), token=other).status_code == 200
    assert eligible(scim, group, scim.world.ann)


def test_members_of_before_stay_visible_when_a_group_becomes_special(scim: Scim) -> None:
    group = scim.team("Grows", scim.world.ann)["id"]
    gives(scim, group, scim.world.bob)
    assert scim.members(group) == {scim.world.ann}
    assert scim.patch(f"/Groups/{group}", remove(scim.world.ann)).status_code == 200
    assert not standing(scim, group, scim.world.ann)


def test_an_eligibility_that_ended_is_no_member_any_more(scim: Scim) -> None:
    group = role_assignable(scim)
    assert scim.patch(f"/Groups/{group}", add(scim.world.ann)).status_code == 200
    ask = Ask(ELIGIBILITY, Provider.GROUP, Action.ADMIN_REMOVE, scim.world.ann, "member", group)
    ok(submit.submit(scim.deps, scim.world.system, ask))
    assert scim.members(group) == set()


def test_what_it_makes_lasts_no_longer_than_the_groups_policy_allows(scim: Scim) -> None:
    group = role_assignable(scim)
    assert scim.patch(f"/Groups/{group}", add(scim.world.ann)).status_code == 200
    limit = scim.world.read(
        lambda tx: tx.schedules.of([scim.world.ann], provider=Provider.GROUP, live_at=scim.world.now)
    )[0].ends_at
    if limit is not None:
        scim.world.now = limit
        assert scim.members(group) == set()


# ---------------------------------------------------------------- powerful people


def powerful(scim: Scim, how: str) -> str:
    person = scim.world.user("Paula")
    if how == "holds":
        scim.world.assigned(person, GA)
    elif how == "eligible":
        scim.world.eligible(person, GA)
    elif how == "group":
        scim.world.group("Admins", [person])
    else:
        scim.world.approval(person)
    return person


CHANGES = [
    {"op": "replace", "path": "active", "value": False},
    {"op": "replace", "path": "userName", "value": "taken.over"},
    {"op": "replace", "path": 'emails[type eq "work"].value', "value": "thief@example.com"},
    {"op": "add", "path": "phoneNumbers", "value": [{"type": "mobile", "value": "+49 1"}]},
    {"op": "replace", "path": "displayName", "value": "Somebody else"},
]


@pytest.mark.parametrize("how", ["holds", "eligible", "group", "approves"])
def test_powerful_people_are_not_changed(scim: Scim, how: str) -> None:
    person = powerful(scim, how)
    before = scim.world.read(lambda tx: tx.users.get(person))
    for change in CHANGES:
        answer = scim.patch(f"/Users/{person}", change)
        assert answer.status_code == 403, (change, answer.text)
    assert scim.delete(f"/Users/{person}").status_code == 403
    assert scim.world.read(lambda tx: tx.users.get(person)) == before
    assert len([one for one in scim.world.events("Update user") if one.result == "failure"]) == len(CHANGES)
    # Writing what there is already is no change: provisioners do that all the time.
    doc = scim.get(f"/Users/{person}").json()
    assert scim.put(f"/Users/{person}", {**doc, "externalId": "7"}).status_code == 200
    assert scim.get('/Users?filter=externalId eq "7"').json()["totalResults"] == 1


@pytest.mark.parametrize(
    "how", ["eligible", "in a mapped group", "eligible for a mapped group", "by a group"]
)
def test_nobodys_privilege_in_a_real_system_becomes_another_accounts(scim: Scim, how: str) -> None:
    """Who is called otherwise there is somebody else there: what he activates would be that account's."""
    world = scim.world
    target, server = world.target(subject="{localPart}")
    person, group = world.user("Nora"), world.group("Mapped", role_assignable=False)
    if how == "eligible":
        world.rule(target)
        world.eligible(person)
    else:
        world.rule(target, "member", group, provider=Provider.GROUP)
        if how == "in a mapped group":
            world.write(lambda tx: tx.groups.add_member(group, tx.principals.get(person)))
        else:
            gives(scim, group, person)
    before = scim.get(f"/Users/{person}").json()
    path = f"/Users/{person}"
    renamed = scim.patch(path, {"op": "replace", "path": "userName", "value": f"mallory@{scim.domain}"})
    assert renamed.status_code == 403, renamed.text
    assert scim.patch(path, {"op": "replace", "path": "title", "value": "Clerk"}).status_code == 200
    if how == "eligible":
        ok(world.activate(person))
    world.look(target)
    assert not server.may("mallory", "payroll_admin")
    scim.trust()
    renamed = scim.patch(path, {"op": "replace", "path": "userName", "value": "n." + before["userName"]})
    assert renamed.status_code == 200, renamed.text


def test_nor_by_a_way_of_several_steps(scim: Scim) -> None:
    """Into one group, by it into another, and by that to a role that is mapped."""
    world = scim.world
    target, server = world.target(subject="{localPart}")
    person = world.user("Nora")
    first, second = world.group("First", role_assignable=False), world.group("Second", role_assignable=False)
    world.rule(target, AZURE_READER, ROOT, provider=Provider.RESOURCE)
    gives(scim, first, person)
    gives(scim, second, first)
    when = window(days=30)
    ask = Ask(ASSIGNMENT, Provider.RESOURCE, Action.ADMIN_ASSIGN, second, AZURE_READER, ROOT, window=when)
    ok(submit.submit(scim.deps, world.system, ask))
    rename = {"op": "replace", "path": "userName", "value": f"mallory@{scim.domain}"}
    assert scim.patch(f"/Users/{person}", rename).status_code == 403
    groups = GroupWorld(world)
    ok(groups.activate(first, person, hours=2))
    ok(groups.activate(second, person, hours=1))
    world.look(target)
    assert server.may(world.name_in_target(person), "payroll_admin")
    assert not server.may("mallory", "payroll_admin")


def test_nor_that_of_who_owns_a_mapped_group(scim: Scim) -> None:
    world = scim.world
    target, _ = world.target(subject="{localPart}")
    person, group = world.user("Nora"), world.group("Owned", role_assignable=False)
    world.rule(target, "owner", group, provider=Provider.GROUP)
    rename = {"op": "replace", "path": "userName", "value": f"mallory@{scim.domain}"}
    world.write(lambda tx: tx.groups.add_owner(group, person))
    assert scim.patch(f"/Users/{person}", rename).status_code == 403
    world.write(lambda tx: tx.groups.remove_owner(group, person))
    assert scim.patch(f"/Users/{person}", rename).status_code == 200


def test_who_has_to_do_with_other_groups_only_is_renamed(scim: Scim) -> None:
    world = scim.world
    target, _ = world.target(subject="{localPart}")
    person, mapped = world.user("Nora"), world.group("Mapped", role_assignable=False)
    world.rule(target, "member", mapped, provider=Provider.GROUP)
    gives(scim, world.group("Another", role_assignable=False), person)
    rename = {"op": "replace", "path": "userName", "value": f"nora@{scim.domain}"}
    assert scim.patch(f"/Users/{person}", rename).status_code == 200


def test_where_it_was_granted_they_are(scim: Scim) -> None:
    person = powerful(scim, "holds")
    scim.trust()
    assert scim.patch(f"/Users/{person}", CHANGES[0]).status_code == 200
    assert not scim.world.read(lambda tx: tx.users.get(person)).enabled


def test_the_last_administrator_stays_whatever_was_granted(scim: Scim) -> None:
    scim.trust()
    disabled = {"op": "replace", "path": "active", "value": "False"}
    answers = [scim.patch(f"/Users/{one}", disabled).status_code for one in (scim.world.ga, scim.world.ga2)]
    assert sorted(answers) == [200, 403]
    left = scim.world.ga if answers[0] == 403 else scim.world.ga2
    assert scim.delete(f"/Users/{left}").status_code == 403
    assert scim.patch(f"/Users/{scim.world.pra}", disabled).status_code == 403


def test_the_last_administrator_is_not_taken_out_of_a_group(scim: Scim) -> None:
    """By a group that gives the role, and a mapping that makes members."""
    world = scim.world
    group = world.group("Administrators")
    ok(tokens.set_mode(scim.deps, world.caller(world.pra), group, Mode.MEMBER))
    assert scim.patch(f"/Groups/{group}", add(world.ann)).status_code == 200
    world.assigned(group, GA)
    world.forward(minutes=10)
    scim.trust()
    for one in (world.ga, world.ga2):
        assert scim.delete(f"/Users/{one}").status_code == 204
    answer = scim.patch(f"/Groups/{group}", remove(world.ann))
    assert answer.status_code == 403, answer.text
    assert standing(scim, group, world.ann)
    assert scim.delete(f"/Groups/{group}").status_code == 403


@pytest.mark.parametrize("make", [role_assignable, onboarded, approves], ids=lambda one: one.__name__)
def test_groups_that_give_something_are_not_renamed_or_deleted(scim: Scim, make: Any) -> None:
    group = make(scim)
    rename = {"op": "replace", "path": "displayName", "value": "Harmless"}
    assert scim.patch(f"/Groups/{group}", rename).status_code == 403
    assert scim.delete(f"/Groups/{group}").status_code == 403
    scim.trust()
    assert scim.patch(f"/Groups/{group}", rename).status_code == 200
    assert scim.delete(f"/Groups/{group}").status_code == 204


def test_disabled_is_for_good(scim: Scim) -> None:
    """Sessions and activations of before do not come back with the account."""
    world = scim.world
    world.eligible(world.ann)
    world.activate(world.ann, hours=2)
    assert world.holds(world.ann)
    off, on = ({"op": "Replace", "path": "active", "value": value} for value in ("False", "True"))
    # Ann can activate a role, but not a privileged one: provisioning may disable her.
    scim.trust()
    assert scim.patch(f"/Users/{world.ann}", off).status_code == 200
    assert not world.holds(world.ann)
    assert scim.patch(f"/Users/{world.ann}", on).status_code == 200
    assert not world.holds(world.ann)


def test_whom_an_administrator_locked_out_stays_out(scim: Scim) -> None:
    """Though the other directory says he is active, and whatever else it writes in between."""
    made = scim.person(active=True)
    where = f"/Users/{made['id']}"
    ok(set_enabled(scim.deps, scim.world.caller(scim.world.ga), made["id"], False))
    on = {"op": "replace", "path": "active", "value": True}
    assert scim.patch(where, {"op": "replace", "path": "title", "value": "Guide"}).status_code == 200
    for answer in (
        scim.patch(where, on),
        scim.put(where, {**made, "active": True}),
    ):
        assert answer.status_code == 403, answer.text
        assert not scim.world.read(lambda tx: tx.users.get(made["id"])).enabled
    bare = scim.put(where, {"schemas": [USER], "userName": made["userName"]})
    assert (bare.status_code, bare.json()["active"]) == (200, False)
    # What it disabled itself it may enable, and who was never its own is no different.
    ok(set_enabled(scim.deps, scim.world.caller(scim.world.ga), made["id"], True))
    assert scim.patch(where, {**on, "value": False}).status_code == 200
    assert scim.patch(where, on).status_code == 200
    ok(set_enabled(scim.deps, scim.world.caller(scim.world.ga), scim.world.ann, False))
    assert scim.patch(f"/Users/{scim.world.ann}", on).status_code == 403
    _, other = scim.provisioner("Okta")
    assert scim.patch(where, {**on, "value": False}).status_code == 200
    assert scim.patch(where, on, token=other).status_code == 403


def test_it_gives_nobody_a_password(scim: Scim) -> None:
    made = scim.person("pat", password="correct horse battery")
    assert "password" not in made
    assert (
        scim.patch(f"/Users/{made['id']}", {"op": "add", "path": "password", "value": "x" * 20}).status_code
        == 200
    )
    found = scim.world.read(lambda tx: tx.credentials.get(made["id"]))
    assert found is None or found.password is None
    assert "correct horse" not in str(
        scim.world.read(lambda tx: tx.provisioning.many(scim.client_id, [made["id"]]))
    )


def test_nobody_takes_anothers_sign_in_name(scim: Scim) -> None:
    ann = scim.world.read(lambda tx: tx.users.get(scim.world.ann)).user_principal_name
    made = scim.person("new")
    for upn in (ann, ann.upper()):
        answer = scim.patch(f"/Users/{made['id']}", {"op": "replace", "path": "userName", "value": upn})
        assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")
        assert scim.post("/Users", {"schemas": [USER], "userName": upn}).status_code == 409
    elsewhere = scim.post("/Users", {"schemas": [USER], "userName": "eve@elsewhere.test"})
    assert elsewhere.status_code == 400
    assert "verified domains" in elsewhere.json()["detail"]


def test_an_application_is_no_member(scim: Scim) -> None:
    group = scim.team("Team")["id"]
    assert scim.patch(f"/Groups/{group}", add(scim.client_id)).status_code == 400


def test_what_it_did_is_on_record_under_its_own_name(scim: Scim) -> None:
    group = role_assignable(scim)
    scim.patch(f"/Groups/{group}", add(scim.world.ann))
    told = [one for one in scim.world.events() if one.actor_id == scim.client_id]
    assert told
    assert {one.actor_kind for one in told} == {CallerKind.SERVICE_PRINCIPAL.value}
    assert any("eligible" in one.activity for one in told)
    assert any("Provisioned by Entra" in one.reason for one in told)
