"""How privileges reach real systems: which edges a target should have now, what must be done so that it has them, and what
has become of each one. Values and pure functions; `now` is passed in.

A *target* is a real system (a database, a directory, a host). A *mapping* says that whoever has a role at a scope, or is in
a group, gets one *entitlement* of a target. An *edge* is one privilege of one person in one target. An *effect* is the
record of an edge: asked for, proved by reading it back, taken away, proved again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from openpim.core.directory import User
from openpim.core.grants import Provider
from openpim.core.pauses import doubled

LONGEST_NAME = 60
MOST_TARGETS = 200
MOST_MAPPINGS = 2000
_LONGEST_PAUSE = timedelta(seconds=5)
LOOK = timedelta(seconds=20)  # a target is read at least so often: what others changed in it is found


@dataclass(frozen=True, slots=True)
class Edge:
    """One privilege of one person in one target.

    subject, entitlement: the target's own names (a role, a DN, a posix user …), as its connector writes them. until: when it
    ends by itself; None: never. key: where a target keeps one object an activation, the id of the schedule that gives it
    (the object's name carries it); else "", and everything that gives the same is one edge that ends with the last of it.
    """

    subject: str
    entitlement: str
    until: datetime | None = None
    key: str = ""

    @property
    def name(self) -> tuple[str, str, str]:
        """What makes it this edge and no other."""
        return self.subject, self.entitlement, self.key


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a target has, as read from it and never from our memory: all edges of its managed entitlements, whoever made
    them. An edge's until is the end that the target itself knows; None where it knows none. unread: entitlements that could
    not be read, and why, in words for people: nothing is proved about their edges, neither that they are there nor that
    they are not."""

    edges: frozenset[Edge] = frozenset()
    unread: Mapping[str, str] = field(default_factory=dict)


class OpKind(StrEnum):
    GRANT = "grant"
    REVOKE = "revoke"
    BOUND = "bound"  # it is there, with another end of its own


@dataclass(frozen=True, slots=True)
class Op:
    kind: OpKind
    edge: Edge

    def __str__(self) -> str:
        end = f" until {self.edge.until.isoformat()}" if self.edge.until is not None else ""
        sign = {OpKind.GRANT: "+", OpKind.REVOKE: "-", OpKind.BOUND: "~"}[self.kind]
        return f"{sign} {self.edge.subject} {self.edge.entitlement}{end if self.kind is not OpKind.REVOKE else ''}"


class Foreign(StrEnum):
    """What is done with an edge of a managed entitlement that does not come from here."""

    ALERT = "alert"  # it stays, and is told and shown
    REMOVE = "remove"
    ADOPT = "adopt"  # it stays, and is shown as known


@dataclass(frozen=True, slots=True)
class Plan:
    """ops: removals first. foreign: edges that are there and not from here, whether an op removes them or not."""

    ops: tuple[Op, ...] = ()
    foreign: frozenset[Edge] = frozenset()


def plan(
    wanted: Collection[Edge],
    actual: Snapshot,
    ours: Collection[tuple[str, str, str]],
    *,
    foreign: Foreign,
    bounded: bool,
    granularity: timedelta = timedelta(seconds=1),
) -> Plan:
    """What makes the target have the wanted edges and no other of ours.

    ours: names of edges that were ever asked for here: one that is found again after its end is removed, whatever the rule
    for foreign ones. bounded: the target keeps an end with each edge; one that differs by more than the granularity is set
    anew.
    """
    want = {edge.name: edge for edge in wanted}
    have = {edge.name: edge for edge in actual.edges}
    mine = frozenset(ours)
    strange = frozenset(edge for name, edge in have.items() if name not in want and name not in mine)
    gone = [
        edge
        for name, edge in have.items()
        if name not in want and (name in mine or foreign is Foreign.REMOVE)
    ]
    ops = [Op(OpKind.REVOKE, edge) for edge in sorted(gone, key=_by_name)]
    for edge in sorted(want.values(), key=_by_name):
        found = have.get(edge.name)
        if found is None:
            ops.append(Op(OpKind.GRANT, edge))
        elif bounded and not _same_end(found.until, edge.until, granularity):
            ops.append(Op(OpKind.BOUND, edge))
    return Plan(tuple(ops), strange)


def _by_name(edge: Edge) -> tuple[str, str, str]:
    return edge.name


def _same_end(one: datetime | None, other: datetime | None, granularity: timedelta) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= granularity


class EffectState(StrEnum):
    """Of one edge. EFFECTIVE and ENDED were proved by reading the target; the others were not (yet)."""

    PENDING = "pending"
    EFFECTIVE = "effective"
    ENDING = "ending"
    ENDED = "ended"
    RESIDUE = "endedWithResidue"  # removed, but something that cannot be cut off lives on until a known time


# Every move of an effect, which core/proving.py makes; an ended one begins anew when somebody activates again, and goes on
# ending where others give it again.
MOVES: Mapping[EffectState, frozenset[EffectState]] = {
    EffectState.PENDING: frozenset(
        {EffectState.EFFECTIVE, EffectState.ENDING, EffectState.ENDED, EffectState.RESIDUE}
    ),
    EffectState.EFFECTIVE: frozenset(
        {EffectState.PENDING, EffectState.ENDING, EffectState.ENDED, EffectState.RESIDUE}
    ),
    EffectState.ENDING: frozenset(
        {EffectState.PENDING, EffectState.EFFECTIVE, EffectState.ENDED, EffectState.RESIDUE}
    ),
    EffectState.ENDED: frozenset({EffectState.PENDING, EffectState.ENDING, EffectState.RESIDUE}),
    EffectState.RESIDUE: frozenset({EffectState.PENDING, EffectState.ENDING, EffectState.ENDED}),
}
OVER = frozenset({EffectState.ENDED, EffectState.RESIDUE})


@dataclass(frozen=True, slots=True)
class Effect:
    """What has become of one edge.

    principal_id: whose it is; "" for what others gave and was removed, for as long as a session that rests on it lives on.
    until: as last wanted. since: when the state began. failures: tries in a row that did not
    bring it on; error: why, in words for people, "" when it goes well. residue_until: RESIDUE alone. schedules: ids of the
    schedules that give it.
    """

    target_id: str
    principal_id: str
    edge: Edge
    state: EffectState
    since: datetime
    asked_at: datetime
    effective_at: datetime | None = None
    ended_at: datetime | None = None
    residue_until: datetime | None = None
    failures: int = 0
    error: str = ""
    schedules: tuple[str, ...] = ()

    @property
    def failing(self) -> bool:
        return self.failures > 0

    @property
    def strange(self) -> bool:
        """Whether others gave it."""
        return not self.principal_id


@dataclass(frozen=True, slots=True)
class Target:
    """A real system that privileges take effect in.

    kind: of connector. settings: as its connector describes them, no secrets. sealed: its secrets, sealed; "" when there are
    none. managed: the entitlements that may be touched, in the target's own names; nothing else ever is. subject: how the
    target's name of a person is made, a pattern (see `subject_of`). version: goes up with each change of what it takes to
    reach it. epoch: counts the leases, and fences a late worker. fault: why the last look failed, "" when it did not.
    """

    id: str
    name: str
    kind: str
    created_at: datetime
    created_by: str
    settings: Mapping[str, str] = field(default_factory=dict)
    sealed: str = ""
    managed: tuple[str, ...] = ()
    subject: str = "{userPrincipalName}"
    foreign: Foreign = Foreign.ALERT
    enabled: bool = True
    version: int = 1
    next_at: datetime | None = None
    leased_until: datetime | None = None
    epoch: int = 0
    looked_at: datetime | None = None
    failures: int = 0
    fault: str = ""
    fault_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A mapping: whoever has this role at this scope (or above it, for resources), or is a member or owner of this group
    (provider group: role_id "member" or "owner", scope the group's id), gets the entitlement."""

    id: str
    target_id: str
    provider: Provider
    role_id: str
    scope: str
    entitlement: str
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who has what a rule asks for now. until: when that ends by what is known now. schedule_id: what gives it, the
    nearest to the person; "" for a plain membership."""

    principal_id: str
    until: datetime | None
    schedule_id: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Someone (person or group) in a group, now. until None: for good."""

    group_id: str
    member_id: str
    until: datetime | None
    schedule_id: str = ""


def inside(group_id: str, links: Collection[Link], until: datetime | None, schedule_id: str) -> list[Holder]:
    """All who are in a group, directly or through other groups, each by every way he is in it.

    until, schedule_id: of what the group itself has. links: of the group and all groups inside it. Each group is entered
    with the later end only, so circles end, and ways that differ only in between count once.
    """
    by_group: dict[str, list[Link]] = {}
    for link in links:
        by_group.setdefault(link.group_id, []).append(link)
    found: dict[tuple[str, str], datetime | None] = {}
    waiting: list[tuple[str, datetime | None, str]] = [(group_id, until, schedule_id)]
    entered: dict[tuple[str, str], datetime | None] = {}
    while waiting:
        group, end, given_by = waiting.pop()
        for link in by_group.get(group, ()):
            reach, by = earlier(end, link.until), link.schedule_id or given_by
            if link.member_id in by_group:
                if _longer(entered, (link.member_id, by), reach):
                    waiting.append((link.member_id, reach, by))
            else:
                _longer(found, (link.member_id, by), reach)
    return [Holder(member, end, by) for (member, by), end in found.items()]


def _longer(
    known: dict[tuple[str, str], datetime | None], key: tuple[str, str], end: datetime | None
) -> bool:
    """Keep the later end; whether it is news."""
    if key in known and later(known[key], end) == known[key]:
        return False
    known[key] = end
    return True


def earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else max(one, other)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An edge that should be there now, whose it is and what gives it."""

    edge: Edge
    principal_id: str
    schedules: tuple[str, ...]


def wanted(
    rules: Collection[Rule],
    holders: Mapping[str, Collection[Holder]],
    subjects: Mapping[str, str],
    *,
    per_activation: bool,
    now: datetime,
) -> tuple[dict[tuple[str, str, str], Wanted], frozenset[str]]:
    """The edges that a target should have, by name; and ids of people who get none because their name in the target is
    another's too.

    holders: by id of rule. subjects: the target's name of each person; who is left out has none there and gets nothing.
    """
    owners: dict[str, set[str]] = {}
    for principal, name in subjects.items():
        owners.setdefault(name, set()).add(principal)
    ambiguous = frozenset(one for found in owners.values() if len(found) > 1 for one in found)
    made: dict[tuple[str, str, str], Wanted] = {}
    for rule in rules:
        for holder in holders.get(rule.id, ()):
            subject = subjects.get(holder.principal_id)
            if subject is None or holder.principal_id in ambiguous:
                continue
            if holder.until is not None and holder.until <= now:
                continue
            key = (holder.schedule_id or holder.principal_id) if per_activation else ""
            edge = Edge(subject, rule.entitlement, holder.until, key)
            before = made.get(edge.name)
            schedules = (holder.schedule_id,) if holder.schedule_id else ()
            if before is not None:
                edge = Edge(subject, rule.entitlement, later(before.edge.until, holder.until), key)
                schedules = tuple(dict.fromkeys((*before.schedules, *schedules)))
            made[edge.name] = Wanted(edge, holder.principal_id, schedules)
    return made, ambiguous


_FIELDS: Mapping[str, Callable[[User], str]] = {
    "userPrincipalName": lambda user: user.user_principal_name,
    "localPart": lambda user: user.user_principal_name.partition("@")[0],
    "mail": lambda user: user.mail or "",
    "employeeId": lambda user: user.employee_id or "",
    "id": lambda user: user.id,
}
_PLACE = re.compile(r"\{([^{}]*)\}")


def pattern_fault(pattern: str) -> str | None:
    """Why this is no pattern of names, None when it is one: text with at least one of the fields in braces."""
    names = _PLACE.findall(pattern)
    unknown = [name for name in names if name not in _FIELDS]
    rest = _PLACE.sub("", pattern)
    if unknown or not names or "{" in rest or "}" in rest:
        known = ", ".join("{" + name + "}" for name in _FIELDS)
        return f"Write a pattern with one of {known}."
    return None


def namer(
    pattern: str, written: Callable[[str, str], str] = lambda _pattern, value: value
) -> Callable[[User], str]:
    """What people are called in a target by its pattern; "" where a field that it needs is empty. written: see
    ConnectorKind."""
    names = frozenset(_PLACE.findall(pattern)) & _FIELDS.keys()

    def name_of(user: User) -> str:
        values = {name: _FIELDS[name](user) for name in names}
        if not values or not all(values.values()):
            return ""
        return _PLACE.sub(lambda place: written(pattern, values.get(place[1], "")), pattern)

    return name_of


def subject_of(
    user: User, pattern: str, written: Callable[[str, str], str] = lambda _pattern, value: value
) -> str:
    """As `namer`, for one person."""
    return namer(pattern, written)(user)


def pause_after(failures: int) -> timedelta:
    """How long a target that fails rests: 1 s, 2 s, 4 s, … five at most, for ever."""
    return doubled(failures, _LONGEST_PAUSE)
