"""Assignments from a file in a real browser: chosen, looked at in pages, carried out; with and without a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.site import LiveSite

expect = pytest.importorskip("playwright.sync_api").expect
pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("script", [True, False])
def test_a_file_is_looked_at_and_carried_out(
    site: LiveSite, open_page: Any, check_access: Callable[[Any], None], script: bool
) -> None:
    world = site.world
    for number in range(105):
        world.user(f"Pat {number}")
    rows = "".join(f"Teams Administrator;/;Pat {number};eligible;permanent\r\n" for number in range(105))
    file = f"\ufeffrole;scope;member;type;end\r\n{rows}Emperor;/;ann;eligible;permanent\r\n"
    page = open_page(world.ga, script=script, width=360)
    page.goto("/portal/assignments/import")
    page.get_by_label("File").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": file.encode()}
    )
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("There is no role Emperor here.").wait_for()
    if script:
        check_access(page)
    page.get_by_role("button", name="Next", exact=True).click()
    page.get_by_text("Page 2 of 2").wait_for()
    expect(page.locator("tbody tr")).to_have_count(6)
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="Carry out 105 rows, leave out 1").click()
    page.get_by_text("105 rows are carried out. 1 was left out.").wait_for()
    if script:
        check_access(page)
    page.get_by_role("link", name="See the list").click()
    page.get_by_text(re.compile(r"^Pat \d+$")).first.wait_for()
