"""What a person may activate is kept while nothing changes, and is what there is whatever changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from openpim.core.lifecycle import RequestStatus
from openpim.ports.deps import Deps
from openpim.ports.kept import Kept
from openpim.services import becoming, eligibilities
from openpim.services.becoming import Becoming
from openpim.services.eligibilities import Activatable
from tests.plans import noted
from tests.world import HELPDESK, TEAMS, World, ok

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def mine(world: World, who: str) -> tuple[Activatable, ...]:
    return eligibilities.mine(world.deps, world.caller(who))


def asked_anew(world: World, who: str) -> tuple[Activatable, ...]:
    return eligibilities.mine(replace(world.deps, kept=Kept()), world.caller(who))


def changes(world: World) -> list[Callable[[], Any]]:
    group = world.group("Helpers", [world.ann])
    return [
        lambda: world.eligible(world.ann, HELPDESK, days=20),
        lambda: world.eligible(group, TEAMS),
        lambda: ok(world.activate(world.ann, HELPDESK, hours=1)),
        lambda: world.forward(hours=2),
        world.work,
        lambda: world.leave(group, world.ann),
        lambda: ok(world.take(world.ann, HELPDESK)),
        lambda: world.eligible(world.ann, HELPDESK, days=1),
        lambda: world.forward(days=2),
    ]


def test_what_is_kept_is_what_one_may_activate(world: World) -> None:
    seen = [mine(world, world.ann)]
    for number, change in enumerate(changes(world)):
        change()
        assert mine(world, world.ann) == asked_anew(world, world.ann), f"after change {number}"
        assert mine(world, world.bob) == asked_anew(world, world.bob), (
            f"of somebody else, after change {number}"
        )
        seen.append(mine(world, world.ann))
    assert sum(before != after for before, after in pairwise(seen)) >= 7, "most of them show"


@SQLITE
def test_nothing_is_asked_twice(own_world: World) -> None:
    world = own_world  # the next turn is any tenant's
    world.eligible(world.ann, HELPDESK)

    def asked() -> list[Any]:
        with noted(world.database) as statements:
            mine(world, world.ann)
        return statements

    first, again = asked(), asked()
    assert len(again) == len(first) - 3, "neither what he may activate nor when that changes by itself"


@SQLITE
def test_what_never_began_is_over_when_its_time_is(own_world: World) -> None:
    """Nothing but time takes it away: no worker looks at it."""
    world = own_world  # as above
    world.eligible(world.ann, HELPDESK)
    later = ok(world.activate(world.ann, HELPDESK, start=world.now + timedelta(hours=1), hours=1))
    assert later.status is RequestStatus.GRANTED
    caller = world.caller(world.ann)

    def held(deps: Deps) -> Becoming:
        found = becoming.of_principal(deps, caller, world.ann)
        assert isinstance(found, Becoming)
        return found

    assert held(world.deps).active.count == 1
    world.forward(hours=3)
    assert held(replace(world.deps, kept=Kept())).active.count == 0
    assert held(world.deps).active.count == 0
