"""A role over an administrative unit reaches the unit's people, never one whose own power reaches further."""

from __future__ import annotations

import pytest

from openpim.core import roles as r
from openpim.core.refusals import Code
from openpim.services.directory.update_user import set_enabled, update_user
from tests.world import ASSIGNMENT, ELIGIBILITY, GA, World, ok, refused

SCOPED = pytest.mark.parametrize(
    "role", [GA, r.USER_ADMINISTRATOR, r.PRIVILEGED_AUTHENTICATION_ADMINISTRATOR]
)


def unit_with(world: World, role: str, *members: str) -> None:
    """bob holds the role over a unit with these members."""
    scope = world.unit("North")

    def work(tx):
        for member in members:
            tx.administrative_units.add_member(scope.rsplit("/", 1)[1], member)

    world.write(work)
    ok(world.give(world.bob, role, ASSIGNMENT, scope, permanent=True, by=world.system))


@SCOPED
@pytest.mark.parametrize("kind", [ASSIGNMENT, ELIGIBILITY])
def test_a_powerful_person_in_the_unit(world: World, role: str, kind) -> None:
    ok(world.give(world.ann, GA, kind, permanent=True, by=world.system))
    unit_with(world, role, world.ann)
    bob = world.caller(world.bob)
    refused(set_enabled(world.deps, bob, world.ann, enabled=False), Code.FORBIDDEN)
    refused(update_user(world.deps, bob, world.ann, {"mail": "thief@world.test"}), Code.FORBIDDEN)


@SCOPED
def test_an_ordinary_one(world: World, role: str) -> None:
    unit_with(world, role, world.ann)
    bob = world.caller(world.bob)
    ok(set_enabled(world.deps, bob, world.ann, enabled=False))
    refused(set_enabled(world.deps, bob, world.cyd, enabled=False), Code.FORBIDDEN)
