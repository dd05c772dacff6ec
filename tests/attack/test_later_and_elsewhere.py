"""What was right when it was asked for, and is wrong when it takes effect; and administrators who live elsewhere."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openpim.core.grants import Action
from openpim.core.lifecycle import RequestStatus
from openpim.core.refusals import Code
from openpim.services import due
from openpim.services.directory.delete_user import delete_user
from openpim.services.directory.update_user import set_enabled
from tests.world import ASSIGNMENT, GA, PRA, World, ok, refused


def test_a_later_start_does_not_walk_past_an_approval(world: World) -> None:
    """Asked for while the role needed none; the policy has been made stricter since."""
    world.eligible(world.ann)
    start = world.now + timedelta(days=30)
    asked = ok(world.submit(world.ask(Action.SELF_ACTIVATE, world.ann, start=start, hours=1), world.ann))
    assert asked.status is RequestStatus.GRANTED
    world.approval(world.bob)
    world.at(start)
    due.start(world.deps, world.tenant_id)
    assert not world.holds(world.ann)
    request = world.read(lambda tx: tx.requests.get(asked.id))
    assert request.status is RequestStatus.FAILED
    assert "approval" in (request.failure or "")


def test_a_later_start_that_was_approved_begins(world: World) -> None:
    world.eligible(world.ann)
    world.approval(world.bob)
    start = world.now + timedelta(hours=5)
    asked = ok(world.submit(world.ask(Action.SELF_ACTIVATE, world.ann, start=start, hours=1), world.ann))
    ok(world.review(asked, world.bob))
    world.at(start)
    due.start(world.deps, world.tenant_id)
    assert world.holds(world.ann)


@pytest.mark.parametrize("role", [GA, PRA])
@pytest.mark.parametrize("act", ["remove", "disable", "delete"])
def test_a_guest_is_not_the_last_administrator(world: World, role: str, act: str) -> None:
    """His home, another organisation, can lock him out at any moment: then nobody would be left."""
    guest = world.user("Gwen", home_tenant_id=world.new_id(), home_user_id=world.new_id())
    ok(world.give(guest, role, ASSIGNMENT, permanent=True, by=world.system))
    world.forward(minutes=10)
    last = world.ga if role == GA else world.pra
    if role == GA:
        ok(world.take(world.ga2, GA, ASSIGNMENT, by=world.system))
    outcome = {
        "remove": lambda: world.take(last, role, ASSIGNMENT, by=world.system),
        "disable": lambda: set_enabled(world.deps, world.system, last, enabled=False),
        "delete": lambda: delete_user(world.deps, world.system, last),
    }[act]()
    refused(outcome, Code.LAST_ADMINISTRATOR)
    ok(world.take(guest, role, ASSIGNMENT, by=world.system))
