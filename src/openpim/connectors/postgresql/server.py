"""What both ways of giving a role in PostgreSQL share: which roles there are, giving and taking a role to and from many at
once, and ending sessions. All of it inside a transaction that the caller has fenced.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import psycopg
from psycopg import sql

from openpim.connectors.postgresql.fencing import Fencing, send
from openpim.connectors.postgresql.session import BoundedConnection, Session
from openpim.connectors.servers import looks
from openpim.core.connecting import Edge
from openpim.ports.connector import Fence, Opening

T = TypeVar("T")
Statements = bytes | sql.Composed

AT_ONCE = 1000  # members in one statement
_GRANTORS = (
    160000  # from this version on, a membership is a row for each grantor, and INHERIT and SET are its own
)
_SEVER_SECONDS = 5.0

# The connector's own admin option is no privilege of a person.
MEMBERS = """
    SELECT DISTINCT m.rolname, r.rolname
    FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
    WHERE r.rolname = ANY(%s) AND m.rolname <> current_user"""
_PEOPLE = """
    SELECT r.rolname, r.rolcanlogin, r.rolsuper,
           EXISTS (SELECT FROM pg_auth_members x WHERE x.roleid = r.oid AND {used})
    FROM pg_roles r WHERE r.rolname = ANY(%s::text[])"""
# As `name`: with text each row is compared with each of thousands. A name that is too long is cut, so look at what comes.
_GIVEN = """
    SELECT g.rolname, array_agg(m.rolname)
    FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
    JOIN pg_roles g ON g.oid = a.grantor
    WHERE r.rolname = %s AND m.rolname = ANY(%s::name[]) GROUP BY 1"""
# Without pg_read_all_stats of others' sessions there is no more to see than these; it is enough. There are fewer sessions than
# people may be asked for.
_LIVE = "SELECT pid, usename FROM pg_stat_activity WHERE usename IS NOT NULL AND pid <> pg_backend_pid()"
_TERMINATE = sql.SQL(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ANY({}) AND usename = ANY({})"
)
# A role that does not inherit (see looking.py, before PostgreSQL 16) has to ask for it.
_SIGNALLING = """
    SELECT set_config('role', 'pg_signal_backend', true)
    WHERE NOT pg_has_role(current_user, 'pg_signal_backend', 'USAGE')"""


def quoted(name: str) -> str:
    """As libpq quotes an identifier, whose own way costs as much as the server does. Raises DataError."""
    if not name or "\x00" in name:
        raise psycopg.DataError("the name cannot be written")
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class Person:
    """A role that somebody signs in as, or should. shared: others are members of it, and would have what it gets."""

    login: bool
    superuser: bool
    shared: bool

    def fault(self, name: str) -> str:
        if not self.login:
            return f"{name!r} is no login role: all who are members of it would have the privilege."
        if self.superuser:
            return (
                f"{name!r} is a superuser: it has every privilege already, and its sessions cannot be ended."
            )
        if self.shared:
            return f"{name!r} has members, who would have the privilege too."
        return ""


_person = cache(Person)  # there are eight


class Server:
    """Base of both connectors."""

    def __init__(self, opening: Opening) -> None:
        self.user = opening.settings["user"]
        self.managed = opening.managed
        self.session = Session(opening)
        self.fencing = Fencing(opening.target_id, opening.clock)

    def close(self) -> None:
        self.session.close()

    def unmanaged(self, edge: Edge) -> str:
        """Why this edge is none that may be touched; "": it may."""
        if edge.entitlement not in self.managed:
            return f"{edge.entitlement!r} is not among the managed roles of this target."
        return ""

    def unfit(self, name: str) -> str:
        """Why nobody of this name may be given anything, whoever that is."""
        if name == self.user:
            return f"{name!r} is the role that OpenPIM signs in as."
        if name in self.managed:
            return f"{name!r} is itself a managed role."
        return ""

    def people(self, connection: BoundedConnection, names: Iterable[str]) -> dict[str, Person]:
        """Those that are there."""
        used = "(x.inherit_option OR x.set_option)" if connection.info.server_version >= _GRANTORS else "true"
        rows = connection.execute(
            _PEOPLE.format(used=used), (_array([name for name in set(names) if "\x00" not in name]),)
        ).fetchall()
        return {name: _person(login, superuser, shared) for name, login, superuser, shared in rows}

    def give(self, connection: BoundedConnection, entitlement: str, names: Sequence[str]) -> dict[str, str]:
        """Errors by name."""
        if connection.info.server_version < _GRANTORS:
            return self._many(connection, "GRANT {role} TO {names}", entitlement, names)
        return self._many(connection, "GRANT {role} TO {names} GRANTED BY CURRENT_USER", entitlement, names)

    def take(self, connection: BoundedConnection, entitlement: str, names: Sequence[str]) -> dict[str, str]:
        """Errors by name. Whoever granted it: from PostgreSQL 16 on each grantor's is taken apart. What somebody passed on by
        an admin option goes with it."""
        if connection.info.server_version < _GRANTORS:
            return self._many(connection, "REVOKE {role} FROM {names} CASCADE", entitlement, names)
        errors: dict[str, str] = {}
        rows = connection.execute(_GIVEN, (entitlement, _array(names))).fetchall()
        asked = set(names)
        for grantor, members in sorted(rows, key=lambda row: bool(row[0] != self.user)):
            statement = "REVOKE {role} FROM {names} GRANTED BY {grantor} CASCADE"
            theirs = [name for name in members if name in asked]
            failed = self._many(connection, statement, entitlement, theirs, grantor)
            errors |= {name: f"granted by {grantor!r}: {why}" for name, why in failed.items()}
        return errors

    def each(
        self, connection: BoundedConnection, items: Sequence[T], written: Callable[[Sequence[T]], Statements]
    ) -> dict[T, str]:
        """What is written for many at once; where that fails, for each by itself. Errors by item."""
        errors: dict[T, str] = {}
        if items:
            connection.execute("SAVEPOINT step")
        for start in range(0, len(items), AT_ONCE):
            chunk = items[start : start + AT_ONCE]
            if why := self._attempt(connection, chunk, written):
                if len(chunk) == 1:
                    errors[chunk[0]] = why
                    continue
                for item in chunk:
                    if why := self._attempt(connection, [item], written):
                        errors[item] = why
        return errors

    def end_sessions(self, subjects: Iterable[str], fence: Fence) -> dict[str, str]:
        """End all that these roles have open, and look until it is gone. What begins meanwhile is not ended: it has lost the
        privilege before it began. Errors by role."""
        names = set(subjects) - {self.user}

        def work(connection: BoundedConnection) -> dict[str, str]:
            self.fencing.seconds(fence)
            left = _live(self.session, connection, names)
            errors = self._terminate(connection, left, fence) if left else {}
            left = {pid: name for pid, name in left.items() if name not in errors}
            for last in looks(_SEVER_SECONDS) if left else ():
                live = _live(self.session, connection, names)
                left = {pid: name for pid, name in left.items() if live.get(pid) == name}
                if last or not left:
                    break
            return errors | dict.fromkeys(left.values(), "A session does not end.")

        return self.session.run(work, self.fencing.seconds(fence) + 1) if names else {}

    def _terminate(
        self, connection: BoundedConnection, sessions: Mapping[int, str], fence: Fence
    ) -> dict[str, str]:
        by_name: dict[str, list[int]] = {}
        for pid, name in sessions.items():
            by_name.setdefault(name, []).append(pid)

        def written(names: Sequence[str]) -> sql.Composed:
            return _TERMINATE.format([pid for name in names for pid in by_name[name]], list(names))

        with self.fencing.writing(connection, fence):
            connection.execute(_SIGNALLING)
            return self.each(connection, sorted(by_name), written)

    def _many(
        self,
        connection: BoundedConnection,
        template: str,
        entitlement: str,
        names: Sequence[str],
        grantor: str = "",
    ) -> dict[str, str]:
        def written(some: Sequence[str]) -> bytes:
            listed = ", ".join(map(quoted, some))
            return template.format(
                role=quoted(entitlement), names=listed, grantor=quoted(grantor or "-")
            ).encode()

        return self.each(connection, names, written)

    def _attempt(
        self, connection: BoundedConnection, items: Sequence[T], written: Callable[[Sequence[T]], Statements]
    ) -> str:
        """Between the savepoint of `each` and the next one, so that it costs one message. Why it was not done; "": it was."""
        try:
            statements = written(items)
            text = statements if isinstance(statements, bytes) else statements.as_bytes(connection)
            send(connection, text + b"; RELEASE step; SAVEPOINT step")
        except psycopg.Error as error:
            if connection.closed:
                raise
            connection.execute("ROLLBACK TO step")
            return self.session.why(error)
        return ""


def _array(names: Iterable[str]) -> str:
    """A value for text[], written at a fraction of what psycopg takes for thousands."""
    return (
        "{" + ",".join(['"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' for name in names]) + "}"
    )


def _live(session: Session, connection: BoundedConnection, names: Collection[str]) -> dict[int, str]:
    """The sessions of these roles."""
    return {pid: name for pid, name in session.rows(connection, _LIVE) if name in names}
