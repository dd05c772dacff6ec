"""An approver gives a role by saying yes: whoever gets hold of him, or into his group, or stays after being taken out of
the role's settings, would give it to whom he likes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from openpim.core import roles as r
from openpim.core.grants import Action, Provider
from openpim.core.lifecycle import RequestStatus
from openpim.core.policy import ApprovalSettings, Reviewers, Stage
from openpim.core.refusals import Code, Refusal
from openpim.services import approvals, delegation, policies
from openpim.services.directory.group_members import add_member
from openpim.services.directory.group_owners import add_owner
from openpim.services.directory.update_user import set_enabled, update_user
from tests.world import ASSIGNMENT, DENY, World, ok, refused


def manager(world: World, role: str) -> Any:
    ok(world.give(world.dan, role, ASSIGNMENT, permanent=True, by=world.system))
    return world.caller(world.dan)


# ---------------------------------------------------------------- his account


@pytest.mark.parametrize("how", ["himself", "group", "nested", "escalation", "stands in", "owns the group"])
def test_his_account_is_not_for_a_user_administrator(world: World, how: str) -> None:
    dan = manager(world, r.USER_ADMINISTRATOR)
    ok(update_user(world.deps, dan, world.bob, {"mail": "before@world.test"}))
    inner = world.group("Inner", [world.bob] if how in {"group", "nested"} else [], role_assignable=False)
    outer = world.group("Outer", [inner], role_assignable=False)
    if how == "himself":
        world.approval(world.bob)
    elif how == "group":
        world.approval(groups=[inner])
    elif how == "nested":
        world.approval(groups=[outer])
    elif how == "escalation":
        stage = Stage(
            primary=Reviewers((world.cyd,)), escalation=Reviewers((world.bob,)), escalate_after_minutes=5
        )
        world.approval(stages=(stage,))
    elif how == "stands in":
        world.approval(world.cyd)
        until = world.now.replace(year=world.now.year, month=12)
        ok(delegation.delegate(world.deps, world.caller(world.cyd), world.bob, None, until))
    else:
        world.approval(groups=[outer])
        world.write(lambda tx: tx.groups.add_owner(outer, world.bob))
    refused(update_user(world.deps, dan, world.bob, {"mail": "thief@world.test"}), Code.FORBIDDEN)
    refused(set_enabled(world.deps, dan, world.bob, enabled=False), Code.FORBIDDEN)
    ok(set_enabled(world.deps, world.caller(world.ga), world.bob, enabled=False))


def test_when_nothing_has_to_be_approved_any_more(world: World) -> None:
    dan = manager(world, r.USER_ADMINISTRATOR)
    world.approval(world.bob)
    world.policy(approval=ApprovalSettings(required=False, stages=(Stage(primary=Reviewers((world.bob,))),)))
    ok(set_enabled(world.deps, dan, world.bob, enabled=False))


def test_who_approves_for_an_ordinary_group_is_ordinary(world: World) -> None:
    """His say is no more than that of those who manage the group."""
    dan = manager(world, r.USER_ADMINISTRATOR)
    for role_assignable, expected in ((False, True), (True, False)):
        group = world.group("Some", role_assignable=role_assignable)
        found = ok(policies.get(world.deps, world.system, Provider.GROUP, "member", group))
        stage = Stage(primary=Reviewers((world.bob,)))
        changed = policies.update(
            world.deps,
            world.caller(world.pra),
            found.id,
            lambda policy, stage=stage: _with(policy, stage),
            Provider.GROUP,
            group,
        )
        ok(changed)
        outcome = set_enabled(world.deps, dan, world.bob, enabled=True)
        assert isinstance(outcome, Refusal) is not expected


def _with(policy: Any, stage: Stage) -> Any:
    return replace(policy, approval=ApprovalSettings(required=True, stages=(stage,)))


# ---------------------------------------------------------------- his group


@pytest.mark.parametrize("role", [r.USER_ADMINISTRATOR, r.GROUPS_ADMINISTRATOR])
@pytest.mark.parametrize("nested", [False, True])
def test_nobody_joins_because_he_manages_groups(world: World, role: str, nested: bool) -> None:
    dan = manager(world, role)
    inner = world.group("Inner", [world.bob], role_assignable=False)
    outer = world.group("Outer", [inner], role_assignable=False)
    ok(add_member(world.deps, dan, inner, world.cyd))
    world.approval(groups=[outer if nested else inner])
    for act in (add_member, add_owner):
        refused(act(world.deps, dan, inner, world.dan), Code.FORBIDDEN)
    # Nor by way of PIM for Groups.
    body = world.ask(Action.ADMIN_ASSIGN, world.dan, "member", inner, kind=ASSIGNMENT, hours=1)
    refused(world.submit(replace(body, provider=Provider.GROUP), dan), Code.FORBIDDEN)
    ok(add_member(world.deps, world.caller(world.pra), inner, world.dan))


def test_its_owner_still_looks_after_it(world: World) -> None:
    group = world.group("Approvers", [world.bob], role_assignable=False)
    world.write(lambda tx: tx.groups.add_owner(group, world.cyd))
    world.approval(groups=[group])
    ok(add_member(world.deps, world.caller(world.cyd), group, world.dan))


# ---------------------------------------------------------------- the settings change while a request waits


def waiting(world: World, *approvers: str, **stage: Any) -> Any:
    world.eligible(world.ann)
    world.approval(*approvers, **stage)
    return ok(world.activate(world.ann))


def inbox(world: World, who: str) -> set[str]:
    return {view.request.id for view in approvals.mine(world.deps, world.caller(who))}


def test_who_was_taken_out_decides_no_more(world: World) -> None:
    request = waiting(world, world.bob)
    assert inbox(world, world.bob) == {request.id}
    world.approval(world.cyd)
    assert (inbox(world, world.bob), inbox(world, world.cyd)) == (set(), {request.id})
    refused(world.review(request, world.bob), Code.NOT_APPROVER)
    refused(world.review(request, world.bob, DENY), Code.NOT_APPROVER)
    ok(world.review(request, world.cyd))
    assert world.holds(world.ann)


def test_the_settings_changed_behind_the_acts(world: World) -> None:
    """Whatever changed them: the decision reads them again."""
    request = waiting(world, world.bob)

    def work(tx: Any) -> None:
        policy = tx.policies.get(Provider.DIRECTORY, request.role_id, "/")
        stage = replace(policy.approval.stages[0], primary=Reviewers((world.cyd,)))
        tx.policies.put(
            Provider.DIRECTORY, replace(policy, approval=replace(policy.approval, stages=(stage,)))
        )

    world.write(work)
    refused(world.review(request, world.bob), Code.NOT_APPROVER)
    ok(world.review(request, world.cyd))


def test_a_stricter_setting_holds(world: World) -> None:
    """One yes was enough when it was asked; now it takes two, and then somebody else's."""
    request = waiting(world, world.bob, world.cyd)
    one = Stage(primary=Reviewers((world.bob, world.cyd)), quorum=2)
    two = Stage(primary=Reviewers((world.dan,)))
    world.approval(stages=(one, two))
    ok(world.review(request, world.bob))
    ok(world.review(request, world.cyd))
    assert not world.holds(world.ann)
    refused(world.review(request, world.bob), Code.NOT_APPROVER)
    ok(world.review(request, world.dan))
    assert world.holds(world.ann)


def test_approval_is_needed_no_more(world: World) -> None:
    """The settings name nobody: those who manage roles decide what waits still."""
    request = waiting(world, world.bob)
    world.policy(approval=ApprovalSettings(required=False))
    refused(world.review(request, world.bob), Code.NOT_APPROVER)
    ok(world.review(request, world.pra))
    assert world.request(request.id).status is RequestStatus.PROVISIONED


def test_time_runs_on(world: World) -> None:
    """Nobody keeps a request alive by touching the settings."""
    request = waiting(world, world.bob, timeout_minutes=60)
    world.forward(minutes=59)
    world.approval(world.cyd, timeout_minutes=600)
    world.forward(minutes=1)
    refused(world.review(request, world.cyd), Code.ALREADY_DECIDED)
