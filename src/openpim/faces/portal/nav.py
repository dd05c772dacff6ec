"""The menu: every item once. A screen that wants to be found adds a line here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from openpim.core.roles import MANAGERS, READERS


@dataclass(frozen=True, slots=True)
class Item:
    """needs: directory roles of which one must be in force for the item to be shown (empty: everybody sees it).
    What is shown is a courtesy; what may be done is decided by the acts. icon: a symbol of static/icons.svg."""

    key: str
    label: str
    path: str
    icon: str
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Section:
    label: str
    items: tuple[Item, ...]


MENU: tuple[Section, ...] = (
    Section(
        "Tasks",
        (
            Item("roles", "My roles", "/portal/roles", "key"),
            Item("approvals", "Approve requests", "/portal/approvals", "check"),
            Item("audit", "Audit", "/portal/audit", "book"),
            Item("timeline", "Timeline", "/portal/timeline", "clock"),
        ),
    ),
    Section(
        "Manage",
        (
            Item("overview", "Overview", "/portal/overview", "chart", MANAGERS | READERS),
            Item("assignments", "Assignments", "/portal/assignments", "list", MANAGERS | READERS),
            Item("policies", "Role settings", "/portal/policies", "sliders", MANAGERS | READERS),
        ),
    ),
    Section(
        "Directory",
        (
            Item("people", "People", "/portal/people", "person"),
            Item("groups", "Groups", "/portal/groups", "people"),
            Item("units", "Administrative units", "/portal/units", "shield"),
            Item("resources", "Resources", "/portal/resources", "tree"),
        ),
    ),
)

# Below the person's name.
ACCOUNT: tuple[Item, ...] = (
    Item("sessions", "My sessions", "/portal/me", "clock"),
    Item("methods", "My sign-in methods", "/portal/me/methods", "key"),
)


def shown(roles: Collection[str]) -> tuple[Section, ...]:
    """The menu of somebody who holds these roles now."""
    held = frozenset(roles)
    sections = (
        Section(one.label, tuple(item for item in one.items if not item.needs or item.needs & held))
        for one in MENU
    )
    return tuple(section for section in sections if section.items)
