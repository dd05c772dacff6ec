"""Groups as a provisioner reads and writes them; what becomes of their members: members.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.directory import Group, PrincipalKind
from openpim.core.directory_rules import group_faults
from openpim.core.provisioning import Record, Team
from openpim.core.query import Page, Query
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.delete_group import gone
from openpim.services.directory.performing import Done, differences, invalid, not_found
from openpim.services.directory.targets import of_group
from openpim.services.provisioning.members import Members
from openpim.services.provisioning.performing import perform, read
from openpim.services.provisioning.records import External, kept, where
from openpim.services.provisioning.rules import fixed

_GROUP = PrincipalKind.GROUP


@dataclass(frozen=True, slots=True)
class Step:
    """One change of members, by id. Steps are taken in their order."""

    what: Literal["add", "remove", "set"]
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    display_name: str
    record: Record
    steps: tuple[Step, ...] = ()


def get(deps: Deps, caller: Caller, group_id: str, *, members: bool) -> Team | Refusal:
    """members: whether they are wanted too."""
    now = deps.clock()

    def work(tx: Transaction) -> Team | Refusal:
        group = tx.groups.get(group_id)
        if group is None:
            return not_found("group", group_id)
        return _team(tx, deps, caller, group, now, members=members)

    return read(deps, caller, work)


def page(deps: Deps, caller: Caller, query: Query, *, members: bool) -> Page[Team] | Refusal:
    """query.where: fields of `Group`, and "external_id". Raises UnknownFieldError."""
    now = deps.clock()

    def work(tx: Transaction) -> Page[Team] | Refusal:
        theirs = External(caller.principal_id, _GROUP)
        found = tx.groups.page(replace(query, where=where(tx, theirs, query.where)))
        records = tx.provisioning.many(caller.principal_id, [one.id for one in found.items])
        shown = [
            Team(
                one,
                records.get(one.id),
                Members(tx, deps, caller, one, now).shown() if members else None,
            )
            for one in found.items
        ]
        return Page(tuple(shown), found.next, found.total)

    return read(deps, caller, work)


def create(deps: Deps, caller: Caller, wanted: Wanted) -> Team | Refusal:
    """Never one that roles can be assigned to."""
    group_id = deps.new_id()

    def work(tx: Transaction, now: datetime) -> Done[Team] | Refusal:
        tx.lock_tenant()
        group = Group(group_id, wanted.display_name, now)
        refusal = invalid(group_faults(group)) or _taken(tx, wanted.display_name)
        if refusal is not None:
            return refusal
        tx.groups.add(group)
        members = Members(tx, deps, caller, group, now)
        record = kept(tx, caller, _GROUP, group_id, wanted.record, now)
        if isinstance(record, Refusal):
            return record
        refusal = _stepped(members, wanted.steps)
        if refusal is not None:
            return refusal
        return Done(Team(group, record, members.shown()), (of_group(group),))

    return perform(deps, caller, "Add group", "GroupManagement", work)


def change(
    deps: Deps,
    caller: Caller,
    group_id: str,
    decide: Callable[[Team], Wanted | Refusal],
    *,
    members: bool,
    shown: int | None = None,
) -> Team | Refusal:
    """decide: from what there is, read under a lock, to what there is to be. It may raise: then nothing has happened.
    members: whether it is given them. shown: the answer has them where they are no more than this; None: it has all."""

    def work(tx: Transaction, now: datetime) -> Done[Team] | Refusal:
        tx.lock_tenant()  # two additions that would close a circle together go one after the other
        tx.lock_principal(group_id)
        old = tx.groups.get(group_id)
        if old is None:
            return not_found("group", group_id)
        before = _team(tx, deps, caller, old, now, members=members)
        wanted = decide(before)
        if isinstance(wanted, Refusal):
            return wanted
        new = replace(old, display_name=wanted.display_name)
        if new != old:
            refusal = (
                fixed(tx, caller, old, now)
                or invalid(group_faults(new))
                or _taken(tx, wanted.display_name, but=group_id)
            )
            if refusal is not None:
                return refusal
            tx.groups.save(new)
        record: Record | Refusal | None = before.record
        if record != wanted.record or new != old or wanted.steps:
            record = kept(tx, caller, _GROUP, group_id, wanted.record, now)
        if isinstance(record, Refusal):
            return record
        writing = Members(tx, deps, caller, new, now)
        refusal = _stepped(writing, wanted.steps)
        if refusal is not None:
            return refusal
        after = Team(new, record, writing.shown(shown))
        changes = differences(old, new, ("display_name",))
        return Done(after, (of_group(new, changes),), unchanged=not changes)

    targets = (Target("Group", group_id),)
    return perform(deps, caller, "Update group", "GroupManagement", work, targets=targets)


def delete(
    deps: Deps, caller: Caller, group_id: str, allow: Callable[[Team], None] | None = None
) -> Refusal | None:
    """allow: raises where the one who asks has seen another state than this."""

    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        tx.lock_principal(group_id)
        group = tx.groups.get(group_id)
        if group is None:
            return not_found("group", group_id)
        if allow is not None:
            allow(_team(tx, deps, caller, group, now, members=True))
        refusal = fixed(tx, caller, group, now) or gone(tx, deps, caller, group_id, now)
        return refusal or Done(None, (of_group(group),))

    targets = (Target("Group", group_id),)
    return perform(deps, caller, "Delete group", "GroupManagement", work, targets=targets)


def _team(tx: Transaction, deps: Deps, caller: Caller, group: Group, now: datetime, *, members: bool) -> Team:
    record = tx.provisioning.many(caller.principal_id, [group.id]).get(group.id)
    return Team(group, record, Members(tx, deps, caller, group, now).shown() if members else None)


def _stepped(members: Members, steps: tuple[Step, ...]) -> Refusal | None:
    for step in steps:
        refusal = getattr(members, step.what)(step.ids)
        if isinstance(refusal, Refusal):
            return refusal
    return None


def _taken(tx: Transaction, name: str, but: str = "") -> Refusal | None:
    """Provisioners find groups by their names: two of one name would be one to them."""
    if any(one.id != but for one in tx.principals.find_by_name(name, PrincipalKind.GROUP)):
        return Refusal(
            Code.CONFLICT,
            f"There is a group {name:.100} already; choose another name.",
            member="display_name",
        )
    return None
