"""MariaDB: a privilege is a role of the server, given to a user who has an account of their own.

MariaDB keeps no end with a role. So an event is made first, inside the server: at the end it takes the role away and ends the
person's connections, whether we are there or not. A connection that did SET ROLE keeps what it has after a REVOKE, which is
why each end takes the person's connections with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from openpim.connectors.mariadb.names import MOST_BYTES, person_name, role_name
from openpim.connectors.servers import CA, SSLMODE, name_faults, place_faults
from openpim.ports.connector import Capabilities, Connector, ConnectorKind, Opening, Setting

_ACCOUNT_HOST = re.compile(r"[A-Za-z0-9%_.:/-]{1,255}")

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
    SSLMODE,
    CA,
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
    faults = place_faults(settings) | name_faults(settings, ("user",), MOST_BYTES)
    if not _ACCOUNT_HOST.fullmatch(settings.get("people_host", "")):
        faults["people_host"] = "Give what stands after the @ in people's accounts."
    return faults


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
