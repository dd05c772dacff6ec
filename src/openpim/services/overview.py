"""What an administrator sees first: how much privilege is in use, waits, and still stands. Only counts that read a
bounded number of rows; where a bound was met, the number is at least that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from openpim.core.caller import Caller
from openpim.core.directory import Principal
from openpim.core.grants import Provider, Schedule
from openpim.core.refusals import Refusal
from openpim.core.resources import ROOT
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.ports.tallies import Tally
from openpim.services.eligibilities import Names
from openpim.services.keeping import while_unchanged
from openpim.services.providers import PROVIDERS
from openpim.services.reading import NOT_A_READER

MOST = 5_000  # rows that one count reads
DAYS = 30
SHOWN = 6
WAITING = 500
RoleKey = tuple[Provider, str]


@dataclass(frozen=True, slots=True)
class Row:
    """A schedule with names. principal: None where it is gone."""

    schedule: Schedule
    role_name: str
    scope_name: str
    principal: Principal | None


@dataclass(frozen=True, slots=True)
class RoleUse:
    provider: Provider
    role_id: str
    role_name: str
    count: int


@dataclass(frozen=True, slots=True)
class Counts:
    """partial: a bound was met, so every number is at least that. days: activations on each of DAYS days up to today, UTC,
    the oldest first. roles: those that were activated most. standing, never_used: ids of schedules."""

    active: int
    assigned: int
    eligible: int
    pending: int
    permanent: int
    outside: int
    unused: int
    days: tuple[int, ...]
    roles: tuple[tuple[RoleKey, int], ...]
    standing: tuple[str, ...]
    never_used: tuple[str, ...]
    partial: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """providers: those the caller may read. since: when the first of the days began. roles, standing, never_used: those of
    the counts, with names."""

    providers: tuple[Provider, ...]
    since: datetime
    counts: Counts
    roles: tuple[RoleUse, ...]
    standing: tuple[Row, ...]
    never_used: tuple[Row, ...]


def summary(deps: Deps, caller: Caller) -> Overview | Refusal:
    """For who may read the assignments of at least one provider: of those it tells.

    Thousands of rows are counted, so what was counted is kept, and counted again after any change of privilege in the
    tenant and whenever a schedule begins or ends.
    """
    now = deps.clock()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    since = midnight - timedelta(days=DAYS - 1)

    def work(tx: Transaction) -> Overview | Refusal:
        readable = readable_providers(tx, caller, now)
        if not readable:
            return NOT_A_READER
        counts = while_unchanged(
            deps,
            tx,
            ("overview", readable),
            now,
            lambda: _count(tx, readable, since, now),
            latest=midnight + timedelta(days=1),
        )
        return Overview(
            providers=readable,
            since=since,
            counts=counts,
            roles=_named_roles(tx, counts.roles),
            standing=dressed(tx, counts.standing),
            never_used=dressed(tx, counts.never_used),
        )

    return deps.store.read(caller.tenant_id, work)


def _count(tx: Transaction, readable: tuple[Provider, ...], since: datetime, now: datetime) -> Counts:
    held = [one for provider in readable for one in tx.tallies.assigned(provider, now, MOST)]
    may = [tx.tallies.eligible(provider, now, MOST, SHOWN) for provider in readable]
    uses = [one for provider in readable for one in tx.tallies.uses(provider, since, MOST)]
    standing = [one for provider in readable for one in tx.tallies.standing(provider, now, MOST, SHOWN)]
    per_day = Counter[int]()
    per_role = Counter[RoleKey]()
    for use in uses:
        per_day[use.day] += use.count
        per_role[use.provider, use.role_id] += use.count
    met = [
        *(one.count for one in may),
        *(_sum(one for one in held if one.provider is provider) for provider in readable),
    ]
    return Counts(
        active=_sum(one for one in held if one.activated),
        assigned=_sum(one for one in held if not one.activated),
        eligible=sum(one.count for one in may),
        pending=sum(tx.tallies.waiting(provider, WAITING) for provider in readable),
        permanent=_sum(one for one in held if one.permanent and not one.activated),
        outside=_sum(one for one in held if one.outside and not one.activated),
        unused=sum(one.unused for one in may),
        days=tuple(per_day[day] for day in range(DAYS)),
        roles=tuple(per_role.most_common(SHOWN)),
        standing=tuple(standing[:SHOWN]),
        never_used=tuple([one for several in may for one in several.ids][:SHOWN]),
        partial=max(met) >= MOST,
    )


def readable_providers(tx: Transaction, caller: Caller, now: datetime) -> tuple[Provider, ...]:
    """The providers of which the caller may read everything."""
    wide = {Provider.DIRECTORY: None, Provider.GROUP: None, Provider.RESOURCE: ROOT}
    return tuple(one for one in Provider if PROVIDERS[one].may_read(tx, caller, wide[one], now))


def dressed(tx: Transaction, ids: Iterable[str]) -> tuple[Row, ...]:
    """Schedules by id, in this order, with names."""
    wanted = list(ids)
    found = tx.schedules.many(wanted)
    schedules = [found[one] for one in wanted if one in found]
    names = Names(tx, {(one.provider, one.role_id, one.scope) for one in schedules})
    people = tx.principals.many([one.principal_id for one in schedules])
    return tuple(
        Row(
            one,
            names.roles.get((one.provider, one.role_id, one.scope), one.role_id),
            names.scopes.get((one.provider, one.role_id, one.scope), one.scope),
            people.get(one.principal_id),
        )
        for one in schedules
    )


def _sum(rows: Iterable[Tally]) -> int:
    return sum(one.count for one in rows)


def _named_roles(tx: Transaction, counted: Sequence[tuple[RoleKey, int]]) -> tuple[RoleUse, ...]:
    """A group's roles are the same in every group: member and owner."""
    directory = tx.roles.many({role for (provider, role), _ in counted if provider is Provider.DIRECTORY})
    resource = tx.resource_roles.many(
        {role for (provider, role), _ in counted if provider is Provider.RESOURCE}
    )
    found = []
    for (provider, role), count in counted:
        if provider is Provider.GROUP:
            name = f"{role.capitalize()} of a group"
        elif provider is Provider.DIRECTORY:
            name = directory[role].display_name if role in directory else role
        else:
            name = resource[role].name if role in resource else role
        found.append(RoleUse(provider, role, name, count))
    return tuple(found)
