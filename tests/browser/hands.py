"""How somebody works a page: with a mouse, with a finger on a phone, or with the keyboard alone.

    hand = Hand(page, "keyboard")
    hand.press(page.get_by_role("button", name="Assign"))

One story is told by all of them. The keyboard's hand gets everywhere by Tab, and looks whether what has the focus can be
seen: nothing may lie upon it (WCAG 2.4.11).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pytest

expect = pytest.importorskip("playwright.sync_api").expect
MOST_TABS = 250
_IN_FOCUS = "one => one === document.activeElement"
_AT_THE_TOP = "one => document.activeElement === document.body && Boolean(one.closest('#main')) && Boolean(document.querySelector('.skip'))"
_IN_SIGHT = """one => {
  const box = one.getBoundingClientRect();
  const at = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height / 2, 10));
  return Boolean(at) && (one === at || one.contains(at) || at.contains(one));
}"""


@dataclass
class Hand:
    page: Any
    way: Literal["mouse", "finger", "keyboard"] = "mouse"

    def press(self, what: Any) -> None:
        """A button or a link."""
        if self.way == "keyboard":
            self.reach(what)
            self.page.keyboard.press("Enter")
        elif self.way == "finger":
            what.tap()
        else:
            what.click()

    def tick(self, what: Any) -> None:
        """A box, or one choice of several."""
        if self.way != "keyboard":
            what.check()
        elif what.get_attribute("type") == "radio":
            self.reach(self.page.locator(f"input[name={what.get_attribute('name')}]:checked"))
            for _ in range(10):
                if what.is_checked():
                    break
                self.page.keyboard.press("ArrowDown")
        else:
            self.reach(what)
            self.page.keyboard.press("Space")
        expect(what).to_be_checked()

    def write(self, what: Any, text: str) -> None:
        if self.way == "keyboard":
            self.reach(what)
            self.page.keyboard.press("Control+a")
            self.page.keyboard.type(text)
        else:
            what.fill(text)

    def choose(self, what: Any, label: str) -> None:
        """One of a list, by what is written there; with a script, long lists are searched."""
        self.page.wait_for_load_state("load")
        if self.page.evaluate("document.documentElement.classList.contains('scripted')"):
            expect(self.page.locator("select[data-pick-here]:visible")).to_have_count(
                0
            )  # they become searches
        if what.evaluate("one => one.tagName") == "INPUT":
            self.write(what, label)
            option = self.page.get_by_role("option", name=label, exact=True)
            option.wait_for()
            if self.way == "keyboard":
                self.page.keyboard.press("ArrowDown")
                self.page.keyboard.press("Enter")
            else:
                self.press(option)
            expect(what).to_have_value(label)
            return
        if self.way == "keyboard":
            self.reach(what)
            self.page.keyboard.type(label)
        else:
            what.select_option(label=label)
        assert what.evaluate("one => one.selectedOptions[0].label") == label

    def moment(self, what: Any, when: datetime) -> None:
        """A day and a time of day, in the zone of the browser."""
        if self.way == "keyboard":
            self.reach(what)
            self.page.keyboard.type(f"{when:%m%d%Y}")
            self.page.keyboard.press("ArrowRight")
            self.page.keyboard.type(f"{when:%I%M%p}")
        else:
            what.fill(f"{when:%Y-%m-%dT%H:%M}")
        expect(what).to_have_value(f"{when:%Y-%m-%dT%H:%M}")

    def reach(self, what: Any) -> None:
        """By Tab, as far as it takes."""
        what.wait_for()
        if what.evaluate(_AT_THE_TOP):  # past the bar and the menu, by the first link of every page
            self.page.keyboard.press("Tab")
            self.page.keyboard.press("Enter")
        for _ in range(MOST_TABS):
            if what.evaluate(_IN_FOCUS):
                assert what.evaluate(_IN_SIGHT), f"something lies upon {what}"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{what} cannot be reached by Tab")

    def menu(self, item: str) -> None:
        """Go where an item of the menu leads."""
        self.page.wait_for_load_state("load")
        opener = self.page.get_by_role("button", name="Menu", exact=True)
        if opener.is_visible():
            self.press(opener)
        menu = self.page.get_by_role("navigation", name="Main")
        self.press(menu.get_by_role("link", name=re.compile(rf"^{item}( \(.*)?$")))  # (2 waiting)
