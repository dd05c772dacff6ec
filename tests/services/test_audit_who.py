"""What an event tells about a grant besides Entra's part: in whose place, which ticket, by which settings, through what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from openpim.core.grants import Ticket
from openpim.services import delegation
from tests.world import World, ok


def test_a_decision_in_somebody_elses_place_says_so(world: World) -> None:
    world.approval(world.bob)
    world.eligible(world.ann)
    until = world.now + timedelta(days=1)
    ok(delegation.delegate(world.deps, world.caller(world.bob), world.cyd, None, until))
    ok(world.review(ok(world.activate(world.ann, hours=1)), world.cyd))
    (event,) = world.events("Add member to role request approved (PIM activation)")
    assert (event.actor_id, event.on_behalf_of_id, event.on_behalf_of_name) == (world.cyd, world.bob, "bob")
    world.forward(hours=2)
    world.work()
    ok(world.review(ok(world.activate(world.ann, hours=1)), world.bob))
    own = world.events("Add member to role request approved (PIM activation)")[-1]
    assert (own.actor_id, own.on_behalf_of_id) == (world.bob, "")


def test_an_activation_tells_ticket_settings_and_call(world: World) -> None:
    world.eligible(world.ann)
    version = world.policy(activation_requires=frozenset()).version
    caller = replace(world.caller(world.ann), ip="192.0.2.7", client="pim", request_id="call-1")
    asked = world.activate(world.ann, hours=1, by=caller, ticket=Ticket("OPS-7", "JIRA"))
    request = ok(asked)
    for event in world.events("Add member to role completed (PIM activation)"):
        assert (event.ticket_number, event.ticket_system) == ("OPS-7", "JIRA")
        assert event.policy_version == str(version)
        assert (event.correlation_id, event.request_id) == (request.id, "call-1")
        assert (event.ip, event.client, event.amr) == ("192.0.2.7", "pim", ("mfa", "pwd"))
        assert event.reason == "because"


def test_changed_settings_tell_their_version_and_what_changed(world: World) -> None:
    after = world.policy(activation_requires=frozenset())
    event = world.events("Update role setting in PIM")[-1]
    assert event.policy_version == str(after.version)
    assert any(before != now for target in event.targets for _, before, now in target.changes)
