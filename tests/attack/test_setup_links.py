"""A link that a User Administrator made for somebody ordinary is no way into the account once he is powerful."""

from __future__ import annotations

import re
from typing import Any

import pyotp
import pytest

from openpim.core.ask import Ask
from openpim.core.caller import Caller, CallerKind, system
from openpim.core.grants import Action, Kind, Provider
from openpim.core.refusals import Code
from openpim.core.roles import GLOBAL_ADMINISTRATOR, USER_ADMINISTRATOR
from openpim.services.signin.invite import invite
from openpim.services.submit import submit
from tests.signin_world import ADA, BOB, ORIGIN, A, World
from tests.world import ok, refused


def give(world: World, user_id: str, role: str, kind: Kind = Kind.ASSIGNMENT) -> None:
    ok(submit(world.deps, system(A), Ask(kind, Provider.DIRECTORY, Action.ADMIN_ASSIGN, user_id, role, "/")))


def link_for_ada(world: World, maker: str) -> str:
    give(world, BOB, maker)
    return str(ok(invite(world.signin, Caller(A, BOB, CallerKind.USER), ADA)))


def use(world: World, link: str) -> Any:
    browser = world.browser()
    path = link.removeprefix(ORIGIN)
    page = browser.get(path)
    if page.status_code != 200:
        return page
    seed = re.search(r"secret=([A-Z2-7]+)", page.text.replace("&amp;", "&"))
    assert seed is not None
    secrets = {"password": "a password of the thief", "repeat": "a password of the thief"}
    return browser.client.post(
        path, data={**browser.fields(), **secrets, "code": pyotp.TOTP(seed[1]).at(world.now[0])}
    )


@pytest.mark.parametrize("kind", Kind)
def test_kept_until_the_person_is_powerful(signin_world: World, kind: Kind) -> None:
    link = link_for_ada(signin_world, USER_ADMINISTRATOR)
    give(signin_world, ADA, GLOBAL_ADMINISTRATOR, kind)
    assert use(signin_world, link).status_code == 404
    # Nor by taking the mark off.
    assert use(signin_world, link.replace("/setup/u.", "/setup/")).status_code == 404
    refused(invite(signin_world.signin, Caller(A, BOB, CallerKind.USER), ADA), Code.FORBIDDEN)


def test_for_somebody_ordinary(signin_world: World) -> None:
    assert use(signin_world, link_for_ada(signin_world, USER_ADMINISTRATOR)).status_code == 200


def test_of_somebody_with_a_say(signin_world: World) -> None:
    """The usual order: account, link, role; then the person comes."""
    link = link_for_ada(signin_world, GLOBAL_ADMINISTRATOR)
    give(signin_world, ADA, GLOBAL_ADMINISTRATOR)
    assert use(signin_world, link).status_code == 200
