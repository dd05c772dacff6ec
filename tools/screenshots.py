"""Takes pictures of the portal's screens with the demo organisation: `make screenshots`.

Every screen at phone, laptop and wide size, light and dark, into build/screenshots/ to look at; those that the docs show
by their name (laptop, light) into docs/images/ with --docs. A screen is one line of SCREENS.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
OUT = ROOT / "build" / "screenshots"
DOCS = ROOT / "docs" / "images"
SIZES = {"phone": (390, 844), "laptop": (1280, 800), "wide": (1920, 1080)}
SCHEMES = ("light", "dark")

# name: (whose, path). A path that begins with "link:" is followed from the page before it: "page link:selector".
SCREENS: dict[str, tuple[str, str]] = {
    "sign-in": ("", "/portal/roles"),
    "my-roles": ("Mira", "/portal/roles"),
    "my-roles-active": ("Farid", "/portal/roles/active"),
    "my-roles-pending": ("Farid", "/portal/roles/pending"),
    "my-roles-expired": ("Mira", "/portal/roles/expired"),
    "activate": ("Mira", "/portal/activate?name=Teams&reason=Meeting+rooms+for+the+new+floor"),
    "activate-several": ("Mira", "/portal/activate?name=Owner"),
    "request": ("Farid", "/portal/roles/pending link:.what a"),
    "approvals": ("Jonas", "/portal/approvals"),
    "approval": ("Jonas", "/portal/approvals link:.what a"),
    "audit": ("Ines", "/portal/audit"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", action="store_true", help="also write those that the docs show")
    parser.add_argument("--only", default="", help="screens whose name contains this")
    options = parser.parse_args()
    # Only this tool and the browser tests need it; `make check` does without.
    from playwright.sync_api import sync_playwright  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

    chromium = shutil.which("chromium") or sys.exit("There is no chromium on this machine: install it first.")
    shown = {
        name
        for page in (ROOT / "docs").rglob("*.md")
        for name in re.findall(r"images/([\w-]+)\.png", page.read_text(encoding="utf-8"))
    }
    OUT.mkdir(parents=True, exist_ok=True)
    with demo() as link, sync_playwright() as driver:
        browser: Any = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        doors = sessions(browser, link)
        for size, (width, height) in SIZES.items():
            for scheme in SCHEMES:
                for name, (who, path) in SCREENS.items():
                    if options.only not in name:
                        continue
                    context = browser.new_context(
                        viewport={"width": width, "height": height},
                        color_scheme=scheme,
                        locale="en-GB",
                        timezone_id="Europe/Oslo",
                        storage_state=doors[who] if who else None,
                        base_url=link.partition("/demo")[0],
                    )
                    file = OUT / f"{name}-{size}-{scheme}.png"
                    take(context, path, file)
                    if options.docs and name in shown and size == "laptop" and scheme == "light":
                        DOCS.mkdir(parents=True, exist_ok=True)
                        take(context, path, DOCS / f"{name}.png", whole=False)
                    context.close()
        browser.close()
    print(f"{OUT}: {len(list(OUT.glob('*.png')))} pictures")


def take(context: Any, path: str, file: Path, *, whole: bool = True) -> None:
    page = context.new_page()
    address, _, selector = path.partition(" link:")
    page.goto(address)
    if selector:
        page.locator(selector).first.click()
        page.wait_for_load_state()
    page.wait_for_timeout(250)
    page.screenshot(path=file, full_page=whole)


def sessions(browser: Any, link: str) -> dict[str, Any]:
    """What each person's browser keeps, by the first name."""
    found = {}
    context = browser.new_context()
    page = context.new_page()
    page.goto(link)
    page.wait_for_url("**/demo")
    for who in sorted({who for who, _ in SCREENS.values() if who}):
        page.goto(link.partition("/demo")[0] + "/demo")
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        page.locator("li", has_text=who).get_by_role("button").first.click()
        page.wait_for_url("**/portal/**")
        found[who] = context.storage_state()
    context.close()
    return found


@contextlib.contextmanager
def demo() -> Iterator[str]:
    """The demo, served from a folder of its own; gives the link that signs in."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "openpim.cli",
            "serve",
            "--demo",
            "--port",
            "18443",
            "--data-dir",
            folder,
        ]
        environment = {**os.environ, "HOME": folder, "XDG_CONFIG_HOME": folder}
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment)
        try:
            for line in server.stdout or ():
                link = re.search(r"http://\S+/demo/\S+", line)
                if link:
                    yield link.group(0)
                    break
            else:
                sys.exit("The demo did not start.")
        finally:
            server.terminate()
            server.wait(15)


if __name__ == "__main__":
    main()
