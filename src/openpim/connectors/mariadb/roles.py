"""Roles, given and taken; before each grant the event that ends it, and after each end the connections of the person.

MariaDB commits each GRANT by itself. One writer at a time: `GET_LOCK`, which dies with its connection, so that whoever was
away too long either still holds it (and nobody else has written) or can write no more. The highest epoch is kept in
`openpim.fence`, and each grant looks at the end of its lease by the server's clock, in the same statement.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, ParamSpec

import pymysql
from pymysql.converters import escape_string

from openpim.connectors.mariadb.looking import look
from openpim.connectors.mariadb.names import (
    Account,
    account_of,
    event_name,
    person_name,
    quoted,
    subject_of,
)
from openpim.connectors.mariadb.session import Session, broken, code_of
from openpim.connectors.servers import by_kind, late, looks, overtaken
from openpim.core.connecting import Edge, Op, OpKind, Snapshot
from openpim.ports.connector import (
    BadNameError,
    Fault,
    Fence,
    Opening,
    Probe,
    Receipt,
    Severed,
    TargetError,
)

P = ParamSpec("P")

_NOT_GRANTED: Final = 1962  # "Cannot revoke role": it is so already
_LATE: Final = "the lease has ended"
_LOCK_SECONDS: Final = 5
_SEVER_SECONDS: Final = 5.0
_LONGEST_SECONDS: Final = 60.0
_AT_ONCE: Final = 200

_MAKE = "CREATE TABLE IF NOT EXISTS openpim.fence (target varchar(64) PRIMARY KEY, epoch bigint NOT NULL) ENGINE=InnoDB"
_PASS = (
    "INSERT INTO openpim.fence (target, epoch) VALUES (%s, %s) "
    "ON DUPLICATE KEY UPDATE epoch = GREATEST(epoch, VALUES(epoch))"
)
_PASSED = "SELECT epoch, UTC_TIMESTAMP(6) FROM openpim.fence WHERE target = %s"
_EDGES = "SELECT User, Host, Role FROM mysql.roles_mapping WHERE Role IN %s"
_ENDS = (
    "SELECT EVENT_NAME, EXECUTE_AT, EVENT_DEFINITION FROM information_schema.EVENTS "
    "WHERE EVENT_SCHEMA = 'openpim' AND STATUS = 'ENABLED' AND TIME_ZONE = '+00:00' AND DEFINER = CURRENT_USER()"
)
_PEOPLE = "SELECT User FROM mysql.user WHERE Host = %s AND is_role = 'N' AND User IN %s"


class RolesConnector:
    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._session = Session(opening)
        self._host = opening.settings["people_host"]
        self._events = opening.settings["native_end"] != "none"
        self._made = False

    def probe(self) -> Probe:
        return self._session.run(
            lambda: look(self._session, self._opening.managed, self._opening.clock, events=self._events)
        )

    def read(self) -> Snapshot:
        def work() -> Snapshot:
            managed = self._opening.managed
            if not managed:
                return Snapshot()
            rows = self._session.rows(_EDGES, (managed,))
            mine = self._session.rows("SELECT CURRENT_USER()")[0][0]
            ends = self._ends() if self._events else {}
            found = set()
            for user, host, role in rows:
                if role not in managed or f"{user}@{host}" == mine:
                    continue
                edge = Edge(subject_of(Account(user, host), self._host), role)
                end, body = ends.get(self._event(edge), (None, ""))
                until = end.replace(tzinfo=UTC) if end is not None and body == self._body(edge) else None
                found.add(Edge(edge.subject, role, until))
            return Snapshot(frozenset(found))

        return self._session.run(work)

    def apply(self, ops: Sequence[Op], fence: Fence) -> list[Receipt]:
        if not ops:
            return []

        def work() -> list[Receipt]:
            with self._writing(fence):
                people = self._people([op.edge.subject for op in ops if op.kind is not OpKind.REVOKE])
                errors = {op: why for op in ops if (why := self._fault(op, people))}
                able = [op for op in ops if op not in errors]
                scheduled = not self._events or self._scheduler_runs()
                for kind, run in by_kind(able):
                    if kind is OpKind.REVOKE:
                        errors.update(self._take(run, fence))
                        continue
                    for op in run:
                        if why := self._give(op, fence) if scheduled else _NO_SCHEDULER:
                            errors[op] = why
            return [Receipt(op, errors.get(op, "")) for op in ops]

        return self._session.run(work, self._seconds(fence) + 1)

    def sever(self, ended: Sequence[Edge], kept: Collection[Edge], fence: Fence) -> list[Severed]:
        """All connections of the person: MariaDB does not tell which of them did SET ROLE."""
        stay = {edge.name for edge in kept}
        over = [edge for edge in ended if edge.name not in stay]
        own = self._opening.settings["user"]
        users = {user for edge in over if (user := account_of(edge.subject, self._host).user) != own}

        def work() -> dict[str, str]:
            with self._writing(fence):
                for edge in over:
                    # Where others took the role away the event is left, and would end later connections.
                    self._unschedule(edge)
                return self._kill(users)

        errors = self._session.run(work, self._seconds(fence) + 1) if over else {}
        names = {edge: account_of(edge.subject, self._host).user for edge in over}
        return [Severed(edge, errors.get(names.get(edge, ""), "")) for edge in ended]

    def close(self) -> None:
        self._session.close()

    # ------------------------------------------------------------ one writer

    def _seconds(self, fence: Fence) -> float:
        left = (fence.until - self._opening.clock()).total_seconds()
        if left <= 0:
            raise late()
        return min(left, _LONGEST_SECONDS)

    @contextlib.contextmanager
    def _writing(self, fence: Fence) -> Iterator[None]:
        """Inside `run`. Raises TargetError."""
        session, target = self._session, self._opening.target_id
        if session.rows("SELECT GET_LOCK('openpim', %s)", (_LOCK_SECONDS,))[0][0] != 1:
            raise TargetError(Fault.UNREACHABLE, "Somebody else writes there just now. It is tried again.")
        try:
            if not self._made:
                session.do(_MAKE)
                self._made = True
            session.do(_PASS, (target, fence.epoch))
            ((epoch, at),) = session.rows(_PASSED, (target,))
            if epoch > fence.epoch:
                raise overtaken("server")
            if at.replace(tzinfo=UTC) >= fence.until:
                raise late()
            yield
        finally:
            with contextlib.suppress(pymysql.MySQLError, OSError):
                session.do("DO RELEASE_LOCK('openpim')")

    def _guarded(self, statement: str, fence: Fence) -> None:
        """Done by the server only if its clock is before the end of the lease."""
        until = fence.until.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
        try:
            self._session.do(
                f"BEGIN NOT ATOMIC IF UTC_TIMESTAMP(6) >= '{until}' THEN SIGNAL SQLSTATE '45000' "
                f"SET MESSAGE_TEXT = '{_LATE}'; END IF; {statement}; END"
            )
        except pymysql.MySQLError as error:
            if len(error.args) > 1 and error.args[1] == _LATE:
                raise late() from None
            raise

    # ------------------------------------------------------------ giving and taking

    def _give(self, op: Op, fence: Fence) -> str:
        """The end first. Why it could not be done."""
        edge = op.edge
        if edge.until is None:
            why = self._unschedule(edge)
        else:
            why = self._attempt(self._schedule, edge, _whole(edge.until)) if self._events else ""
        if why:
            return f"Its end could not be set: {why}"
        if op.kind is OpKind.BOUND:
            return ""
        account = account_of(edge.subject, self._host)
        return self._attempt(self._guarded, f"GRANT {quoted(edge.entitlement)} TO {account.quoted}", fence)

    def _schedule(self, edge: Edge, end: datetime) -> None:
        at = end.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
        comment = escape_string(f"OpenPIM ends {edge.entitlement} of {edge.subject}"[:64])
        self._session.do(
            f"CREATE OR REPLACE EVENT openpim.{self._event(edge)} ON SCHEDULE AT '{at}' ON COMPLETION NOT PRESERVE ENABLE "
            f"COMMENT '{comment}' DO {self._body(edge)}"
        )

    def _unschedule(self, edge: Edge) -> str:
        if not self._events:
            return ""
        return self._attempt(self._session.do, f"DROP EVENT IF EXISTS openpim.{self._event(edge)}")

    def _body(self, edge: Edge) -> str:
        """What the event does, with our own rights: whatever becomes of the one, it does the other."""
        account = account_of(edge.subject, self._host)
        return (
            "BEGIN DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END; "
            f"REVOKE {quoted(edge.entitlement)} FROM {account.quoted}; KILL USER {quoted(account.user)}; END"
        )

    def _take(self, ops: Sequence[Op], fence: Fence) -> dict[Op, str]:
        """Many in a statement; one who does not have it makes that fail, and then each goes by itself."""
        errors: dict[Op, str] = {}
        by_role: dict[str, list[Op]] = {}
        for op in ops:
            by_role.setdefault(op.edge.entitlement, []).append(op)
        for role, members in by_role.items():
            for start in range(0, len(members), _AT_ONCE):
                some = members[start : start + _AT_ONCE]
                if len(some) > 1 and not self._attempt(self._revoke, role, some, fence):
                    continue
                for op in some:
                    if why := self._attempt(self._revoke, role, [op], fence):
                        errors[op] = why
        for op in ops:
            if op not in errors:
                self._unschedule(op.edge)
        return errors

    def _revoke(self, role: str, ops: Sequence[Op], fence: Fence) -> None:
        accounts = ", ".join(account_of(op.edge.subject, self._host).quoted for op in ops)
        try:
            self._guarded(f"REVOKE {quoted(role)} FROM {accounts}", fence)
        except pymysql.MySQLError as error:
            if len(ops) > 1 or code_of(error) != _NOT_GRANTED:
                raise
            rows = self._session.rows(_EDGES, ((role,),))  # it is so already: read, not believed
            account = account_of(ops[0].edge.subject, self._host)
            if any((user, host, given) == (account.user, account.host, role) for user, host, given in rows):
                raise

    def _kill(self, users: Collection[str]) -> dict[str, str]:
        """Until the server finds none. Errors by user."""
        errors: dict[str, str] = {}
        left = sorted(users)
        for last in looks(_SEVER_SECONDS) if left else ():
            live = []
            for user in left:
                try:
                    if self._session.do(f"KILL USER {quoted(user)}"):
                        live.append(user)
                except pymysql.MySQLError as error:
                    if broken(error):
                        raise
                    errors[user] = self._session.why(error)
            left = live
            if last or not left:
                break
        return errors | dict.fromkeys(left, "A connection does not end.")

    # ------------------------------------------------------------ looking

    def _fault(self, op: Op, people: Collection[str]) -> str:
        edge = op.edge
        if edge.entitlement not in self._opening.managed:
            return f"{edge.entitlement!r} is not among the managed roles of this target."
        if op.kind is OpKind.REVOKE:
            return ""
        try:
            person_name(edge.subject)
        except BadNameError as error:
            return str(error)
        if edge.subject == self._opening.settings["user"]:
            return f"{edge.subject!r} is the account that OpenPIM signs in as."
        if edge.until is not None and edge.until <= self._opening.clock():
            return "Its end has passed."
        return (
            ""
            if edge.subject in people
            else f"There is no account {edge.subject!r}@{self._host!r} in this server."
        )

    def _people(self, names: Sequence[str]) -> set[str]:
        found: set[str] = set()
        wanted = sorted({name for name in names if "\x00" not in name})
        for start in range(0, len(wanted), 1000):
            some = wanted[start : start + 1000]
            found |= {row[0] for row in self._session.rows(_PEOPLE, (self._host, some))}
        return found & set(names)

    def _ends(self) -> dict[str, tuple[datetime, str]]:
        if not self._scheduler_runs():
            return {}  # what does not run ends nothing
        return {name: (end, body) for name, end, body in self._session.rows(_ENDS)}

    def _scheduler_runs(self) -> bool:
        return bool(self._session.rows("SELECT @@GLOBAL.event_scheduler = 'ON'")[0][0])

    def _event(self, edge: Edge) -> str:
        return event_name(self._opening.target_id, edge)

    def _attempt(self, act: Callable[P, object], *arguments: P.args, **more: P.kwargs) -> str:
        """Why the server did not do it; "": it did."""
        try:
            act(*arguments, **more)
        except pymysql.MySQLError as error:
            if broken(error):
                raise
            return self._session.why(error)
        return ""


_NO_SCHEDULER: Final = (
    "The event scheduler does not run, so the server would not end it by itself: SET GLOBAL event_scheduler = ON, or choose "
    "native_end none."
)


def _whole(end: datetime) -> datetime:
    """Events know whole seconds. Never before the end: what is ended early is wanted still, and would be given again."""
    return datetime.fromtimestamp(math.ceil(end.timestamp()), UTC)
