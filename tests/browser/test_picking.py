"""Choosing by keyboard: suggestions as the WAI-ARIA practices have them, shortcuts that can be switched off, and the count
of what waits, as it comes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.browser.site import LiveSite
from tests.world import HELPDESK, TEAMS, ok

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.timeout(300)
OPTION = "[role=option]"


def test_suggestions_by_keyboard(site: LiveSite, open_page: Any, check_access: Callable[[Any], None]) -> None:
    world = site.world
    world.user("Zoe Zander")
    world.group("Zoo keepers")
    world.eligible(world.ann, HELPDESK)
    page = open_page(world.ga)
    page.goto("/portal/assignments")
    field = page.get_by_role("combobox", name="Member")
    field.focus()
    assert field.get_attribute("aria-expanded") == "false"
    page.keyboard.type("zo")
    page.wait_for_selector(OPTION)
    assert field.get_attribute("aria-expanded") == "true"
    assert page.locator(OPTION).count() == 2
    assert page.locator(".combobox [role=status]").first.text_content() == "2 suggestions"
    check_access(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    active = page.locator(f"#{field.get_attribute('aria-activedescendant')}")
    assert active.get_attribute("aria-selected") == "true"
    assert "Zoo keepers" in (active.text_content() or "")
    page.keyboard.press("ArrowDown")  # round to the first
    assert "Zoe" in (page.locator(f"#{field.get_attribute('aria-activedescendant')}").text_content() or "")
    page.keyboard.press("Escape")
    assert field.get_attribute("aria-expanded") == "false"
    assert field.input_value() == "zo", "Escape closes, and takes nothing away"
    page.keyboard.press("ArrowUp")
    page.wait_for_selector(OPTION)
    page.keyboard.press("Enter")
    assert field.input_value() == "Zoo keepers"
    assert page.url.endswith("/portal/assignments"), "taking a suggestion does not send the form"
    page.keyboard.press("Enter")
    page.wait_for_url("**who=Zoo*")
    field = page.get_by_role("combobox", name="Role")
    field.fill("helpdesk")
    page.locator(OPTION).first.click()
    assert field.input_value() == "Helpdesk Administrator"


def test_members_and_roles_of_an_assignment(
    site: LiveSite, open_page: Any, check_access: Callable[[Any], None]
) -> None:
    world = site.world
    world.user("Zoe Zander")
    page = open_page(world.ga)
    page.goto("/portal/assignments/add")
    role = page.get_by_role("combobox", name="Role")
    role.fill("teams admin")
    page.wait_for_selector(OPTION)
    assert page.locator(OPTION).first.text_content() == "Teams Administrator"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert role.input_value() == "Teams Administrator"
    role.fill("nothing like it")
    page.get_by_role("combobox", name="Scope").focus()
    assert role.input_value() == "Teams Administrator", "what is no role is not taken"
    check_access(page)
    page.get_by_role("button", name="Next: members").click()
    page.get_by_role("combobox", name="Search").fill("zoe")
    page.wait_for_selector(OPTION)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    members = page.locator("#members")
    assert members.input_value().startswith("zoe")
    assert page.get_by_role("combobox", name="Search").input_value() == ""
    check_access(page)
    page.get_by_role("button", name="Next: setting").click()
    page.get_by_text("Zoe Zander").wait_for()
    page.goto(f"/portal/policies/directory/{TEAMS}/edit?tab=activation")
    page.get_by_role("combobox", name="Find approvers").first.fill("zoe")
    page.locator(OPTION).first.click()
    assert page.locator("#stage1_who").input_value().startswith("zoe")
    check_access(page)


def test_without_a_script_the_fields_are_fields(site: LiveSite, open_page: Any) -> None:
    page = open_page(site.world.ga, script=False)
    page.goto("/portal/timeline?person=nobody")
    assert page.locator("[role=combobox]").count() == 0
    assert page.get_by_label("Person or group").input_value() == "nobody"
    page.get_by_label("Person or group").fill("bob")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("bob")
    assert not page.get_by_text("Keyboard shortcuts").is_visible()
    page.goto("/portal/assignments/add")
    page.get_by_label("Role").select_option(label="Teams Administrator")
    page.get_by_role("button", name="Next: members").click()
    page.get_by_label("Search").fill("bob")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_label("bob")).to_have_count(1)


def test_shortcuts_and_no_shortcuts(
    site: LiveSite, open_page: Any, check_access: Callable[[Any], None]
) -> None:
    world = site.world
    page = open_page(world.ann)
    page.goto("/portal/people")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    dialog.wait_for()
    check_access(page)
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("g a ? x")
    assert page.evaluate("document.activeElement.value") == "g a ? x", "no shortcut while typing"
    assert page.locator("dialog").count() == 0
    page.keyboard.press("Escape")
    page.keyboard.type("ga")
    page.wait_for_url("**/portal/approvals")
    page.keyboard.type("gr")
    page.wait_for_url("**/portal/roles")
    page.locator(".account summary").click()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Use single keys in this browser").uncheck()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.keyboard.press("?")
    page.keyboard.press("/")
    page.keyboard.type("ga")
    assert page.locator("dialog").count() == 0
    page.goto("/portal/people")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.tagName") == "BODY", "off on the next page too"
    page.locator(".account summary").click()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Use single keys in this browser").check()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"


def test_the_count_comes_by_itself(site: LiveSite, open_page: Any) -> None:
    """On a page on which nothing else changes, for an approver and for who stands in for him."""
    world = site.world
    world.approval(world.dan)
    world.eligible(world.ann)
    world.write(
        lambda tx: tx.approvals.delegate(world.dan, world.cyd, world.now, world.now + timedelta(days=1))
    )
    dan, cyd = open_page(world.dan), open_page(world.cyd)
    for page in (dan, cyd):
        with page.expect_response("**/portal/live?*"):
            page.goto("/portal/people")
        assert page.locator("#waiting").text_content().strip() == ""
    world.forward(seconds=30)
    request = ok(world.activate(world.ann, justification="Now"))
    for page in (dan, cyd):
        page.locator("#waiting .waiting", has_text="1").wait_for()
        assert page.locator("#waiting-said").text_content().strip() == "1 request waits for your decision"
    world.forward(seconds=30)
    ok(world.review(request, world.dan))
    for page in (dan, cyd):
        page.locator("#waiting .waiting").wait_for(state="detached")
