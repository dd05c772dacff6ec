"""An activation below the scope of its eligibility is under the settings of both places: neither is walked around."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openpim.core.policy import ApprovalSettings, Reviewers, Stage
from tests.faces.arm.client import READER, Arm, Who
from tests.world import World


@pytest.fixture
def arm(database_url: str) -> Iterator[Arm]:
    made = Arm(World(database_url))
    made.plant()
    made.eligible(made.world.bob, READER, made.prod)
    yield made
    made.world.close()


def test_a_weaker_context_below_does_not_stand_for_the_one_above(arm: Arm) -> None:
    bob = arm.world.bob
    plain = {"activation_requires": frozenset(), "context_enabled": True}
    arm.policy(READER, arm.prod, context="c2", **plain)
    arm.policy(READER, arm.web, context="c1", **plain)
    for acrs, lacking in (({"c1"}, "c2"), ({"c2"}, "c1")):
        refused = arm.request(
            "Assignment", bob, arm.web, Who(bob, acrs=frozenset(acrs)), requestType="SelfActivate"
        )
        assert refused.status_code == 400, refused.text
        assert lacking in refused.json()["error"]["message"]
    both = Who(bob, acrs=frozenset({"c1", "c2"}))
    made = arm.request("Assignment", bob, arm.web, both, requestType="SelfActivate")
    assert made.status_code == 201, made.text


@pytest.mark.parametrize("own_too", [False, True])
def test_an_extension_that_is_approved_above(arm: Arm, own_too: bool) -> None:
    """Activating needs no approval of the place above, making it longer does."""
    bob, cyd, dan = arm.world.bob, arm.world.cyd, arm.world.dan
    above = ApprovalSettings(required_for_extension=True, stages=(Stage(primary=Reviewers((cyd,))),))
    arm.policy(READER, arm.prod, approval=above)
    hour = {"expiration": {"type": "AfterDuration", "duration": "PT1H"}}
    assert arm.activate(bob, arm.web, scheduleInfo=hour).json()["properties"]["status"] == "Provisioned"
    if own_too:
        arm.approval(READER, arm.web, dan)
    longer = {"expiration": {"type": "AfterDuration", "duration": "PT4H"}}
    asked = arm.request("Assignment", bob, arm.web, bob, requestType="SelfExtend", scheduleInfo=longer)
    assert asked.json()["properties"]["status"] == "PendingApproval", asked.text
    approval = arm.world.read(lambda tx: tx.approvals.get(asked.json()["name"]))
    wanted = [frozenset({dan}), frozenset({cyd})] if own_too else [frozenset({cyd})]
    assert [stage.keys for stage in approval.stages] == wanted
