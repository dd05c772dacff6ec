"""Privileges as membership of groups: one value of one attribute for each person. A directory keeps no end with a member (but
see active_directory.py), so the end is ours to bring about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from openpim.connectors.ldap.client import Connection, failure, words
from openpim.connectors.ldap.config import People
from openpim.connectors.ldap.fence import Fencing, in_time
from openpim.connectors.ldap.messages import (
    ANY,
    Change,
    Code,
    Entry,
    Outcome,
    Request,
    Scope,
    modify,
    negated,
    present,
    search,
)
from openpim.connectors.ldap.names import check_name, known
from openpim.connectors.ldap.people import Found, find, names
from openpim.connectors.ldap.session import Session
from openpim.core.connecting import Edge, Op, OpKind, Snapshot
from openpim.ports.connector import BadNameError, Fence, Receipt, Severed

MOST_VALUES = 5000  # in one change; Active Directory takes no more
_MOST_LETTERS = 1024 * 1024  # in one change: OpenLDAP takes four million bytes
_TRIES = 4
# What the whole group answers alike: asking again in smaller pieces gains nothing.
_FOR_ALL = frozenset(
    {
        Code.INSUFFICIENT_ACCESS,
        Code.REFERRAL,
        Code.STRONGER_AUTH_REQUIRED,
        Code.CONFIDENTIALITY_REQUIRED,
        Code.UNAVAILABLE_CRITICAL_EXTENSION,
    }
)
_LATER = frozenset({Code.BUSY, Code.UNAVAILABLE})


# A value to be put in or taken out, as it is sent, and the place of its operation. Plain, for there may be thousands.
Member = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Shape:
    """How groups of this kind keep their members. placeholder: what stays in an otherwise empty one; "": it may be empty.
    plain: a member is a name and not a DN."""

    attribute: str
    placeholder: str = ""
    plain: bool = False


@dataclass(slots=True)
class Job:
    """What is done with one group at once. ops, receipts: of all groups, by place."""

    group: str
    change: Change
    members: Sequence[Member]
    ops: Sequence[Op]
    fence: Fence
    receipts: dict[int, Receipt]

    def done(self, members: Iterable[Member], error: str = "") -> None:
        for place, _ in members:
            self.receipts[place] = Receipt(self.ops[place], error)


class Groups:
    """See Connector."""

    def __init__(
        self,
        session: Session,
        managed: Sequence[str],
        shape: Shape,
        people: People,
        fencing: Fencing,
        clock: Callable[[], datetime],
    ) -> None:
        self.session, self.managed, self.shape, self.people = session, tuple(managed), shape, people
        self.fencing, self.clock = fencing, clock
        self._seen: dict[
            str, dict[str, str]
        ] = {}  # of the last look: how each member of a group is written there

    # ---------------------------------------------------------------------------------------------- reading

    def read(self) -> Snapshot:
        connection = self.session.connection()
        held, unread = self.members(connection)
        raws = [raw for values in held.values() for raw in values]
        called = self._called(connection, raws)
        nobody = self._nobody()
        self._seen = {group: {called[raw]: raw for raw in values} for group, values in held.items()}
        edges = {
            Edge(called[raw], group, until)
            for group, values in held.items()
            for raw, until in values.items()
            if called[raw] != nobody
        }
        return Snapshot(frozenset(edges), unread)

    def members(self, connection: Connection) -> tuple[dict[str, dict[str, datetime | None]], dict[str, str]]:
        """The members of each managed group as the directory writes them, with their end where it knows one; and why it could
        not be read for those that could not."""
        requests = [self.look(group) for group in self.managed]
        held: dict[str, dict[str, datetime | None]] = {}
        unread: dict[str, str] = {}
        for group, outcome in zip(self.managed, connection.exchange(requests), strict=True):
            try:
                held[group] = self._members(connection, group, outcome)
            except UnreadError as error:
                unread[group] = str(error)
        return held, unread

    def look(self, group: str) -> Request:
        return search(group, Scope.BASE, ANY, [self.shape.attribute])

    def _members(self, connection: Connection, group: str, outcome: Outcome) -> dict[str, datetime | None]:
        """Raises UnreadError, so that what is not shown is never taken for what is not there."""
        if outcome.code == Code.NO_SUCH_OBJECT or (outcome.ok and not outcome.entries):
            raise UnreadError(f"The group {group} is not there, or not shown to the account of OpenPIM.")
        if not outcome.ok:
            raise UnreadError(f"The group {group} could not be read ({words(outcome)}).")
        values = self.values(connection, group, outcome.entries[0])
        if not values and not self.empty(connection, group, outcome.entries[0]):
            raise UnreadError(f"The members of {group} are not shown to the account of OpenPIM.")
        return values

    def values(self, _connection: Connection, _group: str, entry: Entry) -> dict[str, datetime | None]:
        """What the entry holds, with ends."""
        return dict.fromkeys(entry.texts(self.shape.attribute))

    def empty(self, connection: Connection, group: str, _entry: Entry) -> bool:
        """Whether a group that shows no member has none. A condition on what one may not see is neither true nor false."""
        if self.shape.placeholder:
            return False
        outcome = connection.ask(search(group, Scope.BASE, negated(present(self.shape.attribute)), []))
        return outcome.ok and len(outcome.entries) == 1

    def _called(self, connection: Connection, raws: Collection[str]) -> Mapping[str, str]:
        """The person's name for each member that a directory wrote."""
        if self.shape.plain:
            return {raw: _plain(raw) for raw in raws}
        return names(connection, self.people, raws)

    def _nobody(self) -> str:
        return known(self.shape.placeholder) if self.shape.placeholder else ""

    # ---------------------------------------------------------------------------------------------- writing

    def apply(self, ops: Sequence[Op], fence: Fence) -> list[Receipt]:
        """All of one group that follow each other in one change, or in few."""
        if not ops:
            return []
        in_time(fence, self.clock())
        connection = self.session.connection()
        self.fencing.check(connection, self.managed, fence.epoch)
        leave: dict[str, list[int]] = defaultdict(list)
        come: dict[str, list[int]] = defaultdict(list)
        for place, op in enumerate(ops):
            (leave if op.kind is OpKind.REVOKE else come)[op.edge.entitlement].append(place)
        receipts: dict[int, Receipt] = {}
        for change, by_group in ((Change.DELETE, leave), (Change.ADD, come)):
            for job in self._jobs(connection, change, ops, by_group, fence, receipts):
                self._do(connection, job)
        return [receipts[place] for place in range(len(ops))]

    def _jobs(
        self,
        connection: Connection,
        change: Change,
        ops: Sequence[Op],
        by_group: dict[str, list[int]],
        fence: Fence,
        receipts: dict[int, Receipt],
    ) -> Iterator[Job]:
        for group in by_group.keys() - set(self.managed):
            strange = "This group is not one that the target manages."
            receipts.update({place: Receipt(ops[place], strange) for place in by_group.pop(group)})
        if change is Change.DELETE:
            by_member = self._leaving(connection, ops, by_group)
        else:
            by_member = self._coming(connection, ops, by_group, receipts)
        for group, members in by_member.items():
            longest = max([len(written) for _, written in members], default=1)
            most = min(MOST_VALUES, max(_MOST_LETTERS // longest, 1))
            for at in range(0, len(members), most):
                yield Job(group, change, members[at : at + most], ops, fence, receipts)

    def _leaving(
        self, connection: Connection, ops: Sequence[Op], by_group: Mapping[str, Sequence[int]]
    ) -> dict[str, list[Member]]:
        """Who loses it may be gone: what was seen is taken away, as it was written there. Who was not seen is looked up."""
        leaving: dict[str, list[Member]] = {}
        unseen: dict[str, list[int]] = {}
        for group, places in by_group.items():
            there = self._seen.get(group, {})
            raws = [there.get(ops[place].edge.subject, "") for place in places]
            leaving[group] = list(zip(places, raws, strict=True))
            if "" in raws:
                unseen[group] = [place for place, raw in leaving[group] if not raw]
        subjects = {ops[place].edge.subject for places in unseen.values() for place in places}
        found = find(connection, self.people, subjects) if self.people.by_name and subjects else {}
        for group in unseen:
            leaving[group] = [
                (place, raw or self._written(found.get(name := ops[place].edge.subject), name))
                for place, raw in leaving[group]
            ]
        return leaving

    def _coming(
        self,
        connection: Connection,
        ops: Sequence[Op],
        by_group: Mapping[str, Sequence[int]],
        receipts: dict[int, Receipt],
    ) -> dict[str, list[Member]]:
        """Who gets something is exactly one entry, and somebody."""
        subjects = {ops[place].edge.subject for places in by_group.values() for place in places}
        found = find(connection, self.people, subjects)
        nobody = self._nobody()
        coming: dict[str, list[Member]] = {}
        for group, places in by_group.items():
            coming[group] = []
            for place in places:
                name = ops[place].edge.subject
                one = found[name]
                if isinstance(one, Found) and known(one.dn) == nobody:
                    one = "This is the placeholder of empty groups, and nobody."
                if isinstance(one, Found):
                    coming[group].append((place, self._written(one, name)))
                else:
                    receipts[place] = Receipt(ops[place], one)
        return coming

    def _written(self, found: Found | str | None, subject: str) -> str:
        """A member as it is sent: as the directory writes the person, or as the edge says."""
        if not isinstance(found, Found):
            return subject
        return found.name if self.shape.plain else found.dn

    def _do(self, connection: Connection, job: Job) -> None:
        outcome = self._write(connection, job, job.members)
        if outcome.ok:
            job.done(job.members)
        elif outcome.code in _FOR_ALL:
            job.done(job.members, self._refused(job.group, outcome))
        elif outcome.code in _LATER:
            raise failure(outcome, self.session.where.host, "write")
        else:
            self._carefully(connection, job, job.members)

    def _carefully(self, connection: Connection, job: Job, members: Sequence[Member]) -> None:
        """After a look at what is there: only what is missing is added, only what is there is taken away, as it is written
        there. What still fails is tried in halves, so that one bad name stops no other."""
        outcome = Outcome()
        for _ in range(_TRIES):
            self.fencing.forget(job.group)
            try:
                held = self._members(connection, job.group, connection.ask(self.look(job.group)))
            except UnreadError as error:
                return job.done(members, str(error))
            left, first = self._left(connection, job, members, held)
            again = {place for place, _ in left}
            job.done(one for one in members if one[0] not in again)
            if not left:
                return None
            outcome = self._write(connection, job, left, first)
            if outcome.ok:
                return job.done(left)
            if outcome.code in _FOR_ALL:
                break
            if len(members) > 1 and outcome.code != Code.ASSERTION_FAILED:
                middle = len(members) // 2
                self._carefully(connection, job, members[:middle])
                self._carefully(connection, job, members[middle:])
                return None
        job.done(left, self._refused(job.group, outcome))
        return None

    def _left(
        self, connection: Connection, job: Job, members: Sequence[Member], held: Mapping[str, object]
    ) -> tuple[list[Member], list[str]]:
        """Those with whom something is left to do, and what has to be put in before."""
        if job.change is Change.ADD:
            there = {known(raw) for raw in held} if not self.shape.plain else set(held)
            again = [
                (place, written)
                for place, written in members
                if job.ops[place].kind is OpKind.BOUND
                or (written if self.shape.plain else known(written)) not in there
            ]
            return again, []
        called = self._called(connection, held.keys())
        by_name: dict[str, list[str]] = {}
        for raw in held:
            by_name.setdefault(called[raw], []).append(raw)
        left = [
            (place, raw)
            for place, written in members
            for raw in by_name.get(job.ops[place].edge.subject, [written] if written in held else [])
        ]
        nobody = self._nobody()
        empties = nobody and len({written for _, written in left}) >= len(held)
        return left, [self.shape.placeholder] if empties else []

    def _write(
        self, connection: Connection, job: Job, members: Sequence[Member], first: Sequence[str] = ()
    ) -> Outcome:
        in_time(job.fence, self.clock())
        asserts = self.session.about().asserts
        guard = self.fencing.guard(connection, job.group, job.fence.epoch, asserts=asserts)
        changes = [*guard.changes]
        if first:
            changes.append((Change.ADD, self.shape.attribute, list(first)))
        changes += self.changes(job, members)
        controls = guard.controls + self.controls(job.change)
        outcome = connection.ask(modify(job.group, changes, controls=controls))
        if outcome.ok:
            self.fencing.wrote(job.group, job.fence.epoch)
        return outcome

    def changes(self, job: Job, members: Sequence[Member]) -> list[tuple[Change, str, Sequence[str]]]:
        return [(job.change, self.shape.attribute, [written for _, written in members])]

    def controls(self, change: Change) -> bytes:
        return b""

    def _refused(self, group: str, outcome: Outcome) -> str:
        if outcome.code == Code.INSUFFICIENT_ACCESS:
            written = " and ".join(filter(None, (self.shape.attribute, self.fencing.attribute)))
            return f"The account of OpenPIM may not change {written} of {group}: give it that right."
        if outcome.code == Code.ASSERTION_FAILED:
            return f"Somebody else changes {group} all the time; it is tried again."
        return f"{group} was not changed ({words(outcome)})."

    # ------------------------------------------------------------------------------------------- and the rest

    def sever(self, ended: Sequence[Edge], kept: Collection[Edge], fence: Fence) -> list[Severed]:
        """Nothing lives on: a directory asks its groups anew for each operation."""
        self.session.connection()
        return [Severed(edge) for edge in ended]

    def close(self) -> None:
        self.session.close()


class UnreadError(Exception):
    """Of one group."""


def _plain(raw: str) -> str:
    try:
        return check_name(raw)
    except BadNameError:
        return raw
