"""People as a provisioner reads and writes them: found, made, changed, disabled, deleted. It gives nobody a password."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.directory import PrincipalKind, User, UserType
from openpim.core.grants import AssignmentType, Kind
from openpim.core.provisioning import Person, Record, upn_of
from openpim.core.query import Page, Query
from openpim.core.refusals import Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.create_user import check_user
from openpim.services.directory.delete_user import gone
from openpim.services.directory.performing import Done, differences, forbidden, not_found
from openpim.services.directory.targets import of_user
from openpim.services.directory.update_user import saved
from openpim.services.ending import end
from openpim.services.provisioning.performing import perform, read
from openpim.services.provisioning.records import External, kept, where
from openpim.services.provisioning.rules import called, may_touch_privileged, untouchable

_USER = PrincipalKind.USER


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a provisioner says somebody is: all of it, so what is None is taken away. user_name: with or without a domain."""

    user_name: str
    display_name: str
    record: Record
    enabled: bool = True
    mail: str | None = None
    given_name: str | None = None
    surname: str | None = None
    job_title: str | None = None
    department: str | None = None
    mobile_phone: str | None = None
    employee_id: str | None = None
    manager_id: str | None = None


ATTRIBUTES = (
    "display_name", "enabled", "mail", "given_name", "surname", "job_title", "department", "mobile_phone", "employee_id",
    "manager_id",
)  # fmt: skip


def get(deps: Deps, caller: Caller, user_id: str) -> Person | Refusal:
    def work(tx: Transaction) -> Person | Refusal:
        user = tx.users.get(user_id)
        if user is None:
            return not_found("user", user_id)
        return _person(tx, caller, user)

    return read(deps, caller, work)


def page(deps: Deps, caller: Caller, query: Query) -> Page[Person] | Refusal:
    """query.where: fields of `User`; "external_id", of which only an equal one can be asked for; and "user_name", which may lack
    the domain. Raises UnknownFieldError."""

    def work(tx: Transaction) -> Page[Person] | Refusal:
        theirs = External(caller.principal_id, _USER, _domain(tx))
        found = tx.users.page(replace(query, where=where(tx, theirs, query.where)))
        records = tx.provisioning.many(caller.principal_id, [one.id for one in found.items])
        people = tuple(Person(one, records.get(one.id), _domain(tx)) for one in found.items)
        return Page(people, found.next, found.total)

    return read(deps, caller, work)


def create(deps: Deps, caller: Caller, wanted: Wanted) -> Person | Refusal:
    user_id = deps.new_id()

    def work(tx: Transaction, now: datetime) -> Done[Person] | Refusal:
        blank = User(user_id, "", "", UserType.MEMBER, enabled=True, created_at=now)
        user = _as_wanted(tx, blank, wanted)
        refusal = check_user(tx, user)
        if refusal is not None:
            return refusal
        tx.users.add(user)
        record = kept(tx, caller, _USER, user.id, replace(wanted.record, disabled=not user.enabled), now)
        if isinstance(record, Refusal):
            return record
        return Done(Person(user, record, _domain(tx)), (of_user(user),))

    return perform(deps, caller, "Add user", "UserManagement", work)


def change(
    deps: Deps, caller: Caller, user_id: str, decide: Callable[[Person], Wanted | Refusal]
) -> Person | Refusal:
    """decide: from what there is, read under a lock, to what there is to be. It may raise: then nothing has happened."""

    def work(tx: Transaction, now: datetime) -> Done[Person] | Refusal:
        tx.lock_principal(user_id)
        old = tx.users.get(user_id)
        if old is None:
            return not_found("user", user_id)
        before = _person(tx, caller, old)
        wanted = decide(before)
        if isinstance(wanted, Refusal):
            return wanted
        new = _as_wanted(tx, old, wanted)
        refusal = _enabling(caller, before, new)
        if refusal is None and new != old:
            refusal = _changed(tx, deps, caller, old, new, now)
        if refusal is not None:
            return refusal
        record: Record | Refusal | None = before.record
        if record != wanted.record or new != old:
            said = replace(wanted.record, disabled=_is_disabling(before, new))
            record = kept(tx, caller, _USER, user_id, said, now)
        if isinstance(record, Refusal):
            return record
        changes = differences(old, new, ("user_principal_name", *ATTRIBUTES))
        told = before.record.external_id if before.record is not None else None
        if told != wanted.record.external_id:
            changes += (("external_id", told, wanted.record.external_id),)
        return Done(Person(new, record, before.domain), (of_user(new, changes),), unchanged=not changes)

    return perform(deps, caller, "Update user", "UserManagement", work, targets=(Target("User", user_id),))


def delete(
    deps: Deps, caller: Caller, user_id: str, allow: Callable[[Person], None] = lambda _person: None
) -> Refusal | None:
    """allow: raises where the one who asks has seen another state than this."""

    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        tx.lock_principal(user_id)
        user = tx.users.get(user_id)
        if user is None:
            return not_found("user", user_id)
        allow(_person(tx, caller, user))
        refusal = untouchable(tx, caller, user_id, now) or gone(tx, deps, caller, user, now)
        return refusal or Done(None, (of_user(user),))

    return perform(deps, caller, "Delete user", "UserManagement", work, targets=(Target("User", user_id),))


def _enabling(caller: Caller, before: Person, new: User) -> Refusal | None:
    """Whom an administrator locked out stays out, whatever the other directory says of him."""
    by_itself = before.record is not None and before.record.disabled
    if before.user.enabled or not new.enabled or by_itself or may_touch_privileged(caller):
        return None
    return forbidden(
        "This account was disabled here, and not by this provisioner: somebody who may enable accounts enables it here first."
    )


def _is_disabling(before: Person, new: User) -> bool:
    """Whether it is this provisioner that keeps the account disabled."""
    if new.enabled:
        return False
    return before.user.enabled or (before.record is not None and before.record.disabled)


def _changed(
    tx: Transaction, deps: Deps, caller: Caller, old: User, new: User, now: datetime
) -> Refusal | None:
    refusal = (
        untouchable(tx, caller, old.id, now)
        or called(tx, caller, old, new, now)
        or check_user(tx, new)
        or saved(tx, deps, old, new, now)
    )
    if refusal is None and old.enabled and not new.enabled:
        _let_go(tx, deps, caller, old.id, now)
    return refusal


def _let_go(tx: Transaction, deps: Deps, caller: Caller, user_id: str, now: datetime) -> None:
    """What he had activated ends for good: being enabled again does not bring it back."""
    for schedule in tx.schedules.of([user_id], kind=Kind.ASSIGNMENT, live_at=now):
        current = tx.schedules.get(schedule.id)
        if schedule.assignment_type is AssignmentType.ACTIVATED and current is not None and current.live(now):
            activity = "Remove member from role completed (PIM deactivate)"
            end(tx, deps, caller, current, now, activity=activity, reason="The account was disabled.")


def _as_wanted(tx: Transaction, old: User, wanted: Wanted) -> User:
    values: dict[str, Any] = {name: getattr(wanted, name) for name in ATTRIBUTES}
    return replace(old, user_principal_name=upn_of(wanted.user_name, _domain(tx)), **values)


def _domain(tx: Transaction) -> str:
    tenant = tx.tenants.current()
    return tenant.domain if tenant is not None else ""


def _person(tx: Transaction, caller: Caller, user: User) -> Person:
    return Person(user, tx.provisioning.many(caller.principal_id, [user.id]).get(user.id), _domain(tx))
