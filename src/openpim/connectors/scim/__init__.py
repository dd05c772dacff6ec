"""An application that takes groups by SCIM 2.0 (RFC 7644): an entitlement is a group there, an edge a person in it.

One member is added or removed at a time, so that nobody else's change is undone; only the declared groups are read and touched; what
is there is read from the application, never remembered. People have to be there already: they are found, not made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openpim.connectors.answers import session_of, web_faults
from openpim.connectors.naming import plain_name
from openpim.connectors.scim.connector import ScimConnector
from openpim.ports.connector import Capabilities, ConnectorKind, Setting

_LONGEST: Final = 256

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


def capabilities(settings: Mapping[str, str]) -> Capabilities:
    session = session_of(settings)
    return Capabilities(
        grant_live="next_login" if session else "immediate",
        revoke_live="session_keeps" if session else "immediate",
        worst_case_after_revoke=session or None,
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
    check_settings=web_faults,
)
