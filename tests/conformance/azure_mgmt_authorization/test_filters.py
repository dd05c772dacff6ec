"""`$filter` in the words that SDK users and tools have for it: whose, where, which; and lists that come in pages."""

from __future__ import annotations

import uuid

import pytest

from tests.conformance.arm_client import CONTRIBUTOR, READER, model, refused, role_id

ELIGIBLE = "role_eligibility_schedule_instances"
ELIGIBLE_TO_COME = "role_eligibility_schedules"
ACTIVE = "role_assignment_schedule_instances"
ASKED = "role_assignment_schedule_requests"


@pytest.fixture(scope="module")
def group_id(field):
    """A group that exists: nadia, viktor, zanele and liam are in it."""
    found = field.boss.graph_get("/v1.0/groups?$filter=displayName eq 'Field Service'")
    return found["value"][0]["id"]


@pytest.fixture(scope="module")
def given(field, group_id):
    """viktor: Reader in a management group; Contributor at rg-a through a group. liam: Reader at rg-b, activated."""
    viktor, liam = field.desk("viktor"), field.desk("liam")
    field.eligible(viktor.id, field.group)
    field.eligible(group_id, field.rg_a, CONTRIBUTOR)
    field.eligible(liam.id, field.rg_b)
    liam.activate(field.rg_b)
    return viktor, liam


def scopes(rows):
    return sorted(each.scope for each in rows)


@pytest.mark.parametrize("collection", [ELIGIBLE, ELIGIBLE_TO_COME])
def test_as_target_over_the_whole_tenant(field, given, collection):
    viktor, liam = given
    mine = [
        each
        for each in viktor.listed(collection, "", "asTarget()")
        if each.scope in {field.group, field.rg_a}
    ]
    assert scopes(mine) == sorted([field.group, field.rg_a])
    through = next(each for each in mine if each.scope == field.rg_a)
    assert through.member_type == "Group"
    assert through.principal_type == "Group"
    assert through.expanded_properties.principal.display_name == "Field Service"
    theirs = {each.scope for each in liam.listed(collection, "", "asTarget()")}
    assert {field.rg_a, field.rg_b} <= theirs
    assert field.group not in theirs


def test_activated_through_a_group(field, given, group_id):
    """The eligibility is the group's; the activation names the person, and the eligibility it rests on."""
    viktor, _ = given
    (held,) = [each for each in viktor.listed(ELIGIBLE, field.rg_a, "asTarget()") if each.scope == field.rg_a]
    assert held.principal_id == group_id
    with refused("AuthorizationFailed", 403):
        viktor.ask("assignment", field.rg_a, "SelfActivate", group_id, CONTRIBUTOR)
    link = held.role_eligibility_schedule_id
    made = viktor.activate(field.rg_a, CONTRIBUTOR, linked_role_eligibility_schedule_id=link)
    assert (made.status, made.principal_id) == ("Provisioned", viktor.id)
    (now,) = [each for each in viktor.active(field.rg_a) if each.assignment_type == "Activated"]
    assert (now.principal_id, now.linked_role_eligibility_schedule_id) == (viktor.id, link)
    assert viktor.deactivate(field.rg_a, CONTRIBUTOR).status == "Revoked"


@pytest.mark.parametrize(
    ("where", "asked", "expected"),
    [
        ("vm", "atScope()", ["group", "rg_a"]),
        ("rg_b", "atScope()", ["group", "rg_b"]),
        ("group", "atScope()", ["group"]),
        ("group", "atScopeAndBelow()", ["group", "rg_a", "rg_b"]),
        ("subscription", "atScopeAndBelow()", ["rg_a", "rg_b"]),
        ("subscription", None, ["group", "rg_a", "rg_b"]),
        ("subscription", "", ["group", "rg_a", "rg_b"]),
        ("subscription", "assignedTo('{viktor}')", ["group", "rg_a"]),
        ("subscription", "principalId eq '{viktor}'", ["group"]),
        ("subscription", "principalId eq {viktor}", ["group"]),
        ("subscription", "(principalId eq '{viktor}') and atScope()", ["group"]),
        ("rg_b", "atScope() and assignedTo('{viktor}')", ["group"]),
        ("subscription", "(principalId eq '{viktor}' and roleDefinitionId eq '{reader}')", ["group"]),
        ("subscription", "roleDefinitionId eq '{contributor}'", ["rg_a"]),
        ("subscription", "principalId eq '{group}'", ["rg_a"]),
    ],
)
def test_what_is_granted(field, given, group_id, where, asked, expected):
    viktor, _ = given
    facts = {
        "viktor": viktor.id,
        "group": group_id,
        "reader": role_id(field.subscription, READER),
        "contributor": role_id(field.subscription, CONTRIBUTOR),
    }
    for collection in (ELIGIBLE, ELIGIBLE_TO_COME):
        found = field.boss.listed(collection, getattr(field, where), asked and asked.format(**facts))
        ours = {field.group, field.rg_a, field.rg_b}
        assert scopes(each for each in found if each.scope in ours) == sorted(
            getattr(field, each) for each in expected
        ), collection


def test_whose_requests(field, given):
    viktor, liam = given
    mine = liam.listed(ASKED, "", "asRequestor()")
    assert {each.request_type for each in mine} >= {"SelfActivate"}
    assert {each.requestor_id for each in mine} == {liam.id}
    assert [each.scope for each in liam.listed(ASKED, field.rg_b, "asTarget()")] == [field.rg_b]
    assert viktor.listed(ASKED, field.rg_b, "asApprover()") == []
    field.demand_approval(field.rg_a, READER, liam.id)
    asked = viktor.activate(field.rg_a)
    assert [each.name for each in liam.listed(ASKED, "", "asApprover()")] == [asked.name]
    assert [each.name for each in liam.listed(ASKED, field.subscription, "asApprover()")] == [asked.name]
    assert liam.listed(ASKED, field.rg_b, "asApprover()") == []
    viktor.client.role_assignment_schedule_requests.cancel(field.rg_a, asked.name)
    assert liam.listed(ASKED, "", "asApprover()") == []


def test_nobody_looks_at_others(field, given):
    viktor, liam = given
    for collection in (ELIGIBLE, ELIGIBLE_TO_COME, ACTIVE, ASKED):
        with refused("InsufficientPermissions", message="$filter=asTarget()"):
            viktor.listed(collection, field.rg_b, f"principalId eq '{liam.id}'")
        assert viktor.listed(collection, field.rg_b, f"principalId eq '{viktor.id}'") is not None


@pytest.mark.parametrize(
    "asked",
    [
        "asTarget(",
        "asNobody()",
        "principalId gt 1 2",
        "colour eq 'red'",
        "assignedTo('somebody')",
        "x" * 9000,
    ],
)
def test_what_cannot_be_read_is_refused(field, asked):
    with refused("InvalidFilter"):
        field.boss.listed(ELIGIBLE, field.subscription, asked)


def test_page_after_page(field, given):
    boss = field.boss
    for who in ("greta", "matteo", "samir", "astrid", "osei"):
        boss.client.role_assignments.create(
            field.rg_b,
            str(uuid.uuid4()),
            model(
                "RoleAssignmentCreateParameters",
                role_definition_id=role_id(field.rg_b, READER),
                principal_id=field.server.people[who].id,
            ),
        )
    seen = []
    pages = boss.client.role_assignments.list_for_scope(
        field.rg_b, params={"$top": "2"}, raw_response_hook=seen.append
    )
    found = [each.name for each in pages]
    whole = [each.name for each in boss.client.role_assignments.list_for_scope(field.rg_b)]
    assert sorted(found) == sorted(whole)
    assert len(whole) >= 6
    assert len(seen) >= 3
