"""The reference model: what the life of a grant ought to be, in a few plain lines of Python.

It shares nothing with the rules under test: it knows people, a group, grants as intervals, and requests that wait.
Every method that changes something returns whether it ought to be allowed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

FIVE_MINUTES = timedelta(minutes=5)
LONGEST = timedelta(hours=8)
DECISION_TIME = timedelta(hours=24)


@dataclass
class Grant:
    id: str
    kind: str  # eligible | assigned | active
    principal: str
    role: str
    scope: str
    start: datetime
    end: datetime | None
    link: str | None = None
    waiting: bool = False  # for a worker to look at it when it starts
    over: bool = False

    def live(self, now: datetime) -> bool:
        return not self.over and (self.end is None or now < self.end)

    def on(self, now: datetime) -> bool:
        return self.live(now) and self.start <= now and not self.waiting

    def meets(self, start: datetime, end: datetime | None) -> bool:
        return (end is None or self.start < end) and (self.end is None or start < self.end)

    def same(self, kind: str, principal: str, role: str, scope: str) -> bool:
        return (self.kind, self.principal, self.role, self.scope) == (kind, principal, role, scope)


@dataclass
class Pending:
    id: str
    person: str
    role: str
    scope: str
    start: datetime | None
    length: timedelta
    deadline: datetime
    extension: bool = False


def covers(outer: str, inner: str) -> bool:
    return outer in {"/", inner}


def shorter(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((end for end in (one, other) if end is not None), default=None)


@dataclass
class Model:
    team: str
    with_approval: str
    grants: dict[str, Grant] = field(default_factory=dict)
    pending: dict[str, Pending] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    disabled: set[str] = field(default_factory=set)

    # ---------------------------------------------------------------- what is so
    def ids(self, person: str) -> set[str]:
        return {person, self.team} if person in self.members else {person}

    def holds(self, person: str, role: str, scope: str, at: datetime) -> bool:
        return person not in self.disabled and any(
            grant.kind != "eligible"
            and grant.on(at)
            and grant.role == role
            and grant.principal in self.ids(person)
            and covers(grant.scope, scope)
            for grant in self.grants.values()
        )

    def best(self, person: str, role: str, scope: str, at: datetime) -> Grant | None:
        """The eligibility that carries furthest."""
        carrying = [
            grant
            for grant in self.grants.values()
            if grant.kind == "eligible"
            and grant.on(at)
            and grant.role == role
            and grant.principal in self.ids(person)
            and covers(grant.scope, scope)
        ]
        for_good = sorted((grant for grant in carrying if grant.end is None), key=lambda grant: grant.id)
        if for_good:
            return for_good[0]
        return min(carrying, key=lambda grant: (-grant.end.timestamp(), grant.id), default=None)

    def running(self, person: str, role: str, scope: str, now: datetime) -> Grant | None:
        return next(
            (g for g in self.grants.values() if g.same("active", person, role, scope) and g.on(now)), None
        )

    def waits(self, person: str, role: str, scope: str, now: datetime) -> bool:
        return any(
            (one.person, one.role, one.scope) == (person, role, scope) and now < one.deadline
            for one in self.pending.values()
        )

    # ---------------------------------------------------------------- what people do
    def window(
        self,
        person: str,
        role: str,
        scope: str,
        start: datetime | None,
        length: timedelta,
        now: datetime,
        extended: Grant | None = None,
    ) -> tuple[datetime, datetime | None, Grant] | None:
        """From when until when an activation may be, and what carries it."""
        begin = now if start is None or start < now else start
        carrier = self.best(person, role, scope, begin)
        if person in self.disabled or carrier is None or not FIVE_MINUTES <= length <= LONGEST:
            return None
        end = shorter(begin + length, carrier.end)
        if extended is not None:
            if extended.end is None or end <= extended.end:
                return None
            begin = extended.start
        others = (g for g in self.grants.values() if g is not extended and g.live(now))
        if any(g.same("active", person, role, scope) and g.meets(begin, end) for g in others):
            return None
        return begin, end, carrier

    def apply(self, found, person: str, role: str, scope: str, now: datetime, extended, id: str) -> None:
        begin, end, carrier = found
        if extended is not None:
            extended.end, extended.link = end, carrier.id
            return
        self.grants[id] = Grant(
            id, "active", person, role, scope, begin, end, link=carrier.id, waiting=begin > now
        )

    def approve(self, one: Pending, now: datetime) -> bool:
        """False: too late. What no longer holds makes the request fail, which is a decision all the same."""
        del self.pending[one.id]
        if now >= one.deadline:
            return False
        extended = self.running(one.person, one.role, one.scope, now) if one.extension else None
        found = self.window(one.person, one.role, one.scope, one.start, one.length, now, extended)
        if found is not None:
            self.apply(found, one.person, one.role, one.scope, now, extended, one.id)
        return True

    def may_end(self, grants: list[Grant], now: datetime) -> bool:
        return bool(grants) and not any(
            grant.kind != "eligible" and grant.on(now) and now - grant.start < FIVE_MINUTES
            for grant in grants
        )

    def may_give(self, kind: str, principal: str, role: str, scope: str, start, end, now, but=None) -> bool:
        return not any(
            grant is not but
            and grant.same(kind, principal, role, scope)
            and grant.live(now)
            and grant.meets(start, end)
            for grant in self.grants.values()
        )

    # ---------------------------------------------------------------- what follows
    def look_again(self, now: datetime) -> None:
        """Eligibilities, or who is in the group, have changed: each activation needs one that carries it. It keeps
        the one it has as long as that carries it to its end."""
        for grant in self.grants.values():
            if grant.kind != "active" or not grant.live(now):
                continue
            at = max(now, grant.start)
            link = self.grants[grant.link]
            if link.principal in self.ids(grant.principal) and self.untouched(link, grant, at):
                continue
            carrier = self.best(grant.principal, grant.role, grant.scope, at)
            if carrier is None:
                grant.over = True
            else:
                grant.link, grant.end = carrier.id, shorter(grant.end, carrier.end)

    @staticmethod
    def untouched(link: Grant, grant: Grant, at: datetime) -> bool:
        return link.on(at) and (link.end is None or (grant.end is not None and grant.end <= link.end))

    def work(self, now: datetime) -> None:
        """What the workers do when they run."""
        for grant in sorted(self.grants.values(), key=lambda grant: grant.start):
            if not grant.waiting or grant.over or grant.start > now:
                continue
            carrier = self.best(grant.principal, grant.role, grant.scope, now)
            clash = any(
                other is not grant
                and other.same("active", grant.principal, grant.role, grant.scope)
                and other.live(now)
                and other.meets(now, grant.end)
                for other in self.grants.values()
            )
            if not grant.live(now) or carrier is None or clash or grant.principal in self.disabled:
                grant.over = True
            else:
                grant.waiting, grant.link, grant.end = False, carrier.id, shorter(grant.end, carrier.end)
        self.pending = {id: one for id, one in self.pending.items() if now < one.deadline}
