"""A look at what the connector's own role may do: too little, and it cannot work; too much, and whoever steals its password
has more than this server meant to give away. Each sentence says what to run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from psycopg import sql

from openpim.connectors.postgresql.names import JIT
from openpim.connectors.postgresql.session import BoundedConnection
from openpim.ports.connector import Probe

_GRANTORS = 160000
_MOST_NAMED = 5
_CLOCKS_APART = 5.0  # seconds
_SELF = """
    SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolinherit,
           pg_has_role(oid, 'pg_signal_backend', 'MEMBER'), clock_timestamp(),
           (SELECT n.nspowner = r.oid FROM pg_namespace n WHERE n.nspname = 'openpim')
    FROM pg_roles r WHERE rolname = current_user"""
_HELD = """
    SELECT r.rolname, bool_or(a.admin_option), {used}
    FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
    WHERE m.rolname = current_user GROUP BY 1 ORDER BY 1"""
_MANAGED = "SELECT rolname, rolsuper, rolcanlogin FROM pg_roles WHERE rolname = ANY(%s)"
_LEFT = """
    SELECT rolname FROM pg_roles r WHERE starts_with(rolname, %s) AND NOT rolcanlogin
    AND NOT EXISTS (SELECT FROM pg_auth_members a WHERE a.member = r.oid) ORDER BY 1 LIMIT 6"""


def look(
    connection: BoundedConnection, managed: Sequence[str], clock: Callable[[], datetime], *, jit: bool
) -> Probe:
    info = connection.info
    version = f"PostgreSQL {info.parameter_status('server_version') or info.server_version}"
    mine = connection.execute(_SELF).fetchone()
    before = clock()
    assert mine is not None  # noqa: S101 - one signs in as a role that is there
    superuser, create, make, replicate, bypass, inherits, signals, there, schema = mine
    quoted = _quote(connection, info.user)
    lacks: list[str] = []
    excess: list[str] = []
    if schema is not True:
        lacks.append(
            f"It has no schema of its own for the fence: CREATE SCHEMA openpim AUTHORIZATION {quoted}."
        )
    if not signals:
        lacks.append(f"It cannot end sessions: GRANT pg_signal_backend TO {quoted}.")
    if jit and not create:
        lacks.append(f"It cannot make login roles, which the mode jit does: ALTER ROLE {quoted} CREATEROLE.")
    apart = abs((there - before).total_seconds())
    if apart > _CLOCKS_APART:
        lacks.append(
            f"Its clock and ours are {apart:.0f} seconds apart: set both by NTP, or ends are not on time."
        )
    if superuser:
        excess.append(f"It is a superuser, which nothing here needs: ALTER ROLE {quoted} NOSUPERUSER.")
    if create and not jit:
        excess.append(
            f"It can make and change roles, which only the mode jit needs: ALTER ROLE {quoted} NOCREATEROLE."
        )
    if create and jit and info.server_version < _GRANTORS:
        excess.append(
            "Before PostgreSQL 16 whoever has CREATEROLE can give itself nearly every role. Use PostgreSQL 16 or the mode "
            "membership."
        )
    for has, word in ((make, "CREATEDB"), (replicate, "REPLICATION"), (bypass, "BYPASSRLS")):
        if has:
            excess.append(f"It has {word}, which nothing here needs: ALTER ROLE {quoted} NO{word}.")
    _managed(connection, managed, quoted, lacks, excess, inherits=inherits, superuser=superuser)
    if jit:
        left = [row[0] for row in connection.execute(_LEFT, (JIT,)).fetchall()]
        if left:
            excess.append(
                f"Login roles of ended activations own objects and could not be dropped: {_some(left)}. REASSIGN OWNED and "
                "DROP OWNED, in each database, then DROP ROLE."
            )
    return Probe(True, version, tuple(lacks), tuple(excess))


def _managed(
    connection: BoundedConnection,
    managed: Sequence[str],
    quoted: str,
    lacks: list[str],
    excess: list[str],
    *,
    inherits: bool,
    superuser: bool,
) -> None:
    apart = connection.info.server_version >= _GRANTORS
    used = "bool_or(a.inherit_option OR a.set_option)" if apart else "true"
    held = {
        name: (admin, uses) for name, admin, uses in connection.execute(_HELD.format(used=used)).fetchall()
    }
    there = {row[0]: row[1:] for row in connection.execute(_MANAGED, (list(managed),)).fetchall()}
    for name in managed:
        role = _quote(connection, name)
        if name not in there:
            lacks.append(f"There is no role {role}: CREATE ROLE {role} NOLOGIN.")
            continue
        if there[name][0] and not superuser:
            lacks.append(f"{role} is a superuser, which only a superuser can give: manage another role.")
        if there[name][1]:
            excess.append(f"{role} can sign in itself: ALTER ROLE {role} NOLOGIN.")
        admin, uses = held.get(name, (False, False))
        if not admin:
            how = "ADMIN TRUE, INHERIT FALSE, SET FALSE" if apart else "ADMIN OPTION"
            lacks.append(f"It cannot give {role}: GRANT {role} TO {quoted} WITH {how}.")
        elif apart and uses:
            excess.append(f"It has {role} itself: GRANT {role} TO {quoted} WITH INHERIT FALSE, SET FALSE.")
    if not apart and inherits and set(held) & set(managed):
        excess.append(f"It has the managed roles without asking for them: ALTER ROLE {quoted} NOINHERIT.")
    others = [name for name, (admin, uses) in held.items() if name not in managed and (admin or uses)]
    strange = [
        name for name in others if name != "pg_signal_backend" and not (apart and name.startswith(JIT))
    ]
    if strange:
        excess.append(f"It has roles that are not managed here: {_some(strange)}. REVOKE them from {quoted}.")
    if held.get("pg_signal_backend", (False, False))[0]:
        excess.append(
            f"It can pass on pg_signal_backend: REVOKE ADMIN OPTION FOR pg_signal_backend FROM {quoted}."
        )


def _some(names: Sequence[str]) -> str:
    more = "" if len(names) <= _MOST_NAMED else ", …"
    return ", ".join(names[:_MOST_NAMED]) + more


def _quote(connection: BoundedConnection, name: str) -> str:
    return sql.Identifier(name).as_string(connection)
