"""Whoever may rename people does not say whose account in a real system gets their access."""

from __future__ import annotations

from typing import Any

import pytest

from openpim.core.grants import Provider
from openpim.core.refusals import Code, Refusal
from openpim.core.roles import USER_ADMINISTRATOR
from openpim.services.connecting import manage
from openpim.services.directory.update_user import update_user
from tests.services.connecting.test_reconcile import ADMIN
from tests.world import ASSIGNMENT, World, ok


def renamed(world: World, by: str, person: str, **changes: Any) -> Any:
    if "name" in changes:
        domain = world.read(lambda tx: tx.tenants.current()).domain
        changes["user_principal_name"] = f"{changes.pop('name')}@{domain}"
    return update_user(world.deps, world.caller(by), person, changes)


@pytest.fixture
def bob(world: World) -> str:
    """May rename people, and nothing more."""
    ok(world.give(world.bob, USER_ADMINISTRATOR, ASSIGNMENT, permanent=True))
    return world.bob


def test_a_user_administrator_gives_nobodys_access_to_another_account(world: World, bob: str) -> None:
    target, server = world.target()
    world.rule(target)
    ok(renamed(world, bob, world.ann, name="ann.first"))
    world.eligible(world.ann)
    refused = renamed(world, bob, world.ann, name="root2")
    assert isinstance(refused, Refusal)
    assert refused.code is Code.FORBIDDEN
    assert "payroll" in refused.message
    assert "Privileged Role Administrator" in refused.message
    ok(renamed(world, bob, world.ann, job_title="Clerk", mail="ann@example.com"))
    event = next(
        one for one in reversed(world.events()) if one.activity == "Update user" and one.result == "failure"
    )
    assert event.actor_id == bob
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    assert server.may("ann.first", ADMIN)
    assert not server.may("root2", ADMIN)


def test_who_administers_targets_renames_or_says_the_name_there_first(world: World, bob: str) -> None:
    target, server = world.target()
    world.rule(target)
    world.eligible(world.ann)
    old = world.name_in_target(world.ann)
    ok(manage.set_subject(world.deps, world.caller(world.pra), target, world.ann, old))
    ok(renamed(world, bob, world.ann, name="ann.second"))
    ok(world.activate(world.ann, hours=1))
    world.look(target)
    assert server.may(old, ADMIN), "she keeps the account that she has there"
    ok(manage.set_subject(world.deps, world.caller(world.pra), target, world.ann, ""))
    assert isinstance(renamed(world, bob, world.ann, name="ann.third"), Refusal)
    ok(renamed(world, world.ga, world.ann, name="ann.third"))
    world.look(target)
    assert server.may("ann.third", ADMIN)
    assert not server.may(old, ADMIN)


def test_who_could_put_himself_into_a_group_that_has_access(world: World, bob: str) -> None:
    """As its owner, or as the owner of one inside it."""
    target, _ = world.target()
    inner = world.group("Inner", role_assignable=False)
    outer = world.group("Outer", [inner], role_assignable=False)
    world.rule(target, "member", outer, provider=Provider.GROUP)
    ok(renamed(world, bob, world.ann, name="ann.first"))
    ok(renamed(world, bob, world.cyd, name="cyd.first"))
    world.write(lambda tx: tx.groups.add_owner(inner, world.ann))
    world.write(lambda tx: tx.groups.add_owner(outer, world.cyd))
    for person in (world.ann, world.cyd):
        assert isinstance(renamed(world, bob, person, name=f"other.{person[-6:]}"), Refusal)


def test_a_number_that_names_people_there_is_no_other_matter(world: World, bob: str) -> None:
    target, _ = world.target(subject="p{employeeId}")
    group = world.group("Payroll", [world.ann], role_assignable=False)
    world.rule(target, "member", group, provider=Provider.GROUP)
    ok(renamed(world, bob, world.ann, name="ann.first"))
    assert isinstance(renamed(world, bob, world.ann, employee_id="7"), Refusal)
    ok(renamed(world, bob, world.cyd, employee_id="7"))
