"""PostgreSQL: a privilege is a role of the database, in one of two ways.

membership   the person has a login role of their own, and is made a member of the privileged role. PostgreSQL keeps no end
             with that, and a session that did SET ROLE keeps what it has: so the end takes the person's sessions with it.
jit          each activation has a login role of its own, `jit_…`, that is told its end (VALID UNTIL) and has a password only
             when the person fetches one. The end takes the sessions of that role alone, and drops it.

Either way: one transaction for all that is done at once, under a lock and behind a fence (fencing.py).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from openpim.connectors.postgresql.names import role_name
from openpim.ports.connector import Capabilities, Connector, ConnectorKind, Opening, Setting

MODES: Final = ("membership", "jit")
TLS_MODES: Final = ("verify-full", "verify-ca", "require", "disable")

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\.?")
_MOST_PEM = 256 * 1024

SETTINGS: Final = (
    Setting("host", "Name or address of the server, not of a pooler.", required=True, place=True, stays=True),
    Setting("port", "Its port.", default="5432", place=True, stays=True),
    Setting("database", "The database that holds the schema openpim.", default="postgres"),
    Setting("user", "The login role of OpenPIM in the server.", required=True),
    Setting("password", "Its password.", secret=True),
    Setting(
        "mode",
        "membership: people have login roles of their own. jit: each activation gets one, with an end that PostgreSQL knows.",
        default="membership",
        choices=MODES,
        stays=True,
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
    if settings.get("mode") == "jit":
        return Capabilities(
            native_end="new_logins",
            granularity=timedelta(seconds=1),
            grant_live="next_login",
            revoke_live="session_keeps",
            sever="by_activation",
            atomic_batch=True,
            per_activation=True,
            issues=True,
        )
    return Capabilities(
        native_end="none",
        grant_live="immediate",
        revoke_live="session_keeps",
        sever="by_subject",
        atomic_batch=True,
    )


def check_settings(settings: Mapping[str, str]) -> Mapping[str, str]:
    faults: dict[str, str] = {}
    if not _is_host(settings.get("host", "")):
        faults["host"] = "Give the name or the address of one server."
    port = settings.get("port", "")
    if not (port.isascii() and port.isdecimal() and 1 <= int(port[:6]) <= 65535):
        faults["port"] = "Give a number from 1 to 65535."
    for name in ("database", "user"):
        value = settings.get(name, "")
        if not value or len(value.encode(errors="replace")) > 63 or not value.isprintable():
            faults[name] = "Give a name of at most 63 bytes."
    ca = settings.get("ca", "")
    if ca and ("-----BEGIN CERTIFICATE-----" not in ca or len(ca) > _MOST_PEM or "\x00" in ca):
        faults["ca"] = "Give certificates as PEM, or nothing."
    return faults


def _is_host(text: str) -> bool:
    """No list, no folder of sockets, no option: libpq would take each for something else."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _HOST.fullmatch(text) is not None
    return True


def _open(opening: Opening) -> Connector:
    # psycopg costs start time and memory: only who has such a target pays.
    from openpim.connectors.postgresql.jit import JitConnector  # noqa: PLC0415
    from openpim.connectors.postgresql.membership import MembershipConnector  # noqa: PLC0415

    return JitConnector(opening) if opening.settings.get("mode") == "jit" else MembershipConnector(opening)


KIND: Final = ConnectorKind(
    name="postgresql",
    title="PostgreSQL",
    settings=SETTINGS,
    capabilities=capabilities,
    open=_open,
    check_subject=lambda text: role_name(text, "a person's role"),
    check_entitlement=lambda text: role_name(text, "a role"),
    check_settings=check_settings,
)
