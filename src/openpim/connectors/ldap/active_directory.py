"""Groups of Active Directory, and of Samba as a domain controller: other errors, members in portions, news of changes, and
sessions that keep what they began with.

A Kerberos ticket, and a bind, carries the groups that a person had when it was made. Nothing takes them out of it. So the end
of a privilege is followed by a residue for as long as a ticket lives; a forest with the optional feature Privileged Access
Management lets members carry their end, and then makes no ticket that outlives it.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from openpim.connectors.ldap.client import Connection, failure
from openpim.connectors.ldap.groups import Groups, Job, Member, UnreadError
from openpim.connectors.ldap.messages import (
    ANY,
    LINK_TTL,
    NOTIFICATION,
    Change,
    Entry,
    Request,
    Scope,
    control,
    search,
)
from openpim.connectors.ldap.names import parent
from openpim.core.connecting import Edge, OpKind
from openpim.ports.connector import Fault, Fence, Severed, TargetError

_PORTION = re.compile(r"member;range=([0-9]+)-([0-9]+|\*)")
_ENDING = re.compile(r"<TTL=([0-9]{1,10})(?:,<[^>]*>)*,(.+)>", re.DOTALL)
_MOST_PORTIONS = 1000
_MOST_NEWS = 5  # questions without end that a domain controller keeps for one connection
RIGHTS = "allowedAttributesEffective"  # what of an entry the account may write


class ActiveDirectory(Groups):
    """See Connector and Watching. ticket: how long a ticket lives. links_end: members are written with their end."""

    ticket: timedelta
    links_end: bool

    def look(self, group: str) -> Request:
        return search(group, Scope.BASE, ANY, ["member", RIGHTS], controls=self._ttl())

    def values(self, connection: Connection, group: str, entry: Entry) -> dict[str, datetime | None]:
        raws = entry.texts("member")
        portion = _portion(entry)
        for _ in range(_MOST_PORTIONS):
            if portion is None:
                break
            name, last = portion
            raws += entry.texts(name)
            if last == "*":
                break
            outcome = connection.ask(
                search(group, Scope.BASE, ANY, [f"member;range={int(last) + 1}-*"], controls=self._ttl())
            )
            if not outcome.ok or not outcome.entries:
                raise UnreadError(f"Not all members of {group} could be read.")
            entry = outcome.entries[0]
            portion = _portion(entry)
            if portion is None:
                raise UnreadError(f"Not all members of {group} could be read.")
        return dict(map(self._with_end, raws))

    def empty(self, connection: Connection, group: str, entry: Entry) -> bool:
        """What may be written is shown: the right that OpenPIM is given holds both."""
        rights = {one.lower() for one in entry.texts(RIGHTS)}
        return "member" in rights and super().empty(connection, group, entry)

    def changes(self, job: Job, members: Sequence[Member]) -> list[tuple[Change, str, Sequence[str]]]:
        if job.change is not Change.ADD or not self.links_end:
            return super().changes(job, members)
        made: list[tuple[Change, str, Sequence[str]]] = []
        anew = [written for place, written in members if job.ops[place].kind is OpKind.BOUND]
        if anew:
            made.append((Change.DELETE, "member", anew))
        now = self.clock()
        made.append(
            (
                Change.ADD,
                "member",
                [_ending(written, job.ops[place].edge.until, now) for place, written in members],
            )
        )
        return made

    def sever(self, ended: Sequence[Edge], kept: Collection[Edge], fence: Fence) -> list[Severed]:
        self.session.connection()
        until = self.clock() + self.ticket
        return [Severed(edge, residue_until=until) for edge in ended]

    def watch(self, changed: Callable[[], None], stop: threading.Event) -> None:
        groups, scope = self.managed, Scope.BASE
        if len(groups) > _MOST_NEWS:
            groups, scope = tuple(dict.fromkeys(map(parent, groups)))[:_MOST_NEWS], Scope.ONE
        session = self.session.another()
        try:
            if NOTIFICATION not in session.about().controls:
                raise TargetError(Fault.REFUSED, "The directory tells no changes.")
            wanted = control(NOTIFICATION)
            requests = [search(base, scope, ANY, [], controls=wanted) for base in groups]
            session.connection().follow(requests, lambda _entry: changed(), stop)
        finally:
            session.close()

    def _ttl(self) -> bytes:
        return control(LINK_TTL) if self.links_end else b""

    def _with_end(self, raw: str) -> tuple[str, datetime | None]:
        match = _ENDING.fullmatch(raw)
        if match is None:
            return raw, None
        return match[2], self.clock() + timedelta(seconds=int(match[1]))

    def rights(self, connection: Connection, dn: str) -> frozenset[str]:
        """Attributes that the account may write, in lower case."""
        outcome = connection.ask(search(dn, Scope.BASE, ANY, [RIGHTS]))
        if not outcome.ok:
            raise failure(outcome, self.session.where.host, f"read {dn}")
        return frozenset(one.lower() for entry in outcome.entries for one in entry.texts(RIGHTS))


def _portion(entry: Entry) -> tuple[str, str] | None:
    """The attribute with a part of the members, and the last number in it."""
    for name in entry.values:
        if match := _PORTION.fullmatch(name):
            return name, match[2]
    return None


def _ending(written: str, until: datetime | None, now: datetime) -> str:
    if until is None:
        return written
    return f"<TTL={max(math.ceil((until - now).total_seconds()), 1)},{written}>"
