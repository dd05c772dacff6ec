"""What a page brings over the wire the first time, style and script included."""

from __future__ import annotations

from typing import Any

from openpim.data import entra_roles
from tests.browser.site import LiveSite

BUDGET = 100_000  # bytes, without a cache
ELIGIBILITIES, UNITS = 500, 5
# One for the lists of each kind; the assignments are a list of everybody's.
PAGES = ("/portal/roles", "/portal/activate?name=administrator", "/portal/assignments", "/portal/people/{me}")
LOADED = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter(one => !one.name.endsWith("/live")).map(one => one.transferSize)"""


def test_a_page_weighs_little(site: LiveSite, open_page: Any) -> None:
    """With 500 eligibilities too: a list has pages."""
    world = site.world
    roles = [role.id for role in entra_roles() if role.assignable][: ELIGIBILITIES // UNITS]
    for unit in (world.unit(f"Unit {number}") for number in range(UNITS)):
        for role in roles:
            world.eligible(world.pra, role, unit)
    for path in PAGES:
        page = open_page(world.pra)  # a browser of its own: nothing is in its cache
        with page.expect_response("**/portal/live?*"):  # the last that the script does
            page.goto(path.format(me=world.pra), wait_until="load")
        sizes = page.evaluate(LOADED)
        assert len(sizes) >= 3, "the page, the style and the script"
        assert all(sizes), "something came from a cache"
        assert sum(sizes) < BUDGET, f"{path}: {sum(sizes)} bytes"
