"""An Application Administrator is not who granted an application its power: he must not lay hands on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openpim.core.refusals import Code
from openpim.core.roles import APPLICATION_ADMINISTRATOR, GROUPS_ADMINISTRATOR
from openpim.services.directory.applications import NewApplication, create_application, update_application
from openpim.services.directory.service_principals import create_service_principal, update_service_principal
from tests.world import ASSIGNMENT, GA, World, ok, refused

MINE = {"redirect_uris": ("https://mine.example/cb",)}


def application(world: World) -> tuple[str, str]:
    made = ok(create_application(world.deps, world.system, NewApplication("Robot")))
    face = ok(create_service_principal(world.deps, world.system, made.app_id))
    ok(world.give(world.ann, APPLICATION_ADMINISTRATOR, ASSIGNMENT, permanent=True, by=world.system))
    return made.id, face.id


def with_permissions(world: World, principal_id: str) -> None:
    def work(tx):
        found = tx.service_principals.get(principal_id)
        tx.service_principals.save(
            replace(found, enabled=False, permissions=("RoleManagement.ReadWrite.Directory",))
        )

    world.write(work)


def with_a_role(world: World, principal_id: str) -> None:
    ok(world.give(principal_id, GA, ASSIGNMENT, permanent=True, by=world.system))
    world.write(
        lambda tx: tx.service_principals.save(replace(tx.service_principals.get(principal_id), enabled=False))
    )


def with_a_lesser_role(world: World, principal_id: str) -> None:
    """One that is not privileged: more than an owner, who needs no role, may come by."""
    ok(world.give(principal_id, GROUPS_ADMINISTRATOR, ASSIGNMENT, permanent=True, by=world.system))
    world.write(
        lambda tx: tx.service_principals.save(replace(tx.service_principals.get(principal_id), enabled=False))
    )


POWER = pytest.mark.parametrize("power", [with_permissions, with_a_role, with_a_lesser_role])


@POWER
@pytest.mark.parametrize("changes", [MINE, {"public": True}])
def test_its_answers_do_not_go_elsewhere(world: World, power, changes) -> None:
    app, face = application(world)
    ok(update_application(world.deps, world.caller(world.ann), app, {"display_name": "Robot 2", **MINE}))
    ok(update_application(world.deps, world.caller(world.ann), app, {"redirect_uris": ()}))
    power(world, face)
    refused(update_application(world.deps, world.caller(world.ann), app, changes), Code.FORBIDDEN)
    ok(update_application(world.deps, world.caller(world.ann), app, {"display_name": "Robot 3"}))
    ok(update_application(world.deps, world.caller(world.ga), app, changes))


@POWER
def test_one_that_was_stopped_stays_stopped(world: World, power) -> None:
    """Who knows its secret could start it again."""
    _, face = application(world)
    power(world, face)
    refused(
        update_service_principal(world.deps, world.caller(world.ann), face, {"enabled": True}), Code.FORBIDDEN
    )
