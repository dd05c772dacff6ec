"""What a page brings over the wire the first time, style and script included."""

from __future__ import annotations

from typing import Any

from tests.browser.site import LiveSite

BUDGET = 100_000  # bytes, without a cache
LOADED = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter(one => !one.name.endsWith("/live")).map(one => one.transferSize)"""


def test_a_page_weighs_little(site: LiveSite, open_page: Any) -> None:
    """With many eligibilities too: a list has pages."""
    world = site.world
    for number in range(40):
        world.eligible(world.ann, world.custom_role(f"Role number {number:03}"))
    page = open_page(world.ann)
    with page.expect_response("**/portal/live"):  # the last that the script does
        page.goto("/portal/roles", wait_until="load")
    sizes = page.evaluate(LOADED)
    assert len(sizes) >= 3, "the page, the style and the script"
    assert all(sizes), "something came from a cache"
    assert sum(sizes) < BUDGET, f"{sum(sizes)} bytes"
