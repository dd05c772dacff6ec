"""Takes pictures of the portal's screens with the demo organisation: `make screenshots`.

Every screen of tools/pictures.py at phone, laptop and wide size, light and dark, into build/screenshots/ to look at; with
--docs those that the docs show by their name into docs/images/.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.pictures import SCREENS, Place, Screen, go

ROOT = Path(__file__).parent.parent
OUT = ROOT / "build" / "screenshots"
DOCS = ROOT / "docs" / "images"
SIZES = {"laptop": (1280, 800), "phone": (360, 780), "wide": (1920, 1080)}
SCHEMES = ("light", "dark")
HERE = {"locale": "en-GB", "timezone_id": "Europe/Oslo", "ignore_https_errors": True}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", action="store_true", help="also write those that the docs show")
    parser.add_argument("--only", default="", help="screens whose name contains this")
    parser.add_argument("--out", type=Path, default=OUT, help="where to put them")
    parser.add_argument(
        "--also", default="", help="print, forced-colors: what else to take of each, at laptop size"
    )
    options = parser.parse_args()
    # Only this tool and the browser tests need it; `make check` does without.
    from playwright.sync_api import Error, sync_playwright  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    chromium = shutil.which("chromium") or sys.exit("There is no chromium on this machine: install it first.")
    wanted = [one for one in SCREENS if options.only in one.name]
    options.out.mkdir(parents=True, exist_ok=True)
    failed = []
    with demo() as (link, there), sync_playwright() as driver:
        browser: Any = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        doors = entered(browser, link, {(one.who, one.plain) for one in wanted if one.who})
        for screen in wanted:
            door = doors.get((screen.who, screen.plain))
            context = browser.new_context(**HERE, storage_state=door, base_url=there.plain)
            context.set_default_timeout(8_000)
            page = context.new_page()
            page.set_viewport_size({"width": 1280, "height": 800})
            try:
                go(page, screen, there)
                take(page, screen, options.out, options.also.split(","))
                if options.docs:
                    for_docs(page, screen)
            except (Error, RuntimeError) as error:
                failed.append(f"{screen.name}: {str(error).splitlines()[0]} (at {page.url})")
            context.close()
        browser.close()
    print(f"{options.out}: {len(list(options.out.glob('*.png')))} pictures")
    if failed:
        sys.exit("\n".join(failed))


def take(page: Any, screen: Screen, folder: Path, also: list[str]) -> None:
    """All sizes and schemes of what is on the screen now."""
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            settle(page)
            page.screenshot(path=folder / f"{screen.name}-{size}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")
    if "print" in also:
        page.emulate_media(media="print")
        page.screenshot(path=folder / f"{screen.name}-print.png", full_page=True)
        page.emulate_media(media="screen")
    if "forced-colors" in also:
        page.emulate_media(forced_colors="active")
        page.screenshot(path=folder / f"{screen.name}-forced-colors.png", full_page=True)
        page.emulate_media(forced_colors="none")


def settle(page: Any) -> None:
    """Until what the sheet says for this size is drawn."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def for_docs(page: Any, screen: Screen) -> None:
    """What the docs show of it: the laptop in light, and the phone in dark where a name ends in -phone."""
    for name, (size, scheme) in (
        (screen.name, ("laptop", "light")),
        (f"{screen.name}-phone", ("phone", "dark")),
    ):
        if name not in shown():
            continue
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        page.evaluate("scrollTo(0, 0)")
        settle(page)
        tools = page.context.new_cdp_session(page)
        tools.send("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1.5, "mobile": False})  # fmt: skip
        taken = tools.send("Page.captureScreenshot", {"format": "webp", "quality": 82})
        DOCS.mkdir(parents=True, exist_ok=True)
        (DOCS / f"{name}.webp").write_bytes(base64.b64decode(taken["data"]))


def shown() -> set[str]:
    """The pictures that the docs show, by name."""
    files = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    return {
        name
        for file in files
        for name in re.findall(r"images/([\w-]+)\.webp", file.read_text(encoding="utf-8"))
    }


def entered(browser: Any, link: str, wanted: set[tuple[str, bool]]) -> dict[tuple[str, bool], Any]:
    """What each person's browser keeps, after a choice on the demo's page; the flag: without the second factor."""
    found = {}
    context = browser.new_context(**HERE)
    page = context.new_page()
    base = link.partition("/demo")[0]
    page.goto(link)
    page.wait_for_url("**/demo")
    for who, plain in sorted(wanted):
        page.goto(f"{base}/demo")
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        page.locator("input[name=mfa]").set_checked(not plain)
        page.locator("li", has_text=who).get_by_role("button").first.click()
        page.wait_for_url(f"{base}/portal/**")
        found[who, plain] = context.storage_state()
    context.close()
    return found


@contextlib.contextmanager
def demo() -> Iterator[tuple[str, Place]]:
    """The demo, served from a folder of its own; gives the link that signs in, once, and where everything is."""
    with tempfile.TemporaryDirectory() as folder:
        port = "18443"
        command = [
            sys.executable,
            "-m",
            "openpim.cli",
            "serve",
            "--demo",
            "--port",
            port,
            "--data-dir",
            folder,
        ]
        environment = {**os.environ, "HOME": folder, "XDG_CONFIG_HOME": folder}
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment)
        try:
            for line in server.stdout or ():
                link = re.search(r"http://\S+/demo/\S+", line)
                if link:
                    accounts = tomllib.loads(
                        (Path(folder) / "demo-accounts.toml").read_text(encoding="utf-8")
                    )
                    by_name = {one["name"]: one for one in accounts["account"]}
                    plain = link.group(0).partition("/demo")[0]
                    yield link.group(0), Place(plain, f"https://localhost:{port}", by_name)
                    break
            else:
                sys.exit("The demo did not start.")
        finally:
            server.terminate()
            server.wait(15)


if __name__ == "__main__":
    main()
