"""Approvers hear of a request when it is their turn: not while another system is asked, but when it has answered, or when it
does not."""

from __future__ import annotations

from typing import Any

import pytest

from openpim.core.policy import WhenDown
from tests.notify.hostile import answers, replies, serve
from tests.services.channels.helper import ask_first, channel
from tests.services.notices.conftest import SETTINGS
from tests.services.notices.telling import Telling
from tests.world import World, ok

APPROVED = replies(lambda _: (200, {"evaluationOutcome": "Approved"}))


@pytest.mark.parametrize("script", [APPROVED, answers(b"", "500 Oops")])
def test_approvers_hear_of_it_when_it_is_their_turn(database_url: str, script: Any) -> None:
    world = World(database_url, settings=SETTINGS)
    with serve(script) as server:
        shown = channel(world, server.url())
        ask_first(world, shown.channel.id, world.bob, when_down=WhenDown.PEOPLE)
        world.eligible(world.ann)
        telling = Telling(world)
        request = ok(world.activate(world.ann, hours=1))
        wanted = [name for name, kinds in telling.told().items() if "approvalWanted" in kinds]
        assert wanted == []
        world.work()
        wanted = [name for name, kinds in telling.told().items() if "approvalWanted" in kinds]
        assert wanted == [world.read(lambda tx: tx.users.get(world.bob)).display_name]
    ok(world.review(request, world.bob))
    assert world.holds(world.ann)
    world.close()
