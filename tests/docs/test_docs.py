"""The documentation says what the code says, names only what exists, and leaves nothing out."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from pathlib import Path

import pytest

from openpim.cli.commands import COMMANDS
from openpim.cli.exits import EXITS
from openpim.config import SETTINGS, Config, read
from openpim.core.refusals import Code
from openpim.wire.enums import RULES
from tools import docs

ROOT = Path(__file__).parents[2]
PAGES = [page.relative_to(ROOT).as_posix() for page in docs.pages()]
WORDS = ("README.md", "docs/")  # where shell examples may name pim commands
EMOJI = re.compile("[\u2600-\u27bf\U0001f000-\U0001faff]")


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose(page: str) -> str:
    """Without code blocks and without code in the line."""
    return re.sub(
        r"`[^`\n]*`", "", re.sub(r"^ *```.*?^ *```", "", text(page), flags=re.DOTALL | re.MULTILINE)
    )


def blocks(page: str, language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text(page), re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", body, flags=re.MULTILINE) for indent, body in found]


def anchors(page: str) -> set[str]:
    found: set[str] = set()
    for line in re.sub(r"^ *```.*?^ *```", "", text(page), flags=re.DOTALL | re.MULTILINE).splitlines():
        heading = re.match(r"#+ (.+)", line)
        if heading:
            plain = re.sub(r"[^\w\- ]", "", heading[1].replace("`", "").lower()).replace(" ", "-")
            found.add(plain)
    return found


# ---------------------------------------------------------------- what comes from the code


def test_generated_parts_are_fresh():
    stale = [page.relative_to(ROOT).as_posix() for page in docs.stale()]
    assert stale == [], "run: python -m tools.docs"


def test_every_generated_part_is_in_a_page():
    used = {found["name"] for page in PAGES for found in docs.PART.finditer(text(page))}
    assert used == set(docs.PARTS)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.path)
def test_every_setting_is_documented(setting):
    part = text("docs/reference/settings.md").partition(f"## [{setting.section}]")[2].partition("\n## ")[0]
    assert f"| `{setting.key}` |" in part


def test_every_refusal_is_documented():
    page = text("docs/reference/refusals.md")
    assert [code.value for code in Code if f"| `{code.value}` |" not in page] == []


def test_every_command_and_exit_code_is_documented():
    page = text("docs/reference/cli.md")
    assert [name for name in COMMANDS if f"\n## pim {name}\n" not in page] == []
    assert [code for code, *_ in EXITS if f"\n| {code} | " not in page] == []


def test_every_rule_of_a_policy_is_documented():
    page = text("docs/reference/policy-rules.md")
    assert sorted(re.findall(r"^\| \d+ \| `(\w+)` ", page, re.MULTILINE)) == sorted(rule.id for rule in RULES)


def test_every_refusal_a_status_and_a_meaning():
    assert docs.REFUSALS.keys() == set(Code)
    assert docs.SECTIONS.keys() == {setting.section for setting in SETTINGS}


# ---------------------------------------------------------------- what pages point at


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        where = (ROOT / page).parent / path if path else ROOT / page
        if not where.exists():
            broken.append(target)
        elif anchor and where.suffix == ".md":
            name = where.resolve().relative_to(ROOT).as_posix()
            broken += [target] if anchor not in anchors(name) else []
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_files_and_tests_that_are_named_exist(page):
    gone = []
    for path, test in re.findall(
        r"`((?:src|tests|tools|docs|bench|requirements|\.ci)/[\w./-]*)(?:::(\w+))?`", text(page)
    ):
        file = ROOT / path
        if not file.exists():
            gone.append(path)
        elif test and not re.search(rf"def {test}\(", file.read_text(encoding="utf-8")):
            gone.append(f"{path}::{test}")
    assert gone == []


def test_every_page_is_reached_from_the_index():
    seen: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in seen or not page.exists():
            continue
        seen.add(page)
        for target in re.findall(r"\]\(([^)\s#]+)", page.read_text(encoding="utf-8")):
            todo += [(page.parent / target).resolve()] if target.endswith(".md") else []
    lost = [page for page in PAGES if page.startswith("docs/") and ROOT / page not in seen]
    assert lost == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith(WORDS)])
def test_commands_that_are_named_exist(page):
    named = re.findall(r"(?:^|\$ |`|\()pim (?:--profile \S+ )?([a-z]+)", text(page), re.MULTILINE)
    assert {name for name in named if name not in COMMANDS and name != "COMMAND"} - {
        "elsewhere",
        "on",
    } == set()


def test_messages_that_are_quoted_are_said():
    code = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "src").rglob("*.py"))
    said = re.sub(r'"\s*\n\s*f?"', "", code)
    said = re.sub(r"\{[^{}]*\}", "…", said)
    lost = []
    for row in re.findall(r"^\| ([^|]*`[^|]*?) \|", text("docs/how-to/troubleshoot.md"), re.MULTILINE):
        for message in re.findall(r"`([^`]+)`", row):
            plain = re.sub(r"\b5 minutes", "… minutes", message)
            lost += [message for part in plain.split("…") if part.strip() and part.strip() not in said]
    assert lost == []


# ---------------------------------------------------------------- examples that can be read


@pytest.mark.parametrize("page", PAGES)
def test_examples_can_be_read(page):
    for block in blocks(page, "python"):
        ast.parse(block)
    for block in blocks(page, "json"):
        json.loads(block)
    for block in blocks(page, "http"):
        head, _, body = block.strip().partition("\n\n")
        assert "\n" not in head, "an empty line goes before the body"
        if body.strip():
            json.loads(body)


@pytest.mark.parametrize("page", PAGES)
def test_settings_in_examples_are_accepted(page):
    for block in blocks(page, "toml"):
        read(tomllib.loads(block), Config())


@pytest.mark.parametrize("page", PAGES)
def test_style(page):
    whole = text(page)
    assert EMOJI.search(whole) is None
    assert whole.endswith("\n")
    assert not whole.endswith("\n\n")
    assert [line for line in whole.splitlines() if line != line.rstrip()] == []
    if page != "docs/reference/cli.md":  # made elsewhere
        long = [line for line in prose(page).splitlines() if len(line) > 130 and line[:1] not in {"|", ">"}]
        assert long == []


def test_decisions_have_their_parts():
    for page in sorted((ROOT / "docs/decisions").glob("0*.md")):
        whole = page.read_text(encoding="utf-8")
        headings = re.findall(r"^## (.+)$", whole, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives", "Held by"], page.name
        assert len(re.findall(r"^> ", whole, re.MULTILINE)) == 1, page.name
        assert whole.startswith(f"# {page.name[:4]} "), page.name
