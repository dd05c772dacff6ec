"""MariaDB: a privilege is a role of the server, given to a user who has an account of their own.

MariaDB keeps no end with a role. So an event is made first, inside the server: at the end it takes the role away and ends the
person's connections, whether we are there or not. A connection that did SET ROLE keeps what it has after a REVOKE, which is
why each end takes the person's connections with it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from openpim.connectors.mariadb.names import person_name, role_name
from openpim.ports.connector import Capabilities, Connector, ConnectorKind, Opening, Setting

TLS_MODES: Final = ("verify-full", "verify-ca", "require", "disable")

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\.?")
_ACCOUNT_HOST = re.compile(r"[A-Za-z0-9%_.:/-]{1,255}")
_MOST_PEM = 256 * 1024

SETTINGS: Final = (
    Setting("host", "Name or address of the server, not of a proxy.", required=True, place=True, stays=True),
    Setting("port", "Its port.", default="3306", place=True, stays=True),
    Setting("user", "The account of OpenPIM in the server.", required=True),
    Setting("password", "Its password.", secret=True),
    Setting(
        "people_host", "The host part of people's accounts: '%' in 'alice'@'%'.", default="%", stays=True
    ),
    Setting(
        "native_end",
        "event: the server itself takes each privilege away at its end; it needs event_scheduler=ON. none: it does not.",
        default="event",
        choices=("event", "none"),
    ),
    Setting(
        "sslmode",
        "How the server is known. Without verify- only where the operator allows its address.",
        default="verify-full",
        choices=TLS_MODES,
        place=True,
    ),
    Setting(
        "ca",
        "Certificates (PEM) of the authorities to trust instead of the machine's.",
        place=True,
        lines=True,
    ),
)


def capabilities(settings: Mapping[str, str]) -> Capabilities:
    return Capabilities(
        native_end="none" if settings.get("native_end") == "none" else "full",
        granularity=timedelta(seconds=1),
        grant_live="immediate",
        revoke_live="session_keeps",
        sever="by_subject",
    )


def check_settings(settings: Mapping[str, str]) -> Mapping[str, str]:
    faults: dict[str, str] = {}
    if not _is_host(settings.get("host", "")):
        faults["host"] = "Give the name or the address of one server."
    port = settings.get("port", "")
    if not (port.isascii() and port.isdecimal() and 1 <= int(port[:6]) <= 65535):
        faults["port"] = "Give a number from 1 to 65535."
    user = settings.get("user", "")
    if not user or len(user.encode(errors="replace")) > 128 or not user.isprintable():
        faults["user"] = "Give a name of at most 128 bytes."
    if not _ACCOUNT_HOST.fullmatch(settings.get("people_host", "")):
        faults["people_host"] = "Give what stands after the @ in people's accounts."
    ca = settings.get("ca", "")
    if ca and ("-----BEGIN CERTIFICATE-----" not in ca or len(ca) > _MOST_PEM or "\x00" in ca):
        faults["ca"] = "Give certificates as PEM, or nothing."
    return faults


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _HOST.fullmatch(text) is not None
    return True


def _open(opening: Opening) -> Connector:
    # PyMySQL is loaded where such a target is.
    from openpim.connectors.mariadb.roles import RolesConnector  # noqa: PLC0415

    return RolesConnector(opening)


KIND: Final = ConnectorKind(
    name="mariadb",
    title="MariaDB",
    settings=SETTINGS,
    capabilities=capabilities,
    open=_open,
    check_subject=person_name,
    check_entitlement=role_name,
    check_settings=check_settings,
)
