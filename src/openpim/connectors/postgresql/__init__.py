"""PostgreSQL: a privilege is a role of the database, in one of two ways.

membership   the person has a login role of their own, and is made a member of the privileged role. PostgreSQL keeps no end
             with that, and a session that did SET ROLE keeps what it has: so the end takes the person's sessions with it.
jit          each activation has a login role of its own, `jit_…`, that is told its end (VALID UNTIL) and has a password only
             when the person fetches one. The end takes the sessions of that role alone, and drops it.

Either way: one transaction for all that is done at once, under a lock and behind a fence (fencing.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from openpim.connectors.postgresql.names import MOST_BYTES, role_name
from openpim.connectors.servers import CA, SSLMODE, name_faults, place_faults
from openpim.ports.connector import Capabilities, Connector, ConnectorKind, Opening, Setting

MODES: Final = ("membership", "jit")

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
    SSLMODE,
    CA,
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
    return place_faults(settings) | name_faults(settings, ("database", "user"), MOST_BYTES)


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
