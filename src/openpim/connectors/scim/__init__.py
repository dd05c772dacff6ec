"""An application that takes groups by SCIM 2.0 (RFC 7644): an entitlement is a group there, an edge a person in it.

One member is added or removed at a time, so that nobody else's change is undone; only the declared groups are read and touched; what
is there is read from the application, never remembered. People have to be there already: they are found, not made.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from openpim.connectors.naming import plain_name
from openpim.connectors.scim.connector import ScimConnector
from openpim.ports.connector import Capabilities, ConnectorKind, Setting

_LONGEST: Final = 256
_MOST_SECONDS: Final = 30 * 24 * 3600

SETTINGS: Final = (
    Setting(
        "url",
        "The base address of its SCIM service, such as https://app.example.com/scim/v2.",
        required=True,
        place=True,
        stays=True,
    ),
    Setting(
        "token",
        "The bearer token that may read users, and read and change groups.",
        required=True,
        secret=True,
    ),
    Setting(
        "groups_by",
        "What names a group: its displayName, or its id.",
        default="displayName",
        choices=("displayName", "id"),
        stays=True,
    ),
    Setting(
        "people_by",
        "What names a person: the userName, or one of the emails.",
        default="userName",
        choices=("userName", "emails"),
        stays=True,
    ),
    Setting(
        "session_seconds",
        "How long the application lets somebody work on who was taken out of a group. 0: it looks at each request.",
        default="0",
    ),
)


def _seconds(settings: Mapping[str, str]) -> int | None:
    text = settings.get("session_seconds") or "0"
    return int(text) if text.isascii() and text.isdecimal() and int(text[:9]) <= _MOST_SECONDS else None


def capabilities(settings: Mapping[str, str]) -> Capabilities:
    seconds = _seconds(settings) or 0
    return Capabilities(
        grant_live="next_login" if seconds else "immediate",
        revoke_live="session_keeps" if seconds else "immediate",
        worst_case_after_revoke=timedelta(seconds=seconds) if seconds else None,
    )


def check_settings(settings: Mapping[str, str]) -> Mapping[str, str]:
    faults: dict[str, str] = {}
    if not is_base(settings.get("url", "")):
        faults["url"] = "Give an address that begins with https:// and has no query."
    if _seconds(settings) is None:
        faults["session_seconds"] = f"Give a number of seconds from 0 to {_MOST_SECONDS}."
    return faults


def is_base(text: str) -> bool:
    """An address that a path can be put behind."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    plain = text.isascii() and text.isprintable() and " " not in text and len(text) <= 1000
    return (
        plain
        and parts.scheme in {"https", "http"}
        and bool(parts.hostname)
        and port != 0
        and not (parts.query or parts.fragment or parts.username or "?" in text or "#" in text)
    )


def check_subject(text: str) -> str:
    """UserName and mail addresses are compared without regard to case (RFC 7643 4.1.1)."""
    return plain_name(plain_name(text, "a person", _LONGEST).lower(), "a person", _LONGEST)


KIND: Final = ConnectorKind(
    name="scim",
    title="Application with SCIM 2.0",
    settings=SETTINGS,
    capabilities=capabilities,
    open=ScimConnector,
    check_subject=check_subject,
    check_entitlement=lambda text: plain_name(text, "a group", _LONGEST),
    check_settings=check_settings,
)
