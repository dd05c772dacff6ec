"""A role that needs a second factor and an approval: activated for an hour and a half with a start of one's own, approved
from the mail's link, seen active; with and without JavaScript, by keyboard, on a phone, and live in a second browser."""

from __future__ import annotations

import re
from typing import Any

import pyotp
import pytest

from openpim.core.policy import Requirement
from openpim.faces.portal import live
from openpim.services.credentials import put_totp, set_password
from tests.browser.site import LiveSite
from tests.world import HELPDESK, TEAMS, ok

PASSWORD = "correct horse battery staple"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def guarded(site: LiveSite) -> None:
    """Ann may become Teams Administrator with a second factor, a reason, and dan's approval."""
    world = site.world
    world.approval(world.dan, role=TEAMS)
    world.policy(TEAMS, activation_requires=frozenset({Requirement.MFA, Requirement.JUSTIFICATION}))
    world.eligible(world.ann, days=300)

    def credentials(tx: Any) -> None:
        for who in (world.ann, world.dan):
            assert set_password(tx, site.signin, who, PASSWORD) is None
        put_totp(tx, site.signin, world.ann, SEED)

    world.write(credentials)


def name_of(site: LiveSite, who: str) -> str:
    return str(site.world.read(lambda tx: tx.users.get(who)).user_principal_name)


def sign_in(page: Any, site: LiveSite, who: str) -> None:
    page.get_by_label("User name").fill(name_of(site, who))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def confirm(page: Any, site: LiveSite) -> None:
    page.get_by_label("Code from your authenticator").fill(pyotp.TOTP(SEED).at(site.world.now))
    page.get_by_role("button", name="Confirm").click()


def go_on(page: Any, script: bool) -> None:
    """The form comes back by itself, or at the press of a button."""
    if not script:
        page.get_by_role("button", name="Continue").click()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_the_whole_story(site: LiveSite, open_page: Any, script: bool) -> None:
    world = site.world
    guarded(site)
    ann = open_page(script=script)
    ann.goto("/portal/activate?name=Teams&reason=Rooms+for+the+new+floor")
    sign_in(ann, site, world.ann)
    # -- what is needed is said, the link has filled in the reason
    ann.get_by_text("Additional verification required").wait_for()
    assert ann.get_by_label("Justification").input_value() == "Rooms for the new floor"
    ann.get_by_role("combobox", name="Duration").select_option(label="1 h 30 min")
    ann.get_by_text("Custom start").click()
    start = world.now.replace(hour=13, minute=30)
    ann.get_by_label("Custom activation start").fill(start.strftime("%Y-%m-%dT%H:%M"))
    ann.get_by_role("main").get_by_role("button", name="Activate", exact=True).click()
    # -- stepped up in place, everything that was typed is kept
    confirm(ann, site)
    go_on(ann, script)
    ann.wait_for_url(re.compile("/portal/requests/"))
    ann.get_by_text("Pending approval").first.wait_for()
    ann.get_by_text("Waits for: dan").wait_for()
    request_id = ann.url.rpartition("/")[2]
    asked = world.request(request_id)
    assert asked.window.duration is not None
    assert asked.window.duration.seconds == 5400
    assert asked.window.start == start
    # -- approved from the mail's link, which asks for sign-in
    dan = open_page(script=script)
    dan.goto(f"/portal/approvals/{request_id}")
    assert dan.get_by_text("Rooms for the new floor").count() == 0
    sign_in(dan, site, world.dan)
    dan.get_by_text("Rooms for the new floor").first.wait_for()
    dan.get_by_text("First time", exact=True).wait_for()
    dan.get_by_label("Justification").fill("As planned")
    dan.get_by_role("button", name="Approve").click()
    dan.get_by_text("You approved the request.").wait_for()
    # -- it waits for its start, is active in it, and over after it
    assert not world.holds(world.ann)
    world.at(start)
    world.work()
    world.forward(minutes=1)
    assert world.holds(world.ann)
    ann.goto("/portal/roles/active")
    ann.get_by_role("heading", name="Teams Administrator").wait_for()
    ann.get_by_text(re.compile("1 h 2[89] min left")).wait_for()
    world.forward(minutes=90)
    ann.goto("/portal/roles/active")
    ann.get_by_text("Nothing is active").wait_for()
    # -- and all of it is in the history
    ann.goto("/portal/audit")
    for activity in ("requested", "approved", "completed"):
        ann.get_by_text(f"{activity} (PIM activation)").first.wait_for()


def test_a_second_browser_sees_the_approval_arrive(site: LiveSite, open_page: Any) -> None:
    world = site.world
    world.approval(world.dan, role=TEAMS)
    world.eligible(world.ann)
    dan = open_page(world.dan)
    dan.goto("/portal/approvals")
    dan.get_by_text("Nothing waits for you").wait_for()
    world.forward(seconds=1)
    request = ok(world.activate(world.ann, justification="Live from the other browser"))
    dan.get_by_text("Live from the other browser").wait_for()
    ann = open_page(world.ann)
    ann.goto(f"/portal/requests/{request.id}")
    ann.get_by_text("Pending approval").first.wait_for()
    world.forward(seconds=1)
    dan.get_by_label("Justification").fill("fine")
    dan.get_by_role("checkbox").check()
    dan.get_by_role("button", name="Approve").click()
    dan.get_by_text("1 request approved.").wait_for()
    ann.get_by_text("Provisioned").wait_for()


def test_somebody_else_hears_nothing(site: LiveSite, open_page: Any) -> None:
    """The page of a person whom it does not concern is not fetched again."""
    world = site.world
    world.eligible(world.ann)
    bob, ann = open_page(world.bob), open_page(world.ann)
    fetched: list[str] = []
    bob.on("request", lambda request: fetched.append(request.url))
    bob.goto("/portal/roles/active")
    ann.goto("/portal/roles/active")
    fetched.clear()
    world.forward(seconds=1)
    ok(world.activate(world.ann))
    ann.get_by_role("heading", name="Teams Administrator").wait_for()
    assert not [one for one in fetched if "/portal/roles" in one]


def test_by_keyboard_alone(site: LiveSite, open_page: Any) -> None:
    world = site.world
    world.eligible(world.ann)
    page = open_page(world.ann)
    page.goto("/portal/roles")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    page.keyboard.press("/")
    page.keyboard.type("teams")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert "Activate" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/portal/activate"))
    page.get_by_label("Justification").focus()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/portal/requests/"))
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keyboard shortcuts").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url(re.compile("/portal/roles$"))
    assert world.holds(world.ann)


def test_a_list_filters_as_one_types(site: LiveSite, open_page: Any) -> None:
    world = site.world
    world.eligible(world.ann)
    world.eligible(world.ann, HELPDESK)
    page = open_page(world.ann)
    page.goto("/portal/roles")
    page.get_by_role("searchbox").fill("helpdesk ADMIN")
    page.get_by_role("heading", name="Helpdesk Administrator").wait_for()
    assert not page.get_by_role("heading", name="Teams Administrator").is_visible()
    page.get_by_role("searchbox").fill("")
    page.get_by_role("heading", name="Teams Administrator").wait_for()


def test_times_are_the_viewers_with_utc_on_hover(site: LiveSite, open_page: Any) -> None:
    world = site.world
    world.eligible(world.ann, until=world.now.replace(month=12, day=24, hour=12, minute=0))
    tokyo = open_page(world.ann, timezone_id="Asia/Tokyo", locale="en-GB")
    tokyo.goto("/portal/roles")
    time = tokyo.locator("time").first
    assert "21:00" in time.inner_text()
    assert time.get_attribute("title") == "24 Dec 2026, 12:00 UTC"
    plain = open_page(world.ann, script=False, timezone_id="Asia/Tokyo")
    plain.goto("/portal/roles")
    assert plain.locator("time").first.inner_text() == "24 Dec 2026, 12:00 UTC"


def test_the_slider_and_ones_own_zone(site: LiveSite, open_page: Any) -> None:
    world = site.world
    world.policy(activation_requires=frozenset())
    world.eligible(world.ann)
    page = open_page(world.ann, timezone_id="America/New_York")
    page.goto("/portal/activate?name=Teams")
    slider = page.get_by_role("slider", name="Duration")
    slider.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator("#duration").input_value() == "90"
    assert slider.get_attribute("aria-valuetext") == "1 h 30 min"
    page.get_by_text("Custom start").click()
    page.get_by_label("Custom activation start").fill("2026-11-02T09:30")
    page.get_by_role("main").get_by_role("button", name="Activate", exact=True).click()
    page.wait_for_url(re.compile("/portal/requests/"))
    request = world.request(page.url.rpartition("/")[2])
    assert request.window.start == world.now.replace(hour=14, minute=30)
    assert request.window.duration is not None
    assert request.window.duration.seconds == 5400


def test_a_session_that_ends_says_so(site: LiveSite, open_page: Any, monkeypatch: Any) -> None:
    world = site.world
    monkeypatch.setattr(live, "CHECK_EVERY", 0.2)
    page = open_page(world.ann)
    page.goto("/portal/roles")
    page.wait_for_timeout(300)
    world.disable(world.ann)
    page.get_by_text("You are signed out.").wait_for()


def test_news_do_not_take_away_what_is_typed(site: LiveSite, open_page: Any) -> None:
    world = site.world
    world.approval(world.dan)
    for who in (world.ann, world.bob):
        world.eligible(who)
    ok(world.activate(world.ann, justification="The first"))
    dan = open_page(world.dan)
    dan.goto("/portal/approvals")
    dan.get_by_label("Justification").fill("A long and careful reason")
    dan.get_by_role("checkbox").check()
    dan.get_by_role("heading", name="Approve requests").click()
    world.forward(seconds=1)
    with dan.expect_response("**/portal/approvals"):
        ok(world.activate(world.bob, justification="The second"))
    dan.wait_for_timeout(300)
    assert dan.get_by_label("Justification").input_value() == "A long and careful reason"
    assert dan.get_by_role("checkbox").is_checked()
    dan.get_by_role("button", name="Approve").click()
    dan.get_by_text("The second").wait_for()
    assert world.holds(world.ann)
    assert not world.holds(world.bob)
