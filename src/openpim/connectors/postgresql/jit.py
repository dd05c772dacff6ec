"""Each activation has a login role of its own, with an end that PostgreSQL knows, and a password once somebody fetches one.

The role is named after the activation, and its comment says whose it is: both are read back from the server, nothing is kept
here. It is made, told its end and given the privilege in one transaction. At its end it can sign in no more and loses the
privilege in one transaction; then its sessions are ended, and it is dropped. One that owns objects cannot be dropped: it stays,
without any right, and the probe tells.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from psycopg import sql

from openpim.connectors.postgresql.looking import look
from openpim.connectors.postgresql.names import login_of, told_by
from openpim.connectors.postgresql.server import Server
from openpim.connectors.postgresql.session import BoundedConnection
from openpim.connectors.servers import by_kind
from openpim.core.connecting import Edge, Op, OpKind, Snapshot
from openpim.ports.connector import Fault, Fence, Opening, Probe, Receipt, Severed, TargetError

_PASSWORD_BYTES = 24
_LONGEST_KEY = 64
_DROPPED_AT_ONCE = (
    500  # each takes a lock until the end of its transaction, of which there are some thousands
)
_EDGES = """
    SELECT DISTINCT m.rolname, r.rolname, coalesce(shobj_description(m.oid, 'pg_authid'), ''),
           CASE WHEN isfinite(m.rolvaliduntil) THEN extract(epoch FROM m.rolvaliduntil)::float8 END
    FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
    WHERE r.rolname = ANY(%s) AND m.rolname <> current_user"""
_LOGINS = """
    SELECT rolname, coalesce(shobj_description(oid, 'pg_authid'), ''), rolcanlogin,
           EXISTS (SELECT FROM pg_auth_members a WHERE a.member = r.oid)
    FROM pg_roles r WHERE rolname = ANY(%s)"""


class JitConnector(Server):
    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        self._opening = opening

    def probe(self) -> Probe:
        return self.session.run(
            lambda connection: look(connection, self.managed, self._opening.clock, jit=True)
        )

    def read(self) -> Snapshot:
        def work(connection: BoundedConnection) -> Snapshot:
            rows = self.session.rows(connection, _EDGES, list(self.managed))
            return Snapshot(frozenset(_edge(*row) for row in rows))

        return self.session.run(work)

    def apply(self, ops: Sequence[Op], fence: Fence) -> list[Receipt]:
        if not ops:
            return []
        return self.session.run(
            lambda connection: self._apply(connection, ops, fence), self.fencing.seconds(fence) + 1
        )

    def sever(self, ended: Sequence[Edge], kept: Collection[Edge], fence: Fence) -> list[Severed]:
        stay = {edge.name for edge in kept}
        names = {edge: _role(edge) for edge in ended if edge.name not in stay}
        errors = self.end_sessions(names.values(), fence)
        over = [name for edge, name in names.items() if edge.key and name not in errors]
        for start in range(0, len(over), _DROPPED_AT_ONCE):
            some = over[start : start + _DROPPED_AT_ONCE]
            self.session.run(partial(self._drop, names=some, fence=fence), self.fencing.seconds(fence) + 1)
        return [Severed(edge, errors.get(names.get(edge, ""), "")) for edge in ended]

    def issue(self, edge: Edge, given: Mapping[str, str], fence: Fence) -> Mapping[str, str]:
        """A new password, in place of the one before; the server gets its SCRAM verifier only. given: nothing."""
        login, password = login_of(edge), self._opening.secret(_PASSWORD_BYTES)

        def work(connection: BoundedConnection) -> None:
            verifier = connection.pgconn.encrypt_password(
                password.encode(), login.name.encode(), b"scram-sha-256"
            ).decode()
            with self.fencing.writing(connection, fence):
                found = _logins(connection, [login.name]).get(login.name)
                if self.unmanaged(edge) or found != (login.comment, True, True):
                    raise TargetError(
                        Fault.UNREACHABLE, "The login role is not there yet. Try again in a moment."
                    )
                connection.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {} VALID UNTIL {}").format(
                        sql.Identifier(login.name), sql.Literal(verifier), _until(edge)
                    )
                )

        self.session.run(work, self.fencing.seconds(fence) + 1)
        settings = self._opening.settings
        return {
            "user": login.name,
            "password": password,
            "host": settings["host"],
            "port": settings["port"],
            "database": settings["database"],
            "role": edge.entitlement,
        }

    def _apply(self, connection: BoundedConnection, ops: Sequence[Op], fence: Fence) -> list[Receipt]:
        errors = {op: why for op in ops if (why := self._fault(op))}
        able = [op for op in ops if op not in errors]
        with self.fencing.writing(connection, fence):
            if connection.info.server_version >= 160000:  # else we might be made a member of what we make
                connection.execute("SET LOCAL createrole_self_grant = ''")
            for kind, run in by_kind(able):
                there = _logins(connection, (_role(op.edge) for op in run))
                if kind is OpKind.REVOKE:
                    errors |= self._end(connection, [op for op in run if _role(op.edge) in there])
                elif kind is OpKind.BOUND:
                    bound = [op for op in run if _role(op.edge) in there]
                    errors |= self.each(connection, bound, lambda some: _joined(map(_bind, some)))
                else:
                    errors |= self._begin(connection, run, there)
        return [Receipt(op, errors.get(op, "")) for op in ops]

    def _begin(
        self, connection: BoundedConnection, ops: Sequence[Op], there: Mapping[str, tuple[str, bool, bool]]
    ) -> dict[Op, str]:
        """The login first, with its end; then the privilege. What stands there already under this name keeps its password
        only if it says that it is ours."""

        def statements(op: Op) -> sql.Composable:
            login = login_of(op.edge)
            name, comment = sql.Identifier(login.name), sql.Literal(login.comment)
            parts = {"name": name, "until": _until(op.edge), "comment": comment}
            found = there.get(login.name)
            if found is None:
                text = "CREATE ROLE {name} LOGIN VALID UNTIL {until}; COMMENT ON ROLE {name} IS {comment}"
            elif found[0] == login.comment:
                text = "ALTER ROLE {name} LOGIN VALID UNTIL {until}"
            else:
                text = "ALTER ROLE {name} LOGIN PASSWORD NULL VALID UNTIL {until}; COMMENT ON ROLE {name} IS {comment}"
            return sql.SQL(text).format(**parts)

        errors = self.each(connection, ops, lambda some: _joined(map(statements, some)))
        for role, members in _by_role(op for op in ops if op not in errors).items():
            failed = self.give(connection, role, list(members))
            errors |= {members[name]: why for name, why in failed.items()}
        return errors

    def _end(self, connection: BoundedConnection, ops: Sequence[Op]) -> dict[Op, str]:
        own = [op for op in ops if op.edge.key]
        lock = sql.SQL("ALTER ROLE {} NOLOGIN PASSWORD NULL")
        errors = self.each(
            connection,
            own,
            lambda some: _joined(lock.format(sql.Identifier(_role(op.edge))) for op in some),
        )
        for role, members in _by_role(ops).items():
            failed = self.take(connection, role, list(members))
            errors |= {members[name]: why for name, why in failed.items()}
        return errors

    def _drop(self, connection: BoundedConnection, names: Sequence[str], fence: Fence) -> None:
        with self.fencing.writing(connection, fence):
            found = _logins(connection, names)
            over = [name for name, (_, login, member) in found.items() if not login and not member]
            drop = sql.SQL("DROP ROLE {}")
            self.each(
                connection,
                over,
                lambda some: _joined(drop.format(sql.Identifier(one)) for one in some),
            )

    def _fault(self, op: Op) -> str:
        if why := self.unmanaged(op.edge):
            return why
        if op.kind is OpKind.REVOKE:
            return ""
        key = op.edge.key
        if not key or len(key) > _LONGEST_KEY or not key.isprintable() or " " in key:
            return "In the mode jit each grant is of one activation."
        return ""


def _role(edge: Edge) -> str:
    """The role in the server that this edge is about: of the activation, or, where others made it, the one it names."""
    return login_of(edge).name if edge.key else edge.subject


def _edge(member: str, role: str, comment: str, until: float | None) -> Edge:
    ours = told_by(member, comment, role)
    if ours is None:
        return Edge(member, role)
    return Edge(
        ours.subject, role, datetime.fromtimestamp(until, UTC) if until is not None else None, ours.key
    )


def _logins(connection: BoundedConnection, names: Iterable[str]) -> dict[str, tuple[str, bool, bool]]:
    """By name: the comment, whether it may sign in, whether it has any role."""
    rows = connection.execute(_LOGINS, (list(set(names)),)).fetchall()
    return {name: (comment, login, member) for name, comment, login, member in rows}


def _by_role(ops: Iterable[Op]) -> dict[str, dict[str, Op]]:
    found: dict[str, dict[str, Op]] = {}
    for op in ops:
        found.setdefault(op.edge.entitlement, {})[_role(op.edge)] = op
    return found


def _bind(op: Op) -> sql.Composable:
    return sql.SQL("ALTER ROLE {} VALID UNTIL {}").format(sql.Identifier(_role(op.edge)), _until(op.edge))


def _until(edge: Edge) -> sql.Literal:
    return sql.Literal(edge.until.isoformat() if edge.until is not None else "infinity")


def _joined(statements: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL("; ").join(statements)
