"""A real headless Chromium (the machine's own) in front of the portal. Skipped where there is none, or no driver for it;
where CI=true that fails.

- `site`      the portal over a world, on a port
- `open_page` `open_page(who, width=1280, dark=False, script=True, **more)`: a page of a browser of its own, signed in as
              somebody ("" for nobody). What the browser's console says of faults fails the test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.site import SLOWED, LiveSite, serving
from tests.world import World

AXE = Path(__file__).with_name("node_modules") / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
PATIENCE = 30_000  # ms that a look waits for what it wants to see: only a failure takes as long
CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


def _missing(what: str) -> None:
    (pytest.fail if CI else pytest.skip)(f"{what} is missing: the portal was not looked at in a browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if not CHROMIUM:
        _missing("chromium")
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        _missing("playwright (make .venv/.browser)")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as driver:
        # A container's Chromium has no sandbox of its own to use as root.
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def database_kind() -> str:
    """SQLite: what is looked at here is the browser's side."""
    return "sqlite"


@pytest.fixture
def site(database_url: str) -> Iterator[LiveSite]:
    world = World(database_url)
    with serving(world) as live:
        yield live
    world.close()


@pytest.fixture
def open_page(browser: Any, site: LiveSite) -> Iterator[Callable[..., Any]]:
    contexts: list[Any] = []
    faults: list[str] = []

    def open_one(
        who: str = "",
        *,
        width: int = 1280,
        dark: bool = False,
        script: bool = True,
        mfa: bool = True,
        **more: Any,
    ) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            base_url=site.origin,
            **more,
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        if who:
            context.add_cookies(site.cookies(who, mfa=mfa))
        page = context.new_page()
        if SLOWED > 1:
            context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        return page

    yield open_one
    for context in contexts:
        context.close()
    # A page that is refused says so in its status, which Chromium tells its console.
    serious = [one for one in faults if "the server responded with a status of 4" not in one]
    assert not serious, f"the browser's console: {serious}"


@pytest.fixture
def check_access() -> Callable[..., None]:
    """No finding of axe-core (WCAG 2.2 AA and its best practices) that is serious or worse; only: these rules alone."""
    if not AXE.exists():
        _missing("axe-core (make .venv/.browser)")
    axe = AXE.read_text(encoding="utf-8")

    def check(page: Any, only: tuple[str, ...] = ()) -> None:
        page.wait_for_load_state("load")  # the style decides what is seen
        if not page.evaluate("'axe' in window"):
            page.evaluate(axe)  # by the debugger, which no Content-Security-Policy binds
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        what = {"type": "rule", "values": only} if only else {"type": "tag", "values": tags}
        found = page.evaluate(
            "what => axe.run(document, {runOnly: what, resultTypes: ['violations']})", what
        )["violations"]
        bad = [
            f"{one['id']} ({one['impact']}): {one['help']}: {[node['target'] for node in one['nodes'][:3]]}"
            for one in found
            if one["impact"] in {"serious", "critical"} or "best-practice" not in one["tags"]
        ]
        assert not bad, f"{page.url}: " + "\n".join(bad)

    return check
