"""The menu: every item once. A screen that wants to be found adds a line here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from openpim.core.roles import MANAGERS
from openpim.services.audits import ALL_READERS
from openpim.services.connecting.manage import VIEWERS as TARGET_VIEWERS
from openpim.services.standing import Right
from openpim.services.streams.manage import VIEWERS


@dataclass(frozen=True, slots=True)
class Item:
    """roles, rights: of which one must be had for the item to be shown (none named: everybody sees it).
    What is shown is a courtesy; what may be done is decided by the acts. icon: a symbol of macros.html."""

    key: str
    label: str
    path: str
    icon: str
    roles: frozenset[str] = frozenset()
    rights: frozenset[Right] = frozenset()

    def shown_to(self, roles: frozenset[str], rights: frozenset[Right]) -> bool:
        return not (self.roles or self.rights) or bool(self.roles & roles or self.rights & rights)


@dataclass(frozen=True, slots=True)
class Section:
    label: str
    items: tuple[Item, ...]


EVERYTHING, OWN = frozenset({Right.EVERYTHING}), frozenset({Right.OWN})

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
            Item("overview", "Overview", "/portal/overview", "chart", rights=EVERYTHING),
            Item("assignments", "Assignments", "/portal/assignments", "list", rights=EVERYTHING | OWN),
            Item("policies", "Role settings", "/portal/policies", "sliders", rights=EVERYTHING | OWN),
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
    Section(
        "Settings",
        (
            Item("notifications", "Notifications", "/portal/notifications", "bell", roles=MANAGERS),
            Item("applications", "Applications", "/portal/applications", "squares"),
            Item("targets", "Real systems", "/portal/targets", "server", roles=TARGET_VIEWERS),
            Item("provisioning", "Provisioning", "/portal/provisioning", "entering", roles=MANAGERS),
            Item("channels", "Channels", "/portal/channels", "send", rights=EVERYTHING),
            Item("audit-log", "Audit log", "/portal/audit-log", "lock", roles=ALL_READERS),
            Item("streams", "Audit streams", "/portal/streams", "outward", roles=VIEWERS),
            Item("signals", "Signal streams", "/portal/signals", "waves", roles=VIEWERS),
            Item("organisation", "Organisation", "/portal/organisation", "building"),
        ),
    ),
)

# Below the person's name.
ACCOUNT: tuple[Item, ...] = (
    Item("sessions", "My sessions", "/portal/me", "clock"),
    Item("methods", "My sign-in methods", "/portal/me/methods", "key"),
    Item("my-notifications", "My notifications", "/portal/me/notifications", "bell"),
)


def shown(roles: Collection[str], rights: Collection[Right]) -> tuple[Section, ...]:
    """The menu of somebody who holds these roles and rights now."""
    held, may = frozenset(roles), frozenset(rights)
    sections = (
        Section(one.label, tuple(item for item in one.items if item.shown_to(held, may))) for one in MENU
    )
    return tuple(section for section in sections if section.items)
