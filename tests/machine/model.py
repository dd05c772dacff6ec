"""The reference model: what the life of a grant ought to be, in a few plain lines of Python.

It shares nothing with the rules under test: it knows people, two groups, a small tree of places, grants as intervals,
and requests that wait. Directory roles, groups and places are one model: a grant is a role at a scope, being member
or owner of a group is a role whose scope is the group, and who somebody is at an instant follows from the grants.
Every method that changes something returns whether it ought to be allowed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

FIVE_MINUTES = timedelta(minutes=5)
LONGEST = timedelta(hours=8)
ROOT = "/"
MEMBER, OWNER = "member", "owner"


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
    approved: bool = False
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
    extension: str = ""  # of which grant


@dataclass
class Settings:
    """Of a role at a scope: what an activation needs."""

    approval: bool = False
    longest: timedelta = LONGEST


def shorter(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((end for end in (one, other) if end is not None), default=None)


@dataclass
class Model:
    """parents: the tree, each place's container. settings: by (role, scope); of directory roles at "/" for all scopes.
    denials: where which principals may not write. standing: (person, group) outside PIM."""

    groups: tuple[str, ...]
    tree_roles: frozenset[str]
    parents: dict[str, str]
    settings: dict[tuple[str, str], Settings]
    grants: dict[str, Grant] = field(default_factory=dict)
    pending: dict[str, Pending] = field(default_factory=dict)
    standing: set[tuple[str, str]] = field(default_factory=set)
    disabled: set[str] = field(default_factory=set)
    denials: dict[str, tuple[str, str]] = field(default_factory=dict)

    # ---------------------------------------------------------------- what is so
    def chain(self, role: str, scope: str) -> tuple[str, ...]:
        """The scope and what contains it; nothing for a place that is not there."""
        if role in {MEMBER, OWNER}:
            return (scope,)
        if role not in self.tree_roles:
            return (scope,) if scope == ROOT else (scope, ROOT)
        found = [scope]
        while found[-1] != ROOT:
            if found[-1] not in self.parents:
                return ()
            found.append(self.parents[found[-1]])
        return tuple(found)

    def ids(self, person: str, at: datetime) -> set[str]:
        """The person and every group he is in at that instant, directly or through another."""
        found = {person}
        while True:
            more = {
                group
                for group in self.groups
                if any(one in found and inside == group for one, inside in self.standing)
                or any(
                    grant.kind != "eligible"
                    and (grant.role, grant.scope) == (MEMBER, group)
                    and grant.principal in found
                    and grant.on(at)
                    for grant in self.grants.values()
                )
            }
            if more <= found:
                return found
            found |= more

    def held(self, person: str, at: datetime) -> set[tuple[str, str]]:
        """(role, scope) that are in force for a person, disabled or not."""
        ids = self.ids(person, at)
        return {
            (grant.role, grant.scope)
            for grant in self.grants.values()
            if grant.kind != "eligible" and grant.on(at) and grant.principal in ids
        }

    def holds(self, person: str, role: str, scope: str, at: datetime) -> bool:
        held = self.held(person, at)
        return person not in self.disabled and any((role, one) in held for one in self.chain(role, scope))

    def denied(self, person: str, scope: str, at: datetime) -> bool:
        ids = self.ids(person, at)
        chain = self.chain(next(iter(self.tree_roles)), scope)
        return any(who in ids and where in chain for where, who in self.denials.values())

    def leaves(self, person: str, group: str, now: datetime) -> datetime | None:
        """When somebody who is in a group now will be out of it, as far as that is known."""
        ids = self.ids(person, now)
        moments = {
            grant.end
            for grant in self.grants.values()
            if grant.kind != "eligible"
            and grant.role == MEMBER
            and grant.principal in ids
            and grant.live(now)
        }
        out = (one for one in sorted(moments - {None}) if group not in self.ids(person, one))
        return next(out, None)

    def carriers(
        self, person: str, role: str, scope: str, at: datetime, now: datetime
    ) -> list[tuple[Grant, datetime | None]]:
        """The eligibilities in force at an instant, each with the end that it has for this person."""
        ids, chain = self.ids(person, now), self.chain(role, scope)
        found = []
        for grant in self.grants.values():
            if grant.kind != "eligible" or grant.role != role or grant.scope not in chain:
                continue
            if grant.principal not in ids or not grant.on(at):
                continue
            out = None if grant.principal == person else self.leaves(person, grant.principal, now)
            if out is None or at < out:
                found.append((grant, shorter(grant.end, out)))
        return found

    def best(
        self, person: str, role: str, scope: str, at: datetime, now: datetime
    ) -> tuple[Grant, datetime | None] | None:
        """The eligibility that carries furthest."""
        found = self.carriers(person, role, scope, at, now)
        for_good = sorted((one for one in found if one[1] is None), key=lambda one: one[0].id)
        if for_good:
            return for_good[0]
        return min(found, key=lambda one: (-one[1].timestamp(), one[0].id), default=None)

    def demands(self, role: str, scope: str, carrier: Grant | None) -> Settings:
        """What an activation there needs: where the eligibility lies above it, the stricter of both."""
        where = (
            {ROOT}
            if role not in self.tree_roles | {MEMBER, OWNER}
            else {scope, carrier.scope if carrier else scope}
        )
        all_ = [self.settings.get((role, one), Settings()) for one in where]
        return Settings(any(one.approval for one in all_), min(one.longest for one in all_))

    def running(self, person: str, role: str, scope: str, now: datetime) -> Grant | None:
        return next(
            (g for g in self.grants.values() if g.same("active", person, role, scope) and g.on(now)), None
        )

    def waits(self, person: str, role: str, scope: str, now: datetime) -> bool:
        return any(
            (one.person, one.role, one.scope) == (person, role, scope) and now < one.deadline
            for one in self.pending.values()
        )

    def lasting_owners(self, group: str, now: datetime, but: tuple[Grant, ...] = ()) -> set[str]:
        return {
            grant.principal
            for grant in self.grants.values()
            if (grant.kind, grant.role, grant.scope, grant.end) == ("assigned", OWNER, group, None)
            and grant.on(now)
            and grant not in but
            and grant.principal not in self.disabled
        }

    def loses_owner(self, grants: list[Grant], now: datetime) -> bool:
        """Whether a group would have nobody left who owns it for good."""
        groups = {one.scope for one in grants if (one.kind, one.role) == ("assigned", OWNER)}
        return any(
            self.lasting_owners(group, now) and not self.lasting_owners(group, now, tuple(grants))
            for group in groups
        )

    def may_disable(self, person: str, now: datetime) -> bool:
        return not any(self.lasting_owners(group, now) == {person} for group in self.groups)

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
        found = self.best(person, role, scope, begin, now)
        if person in self.disabled or found is None:
            return None
        carrier, carried = found
        if not FIVE_MINUTES <= length <= self.demands(role, scope, carrier).longest:
            return None
        end = shorter(begin + length, carried)
        if extended is not None:
            if extended.end is None or end <= extended.end:
                return None
            begin = extended.start
        others = (g for g in self.grants.values() if g is not extended and g.live(now))
        if any(g.same("active", person, role, scope) and g.meets(begin, end) for g in others):
            return None
        return begin, end, carrier

    def apply(
        self, found, person: str, role: str, scope: str, now: datetime, extended, id: str, *, approved: bool
    ) -> None:
        begin, end, carrier = found
        if extended is not None:
            extended.end, extended.link = end, carrier.id
            return
        self.grants[id] = Grant(
            id, "active", person, role, scope, begin, end, carrier.id, waiting=begin > now, approved=approved
        )

    def approval_today(self, one: Pending, now: datetime) -> bool:
        """Whether today's settings ask for an approval of what waits for one."""
        at = now if one.start is None or one.start < now else one.start
        found = self.best(one.person, one.role, one.scope, at, now)
        return self.demands(one.role, one.scope, found[0] if found is not None else None).approval

    def approve(self, one: Pending, now: datetime) -> None:
        """What no longer holds makes the request fail, which is a decision all the same."""
        del self.pending[one.id]
        extended = self.running(one.person, one.role, one.scope, now) if one.extension else None
        if one.extension and extended is None and self.grants[one.extension].over:
            return
        found = self.window(one.person, one.role, one.scope, one.start, one.length, now, extended)
        if found is not None:
            self.apply(found, one.person, one.role, one.scope, now, extended, one.id, approved=True)

    def may_end(self, grants: list[Grant], now: datetime) -> bool:
        if self.loses_owner(grants, now):
            return False
        return bool(grants) and not any(
            grant.kind != "eligible" and grant.on(now) and now - grant.start < FIVE_MINUTES
            for grant in grants
        )

    def may_give(self, kind: str, principal: str, role: str, scope: str, start, end, now, but=None) -> bool:
        if not self.chain(role, scope) or (
            principal in self.groups and (role == OWNER or principal == scope)
        ):
            return False
        if end is None:
            # Not for good: active roles at places, and being eligible for a group.
            if kind == ("assigned" if role in self.tree_roles else "eligible") and role not in self.plain:
                return False
        elif end - max(start, now) < FIVE_MINUTES:
            return False
        if but is not None and end is not None and self.loses_owner([but], now):
            return False
        return not any(
            grant is not but
            and grant.same(kind, principal, role, scope)
            and grant.live(now)
            and grant.meets(start, end)
            for grant in self.grants.values()
        )

    @property
    def plain(self) -> frozenset[str]:
        """Roles of the directory."""
        return frozenset(role for role, _ in self.settings if role not in self.tree_roles | {MEMBER, OWNER})

    # ---------------------------------------------------------------- what follows
    def look_again(self, now: datetime) -> None:
        """Eligibilities, who is in the groups, or where places hang has changed: each activation needs one that
        carries it. It keeps the one it has as long as that carries it to its end. One that ends may have made its
        holder a member of what carries another."""
        changed = True
        while changed:
            changed = False
            for grant in self.grants.values():
                if grant.kind == "active" and grant.live(now) and self.rest(grant, now):
                    changed = True

    def rest(self, grant: Grant, now: datetime) -> bool:
        """Whether anything changed."""
        at = max(now, grant.start)
        carriers = self.carriers(grant.principal, grant.role, grant.scope, at, now)
        if any(one.id == grant.link and (end is None or grant.end <= end) for one, end in carriers):
            return False
        best = self.best(grant.principal, grant.role, grant.scope, at, now)
        if best is None:
            grant.over = True
            return True
        before = (grant.link, grant.end)
        grant.link, grant.end = best[0].id, shorter(grant.end, best[1])
        return before != (grant.link, grant.end)

    def move(self, place: str, parent: str, now: datetime) -> None:
        """What is in it goes with it; what held there from above does not."""
        self.parents[place] = parent
        self.look_again(now)
        for one in list(self.pending.values()):
            inside = one.role in self.tree_roles and place in self.chain(one.role, one.scope)
            if inside and not one.extension and not self.eligible_at_all(one, now):
                del self.pending[one.id]

    def eligible_at_all(self, one: Pending, now: datetime) -> bool:
        ids, chain = self.ids(one.person, now), self.chain(one.role, one.scope)
        return any(
            grant.kind == "eligible"
            and grant.live(now)
            and grant.role == one.role
            and grant.scope in chain
            and grant.principal in ids
            for grant in self.grants.values()
        )

    def remove_place(self, place: str) -> None:
        """Nothing that was given or asked for there outlives it."""
        del self.parents[place]
        for grant in self.grants.values():
            if grant.role in self.tree_roles and grant.scope == place:
                grant.over = True
        self.pending = {id: one for id, one in self.pending.items() if one.scope != place}
        self.denials = {id: one for id, one in self.denials.items() if one[0] != place}

    def work(self, now: datetime) -> None:
        """What the workers do when they run."""
        for grant in sorted(self.grants.values(), key=lambda grant: grant.start):
            if not grant.waiting or grant.over or grant.start > now:
                continue
            best = self.best(grant.principal, grant.role, grant.scope, now, now)
            clash = any(
                other is not grant
                and other.same("active", grant.principal, grant.role, grant.scope)
                and other.live(now)
                and other.meets(now, grant.end)
                for other in self.grants.values()
            )
            if not grant.live(now) or best is None or clash or grant.principal in self.disabled:
                grant.over = True
                continue
            wanted = self.demands(grant.role, grant.scope, best[0])
            if (wanted.approval and not grant.approved) or grant.end - now > wanted.longest:
                grant.over = True
                continue
            grant.waiting, grant.link, grant.end = False, best[0].id, shorter(grant.end, best[1])
        self.pending = {id: one for id, one in self.pending.items() if now < one.deadline}
