"""Make administrative units, change and delete them, and put people and groups in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.directory import AdministrativeUnit, PrincipalKind
from openpim.core.directory_rules import unit_faults
from openpim.core.grants import Kind, Provider
from openpim.core.query import Compare, Query
from openpim.core.refusals import Code, Refusal
from openpim.core.scopes import ADMINISTRATIVE_UNITS
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.performing import Done, changed, differences, invalid, not_found, perform
from openpim.services.directory.rights import may_manage_units
from openpim.services.directory.targets import of_principal, of_unit

CHANGEABLE = frozenset({"display_name", "description"})
T = TypeVar("T")


def create_unit(
    deps: Deps, caller: Caller, display_name: str, description: str | None = None
) -> AdministrativeUnit | Refusal:
    unit_id = deps.new_id()

    def work(tx: Transaction, now: datetime) -> Done[AdministrativeUnit] | Refusal:
        refusal = may_manage_units(tx, caller, now)
        if refusal is not None:
            return refusal
        unit = AdministrativeUnit(unit_id, display_name, now, description)
        refusal = invalid(unit_faults(unit))
        if refusal is not None:
            return refusal
        tx.administrative_units.add(unit)
        return Done(unit, (of_unit(unit),))

    return perform(deps, caller, "Add administrative unit", "DirectoryManagement", work)


def update_unit(
    deps: Deps, caller: Caller, unit_id: str, changes: Mapping[str, object]
) -> AdministrativeUnit | Refusal:
    def work(tx: Transaction, now: datetime) -> Done[AdministrativeUnit] | Refusal:
        old = tx.administrative_units.get(unit_id)
        if old is None:
            return not_found("administrative unit", unit_id)
        refusal = may_manage_units(tx, caller, now)
        if refusal is not None:
            return refusal
        new = changed(old, changes, CHANGEABLE)
        if isinstance(new, Refusal):
            return new
        if new == old:
            return Done(old, unchanged=True)
        refusal = invalid(unit_faults(new))
        if refusal is not None:
            return refusal
        tx.administrative_units.save(new)
        return Done(new, (of_unit(new, differences(old, new, changes)),))

    return _perform(deps, caller, "Update administrative unit", work, unit_id)


def delete_unit(deps: Deps, caller: Caller, unit_id: str) -> Refusal | None:
    """Refused while somebody has, or can activate, a role in it: take those away first."""

    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        tx.lock_tenant()
        unit = tx.administrative_units.get(unit_id)
        if unit is None:
            return not_found("administrative unit", unit_id)
        refusal = may_manage_units(tx, caller, now)
        if refusal is not None:
            return refusal
        here = Query(Compare("scope", "eq", ADMINISTRATIVE_UNITS + unit_id), limit=1)
        for kind in Kind:
            if tx.schedules.page(Provider.DIRECTORY, kind, here, live_at=now).items:
                return Refusal(
                    Code.CONFLICT, "Roles are assigned in this administrative unit; remove them first."
                )
        tx.administrative_units.remove(unit_id, now)
        return Done(None, (of_unit(unit),))

    return _perform(deps, caller, "Delete administrative unit", work, unit_id)


def add_unit_member(deps: Deps, caller: Caller, unit_id: str, member_id: str) -> Refusal | None:
    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        unit = tx.administrative_units.get(unit_id)
        if unit is None:
            return not_found("administrative unit", unit_id)
        refusal = may_manage_units(tx, caller, now)
        if refusal is not None:
            return refusal
        member = tx.principals.get(member_id)
        if member is None:
            return Refusal(
                Code.SUBJECT_MISSING, f"There is no principal {member_id:.100}.", member="member_id"
            )
        if member.kind is PrincipalKind.SERVICE_PRINCIPAL:
            return Refusal(
                Code.SUBJECT_NOT_ALLOWED, "Only users and groups go into an administrative unit.", "member_id"
            )
        if not tx.administrative_units.add_member(unit_id, member_id):
            return Refusal(Code.CONFLICT, "It is in this administrative unit already.", member="member_id")
        return Done(None, (of_principal(member), of_unit(unit)))

    return _perform(deps, caller, "Add member to administrative unit", work, unit_id)


def remove_unit_member(deps: Deps, caller: Caller, unit_id: str, member_id: str) -> Refusal | None:
    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        unit = tx.administrative_units.get(unit_id)
        if unit is None:
            return not_found("administrative unit", unit_id)
        refusal = may_manage_units(tx, caller, now)
        if refusal is not None:
            return refusal
        member = tx.principals.get(member_id)
        if member is None or not tx.administrative_units.remove_member(unit_id, member_id):
            return Refusal(Code.NOT_FOUND, "It is not in this administrative unit.", member="member_id")
        return Done(None, (of_principal(member), of_unit(unit)))

    return _perform(deps, caller, "Remove member from administrative unit", work, unit_id)


def _perform(
    deps: Deps,
    caller: Caller,
    activity: str,
    work: Callable[[Transaction, datetime], Done[T] | Refusal],
    unit_id: str,
) -> T | Refusal:
    targets = (Target("Other", unit_id),)
    return perform(deps, caller, activity, "DirectoryManagement", work, targets=targets)
