"""Takes what the index holds from the store: all of a tenant, or what is known of some principals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from datetime import datetime

from openpim.core.decisions import FOR_GOOD, Facts, Flat, Rules, micros, packed
from openpim.core.permissions import DenyAssignment
from openpim.core.scopes import ADMINISTRATIVE_UNITS
from openpim.ports.store import Transaction

MEMBER, OWNER = "member", "owner"


def facts_of(tx: Transaction, now: datetime, principals: Collection[str] | None = None) -> Facts:
    """principals: None for everybody. Texts that are equal are one object, so that a million rows share few."""
    rows = tx.decisions
    facts = Facts.none()
    one: Callable[[str], str] = _Shared().of
    given: dict[tuple[str, str], dict[str, list[tuple[str, str, int, int]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    members: dict[str, list[str | int]] = defaultdict(list)
    owners: dict[str, list[str | int]] = defaultdict(list)
    for kind, provider, principal, role, scope, since, until in rows.grants(micros(now), principals):
        end = FOR_GOOD if until is None else until
        if provider == "group" and kind == "assignment":
            (members if role == MEMBER else owners)[one(principal)] += (one(scope), since, end)
        else:
            given[kind, provider][one(principal)].append((one(role), one(scope), since, end))
    for member, group in rows.members(principals):
        members[one(member)] += (one(group), 0, FOR_GOOD)
    for owner, group in rows.owners(principals):
        owners[one(owner)] += (one(group), 0, FOR_GOOD)
    for (kind, provider), of_one in given.items():
        tables = facts.held if kind == "assignment" else facts.eligible
        tables[provider] = {principal: packed(found) for principal, found in of_one.items()}
        of_one.clear()
    facts.member_of = _tuples(members)
    facts.owner_of = _tuples(owners)
    facts.unable = set(rows.unable(principals))
    facts.homes = {guest: (tenant, user) for guest, tenant, user in rows.homes(principals)}
    units: dict[str, list[str]] = defaultdict(list)
    for member, unit in rows.unit_members(principals):
        units[one(member)].append(one(ADMINISTRATIVE_UNITS + unit))
    facts.units = {member: tuple(found) for member, found in units.items()}
    return facts


def rules_of(tx: Transaction) -> Rules:
    denials: dict[str, list[DenyAssignment]] = defaultdict(list)
    for denial in tx.deny_assignments.every():
        denials[denial.scope].append(denial)
    return Rules(
        directory_roles={role.id: role for role in tx.roles.all()},
        resource_roles={role.id: role for role in tx.resource_roles.all()},
        denials={scope: tuple(found) for scope, found in denials.items()},
        above=dict(tx.decisions.places()),
    )


def _tuples(found: dict[str, list[str | int]]) -> dict[str, Flat]:
    return {principal: tuple(flat) for principal, flat in found.items()}


class _Shared:
    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, text: str) -> str:
        return self._known.setdefault(text, text)
