"""The README and the tutorial are executed: every `pim` line of their console blocks, against a real server.

What a page shows below a line must come, in this order, in what the command prints; `…` stands for anything, and the
width of columns does not count. A line `pim: …` in it means that the command fails; `--no-wait` means exit code 3.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

import pytest

from openpim.demo.people import PEOPLE
from tests.docs.demo_server import ROOT, DemoServer

PAGES = ("README.md", "docs/tutorial/first-steps.md")
SHOWN = "https://localhost:8443"
FIRST = "mira.solbergen@tidewater.example"
ELSEWHERE = ("serve",)  # shown, but not for this server

pytestmark = pytest.mark.slow


@dataclass
class Step:
    line: str
    output: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> list[str]:
        return shlex.split(self.line, comments=True)[1:]

    @property
    def exit_code(self) -> set[int]:
        if any(line.startswith("pim: ") for line in self.output):
            return set(range(1, 12))
        return {3} if "--no-wait" in self.line else {0}


def steps(page: str) -> list[Step]:
    found: list[Step] = []
    for block in re.findall(
        r"^```console\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    ):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:]))
            else:
                found[-1].output.append(line)
    return [one for one in found if one.line.startswith("pim ") and one.arguments[0] not in ELSEWHERE]


def plain(line: str) -> str:
    return re.sub(r"\s+", " ", line).strip()


def pattern(line: str) -> re.Pattern[str]:
    parts = [re.escape(plain(part)).replace(r"\ ", " +") for part in plain(line).split("…")]
    return re.compile(r" ?.* ?".join(parts) + ("" if line.endswith("…") else r"\Z"))


def missing(shown: list[str], printed: str) -> list[str]:
    """The lines that do not come, in order."""
    lines = [plain(line) for line in printed.splitlines()]
    lost = []
    for line in shown:
        wanted = pattern(line)
        place = next((at for at, one in enumerate(lines) if wanted.match(one)), None)
        if place is None:
            lost.append(line)
        else:
            lines = lines[place + 1 :] if plain(line) != "…" else lines
    return lost


@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", PAGES)
def test_what_the_page_says_happens(page, tmp_path):
    server = DemoServer(tmp_path)
    try:
        started = server.start()
        if page == "README.md":
            block = re.search(
                r"^```text\n(OpenPIM is running.*?)^```",
                (ROOT / page).read_text("utf-8"),
                re.MULTILINE | re.DOTALL,
            )
            shown = [line.replace(SHOWN, server.origin) for line in block[1].splitlines()]
            assert missing(shown, "\n".join(started)) == []
        for step in steps(page):
            line = step.line.replace(SHOWN, server.origin)
            user = (re.findall(r"--user (\S+)", line) or [FIRST])[0]
            code, printed = server.run(Step(line).arguments, user)
            shown = [one.replace(SHOWN, server.origin) for one in step.output]
            assert code in step.exit_code, f"$ {line}\n{printed}"
            assert missing(shown, printed) == [], f"$ {line}\n{printed}"
        assert server.errors() == ""
    finally:
        server.stop()


def test_steps_are_found():
    assert len(steps("README.md")) >= 8
    assert len(steps("docs/tutorial/first-steps.md")) >= 20


def test_make_targets_that_are_named_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in (
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        *(str(p) for p in (ROOT / "docs").rglob("*.md")),
    ):
        named = set(
            re.findall(r"(?:^|`|\$ )make ([a-z-]+)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        )
        assert named <= targets, page


def test_numbers_in_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{len(PEOPLE)} people" in text


def test_the_way_lines_are_compared():
    assert missing(["a   b … d", "z…"], "x\na b c d\nq\nzebra") == []
    assert missing(["a b"], "a b c") == ["a b"]
    assert missing(["2", "1"], "1\n2") == ["1"]
