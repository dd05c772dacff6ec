"""One entry for each activation, which the directory itself removes at its end (dynamic entries, RFC 2589; OpenLDAP's overlay
dds). Rights rest on the entries: a rule of access over them, or a group whose members are theirs.

An entry is made with the directory's own short time to live, and gets the activation's by a second operation: whoever dies
in between leaves nothing that lasts.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from openpim.connectors.ldap.client import Connection, failure, words
from openpim.connectors.ldap.config import People
from openpim.connectors.ldap.fence import Fencing, in_time
from openpim.connectors.ldap.messages import (
    PAGED,
    Change,
    Code,
    Entry,
    Outcome,
    Request,
    Scope,
    add,
    delete,
    either,
    equals,
    modify,
    paged,
    refresh,
    search,
)
from openpim.connectors.ldap.names import check_role, child, known, parent
from openpim.connectors.ldap.people import Found, find, names
from openpim.connectors.ldap.session import Session
from openpim.core.connecting import Edge, Op, OpKind, Snapshot
from openpim.ports.connector import BadNameError, Fault, Fence, Receipt, Severed, TargetError

GRANULARITY = timedelta(seconds=2)  # the directory counts whole seconds, and so do we
_A_PAGE = 500
_MOST_PAGES = 4000
_TRIES = 4
_STRANGE = "dn:"  # begins the key of an entry that was not made here: the rest is its DN
_TTL = "entryTtl"


class Activations:
    """See Connector. base: in its one form. role: attribute of the entries that names the privilege."""

    def __init__(
        self,
        session: Session,
        managed: Sequence[str],
        base: str,
        role: str,
        people: People,
        fencing: Fencing,
        clock: Callable[[], datetime],
    ) -> None:
        self.session, self.managed, self.base, self.role = session, tuple(managed), base, role
        self.people, self.fencing, self.clock = people, fencing, clock

    # ---------------------------------------------------------------------------------------------- reading

    def read(self) -> Snapshot:
        if not self.managed:
            return Snapshot()
        connection = self.session.connection()
        condition = either(*(equals(self.role, one) for one in self.managed))
        entries = self._all(connection, condition)
        now = self.clock()
        called = names(connection, self.people, [raw for entry in entries for raw in entry.texts("member")])
        edges: set[Edge] = set()
        for entry in entries:
            until = self._until(entry, now)
            for role in {_role(value) for value in entry.texts(self.role)}.intersection(self.managed):
                for raw in entry.texts("member"):
                    edges.add(self._edge(entry, called[raw], role, until))
        return Snapshot(frozenset(edges))

    def _all(self, connection: Connection, condition: bytes) -> list[Entry]:
        """All or an error: a part would look like ends. Raises TargetError."""
        wanted = ["cn", "member", self.role, "objectClass", _TTL]
        pages = PAGED in self.session.about().controls
        found: list[Entry] = []
        cookie = b""
        for _ in range(_MOST_PAGES):
            controls = paged(_A_PAGE, cookie) if pages else b""
            outcome = connection.ask(search(self.base, Scope.ONE, condition, wanted, controls=controls))
            if outcome.code in {Code.SIZE_LIMIT_EXCEEDED, Code.ADMIN_LIMIT_EXCEEDED}:
                raise TargetError(
                    Fault.REFUSED,
                    "The directory does not show the account of OpenPIM all entries: raise its limits (olcLimits).",
                )
            if not outcome.ok:
                raise failure(outcome, self.session.where.host, f"read the entries below {self.base}")
            found += outcome.entries
            cookie = outcome.cookie
            if not cookie:
                return found
        raise TargetError(Fault.BROKEN, f"{self.session.where.host} has no end of entries.")

    def _until(self, entry: Entry, now: datetime) -> datetime | None:
        if "dynamicobject" not in {one.lower() for one in entry.texts("objectClass")}:
            return None
        seconds = (entry.texts(_TTL) or [""])[0]
        if not (seconds.isascii() and seconds.isdecimal() and len(seconds) < 12):
            raise TargetError(
                Fault.REFUSED,
                f"{_TTL} of the entries below {self.base} is not shown: give OpenPIM the right manage on it.",
            )
        return now + timedelta(seconds=int(seconds))

    def _edge(self, entry: Entry, subject: str, role: str, until: datetime | None) -> Edge:
        """An entry that is not named as we name ours is somebody else's, and is known by its DN."""
        key = (entry.texts("cn") or [""])[0].rpartition("-")[0]
        ours = Edge(subject, role, until, key)
        if known(entry.dn) == self._dn(ours):
            return ours
        return Edge(subject, role, until, f"{_STRANGE}{entry.dn}")

    def _dn(self, edge: Edge) -> str:
        """The activation's id is in it: who looks at the directory, or searches for what was left behind, finds it."""
        if edge.key.startswith(_STRANGE):
            return edge.key.removeprefix(_STRANGE)
        return child("cn", _name(edge), self.base)

    # ---------------------------------------------------------------------------------------------- writing

    def apply(self, ops: Sequence[Op], fence: Fence) -> list[Receipt]:
        if not ops:
            return []
        in_time(fence, self.clock())
        connection = self.session.connection()
        self.fencing.forget(self.base)
        self._hold(connection, fence)
        receipts: dict[int, Receipt] = {}
        self._remove(connection, [(n, op) for n, op in enumerate(ops) if op.kind is OpKind.REVOKE], receipts)
        others = [(n, op) for n, op in enumerate(ops) if op.kind is not OpKind.REVOKE]
        if others:
            self._make(connection, others, fence, receipts)
        return [receipts[place] for place in range(len(ops))]

    def _hold(self, connection: Connection, fence: Fence) -> None:
        """Our epoch into the base, where nobody later has been. Raises TargetError."""
        outcome = Outcome()
        for _ in range(_TRIES):
            guard = self.fencing.guard(
                connection, self.base, fence.epoch, asserts=self.session.about().asserts
            )
            if not guard.changes:  # it is there already, as was read just now
                return
            outcome = connection.ask(modify(self.base, guard.changes, controls=guard.controls))
            if outcome.ok:
                self.fencing.wrote(self.base, fence.epoch)
                return
            self.fencing.forget(self.base)
            if outcome.code not in {Code.ASSERTION_FAILED, Code.NO_SUCH_ATTRIBUTE, Code.TYPE_OR_VALUE_EXISTS}:
                break
        raise failure(outcome, self.session.where.host, f"write {self.fencing.attribute} of {self.base}")

    def _remove(
        self, connection: Connection, ops: Sequence[tuple[int, Op]], receipts: dict[int, Receipt]
    ) -> None:
        plain: list[tuple[int, Op]] = []
        for place, op in ops:
            if op.edge.entitlement not in self.managed:
                receipts[place] = Receipt(op, "This privilege is not one that the target manages.")
            elif op.edge.key.startswith(_STRANGE):
                receipts[place] = Receipt(op, self._remove_strange(connection, op.edge))
            else:
                plain.append((place, op))
        outcomes = connection.exchange([delete(self._dn(op.edge)) for _, op in plain])
        for (place, op), outcome in zip(plain, outcomes, strict=True):
            gone = outcome.ok or outcome.code == Code.NO_SUCH_OBJECT
            receipts[place] = Receipt(op, "" if gone else self._refused(outcome))

    def _remove_strange(self, connection: Connection, edge: Edge) -> str:
        """What else is in an entry that is not ours stays: another privilege, another person."""
        dn = self._dn(edge)
        if parent(known(dn)) != self.base:
            return "This entry is not one that the target manages."
        found = connection.ask(
            search(dn, Scope.BASE, equals(self.role, edge.entitlement), ["member", self.role])
        )
        if found.code == Code.NO_SUCH_OBJECT or (found.ok and not found.entries):
            return ""
        if not found.ok:
            return self._refused(found)
        entry = found.entries[0]
        members, roles = entry.texts("member"), entry.texts(self.role)
        called = names(connection, self.people, members)
        theirs = [raw for raw in members if called[raw] == edge.subject]
        if not theirs:
            return ""
        if len(theirs) < len(members):
            request = modify(dn, [(Change.DELETE, "member", theirs)])
        elif len(roles) > 1:
            request = modify(dn, [(Change.DELETE, self.role, [edge.entitlement])])
        else:
            request = delete(dn)
        outcome = connection.ask(request)
        return "" if outcome.ok or outcome.code == Code.NO_SUCH_OBJECT else self._refused(outcome)

    def _make(
        self,
        connection: Connection,
        ops: Sequence[tuple[int, Op]],
        fence: Fence,
        receipts: dict[int, Receipt],
    ) -> None:
        found = find(connection, self.people, [op.edge.subject for _, op in ops])
        good: list[tuple[int, Op, Found]] = []
        for place, op in ops:
            one = found[op.edge.subject]
            if op.edge.entitlement not in self.managed:
                receipts[place] = Receipt(op, "This privilege is not one that the target manages.")
            elif isinstance(one, str):
                receipts[place] = Receipt(op, one)
            else:
                good.append((place, op, one))
        in_time(fence, self.clock())
        # Whatever stands under our name is not as it should be, or its end is not known: made anew, or only told its end.
        anew = [one for one in good if one[1].kind is OpKind.GRANT or one[1].edge.until is None]
        outcomes = connection.exchange([self._entry(op.edge, who) for _, op, who in anew])
        there = [
            one
            for one, outcome in zip(anew, outcomes, strict=True)
            if outcome.code == Code.ENTRY_ALREADY_EXISTS
        ]
        failed = {
            place: self._refused(outcome)
            for (place, _, _), outcome in zip(anew, outcomes, strict=True)
            if not outcome.ok and outcome.code != Code.ENTRY_ALREADY_EXISTS
        }
        failed.update(self._again(connection, there))
        self._bound(connection, [one for one in good if one[0] not in failed], fence, failed)
        for place, op, _ in good:
            receipts[place] = Receipt(op, failed.get(place, ""))

    def _again(self, connection: Connection, there: Sequence[tuple[int, Op, Found]]) -> dict[int, str]:
        connection.exchange([delete(self._dn(op.edge)) for _, op, _ in there])
        outcomes = connection.exchange([self._entry(op.edge, who) for _, op, who in there])
        return {
            place: self._refused(outcome)
            for (place, _, _), outcome in zip(there, outcomes, strict=True)
            if not outcome.ok
        }

    def _bound(
        self,
        connection: Connection,
        made: Sequence[tuple[int, Op, Found]],
        fence: Fence,
        failed: dict[int, str],
    ) -> None:
        """Their own ends, unless somebody later has come: then they go, and would go by themselves soon."""
        try:
            in_time(fence, self.clock())
            self.fencing.check(connection, [self.base], fence.epoch)
        except TargetError:
            connection.exchange([delete(self._dn(op.edge)) for _, op, _ in made if op.kind is OpKind.GRANT])
            raise
        ending = [one for one in made if one[1].edge.until is not None]
        refused = self._refresh(connection, ending)
        # One that had no end cannot be given one, and one that has just gone is not there: they are made anew.
        again = [one for one in ending if one[0] in refused and one[1].kind is OpKind.BOUND]
        if again:
            failed.update(lost := self._again(connection, again))
            refused.update(dict.fromkeys((place for place, *_ in again), ""))
            refused.update(self._refresh(connection, [one for one in again if one[0] not in lost]))
        failed.update({place: error for place, error in refused.items() if error})

    def _refresh(self, connection: Connection, ending: Sequence[tuple[int, Op, Found]]) -> dict[int, str]:
        """Each to its end. Why not, by place."""
        now = self.clock()
        left = [math.ceil(((op.edge.until or now) - now).total_seconds()) for _, op, _ in ending]
        requests = [
            refresh(self._dn(op.edge), seconds) if seconds > 0 else delete(self._dn(op.edge))
            for (_, op, _), seconds in zip(ending, left, strict=True)
        ]
        refused: dict[int, str] = {}
        for (place, *_), seconds, outcome in zip(ending, left, connection.exchange(requests), strict=True):
            if seconds <= 0:
                refused[place] = "Its end has passed."
            elif not outcome.ok:
                refused[place] = (
                    f"The directory did not take the end ({words(outcome)}). OpenPIM needs the right manage on {_TTL}, and "
                    "olcDDSmaxTtl has to be as long as the longest activation."
                )
        return refused

    def _entry(self, edge: Edge, who: Found) -> Request:
        classes = ["groupOfNames"] if edge.until is None else ["groupOfNames", "dynamicObject"]
        attributes = {
            "objectClass": classes,
            "cn": [_name(edge)],
            "member": [who.dn],
            self.role: [edge.entitlement],
        }
        return add(self._dn(edge), attributes)

    def _refused(self, outcome: Outcome) -> str:
        if outcome.code == Code.INSUFFICIENT_ACCESS:
            return f"The account of OpenPIM may not make and remove entries below {self.base}: give it that right."
        return f"The directory did not do it ({words(outcome)})."

    # ------------------------------------------------------------------------------------------- and the rest

    def sever(self, ended: Sequence[Edge], kept: Collection[Edge], fence: Fence) -> list[Severed]:
        """Nothing lives on: the directory looks at the entries for each operation."""
        self.session.connection()
        return [Severed(edge) for edge in ended]

    def close(self) -> None:
        self.session.close()


def _name(edge: Edge) -> str:
    digest = hashlib.sha256(f"{edge.subject}\n{edge.entitlement}\n{edge.key}".encode()).hexdigest()
    return f"{edge.key}-{digest[:12]}"


def _role(raw: str) -> str:
    try:
        return check_role(raw)
    except BadNameError:
        return raw
