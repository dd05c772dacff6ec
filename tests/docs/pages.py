"""The fenced blocks of the pages: each is run by some test, or says why not.

A block that no test can run carries a mark on the line above it, `<!-- not run: the reason -->`; test_blocks.py holds the list of
them. A test that runs a page reads its blocks one after the other, and fails if one is left.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.docs.demo_server import ROOT

_BLOCK = re.compile(
    r"(?:^ *<!-- not run: (?P<why>[^\n]+) -->\n)?^(?P<indent> *)```(?P<language>[a-z]*)\n(?P<body>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """why: why no test runs it; "" where one does."""

    page: str
    language: str
    body: str
    why: str = ""

    @property
    def name(self) -> str:
        return f"{self.page}: {self.body.splitlines()[0]}"


def blocks(page: str) -> list[Block]:
    """page: its path in the repository."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(
            page,
            found["language"],
            re.sub(rf"^{found['indent']}", "", found["body"], flags=re.MULTILINE),
            found["why"] or "",
        )
        for found in _BLOCK.finditer(text)
    ]


def commands(block: Block) -> list[tuple[str, list[str]]]:
    """Of a console block: each line that is typed, whole, and the lines that are shown below it."""
    found: list[tuple[str, list[str]]] = []
    for line in block.body.replace("\\\n", "").splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


class Reading:
    """A page from top to bottom. Settings are left out: they are those of the server that the page is tried on."""

    def __init__(self, page: str) -> None:
        self.left = [one for one in blocks(page) if not one.why and one.language != "toml"]

    def block(self, language: str) -> Block:
        """The next one, which must be in this language."""
        assert self.left, "the page has no more blocks"
        found = self.left.pop(0)
        assert found.language == language, f"a new block? {found.name}"
        return found

    def skip(self, *languages: str) -> None:
        """Those that come next in these languages, which another test runs."""
        while self.left and self.left[0].language in languages:
            self.left.pop(0)


@contextmanager
def reading(page: str) -> Iterator[Reading]:
    found = Reading(page)
    yield found
    assert [one.name for one in found.left] == [], "nothing runs these, and they do not say why"


def settings(pages: list[str], places: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What the TOML blocks of these pages set, together. places: what stands there, and what it is in this test."""
    found: dict[str, dict[str, Any]] = {}
    for block in (one for page in pages for one in blocks(page) if one.language == "toml"):
        for section, values in tomllib.loads(replaced(block.body, places)).items():
            known = found.setdefault(section, {})
            for key, value in values.items():
                known[key] = [*known.get(key, []), *value] if isinstance(value, list) else value
    return found


def replaced(text: str, places: dict[str, str]) -> str:
    for shown, here in places.items():
        text = text.replace(shown, here)
    return text
