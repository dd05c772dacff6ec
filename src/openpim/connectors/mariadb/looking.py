"""A look at what the connector's own account may do: too little, and it cannot work; too much, and whoever steals its password
has more than this server meant to give away. Each sentence says what to run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pymysql

from openpim.connectors.mariadb.names import Account, quoted
from openpim.connectors.mariadb.session import Session
from openpim.ports.connector import Probe

_CLOCKS_APART = 5.0  # seconds
_NEEDED = ("SELECT", "INSERT", "UPDATE", "CREATE")
_GLOBAL = "CONNECTION ADMIN"


def look(session: Session, managed: Sequence[str], clock: Callable[[], datetime], *, events: bool) -> Probe:
    ((version, me, there, scheduler),) = session.rows(
        "SELECT VERSION(), CURRENT_USER(), UTC_TIMESTAMP(6), @@GLOBAL.event_scheduler"
    )
    user, _, host = me.rpartition("@")
    account = Account(user, host).quoted
    grantee = f"'{user}'@'{host}'"
    lacks: list[str] = []
    excess: list[str] = []
    apart = abs((there.replace(tzinfo=UTC) - clock()).total_seconds())
    if apart > _CLOCKS_APART:
        lacks.append(
            f"Its clock and ours are {apart:.0f} seconds apart: set both by NTP, or ends are not on time."
        )
    if events and scheduler != "ON":
        lacks.append(
            "The event scheduler does not run: SET GLOBAL event_scheduler = ON, and event_scheduler=ON in its configuration."
        )
    held = {
        name
        for (name,) in session.rows(
            "SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = %s", (grantee,)
        )
    }
    if not held & {_GLOBAL, "SUPER"}:
        lacks.append(f"It cannot end connections: GRANT {_GLOBAL} ON *.* TO {account}.")
    if more := sorted(held - {_GLOBAL, "USAGE"}):
        excess.append(
            f"It has {_some(more)} on everything, which nothing here needs: REVOKE … ON *.* FROM {account}."
        )
    schemas: dict[str, set[str]] = {}
    for schema, privilege in session.rows(
        "SELECT TABLE_SCHEMA, PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE = %s",
        (grantee,),
    ):
        schemas.setdefault(schema, set()).add(privilege)
    needed = {*_NEEDED, "EVENT"} if events else set(_NEEDED)
    if missing := sorted(needed - schemas.pop("openpim", set()) - held):
        lacks.append(
            f"It cannot keep its fence and ends: GRANT {', '.join(missing)} ON openpim.* TO {account}."
        )
    if schemas:
        excess.append(f"It has rights in {_some(sorted(schemas))}, which nothing here needs.")
    _roles(session, managed, (user, host), lacks, excess)
    return Probe(True, f"MariaDB {version}", tuple(lacks), tuple(excess))


def _roles(
    session: Session, managed: Sequence[str], me: tuple[str, str], lacks: list[str], excess: list[str]
) -> None:
    account = Account(*me).quoted
    try:
        admin = {
            role: option == "Y"
            for user, host, role, option in session.rows(
                "SELECT User, Host, Role, Admin_option FROM mysql.roles_mapping"
            )
            if (user, host) == me
        }
    except pymysql.err.OperationalError:
        lacks.append(f"It cannot read who has a role: GRANT SELECT ON mysql.roles_mapping TO {account}.")
        admin = {}
    try:
        roles = {name for (name,) in session.rows("SELECT User FROM mysql.user WHERE is_role = 'Y'")}
    except pymysql.err.OperationalError:
        lacks.append(
            f"It cannot read who is there: GRANT SELECT (User, Host, is_role) ON mysql.user TO {account}."
        )
        return
    for name in managed:
        role = quoted(name)
        if name not in roles:
            lacks.append(f"There is no role {role}: CREATE ROLE {role} WITH ADMIN {account}.")
        elif not admin.get(name):
            lacks.append(f"It cannot give {role}: GRANT {role} TO {account} WITH ADMIN OPTION.")
    if strange := sorted(set(admin) - set(managed)):
        excess.append(
            f"It has roles that are not managed here: {_some(strange)}. REVOKE them from {account}."
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
