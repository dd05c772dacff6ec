"""A role that needs a second factor and an approval: activated for an hour and a half with a start of one's own, approved
from the mail's link, seen active; with and without JavaScript, by keyboard, on a phone, and live in a second browser."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pyotp
import pytest

from openpim.faces.portal import live
from openpim.services.credentials import put_totp, set_password
from tests.browser.hands import Hand
from tests.browser.site import LiveSite
from tests.world import ELIGIBILITY, HELPDESK, TEAMS, ok

expect = pytest.importorskip("playwright.sync_api").expect

PASSWORD = "correct horse battery staple"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def credentials(site: LiveSite) -> None:
    """Ann and dan have passwords, ann has an authenticator too."""

    def work(tx: Any) -> None:
        for who in (site.world.ann, site.world.dan):
            assert set_password(tx, site.signin, who, PASSWORD) is None
        put_totp(tx, site.signin, site.world.ann, SEED)

    site.world.write(work)


def name_of(site: LiveSite, who: str) -> str:
    return str(site.world.read(lambda tx: tx.users.get(who)).user_principal_name)


def sign_in(hand: Hand, site: LiveSite, who: str) -> None:
    page = hand.page
    hand.write(page.get_by_label("User name"), name_of(site, who))
    hand.write(page.get_by_label("Password"), PASSWORD)
    hand.press(page.get_by_role("button", name="Sign in", exact=True))


def confirm(hand: Hand, site: LiveSite, *, script: bool) -> None:
    """The second factor; the form comes back by itself, or at the press of a button."""
    page = hand.page
    hand.write(page.get_by_label("Code from your authenticator"), pyotp.TOTP(SEED).at(site.world.now))
    hand.press(page.get_by_role("button", name="Confirm"))
    if not script:
        hand.press(page.get_by_role("button", name="Continue"))


# ---------------------------------------------------------------- the whole story, a chapter each


def demand(hand: Hand, site: LiveSite) -> None:
    """An administrator makes the role need a second factor and dan's approval."""
    page, main = hand.page, hand.page.get_by_role("main")
    page.goto("/portal")
    hand.menu("Role settings")
    hand.write(page.get_by_role("searchbox"), "Teams Admin")
    page.keyboard.press("Enter")
    hand.press(main.get_by_role("link", name="Teams Administrator", exact=True))
    hand.press(page.get_by_role("link", name="Edit"))
    hand.tick(page.get_by_label("Multi-factor authentication"))
    hand.tick(page.get_by_label("Approval", exact=True))
    hand.write(page.get_by_label("Approvers", exact=True), name_of(site, site.world.dan))
    hand.press(page.get_by_role("button", name="Update"))
    expect(page.get_by_text("The settings of Teams Administrator are changed.")).to_be_visible()
    expect(
        page.get_by_text("a second factor and a justification and waits for approval by dan")
    ).to_be_visible()


def entitle(hand: Hand, site: LiveSite) -> None:
    """The administrator makes ann eligible for a year, in the three steps of the wizard."""
    world, page = site.world, hand.page
    hand.menu("Assignments")
    hand.press(page.get_by_role("link", name="Add assignments"))
    expect(page.locator("[aria-current=step]")).to_contain_text("Role")
    hand.choose(page.get_by_role("combobox", name="Role", exact=True), "Teams Administrator")
    hand.press(page.get_by_role("button", name="Next: members"))
    expect(page.locator("[aria-current=step]")).to_contain_text("Members")
    hand.write(page.get_by_label("Members", exact=True), name_of(site, world.ann))
    hand.press(page.get_by_role("button", name="Next: setting"))
    expect(page.locator("[aria-current=step]")).to_contain_text("Setting")
    expect(page.get_by_label("Eligible")).to_be_checked()
    hand.tick(page.get_by_label("Until the end below"))
    until = (world.now + timedelta(days=365)).replace(second=0, microsecond=0)
    hand.moment(page.get_by_label("End", exact=True), until)
    hand.write(page.get_by_role("textbox", name="Justification"), "Runs the meeting rooms")
    hand.press(page.get_by_role("button", name="Assign", exact=True))
    expect(page.get_by_role("main").get_by_text("ann", exact=True).first).to_be_visible()
    (given,) = [one for one in world.schedules(ELIGIBILITY) if one.principal_id == world.ann]
    assert given.ends_at == until
    hand.menu("Assignments")
    expect(page.get_by_role("main").get_by_role("heading", name="ann")).to_be_visible()


def take_up(hand: Hand, site: LiveSite, start: datetime, *, script: bool) -> str:
    """Ann asks for an hour and a half from `start` on, signs in and steps up on the way. The request's id."""
    world, page = site.world, hand.page
    page.goto("/portal/activate?name=Teams&reason=Rooms+for+the+new+floor")
    sign_in(hand, site, world.ann)
    # -- what is needed is said, the link has filled in the reason
    expect(page.get_by_text("Additional verification required")).to_be_visible()
    expect(page.get_by_label("Justification")).to_have_value("Rooms for the new floor")
    hand.choose(page.get_by_role("combobox", name="Duration"), "1 h 30 min")
    hand.press(page.get_by_text("Custom start"))
    hand.moment(page.get_by_label("Custom activation start"), start)
    hand.press(page.get_by_role("main").get_by_role("button", name="Activate", exact=True))
    # -- stepped up in place, everything that was typed is kept
    confirm(hand, site, script=script)
    expect(page).to_have_url(re.compile("/portal/requests/"))
    expect(page.get_by_text("Pending approval").first).to_be_visible()
    expect(page.get_by_text("Waits for: dan")).to_be_visible()
    request_id = str(page.url.rpartition("/")[2])
    asked = world.request(request_id)
    assert asked.window.duration is not None
    assert asked.window.duration.seconds == 5400
    assert asked.window.start == start
    return request_id


def allow(hand: Hand, site: LiveSite, request_id: str) -> None:
    """Dan follows the link of the mail, which shows nothing before he has signed in."""
    page = hand.page
    page.goto(f"/portal/approvals/{request_id}")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("Rooms for the new floor")).to_have_count(0)
    sign_in(hand, site, site.world.dan)
    expect(page).to_have_url(re.compile(f"/portal/approvals/{request_id}$"))
    expect(page.get_by_text("Rooms for the new floor").first).to_be_visible()
    expect(page.get_by_text("First time", exact=True)).to_be_visible()
    hand.write(page.get_by_label("Justification"), "As planned")
    hand.press(page.get_by_role("button", name="Approve", exact=True))
    expect(page.get_by_text("You approved the request.")).to_be_visible()


def hold(hand: Hand, site: LiveSite, start: datetime) -> None:
    """It waits for its start, is seen active in it, and is over after it."""
    world, page = site.world, hand.page
    assert not world.holds(world.ann)
    page.goto("/portal/roles/pending")
    expect(page.get_by_text("Scheduled", exact=True)).to_be_visible()
    world.at(start)
    world.work()
    world.forward(minutes=1)
    assert world.holds(world.ann)
    hand.press(page.get_by_role("link", name="Active assignments"))
    expect(page.get_by_role("heading", name="Teams Administrator")).to_be_visible()
    expect(page.get_by_text(re.compile("1 h 2[89] min left"))).to_be_visible()
    world.forward(minutes=90)
    page.goto("/portal/roles/active")
    expect(page.get_by_text("Nothing is active")).to_be_visible()


def remember(ann: Hand, admin: Hand) -> None:
    """All of it is in the audit: ann's part in hers, everything in the administrator's, and each event in full."""
    ann.menu("Audit")
    for activity in ("requested", "approved", "completed"):
        expect(ann.page.get_by_role("link", name=f"{activity} (PIM activation)").first).to_be_visible()
    page, main = admin.page, admin.page.get_by_role("main")
    admin.menu("Audit")
    admin.press(page.get_by_role("link", name="Resource audit"))
    for activity in (
        "Update role setting in PIM",
        "Add eligible member to role in PIM completed (timebound)",
    ):
        expect(main.get_by_role("link", name=activity).first).to_be_visible()
    admin.press(main.get_by_role("link", name=re.compile("approved.*PIM activation")).first)
    expect(main.get_by_text("As planned").first).to_be_visible()
    expect(main.get_by_text("Teams Administrator").first).to_be_visible()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("way", "script"),
    [("mouse", True), ("mouse", False), ("finger", True), ("keyboard", True)],
    ids=["with a script", "without a script", "on a phone", "by keyboard alone"],
)
def test_the_whole_story(site: LiveSite, open_page: Any, way: Any, script: bool) -> None:
    world = site.world
    phone = {"width": 360, "has_touch": True, "is_mobile": True} if way == "finger" else {}
    credentials(site)

    def somebody(who: str = "") -> Hand:
        return Hand(open_page(who, script=script, timezone_id="UTC", **phone), way)

    admin, ann, dan = somebody(world.ga), somebody(), somebody()
    demand(admin, site)
    entitle(admin, site)
    start = world.now.replace(hour=13, minute=30, second=0, microsecond=0)
    request_id = take_up(ann, site, start, script=script)
    allow(dan, site, request_id)
    hold(ann, site, start)
    remember(ann, admin)


def test_a_second_browser_sees_the_approval_arrive(site: LiveSite, open_page: Any) -> None:
    world = site.world
    world.approval(world.dan, role=TEAMS)
    world.eligible(world.ann)
    dan = open_page(world.dan)
    dan.goto("/portal/approvals")
    expect(dan.get_by_text("Nothing waits for you")).to_be_visible()
    world.forward(seconds=1)
    request = ok(world.activate(world.ann, justification="Live from the other browser"))
    expect(dan.get_by_text("Live from the other browser")).to_be_visible()
    ann = open_page(world.ann)
    ann.goto(f"/portal/requests/{request.id}")
    expect(ann.get_by_text("Pending approval").first).to_be_visible()
    world.forward(seconds=1)
    dan.get_by_label("Justification").fill("fine")
    dan.get_by_role("checkbox").check()
    dan.get_by_role("button", name="Approve").click()
    expect(dan.get_by_text("1 request approved.")).to_be_visible()
    expect(ann.get_by_text("Provisioned")).to_be_visible()


def test_somebody_else_hears_nothing(site: LiveSite, open_page: Any) -> None:
    """The page of a person whom it does not concern is not fetched again."""
    world = site.world
    world.eligible(world.ann)
    bob, ann = open_page(world.bob), open_page(world.ann)
    fetched: list[str] = []
    bob.on("request", lambda request: fetched.append(request.url))
    world.eligible(world.bob)
    world.forward(minutes=1)  # what was done before is no news
    for page in (bob, ann):
        with page.expect_response("**/portal/live?*"):
            page.goto("/portal/roles/active")
    fetched.clear()
    world.forward(seconds=1)
    ok(world.activate(world.ann))
    expect(ann.get_by_role("heading", name="Teams Administrator")).to_be_visible()
    assert not [one for one in fetched if "/portal/roles" in one]
    # -- and what does concern him is the first that he hears
    ok(world.activate(world.bob))
    expect(bob.get_by_role("heading", name="Teams Administrator")).to_be_visible()
    assert len([one for one in fetched if "/portal/roles" in one]) == 1


def test_by_keyboard_alone(site: LiveSite, open_page: Any) -> None:
    world = site.world
    world.eligible(world.ann)
    page = open_page(world.ann)
    page.goto("/portal/roles")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("/")
    page.keyboard.type("teams")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.get_by_role("main").get_by_role("link", name="Activate Teams Administrator")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/portal/activate"))
    page.get_by_label("Justification").focus()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/portal/requests/"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.type("gr")
    page.wait_for_url(re.compile("/portal/roles$"))
    expect(page.get_by_role("heading", name="My roles")).to_be_visible()
    assert world.holds(world.ann)


def test_a_list_filters_as_one_types(site: LiveSite, open_page: Any) -> None:
    world = site.world
    world.eligible(world.ann)
    world.eligible(world.ann, HELPDESK)
    page = open_page(world.ann)
    page.goto("/portal/roles")
    page.get_by_role("searchbox").fill("helpdesk ADMIN")
    expect(page.get_by_role("heading", name="Helpdesk Administrator")).to_be_visible()
    expect(page.get_by_role("heading", name="Teams Administrator")).to_be_hidden()
    page.get_by_role("searchbox").fill("")
    expect(page.get_by_role("heading", name="Teams Administrator")).to_be_visible()


def test_times_are_the_viewers_with_utc_on_hover(site: LiveSite, open_page: Any) -> None:
    world = site.world
    world.eligible(world.ann, until=world.now.replace(month=12, day=24, hour=12, minute=0))
    tokyo = open_page(world.ann, timezone_id="Asia/Tokyo", locale="en-GB")
    tokyo.goto("/portal/roles")
    time = tokyo.locator("time").first
    expect(time).to_contain_text("21:00")
    expect(time).to_have_attribute("title", "24 Dec 2026, 12:00 UTC")
    plain = open_page(world.ann, script=False, timezone_id="Asia/Tokyo")
    plain.goto("/portal/roles")
    expect(plain.locator("time").first).to_have_text("24 Dec 2026, 12:00 UTC")


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
    expect(page.locator("#duration")).to_have_value("90")
    expect(slider).to_have_attribute("aria-valuetext", "1 h 30 min")
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
    with page.expect_response("**/portal/live?*"):
        page.goto("/portal/roles")
    world.disable(world.ann)
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def test_news_do_not_take_away_what_is_typed(site: LiveSite, open_page: Any) -> None:
    world = site.world
    world.approval(world.dan)
    for who in (world.ann, world.bob):
        world.eligible(who)
    ok(world.activate(world.ann, justification="The first"))
    dan = open_page(world.dan)
    with dan.expect_response("**/portal/live?*"):
        dan.goto("/portal/approvals")
    waiting = dan.get_by_role("navigation", name="Main").get_by_role("link", name="Approve requests")
    expect(waiting).to_contain_text("1")
    dan.get_by_label("Justification").fill("A long and careful reason")
    dan.get_by_role("checkbox").check()
    dan.get_by_role("heading", name="Approve requests").click()
    world.forward(seconds=1)
    ok(world.activate(world.bob, justification="The second"))
    expect(waiting).to_contain_text("2")  # the news are here
    expect(dan.get_by_label("Justification")).to_have_value("A long and careful reason")
    expect(dan.get_by_role("checkbox")).to_be_checked()
    expect(dan.get_by_text("The second")).to_have_count(0)
    dan.get_by_role("button", name="Approve").click()
    expect(dan.get_by_text("The second")).to_be_visible()
    assert world.holds(world.ann)
    assert not world.holds(world.bob)
