"""The list of pictures is the list of screens: what `make screenshots` takes and the browser tests look at."""

from __future__ import annotations

from pathlib import Path

from openpim.faces.portal.screens import PAGES
from tools.pictures import NO_PICTURE, SCREENS
from tools.screenshots import DOCS, shown

SIGN_IN = "-"
MOST = 1_500_000  # bytes of all pictures in the docs


def test_every_page_has_a_picture_or_a_reason_why_not():
    pages = {page.path for page in PAGES if page.method == "GET"}
    pictured = {screen.row for screen in SCREENS} - {SIGN_IN}
    assert pages - pictured - set(NO_PICTURE) == set(), "give it a line in tools/pictures.py"
    assert (pictured | set(NO_PICTURE)) - pages == set(), "there is no such page any more"
    assert pictured & set(NO_PICTURE) == set()


def test_names_are_unique():
    names = [screen.name for screen in SCREENS]
    assert len(names) == len(set(names))


def test_the_docs_show_the_pictures_that_are_there_and_these_are_small():
    files = list(DOCS.iterdir())
    assert {file.name for file in files} == {f"{name}.webp" for name in shown()}
    assert {name.removesuffix("-phone") for name in shown()} <= {screen.name for screen in SCREENS}
    assert sum(file.stat().st_size for file in files) < MOST


def test_a_picture_has_words_for_those_who_do_not_see_it():
    docs = Path(__file__).parents[2] / "docs"
    for file in docs.rglob("*.md"):
        assert "![](" not in file.read_text(encoding="utf-8"), file
