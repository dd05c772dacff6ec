"""A whole tree from a file: places in any order, made or brought up to date in one unit of work, or none of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller, CallerKind
from openpim.core.grants import Kind, Provider
from openpim.core.lifecycle import OPEN
from openpim.core.permissions import GIVE_ROLES, OWNER
from openpim.core.query import AnyOf, Query
from openpim.core.refusals import Code, Refusal
from openpim.core.resource_plan import Entry, Fault, Plan, is_upper, plan
from openpim.core.resources import Resource, canonical, read_path
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.recording import record
from openpim.services.resource_access import allowed
from openpim.services.resources import shaping
from openpim.services.resources.consequences import forget, resettle
from openpim.services.resources.direct import give
from openpim.services.resources.rights import may, may_shape

IMPORTED = "Import resources"
MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """One place of the file. path: as a client would write its id. wanted.parent_id: the id of a management group
    in lower case; "/" is the root. number: where it stands, from 1; 0: in the order given."""

    path: str
    wanted: shaping.Wanted
    number: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """What the moves and deletions took with them."""

    eligibilities: int = 0
    assignments: int = 0
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Imported:
    """What was done, or, in a dry run, would be."""

    plan: Plan
    ended: Ended


@dataclass(frozen=True, slots=True)
class Faulty:
    """Nothing was done: what is wrong, in the order of the lines."""

    faults: tuple[Fault, ...]


def import_tree(
    deps: Deps,
    caller: Caller,
    lines: Sequence[Line],
    *,
    prune: bool = False,
    dry_run: bool = False,
    details: tuple[tuple[str, str], ...] = (),
) -> Imported | Faulty | Refusal:
    """Bring the tree to what the file says. What it does not name stays as it is, unless `prune`.

    dry_run: everything is done and then taken back, so that it finds what the real run would find. details: what the
    audit is to say about where the file came from. The caller needs the rights for each place. Refusals: FORBIDDEN,
    CONFLICT (a role in use could not be assigned where its holder's place would come to lie).
    """
    if len(lines) > MOST:
        return Faulty((Fault(0, f"has {len(lines)} places; at most {MOST} are read at once"),))
    entries, wrong = _read(lines)
    now = deps.clock()

    def work(tx: Transaction) -> Imported | Faulty | Refusal:
        done: Imported | Faulty | Refusal
        with tx.savepoint() as point:
            tx.lock_tenant()
            root = shaping.ensure_root(tx, now)
            planned, faults = plan(entries, tx.resources.every(), root, now, prune=prune)
            if wrong or faults:
                done = _hidden(tx, caller, entries, faults, now) or Faulty(
                    tuple(sorted((*wrong, *faults), key=lambda one: one.line))
                )
            else:
                done = _Import(tx, deps, caller, planned, now, dry_run=dry_run).run(entries, details)
            if dry_run or not isinstance(done, Imported):
                point.roll_back()
        if isinstance(done, Refusal) and done.code is Code.FORBIDDEN:
            record(tx, deps, caller, now, activity=IMPORTED, category=shaping.CATEGORY, result="failure",
                   reason=done.message, details=details)  # fmt: skip
        return done

    return deps.store.write(caller.tenant_id, work)


def _read(lines: Sequence[Line]) -> tuple[list[Entry], list[Fault]]:
    entries, faults = [], []
    for number, line in enumerate(lines, start=1):
        at = line.number or number
        place = read_path(line.path)
        if place is None:
            faults.append(Fault(at, f'"{line.path[:200]}" is not the id of a place in the tree'))
            continue
        fault = shaping.fault_of(place, line.wanted)
        if fault is not None:
            faults.append(Fault(at, fault.message.rstrip(".")))
            continue
        wanted = line.wanted
        parent = canonical(wanted.parent_id) if wanted.parent_id is not None else None
        entries.append(
            Entry(at, place, wanted.display_name or None, wanted.location or None, wanted.tags, parent)
        )
    return entries, faults


def _hidden(
    tx: Transaction, caller: Caller, entries: Sequence[Entry], faults: Sequence[Fault], now: datetime
) -> Refusal | None:
    """A fault says something about the tree: only to those who may change it there."""
    if caller.kind is CallerKind.SYSTEM:
        return None
    told = {fault.line for fault in faults}
    for entry in entries:
        if entry.line in told:
            place, upper = entry.place, is_upper(entry.place.kind)
            there = tx.resources.get(place.id) is not None
            scope = place.id if there or not upper else entry.parent_id or shaping.root_group(tx.tenant_id)
            check = may_shape if upper else may
            refusal = check(tx, caller, shaping.write_action(place.kind, place.type), scope, now)
            if refusal is not None:
                return refusal
    return None


class _Import:
    """One import in its unit of work. Rights are looked up once for each action and place."""

    def __init__(
        self, tx: Transaction, deps: Deps, caller: Caller, planned: Plan, now: datetime, *, dry_run: bool
    ) -> None:
        self.tx, self.deps, self.caller, self.plan, self.now = tx, deps, caller, planned, now
        self.dry_run = dry_run
        self.trusted = caller.kind is CallerKind.SYSTEM
        self.known: dict[tuple[str, str], Refusal | None] = {}
        self.new = {one.id: one for one in planned.create}

    def run(self, entries: Sequence[Entry], details: tuple[tuple[str, str], ...]) -> Imported | Refusal:
        plan = self.plan
        held = self._held() if plan.move or plan.delete else Ended()
        topmost = _topmost(plan.delete)
        refusal = (
            self._may_change(entries)
            or self._create_upper()
            or self._may_move()
            or self._may_create_lower()
            or self._may_delete(topmost)
        )
        if refusal is not None:
            return refusal
        self.tx.resources.save(*(one.new for one in plan.change))
        self.tx.resources.save(*(one.new for one in plan.rename))
        refusal = self._move()
        if refusal is not None:
            return refusal
        if not self.dry_run:  # places that nothing hangs on yet
            self.tx.resources.add(*(one for one in plan.create if not is_upper(one.kind)))
        for one in topmost:
            self.tx.resources.lock(one.id)
        gone = [one.id for one in plan.delete]
        forget(self.tx, self.deps, self.caller, gone, self.now)
        self.tx.resources.remove(gone)
        ended = _less(held, self._held()) if plan.move or plan.delete else Ended()
        if not plan.empty:
            self._record(topmost, ended, details)
        return Imported(plan, ended)

    # ---------------------------------------------------------------- rights

    def _may(self, action: str, scope: str, *, upper: bool) -> Refusal | None:
        if self.trusted:
            return None
        key = (action, scope)
        if key not in self.known:
            check = may_shape if upper else may
            self.known[key] = check(self.tx, self.caller, action, scope, self.now)
        return self.known[key]

    def _may_change(self, entries: Sequence[Entry]) -> Refusal | None:
        """Of all that is there, changed or not: that it is as the file says is not for everybody either."""
        for one in entries:
            place = one.place
            if place.id not in self.new:
                action = shaping.write_action(place.kind, place.type)
                refusal = self._may(action, place.id, upper=is_upper(place.kind))
                if refusal is not None:
                    return refusal
        return None

    def _may_move(self) -> Refusal | None:
        for one in self.plan.move:
            for action, scope in shaping.needed_to_move(self.tx.tenant_id, one.old, one.new.parent_id):
                refusal = self._may(action, scope, upper=True)
                if refusal is not None:
                    return refusal
        return None

    def _may_create_lower(self) -> Refusal | None:
        for one in self.plan.create:
            if is_upper(one.kind):
                continue
            above = one.parent_id
            while above in self.new and not is_upper(self.new[above].kind):
                above = self.new[above].parent_id
            refusal = self._may(shaping.write_action(one.kind, one.type), above, upper=False)
            if refusal is not None:
                return refusal
        return None

    def _may_delete(self, topmost: Sequence[Resource]) -> Refusal | None:
        for one in topmost:
            for action in shaping.needed_to_delete(one.kind, one.type):
                refusal = self._may(action, one.id, upper=is_upper(one.kind))
                if refusal is not None:
                    return refusal
        return None

    # ---------------------------------------------------------------- acts

    def _create_upper(self) -> Refusal | None:
        """One after the other: who makes a place where he manages nothing owns it, and may fill it."""
        upper = [one for one in self.plan.create if is_upper(one.kind)]
        if self.trusted:
            self.tx.resources.add(*upper)
            return None
        for one in upper:
            refusal = self._may(shaping.write_action(one.kind, one.type), one.parent_id, upper=True)
            if refusal is not None:
                return refusal
            self.tx.resources.add(one)
            if not allowed(self.tx, self.caller, GIVE_ROLES, one.id, self.now):
                give(self.tx, self.deps, self.caller, OWNER, one.id, shaping.OWNED, self.now)
        return None

    def _move(self) -> Refusal | None:
        """All at once: on the way from one good tree to another there may be bad ones."""
        for one in self.plan.move:
            self.tx.resources.lock(one.old.id)  # what is being given in it at this moment is seen below
        before = {one.old.id: self.tx.resources.chain(one.old.id) for one in self.plan.move}
        for one in self.plan.move:
            current = self.tx.resources.get(one.old.id) or one.old
            self.tx.resources.save(replace(current, parent_id=one.new.parent_id))
        return resettle(self.tx, self.deps, self.caller, before, self.now)

    def _held(self) -> Ended:
        one = Query(limit=1, count=True)
        grants = [
            self.tx.schedules.page(Provider.RESOURCE, kind, one, live_at=self.now).total or 0 for kind in Kind
        ]
        waiting = replace(one, where=AnyOf("status", tuple(status.value for status in OPEN)))
        requests = [self.tx.requests.page(Provider.RESOURCE, kind, waiting).total or 0 for kind in Kind]
        counts = dict(zip(Kind, grants, strict=True))
        return Ended(counts[Kind.ELIGIBILITY], counts[Kind.ASSIGNMENT], sum(requests))

    # ---------------------------------------------------------------- audit

    def _record(
        self, topmost: Sequence[Resource], ended: Ended, details: tuple[tuple[str, str], ...]
    ) -> None:
        """One event for the whole, and one for each place that moved, got another name, went with all that is in it,
        or is a new management group or subscription."""
        plan = self.plan
        counts = [
            ("Created", len(plan.create)),
            ("Moved", len(plan.move)),
            ("Renamed", len(plan.rename)),
            ("Changed", len(plan.change)),
            ("Deleted", len(plan.delete)),
            ("GrantsEnded", ended.eligibilities + ended.assignments),
            ("RequestsClosed", ended.requests),
        ]
        whole = Target("Directory", self.tx.tenant_id, "resources")
        self._event(IMPORTED, whole, (*((name, str(count)) for name, count in counts if count), *details))
        for one in plan.create:
            if is_upper(one.kind):
                self._event(shaping.CREATED, _target(one))
        for change in plan.rename:
            names = (("display_name", change.old.display_name, change.new.display_name),)
            self._event(shaping.UPDATED, _target(change.old, names))
        for change in plan.move:
            parents = (("parent", change.old.parent_id, change.new.parent_id),)
            self._event(shaping.MOVED, _target(change.old, parents))
        for one in topmost:
            self._event(shaping.DELETED, _target(one))

    def _event(self, activity: str, target: Target, details: tuple[tuple[str, str], ...] = ()) -> None:
        record(self.tx, self.deps, self.caller, self.now, activity=activity, category=shaping.CATEGORY,
               targets=(target,), details=details)  # fmt: skip


def _target(one: Resource, changes: tuple[tuple[str, str | None, str | None], ...] = ()) -> Target:
    return Target("Resource", one.id, one.display_name, changes)


def _topmost(deleted: Collection[Resource]) -> list[Resource]:
    """Those that nothing else of them contains, in order."""
    ids = {one.id for one in deleted}
    return sorted((one for one in deleted if one.parent_id not in ids), key=lambda one: one.id)


def _less(before: Ended, after: Ended) -> Ended:
    return Ended(
        before.eligibilities - after.eligibilities,
        before.assignments - after.assignments,
        before.requests - after.requests,
    )
