"""Role settings: who reads and changes them, what can be stored, and that each change is on record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openpim.core.grants import Duration, hours
from openpim.core.policy import (
    ApprovalSettings,
    Expiry,
    Level,
    Notification,
    Policy,
    Requirement,
    Reviewers,
    Stage,
)
from openpim.core.refusals import Code, Refusal
from openpim.services import policies
from tests.world import DIRECTORY, GA, HELPDESK, TEAMS, World, lasting, ok, refused


def present(world: World, role: str = TEAMS) -> Policy:
    return ok(policies.get(world.deps, world.caller(world.ann), DIRECTORY, role))


def test_the_default(world: World) -> None:
    policy = present(world)
    assert (policy.version, policy.modified_at) == (1, None)
    assert policy.activation == Expiry(required=True, maximum=hours(8))
    assert policy == ok(policies.by_id(world.deps, world.caller(world.ann), policy.id))
    refused(policies.get(world.deps, world.caller(world.ann), DIRECTORY, world.new_id()), Code.ROLE_MISSING)
    refused(policies.by_id(world.deps, world.caller(world.ann), world.new_id()), Code.NOT_FOUND)


def test_a_change_keeps_the_id_and_counts(world: World) -> None:
    before = present(world)
    after = world.policy(activation=Expiry(required=True, maximum=hours(2)))
    assert (after.id, after.version, after.modified_at) == (before.id, 2, world.now)
    assert after.modified_by == world.pra
    assert present(world) == after
    assert present(world, HELPDESK).version == 1
    event = world.events(policies.UPDATED)[-1]
    assert [change[0] for change in event.targets[0].changes] == ["activation"]


def test_all_settings_come_back(world: World) -> None:
    team = world.group("team")
    stage = Stage(
        timeout_minutes=90,
        justification_required=False,
        primary=Reviewers((world.ann, world.bob), (team,)),
        escalation=Reviewers((world.cyd,)),
        escalate_after_minutes=30,
        quorum=2,
    )
    changed = world.policy(
        activation=Expiry(required=False, maximum=Duration("PT480M", 0, 8 * 3600)),
        activation_requires=frozenset({Requirement.TICKETING}),
        context_enabled=True,
        context="c7",
        approval=ApprovalSettings(
            required=True,
            required_for_extension=True,
            requestor_justification_required=False,
            stages=(stage, Stage(primary=Reviewers((world.dan,)))),
        ),
        eligibility=Expiry(required=True, maximum=Duration("P6M", 6, 0)),
        assignment=Expiry(required=False, maximum=None),
        assignment_requires=frozenset(Requirement),
        eligibility_requires=frozenset({Requirement.MFA}),
        notifications={"Admin_Admin_Eligibility": Notification(Level.CRITICAL, False, ("a@b.test",))},
    )
    assert present(world) == changed


def test_who_may_not(world: World) -> None:
    policy = present(world)
    for who in (world.ann, world.bob):
        outcome = policies.update(
            world.deps, world.caller(who), policy.id, lambda policy: replace(policy, context="c1")
        )
        refused(outcome, Code.FORBIDDEN)
    refused(
        policies.update(world.deps, world.caller(world.ga), world.new_id(), lambda policy: policy),
        Code.NOT_FOUND,
    )
    assert present(world) == policy


def test_what_the_policy_is_of_cannot_be_changed(world: World) -> None:
    after = world.policy(role_id=GA, scope="/x", id=world.new_id(), version=99)
    assert (after.role_id, after.scope, after.version) == (TEAMS, "/", 2)
    assert present(world, GA).version == 1


BAD = {
    "no maximum": {"activation": Expiry(required=True, maximum=None)},
    "no eligible maximum": {"eligibility": Expiry(required=True, maximum=None)},
    "no active maximum": {"assignment": Expiry(required=True, maximum=None)},
    "too short": {"activation": Expiry(required=True, maximum=lasting(299))},
    "too long": {"activation": Expiry(required=True, maximum=lasting(24 * 3600 + 1))},
    "months": {"activation": Expiry(required=True, maximum=Duration("P1M", 1, 0))},
    "context without a name": {"context_enabled": True, "activation_requires": frozenset()},
    "context and mfa": {"context_enabled": True, "context": "c1"},
    "approval without stages": {"approval": ApprovalSettings(required=True, stages=())},
    "six stages": {"approval": ApprovalSettings(stages=(Stage(),) * 6)},
    "no time": {"approval": ApprovalSettings(stages=(Stage(timeout_minutes=0),))},
    "too much time": {"approval": ApprovalSettings(stages=(Stage(timeout_minutes=60 * 24 * 60 + 1),))},
    "no quorum": {"approval": ApprovalSettings(stages=(Stage(quorum=0),))},
    "huge quorum": {"approval": ApprovalSettings(stages=(Stage(quorum=21),))},
    "escalates too late": {"approval": ApprovalSettings(stages=(Stage(escalate_after_minutes=24 * 60),))},
    "escalates to nobody": {"approval": ApprovalSettings(stages=(Stage(escalate_after_minutes=5),))},
    "unknown approver": {
        "approval": ApprovalSettings(
            stages=(Stage(primary=Reviewers(("00000000-0000-4000-8000-00000000dead",))),)
        )
    },
    "a crowd": {
        "approval": ApprovalSettings(stages=(Stage(primary=Reviewers(tuple(map(str, range(101))))),))
    },
}


@pytest.mark.parametrize("settings", BAD.values(), ids=list(BAD))
def test_what_cannot_be_stored(world: World, settings) -> None:
    policy = present(world)
    outcome = policies.update(
        world.deps, world.caller(world.pra), policy.id, lambda policy: replace(policy, **settings)
    )
    assert refused(outcome, Code.INVALID).member in {
        "activation",
        "eligibility",
        "assignment",
        "context",
        "approval",
    }
    assert present(world) == policy


def test_a_quorum_that_cannot_be_reached(world: World) -> None:
    policy = present(world)
    settings = ApprovalSettings(stages=(Stage(primary=Reviewers((world.ann, world.ann)), quorum=2),))
    outcome = policies.update(
        world.deps, world.caller(world.pra), policy.id, lambda policy: replace(policy, approval=settings)
    )
    refused(outcome, Code.INVALID)


def test_the_change_may_refuse(world: World) -> None:
    no = Refusal(Code.INVALID, "No.")
    assert policies.update(world.deps, world.caller(world.pra), present(world).id, lambda _: no) == no


def test_all_of_them(world: World) -> None:
    world.policy(activation=Expiry(required=True, maximum=hours(2)))
    found = policies.page(world.deps, world.caller(world.ann), DIRECTORY)
    everything = {policy.role_id: policy for policy in found}
    assert everything[TEAMS].version == 2
    assert everything[GA].version == 1
    roles = {role.id for role in world.read(lambda tx: tx.roles.all())}
    assert set(everything) <= roles
    some = policies.page(world.deps, world.caller(world.ann), DIRECTORY, role_ids=[TEAMS, HELPDESK])
    assert {policy.role_id for policy in some} == {TEAMS, HELPDESK}
