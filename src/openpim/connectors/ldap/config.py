"""The settings of the kinds of directories, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from openpim.connectors.ldap.client import Where
from openpim.connectors.ldap.names import check_dn
from openpim.connectors.servers import CA, place_faults
from openpim.ports.connector import BadNameError, Opening, Setting

_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
PORTS: Final = {"ldaps": 636, "starttls": 389, "plain": 389}
NO_FENCE: Final = "none"
NOBODY: Final = "cn=nobody,ou=openpim"
# The class of a group: the attribute with its members, and whether it needs one.
CLASSES: Final = {
    "groupOfNames": ("member", True),
    "groupOfUniqueNames": ("uniqueMember", True),
    "posixGroup": ("memberUid", False),
}

_SERVER: Final = (
    Setting(
        "host",
        "Name of the server that takes changes, as its certificate has it.",
        required=True,
        place=True,
        stays=True,
    ),
    Setting("port", "Its port; 636 for ldaps and 389 otherwise when left out.", place=True, stays=True),
    Setting(
        "security",
        "How the connection is kept secret. plain only where the operator allows the address.",
        default="ldaps",
        choices=tuple(PORTS),
        place=True,
    ),
    CA,
    Setting(
        "user", "The account of OpenPIM: a DN, or in Active Directory a user principal name.", required=True
    ),
    Setting("password", "Its password.", required=True, secret=True),
)
_PEOPLE_BASE = "People are looked up below this DN by people_attribute; left out, a person's name is a DN."
_FENCE = "Attribute of each group that remembers who wrote last, so that a late server writes nothing; none: none does."
GROUPS: Final = (
    *_SERVER,
    Setting(
        "membership", "The class of the groups.", default="groupOfNames", choices=tuple(CLASSES), stays=True
    ),
    Setting("people_base", _PEOPLE_BASE, stays=True),
    Setting(
        "people_attribute",
        "What people are looked up by. They must not be able to change it.",
        default="uid",
        stays=True,
    ),
    Setting(
        "placeholder",
        "Stays in a group that would be empty, where its class allows no such. No entry may ever have this DN.",
        default=NOBODY,
    ),
    Setting("fence_attribute", _FENCE, default="description"),
)
ACTIVATIONS: Final = (
    *_SERVER,
    Setting(
        "activations_base",
        "The entry that the entries of activations are kept below.",
        required=True,
        stays=True,
    ),
    Setting("people_base", _PEOPLE_BASE, stays=True),
    Setting(
        "people_attribute",
        "What people are looked up by. They must not be able to change it.",
        default="uid",
        stays=True,
    ),
    Setting(
        "role_attribute",
        "Attribute of the entries that names the privilege.",
        default="businessCategory",
        stays=True,
    ),
    Setting("fence_attribute", _FENCE.replace("each group", "activations_base"), default="description"),
)
ACTIVE_DIRECTORY: Final = (
    *_SERVER,
    Setting(
        "people_base", "People are looked up below this DN by people_attribute.", required=True, stays=True
    ),
    Setting("people_attribute", "What people are looked up by.", default="userPrincipalName", stays=True),
    Setting("ticket_hours", "The longest life of a Kerberos ticket in this domain, in hours.", default="10"),
    Setting(
        "ttl_links",
        "on: members are written with their end (the optional feature Privileged Access Management of the forest).",
        default="off",
        choices=("off", "on"),
    ),
    Setting("fence_attribute", f"{_FENCE} A good one: adminDescription.", default=NO_FENCE),
)


@dataclass(frozen=True, slots=True)
class People:
    """How people are found. base: in its one form; "": a person's name is a DN. attribute: when there is a base."""

    base: str
    attribute: str

    @property
    def by_name(self) -> bool:
        return bool(self.base)


def where(opening: Opening) -> Where:
    settings = opening.settings
    security = settings.get("security", "") or "ldaps"
    return Where(
        host=settings["host"],
        port=int(settings.get("port", "") or PORTS[security]),
        security=security,
        authority=settings.get("ca", "").strip(),
        account=settings["user"],
        password=opening.secrets.get("password", ""),
    )


def people(settings: Mapping[str, str]) -> People:
    base = settings.get("people_base", "")
    return People(check_dn(base) if base else "", settings.get("people_attribute", "") or "uid")


def ticket_life(settings: Mapping[str, str]) -> timedelta:
    return timedelta(hours=float(settings.get("ticket_hours", "") or 10))


def check_groups(settings: Mapping[str, str]) -> Mapping[str, str]:
    faults = _check(settings, dns=("people_base", "placeholder"))
    if settings.get("membership") == "posixGroup" and not settings.get("people_base"):
        faults["people_base"] = "Members of a posixGroup are names: say where people are looked up."
    if CLASSES.get(settings.get("membership", "") or "groupOfNames", ("", True))[1]:
        if not settings.get("placeholder", NOBODY):
            faults["placeholder"] = "Groups of this class cannot be empty: give a DN that no entry has."
        elif "placeholder" not in faults and _same(
            settings.get("placeholder", NOBODY), settings.get("user", "")
        ):
            faults["placeholder"] = (
                "This is the account of OpenPIM, which would have the privilege: give a DN that no entry has."
            )
    return faults


def check_activations(settings: Mapping[str, str]) -> Mapping[str, str]:
    faults = _check(settings, dns=("people_base", "activations_base"))
    if not settings.get("activations_base"):
        faults["activations_base"] = "Give the DN of the entry that activations are kept below."
    return faults


def check_active_directory(settings: Mapping[str, str]) -> Mapping[str, str]:
    faults = _check(settings, dns=("people_base",))
    if not settings.get("people_base"):
        faults["people_base"] = "Give the DN that people are looked up below, such as the domain's."
    hours = settings.get("ticket_hours", "") or "10"
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2})?", hours, re.ASCII) or not 0 < float(hours) <= 720:
        faults["ticket_hours"] = "Give a number of hours, up to 720."
    return faults


def _check(settings: Mapping[str, str], dns: tuple[str, ...]) -> dict[str, str]:
    faults = place_faults({**settings, "port": settings.get("port", "") or "636"})
    user = settings.get("user", "")
    if not user or len(user) > 1024 or not user.isprintable():
        faults["user"] = "Give the account that OpenPIM signs in as."
    for name in dns:
        try:
            if settings.get(name):
                check_dn(settings[name])
        except BadNameError as error:
            faults[name] = str(error)
    for name in ("people_attribute", "role_attribute", "fence_attribute"):
        if settings.get(name) and not _ATTRIBUTE.fullmatch(settings[name]):
            faults[name] = "Give the name of one attribute."
    return faults


def _same(one: str, other: str) -> bool:
    try:
        return check_dn(one) == check_dn(other)
    except BadNameError:
        return False
