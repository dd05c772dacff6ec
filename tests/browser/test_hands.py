"""The keyboard's hand finds fault with what it must: what Tab does not reach, and what lies under something else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser import hands

COVER = "position: fixed; inset: 0; background: black"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<button>Go</button>", ""),
        (f"<button>Go</button><div style='{COVER}'></div>", "lies upon"),
        ("<button tabindex='-1'>Go</button>", "cannot be reached"),
    ],
)
def test_what_the_keyboard_finds(open_page: Any, monkeypatch: Any, body: str, fault: str) -> None:
    monkeypatch.setattr(hands, "MOST_TABS", 5)
    page = open_page()
    page.set_content(body)
    hand = hands.Hand(page, "keyboard")
    button = page.get_by_role("button", name="Go")
    if not fault:
        hand.press(button)
    else:
        with pytest.raises(AssertionError, match=fault):
            hand.press(button)
