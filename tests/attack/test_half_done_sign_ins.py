"""A sign-in on its way carries a proof in its page, for an hour at most. It must not outlive what it proves, nor be
turned to somebody else."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pyotp
import pytest

from openpim.services.credentials import set_password
from tests.signin_world import ADA, BOB, PASSWORD, Browser, World, make_world
from tests.signin_world import A as TENANT

MFA = '{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}'
NEW = "another long password"


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    made = make_world(database_url)
    yield made
    made.deps.store.close()


def seed_on(browser: Browser) -> str:
    found = re.search(r"secret=([A-Z2-7]+)", html.unescape(browser.page.text))
    assert found is not None, browser.page.text
    return found[1]


def test_a_password_that_was_changed_meanwhile(world: World) -> None:
    """Who stole it waits at the second factor; the owner gets a new password; the thief types the code."""
    thief = world.browser()
    thief.authorize(claims=MFA)
    thief.sign_in("bob@contoso.example")
    assert thief.fields("code")
    world.move(minutes=1)
    assert world.write(TENANT, lambda tx: set_password(tx, world.signin, BOB, NEW)) is None
    thief.submit("code", code=world.code_of(BOB))
    assert thief.page.status_code != 303
    world.move(minutes=1)
    thief.sign_in("bob@contoso.example", NEW)
    assert thief.submit("code", code=world.code_of(BOB)).status_code == 303


def test_the_page_of_recovery_codes_after_a_new_password(world: World) -> None:
    browser = world.browser()
    browser.authorize(claims=MFA)
    browser.sign_in()
    browser.submit("enrol", code=pyotp.TOTP(seed_on(browser)).at(world.now[0]))
    world.move(minutes=1)
    assert world.write(TENANT, lambda tx: set_password(tx, world.signin, ADA, NEW)) is None
    assert browser.submit("recovery_codes").status_code != 303


def test_two_who_know_the_password_enrol(world: World) -> None:
    """The second does not replace the first one's factor."""
    owner, thief = world.browser(), world.browser("198.51.100.9")
    for one in (owner, thief):
        one.authorize(claims=MFA)
        one.sign_in()
    owner.submit("enrol", code=pyotp.TOTP(seed_on(owner)).at(world.now[0]))
    assert "recovery" in owner.page.text.lower()
    stolen = seed_on(thief)
    thief.submit("enrol", code=pyotp.TOTP(stolen).at(world.now[0]))
    assert thief.fields("code"), "it is asked for the factor that there is"


def test_a_seed_is_for_whom_it_was_shown(world: World) -> None:
    """A stolen cookie of an old session, and an enrolment page of one's own: the password is not asked for."""
    victim = world.browser()
    victim.authorize()
    victim.sign_in()
    cookie = victim.client.cookies.get("__Host-openpim-session")
    world.move(minutes=30)
    thief = world.browser()
    thief.authorize("bbbbbbbb-0000-4000-8000-000000000002")
    thief.sign_in("carl@fabrikam.example", PASSWORD)
    thief.authorize("bbbbbbbb-0000-4000-8000-000000000002", claims=MFA)
    seed = seed_on(thief)
    thief.client.cookies.delete("__Host-openpim-session")
    thief.client.cookies.set("__Host-openpim-session", str(cookie), domain="localhost.local", path="/")
    thief.submit("enrol", code=pyotp.TOTP(seed).at(world.now[0]))
    credential = world.read(TENANT, lambda tx: tx.credentials.get(ADA))
    assert credential.totp is None
