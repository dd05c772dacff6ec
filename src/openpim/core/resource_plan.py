"""What an import file means for the tree as it is: what is to be made, moved, renamed, changed and, when asked, deleted.

Pure: the file's entries and the tree go in, a plan and everything that is wrong come out, each fault with its line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from openpim.core.resources import ROOT, Place, Resource, ResourceKind, written_path

MOST_DEEP = 6  # levels of management groups below the root one
_KINDS = list(ResourceKind)
_UPPER = frozenset({ResourceKind.MANAGEMENT_GROUP, ResourceKind.SUBSCRIPTION})


@dataclass(frozen=True, slots=True)
class Entry:
    """One place of the file. line: where it stands there, from 1. parent_id: None says nothing, "/" is the root.
    A None leaves what is there as it is."""

    line: int
    place: Place
    display_name: str | None = None
    location: str | None = None
    tags: tuple[tuple[str, str], ...] | None = None
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """line: from 1; 0 is the file as a whole."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    old: Resource
    new: Resource


@dataclass(slots=True)
class Plan:
    """Each place is in as many lists as things happen to it. create: what contains comes before what is in it."""

    create: list[Resource] = field(default_factory=list)
    move: list[Change] = field(default_factory=list)
    rename: list[Change] = field(default_factory=list)
    change: list[Change] = field(default_factory=list)
    delete: list[Resource] = field(default_factory=list)
    unchanged: int = 0

    @property
    def empty(self) -> bool:
        return not (self.create or self.move or self.rename or self.change or self.delete)


def is_upper(kind: ResourceKind) -> bool:
    """Whether the tree, not the path, tells where it is."""
    return kind in _UPPER


def plan(
    entries: Sequence[Entry], tree: Iterable[Resource], root: str, now: datetime, *, prune: bool = False
) -> tuple[Plan, list[Fault]]:
    """tree: everything there is, in any order, the root management group among it. root: the id of that one.
    prune: what the file does not mention goes. The plan is only good when there are no faults."""
    return _Planner(entries, root, now, prune=prune).run(tree)


class _Planner:
    def __init__(self, entries: Sequence[Entry], root: str, now: datetime, *, prune: bool) -> None:
        self.root, self.now, self.prune = root, now, prune
        self.faults: list[Fault] = []
        self.plan = Plan()
        self.wanted: dict[str, Entry] = {}
        for entry in entries:
            first = self.wanted.setdefault(entry.place.id, entry)
            if first is not entry:
                self._fault(entry, f"is on line {first.line} already")
        self.above = {one.place.parent_id for one in self.wanted.values() if one.place.parent_id}
        self.paths: dict[str, str] = {}  # of what is in the tree and contains something of the file
        self.upper: dict[str, Resource] = {}  # management groups and subscriptions of the tree
        self.there: set[str] = set()  # what is in the file and in the tree

    def run(self, tree: Iterable[Resource]) -> tuple[Plan, list[Fault]]:
        for one in tree:
            if is_upper(one.kind):
                self.upper[one.id] = one
            if one.id in self.above:
                self.paths[one.id] = one.path
            entry = self.wanted.get(one.id)
            if entry is not None:
                self.there.add(one.id)
                self._compare(entry, one)
            elif self.prune and one.id != self.root:
                self.plan.delete.append(one)
        parents = self._parents()
        self._place(parents)
        self._create(parents)
        self._nested(parents)
        self.plan.delete.sort(key=lambda one: (is_upper(one.kind), one.id), reverse=True)
        self.faults.sort(key=lambda fault: fault.line)
        return self.plan, self.faults

    def _fault(self, entry: Entry, message: str) -> None:
        self.faults.append(Fault(entry.line, f"{entry.place.path} {message}"))

    def _parent(self, entry: Entry) -> str | None:
        """Where the file says it is; None where it does not."""
        return self.root if entry.parent_id == ROOT else entry.parent_id

    def _compare(self, entry: Entry, old: Resource) -> None:
        if entry.location and old.location and entry.location.lower() != old.location.lower():
            self._fault(entry, f"is in {old.location} and stays there: correct its location")
        new = replace(
            old,
            location=old.location or entry.location,
            tags=old.tags if entry.tags is None else entry.tags,
        )
        if new != old:
            self.plan.change.append(Change(old, new))
        renamed = bool(entry.display_name) and entry.display_name != old.display_name
        if renamed:
            named = replace(new, display_name=entry.display_name or "")
            self.plan.rename.append(Change(old, named))
        elif new == old:
            self.plan.unchanged += 1

    def _parents(self) -> dict[str, str]:
        """Where every management group and subscription will be."""
        found = {key: one.parent_id for key, one in self.upper.items()}
        for key, entry in self.wanted.items():
            if is_upper(entry.place.kind) and key != self.root:
                found[key] = self._parent(entry) or found.get(key) or self.root
        return found

    def _place(self, parents: dict[str, str]) -> None:
        """What the file says about places that have a say in where they are, and about those that have none."""
        for key, entry in self.wanted.items():
            if not is_upper(entry.place.kind):
                self._place_below(entry)
                continue
            if key == self.root:
                if entry.parent_id is not None:
                    self._fault(entry, "is the root management group and has no parentId")
                continue
            parent, old = parents[key], self.upper.get(key)
            known, in_file = self.upper.get(parent), self.wanted.get(parent)
            kind = known.kind if known else in_file.place.kind if in_file else None
            if kind is None:
                self._fault(entry, f"is to be in {parent}, which is neither in the file nor in the tree")
            elif kind is not ResourceKind.MANAGEMENT_GROUP:
                self._fault(entry, f"can only be in a management group, and {parent} is none")
            elif self.prune and in_file is None and parent != self.root:
                self._fault(
                    entry, f"is in {parent}, which the file does not mention, so that --prune would delete it"
                )
            elif old is not None and parent != old.parent_id:
                self.plan.move.append(Change(old, replace(old, parent_id=parent)))

    def _place_below(self, entry: Entry) -> None:
        above = entry.place.parent_id or ""
        if entry.parent_id is not None and entry.parent_id != above:
            self._fault(entry, f"lies in {above} by its id: leave parentId out")
        if above in self.wanted:
            return
        if above not in self.paths:
            self._fault(entry, f"needs {above}, which is neither in the file nor in the tree")
        elif self.prune:
            self._fault(
                entry, f"is in {above}, which the file does not mention, so that --prune would delete it"
            )

    def _create(self, parents: dict[str, str]) -> None:
        new = [entry for key, entry in self.wanted.items() if key not in self.there]
        new.sort(key=lambda one: (_KINDS.index(one.place.kind), one.place.id.count("/"), one.line))
        for entry in new:
            place = entry.place
            path = written_path(place, self.paths.get(place.parent_id or ""))
            if place.id in self.above:
                self.paths[place.id] = path
            self.plan.create.append(
                Resource(
                    id=place.id,
                    path=path,
                    parent_id=place.parent_id or parents[place.id],
                    kind=place.kind,
                    type=place.type,
                    name=place.name,
                    display_name=entry.display_name or place.name,
                    created_at=self.now,
                    location=entry.location,
                    tags=entry.tags or (),
                )
            )
        self.plan.create.sort(key=lambda one: self._depth(one, parents))

    def _depth(self, one: Resource, parents: dict[str, str]) -> tuple[int, int]:
        if one.kind is not ResourceKind.MANAGEMENT_GROUP:
            return _KINDS.index(one.kind), 0
        return 0, len(_chain(one.id, parents))

    def _nested(self, parents: dict[str, str]) -> None:
        """No circles, and not too deep; said of the entries that make it so."""
        gone = {one.id for one in self.plan.delete}
        for key, entry in self.wanted.items():
            if entry.place.kind is ResourceKind.MANAGEMENT_GROUP and self._circular(key, parents):
                self._fault(entry, "would be in itself: " + " > ".join(_chain(key, parents)))
        deep: dict[int, tuple[Entry, str]] = {}
        for key in parents:
            if _kind(key, self.upper, self.wanted) is not ResourceKind.MANAGEMENT_GROUP or key in gone:
                continue
            chain = _chain(key, parents)
            if len(chain) <= MOST_DEEP + 1:
                continue
            cause = next((self.wanted[one] for one in chain if one in self.wanted), None)
            if cause is not None:
                deep.setdefault(cause.line, (cause, key))
        for cause, key in deep.values():
            self._fault(cause, f"would put {key} more than {MOST_DEEP} levels deep")

    def _circular(self, key: str, parents: dict[str, str]) -> bool:
        at = parents.get(key)
        for _ in range(len(parents)):
            if at is None or at == key:
                return at == key
            at = parents.get(at)
        return False


def _chain(key: str, parents: dict[str, str]) -> list[str]:
    """It and what contains it, as far as it can be followed without meeting anything twice."""
    found: list[str] = []
    at: str | None = key
    while at is not None and at != ROOT and at not in found:
        found.append(at)
        at = parents.get(at)
    return found


def _kind(key: str, tree: dict[str, Resource], wanted: dict[str, Entry]) -> ResourceKind:
    return tree[key].kind if key in tree else wanted[key].place.kind
