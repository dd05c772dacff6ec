"""Who may open which page and send which form, as a printed table that is checked in: table.txt beside this file.

Every row of the portal's table has a row here; a cell is the status that a well-formed request about somebody else's
things gets (pages.py). A page without a request there fails, and so does a cell that has changed: look at the
difference, and if it is meant, write the table anew with

    AUTHORIZATION_TABLE=write .venv/bin/pytest tests/faces/portal/test_table.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openpim.faces.portal import PAGES
from openpim.faces.portal.table import Page
from tests.faces.portal.client import Browser, Site
from tests.faces.portal.pages import SETUPS, Made
from tests.world import ASSIGNMENT, READER, World, ok

TABLE = Path(__file__).with_name("table.txt")


def name_of(page: Page) -> str:
    return f"{page.method} {page.path}"


def request_of(page: Page, site: Site) -> Made:
    setup = SETUPS.get(name_of(page))
    if setup is not None:
        return setup(site)
    assert page.method == "GET", f"say in pages.py what a request to {name_of(page)} looks like"
    assert "{" not in page.path, f"say in pages.py what a request to {name_of(page)} looks like"
    return page.path, {}


def actors(site: Site, stranger: World) -> dict[str, Browser]:
    """nobody is not signed in; stranger is of another tenant; a person has no roles; dan approves in some requests."""
    world = site.world
    reader = world.user("Rhea")
    ok(world.give(reader, READER, ASSIGNMENT, permanent=True))
    return {
        "nobody": site.browser(),
        "stranger": site.browser(stranger.ga, tenant_id=stranger.tenant_id),
        "person": site.browser(world.ann),
        "approver": site.browser(world.dan),
        "reader": site.browser(reader),
        "admin": site.browser(world.ga),
    }


def cell(browser: Browser, page: Page, made: Made, *, signed_in: bool) -> str:
    path, fields = made
    if page.method == "GET":
        return str(browser.get(path).status)
    token = browser.token if signed_in else "none"
    return str(browser.post(path, **{"token": token, **fields}).status)


def test_nothing_is_asked_of_pages_that_are_not_there() -> None:
    gone = SETUPS.keys() - {name_of(page) for page in PAGES}
    assert not gone, f"these pages do not exist: {gone}"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_table_is_as_written(site: Site) -> None:
    stranger = World(site.world.database)
    stranger.now = site.world.now
    people = actors(site, stranger)
    lines = [" ".join([f"{'':<52}", *(f"{actor:>9}" for actor in people)])]
    for page in PAGES:
        cells = []
        for actor, browser in people.items():
            made = request_of(page, site)
            cells.append(cell(browser, page, made, signed_in=actor != "nobody"))
            if page.path == "/portal/sign-out":
                browser.sign_in_again()
        lines.append(" ".join([f"{name_of(page):<52}", *(f"{one:>9}" for one in cells)]))
    text = "\n".join(lines) + "\n"
    if os.environ.get("AUTHORIZATION_TABLE") == "write":
        TABLE.write_text(text, encoding="utf-8")
    assert text == TABLE.read_text(encoding="utf-8"), "who may do what in the portal has changed: see the top"


@pytest.mark.parametrize("page", [page for page in PAGES if page.method == "POST"], ids=name_of)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_form_without_our_token_is_refused(site: Site, page: Page) -> None:
    path, fields = request_of(page, site)
    admin = site.browser(site.world.ga)
    theirs, ours = site.browser(site.world.ann).token, admin.token
    before = site.world.snapshot()
    for token in ("", "x", theirs):
        assert admin.post(path, **{**fields, "token": token}).status == 403
    for header in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        assert admin.post(path, header, **{**fields, "token": ours}).status == 403
    assert site.world.snapshot() == before
