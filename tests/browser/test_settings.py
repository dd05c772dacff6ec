"""Settings as a person uses them: an application is registered and gets a secret that is seen once, with and without a
script; what is shown to be taken along can be copied."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.site import LiveSite
from tests.faces.portal.test_applications import registered, secrets_of

expect = pytest.importorskip("playwright.sync_api").expect
SECRET = ".secret code"


def back(page: Any) -> None:
    """Also where the browser has kept nothing to go back to, and says so."""
    from playwright.sync_api import Error

    with contextlib.suppress(Error):
        page.go_back()
    page.wait_for_function("document.readyState === 'complete'")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_an_application_from_the_menu_to_its_secret(
    site: LiveSite, open_page: Any, check_access: Callable[[Any], None], script: bool
) -> None:
    page = open_page(site.world.ga, script=script)
    page.goto("/portal/roles")
    page.get_by_role("link", name="Applications").click()
    page.get_by_role("link", name="Register an application").first.click()
    page.get_by_label("Name").fill("Order desk")
    page.get_by_label("Redirect addresses").fill("https://orders.example/done\nhttp://orders.example/done")
    page.get_by_role("button", name="Register").click()
    expect(page.locator("#redirects-error")).to_contain_text("http is only for this machine itself")
    assert page.get_by_label("Name").input_value() == "Order desk"
    page.get_by_label("Redirect addresses").fill("https://orders.example/done")
    page.get_by_role("button", name="Register").click()
    expect(page.locator(".said[role=status]")).to_have_text("Order desk is registered.")
    page.get_by_role("link", name="Add a client secret").click()
    page.get_by_label("Description").fill("Build server")
    page.get_by_label("Valid for").select_option("90 days")
    page.get_by_role("button", name="Add").click()
    secret = page.locator(SECRET).inner_text()
    assert len(secret) > 30
    if script:
        check_access(page)
    page.get_by_role("link", name="I have kept it").click()
    expect(page.locator("main")).to_contain_text("Build server")
    assert secret not in page.content()
    back(page)
    assert secret not in page.content(), "not for whoever sits down at the machine next"
    page.goto("/portal/applications")
    page.get_by_role("link", name="Order desk").click()
    page.get_by_role("link", name="Remove Build server").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator(".said[role=status]")).to_contain_text("Build server is removed.")


def test_a_reload_of_the_page_with_the_secret_makes_no_second_one(site: LiveSite, open_page: Any) -> None:
    made = registered(site.world)
    page = open_page(site.world.ga)
    page.goto(f"/portal/applications/{made.id}/secrets/new")
    page.get_by_label("Description").fill("Build server")
    page.get_by_role("button", name="Add").click()
    secret = page.locator(SECRET).inner_text()
    page.evaluate("dispatchEvent(new Event('pagehide'))")
    assert secret not in page.content(), "nor where a browser keeps pages as they are"
    page.reload()
    expect(page.locator("main")).to_contain_text("has made its secret already")
    assert secret not in page.content()
    assert len(secrets_of(site.world, made)) == 1


def test_what_is_to_be_taken_along_is_copied(site: LiveSite, open_page: Any) -> None:
    made = registered(site.world)
    page = open_page(site.world.ga, permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"/portal/applications/{made.id}")
    page.get_by_role("button", name="Copy Client ID").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Copied Client ID").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == made.app_id
    page.goto("/portal/organisation")
    line = page.locator(".lines code", has_text="pim login")
    line.locator("xpath=following-sibling::button").click()
    page.get_by_role("button", name=re.compile("Copied")).wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == line.inner_text()


def test_without_a_script_nothing_is_there_that_does_nothing(site: LiveSite, open_page: Any) -> None:
    made = registered(site.world)
    page = open_page(site.world.ga, script=False)
    page.goto(f"/portal/applications/{made.id}")
    expect(page.locator("button[data-copy]:visible")).to_have_count(0)
    page.get_by_role("link", name="Change permissions").click()
    expect(page.get_by_label("Narrow the list")).to_have_count(1)
    expect(page.get_by_label("Narrow the list")).to_be_hidden()
    page.get_by_label("(AuditLog.Read.All)").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("AuditLog.Read.All")


def test_permissions_are_found_as_one_types(site: LiveSite, open_page: Any) -> None:
    made = registered(site.world)
    page = open_page(site.world.ga)
    page.goto(f"/portal/applications/{made.id}")
    page.get_by_role("link", name="Grant admin consent").click()
    page.get_by_label("Narrow the list").fill("group read")
    expect(page.get_by_role("heading", name="Group", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Organization")).to_be_hidden()
    page.get_by_label("(Group.Read.All)").check()
    page.get_by_role("button", name="Grant admin consent").click()
    row = page.get_by_role("row", name="Everybody")
    expect(row).to_contain_text("Group.Read.All")
    row.get_by_role("button", name="Revoke").click()
    expect(page.locator(".said[role=status]")).to_contain_text("The consent is revoked")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_an_owner_is_added_and_finds_what_is_his(
    site: LiveSite, open_page: Any, check_access: Callable[[Any], None], script: bool
) -> None:
    made = registered(site.world)
    page = open_page(site.world.ga, script=script)
    page.goto(f"/portal/applications/{made.id}")
    page.get_by_text("Add an owner").click()
    page.get_by_label("Who").fill("nobody of that name")
    page.get_by_role("button", name="Add the owner").click()
    expect(page.locator("#who-error")).to_contain_text("Write the sign-in name")
    page.get_by_label("Who").fill("ann")
    page.get_by_label("Who").press("Escape")  # what is suggested goes away
    page.get_by_role("button", name="Add the owner").click()
    expect(page.locator(".said[role=status]")).to_contain_text("has another owner")
    ann = open_page(site.world.ann, script=script)
    ann.goto("/portal/applications")
    ann.get_by_role("link", name="Owned by you").click()
    if script:
        check_access(page)
        check_access(ann)
    ann.get_by_role("link", name="Orders").click()
    ann.get_by_role("link", name="Add a client secret").click()
    ann.get_by_label("Description").fill("Laptop")
    ann.get_by_role("button", name="Add").click()
    assert len(ann.locator(SECRET).inner_text()) > 30
