"""The reference says what the commands are; nothing is left out."""

from __future__ import annotations

import re
from pathlib import Path

from openpim.cli.commands import COMMANDS
from openpim.cli.exits import EXITS
from openpim.cli.reference import ENVIRONMENT, render

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_commands_say():
    page = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    assert page == render(), "run: python -m tools.docs"


def test_everything_is_in_it():
    page = render()
    assert all(f"## pim {name}\n" in page for name in COMMANDS)
    assert all(f"\n| {code} | " in page for code, *_ in EXITS)


def test_every_variable_read_is_documented():
    documented = {word for names, _ in ENVIRONMENT for word in re.findall(r"[A-Z_]{3,}", names)}
    used = set()
    for room in ("client", "cli"):
        for file in (ROOT / "src/openpim" / room).rglob("*.py"):
            used |= set(re.findall(r"\"(PIM_[A-Z_]+)\"", file.read_text(encoding="utf-8")))
    assert used <= documented


def test_how_to_names_only_what_exists():
    text = (ROOT / "docs/how-to/use-pim.md").read_text(encoding="utf-8")
    assert set(re.findall(r"(?:^|`)pim ([a-z]+)", text, re.MULTILINE)) <= set(COMMANDS)
