"""Who held what when: the assignments and activations of a person, a role or a place over a stretch of time, those that
are over too. Readers see all of it; others what is theirs and what they manage.

What is over is found through the newest requests, which are kept for ever; what lasts, through its own index. So a
question reads a bounded number of rows whatever there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.directory import Principal
from openpim.core.grants import Kind, Provider, Schedule
from openpim.core.lifecycle import ScheduleStatus
from openpim.core.query import All, AnyOf, Compare, Condition, Order, Query
from openpim.core.refusals import Refusal
from openpim.core.resources import ROOT
from openpim.core.scopes import TENANT
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import browse
from openpim.services.authority import identities
from openpim.services.becoming import readable
from openpim.services.eligibilities import Names
from openpim.services.providers import PROVIDERS

MOST = 300  # stretches that are shown
_REQUESTS = 400
_GROUPS = 100
_NEVER = frozenset({ScheduleStatus.CANCELED, ScheduleStatus.FAILED})
_NEWEST = (Order("created_at", descending=True), Order("id", descending=True))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A schedule of kind assignment with names. through: the group it comes through, for a person."""

    schedule: Schedule
    role_name: str
    scope_name: str
    scope_path: str
    holder: Principal | None
    through: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The newest first. everything: False where the caller may read a part only. cut: there may be more in this time."""

    stretches: tuple[Stretch, ...]
    everything: bool
    cut: bool


def of_person(
    deps: Deps, caller: Caller, principal_id: str, since: datetime, until: datetime
) -> Timeline | Refusal:
    """What a person, application or group held, and what came to it through the groups it is in now."""
    now = deps.clock()

    def work(tx: Transaction) -> Timeline | Refusal:
        refusal = browse.unseen(tx, caller, principal_id, now)
        if refusal is not None:
            return refusal
        groups = sorted(identities(tx, principal_id, now) - {principal_id})[:_GROUPS]
        who = (principal_id, *groups)
        found, cut = _over(tx, Provider, AnyOf("principal_id", who), until)
        found |= {one.id: one for one in tx.schedules.of(who, kind=Kind.ASSIGNMENT, live_at=now)}
        own = identities(tx, caller.principal_id, now)
        shown, everything = readable(tx, caller, list(found.values()), own, now)
        drawn, more = _drawn(tx, shown, since, until, subject=principal_id)
        return Timeline(drawn, everything, more or _missing(cut, since))

    return deps.store.read(caller.tenant_id, work)


def of_role(
    deps: Deps, caller: Caller, provider: Provider, role_id: str, since: datetime, until: datetime
) -> Timeline:
    """Who held a role, wherever."""
    where = Compare("role_id", "eq", role_id)
    return _of(deps, caller, provider, where, where, since, until)


def of_scope(
    deps: Deps, caller: Caller, provider: Provider, scope: str, since: datetime, until: datetime
) -> Timeline:
    """Who held anything at exactly this scope. Whether the place may be seen is for whoever shows it to ask."""
    where = Compare("scope", "eq", scope)
    # Nearly everything of the directory is at the tenant: its newest are the newest of all.
    asked = None if provider is Provider.DIRECTORY and scope == TENANT else where
    return _of(deps, caller, provider, where, asked, since, until)


def _of(
    deps: Deps,
    caller: Caller,
    provider: Provider,
    where: Compare,
    asked: Condition | None,
    since: datetime,
    until: datetime,
) -> Timeline:
    """where: which schedules. asked: the same, as far as an index can say it without walking through what is over."""
    now = deps.clock()
    wide = ROOT if provider is Provider.RESOURCE else None
    scope = str(where.value) if where.field == "scope" else wide

    def work(tx: Transaction) -> Timeline:
        everything = PROVIDERS[provider].may_read(tx, caller, scope, now)
        mine = None if everything else identities(tx, caller.principal_id, now)
        found, cut = _over(tx, [provider], asked, until)
        lasting = Query(asked, limit=2 * MOST)
        page = tx.schedules.page(provider, Kind.ASSIGNMENT, lasting, live_at=now, principal_ids=mine)
        found |= {one.id: one for one in page.items}
        kept = [
            one
            for one in found.values()
            if getattr(one, where.field) == where.value and (mine is None or one.principal_id in mine)
        ]
        drawn, more = _drawn(tx, kept, since, until)
        return Timeline(drawn, everything, more or page.next is not None or _missing(cut, since))

    return deps.store.read(caller.tenant_id, work)


def _over(
    tx: Transaction, providers: Iterable[Provider], where: Condition | None, until: datetime
) -> tuple[dict[str, Schedule], list[datetime]]:
    """The schedules of the newest requests before then, by id; and where there were more of them, how far they go
    back."""
    before = Compare("created_at", "lt", until)
    asked = before if where is None else All((where, before))
    ids: set[str] = set()
    cut: list[datetime] = []
    for provider in providers:
        page = tx.requests.page(provider, Kind.ASSIGNMENT, Query(asked, order=_NEWEST, limit=_REQUESTS))
        ids |= {one.schedule_id for one in page.items if one.schedule_id}
        if page.next is not None:
            cut.append(page.items[-1].created_at)
    return tx.schedules.many(ids), cut


def _missing(cut: Sequence[datetime], since: datetime) -> bool:
    return any(oldest > since for oldest in cut)


def _drawn(
    tx: Transaction, found: Iterable[Schedule], since: datetime, until: datetime, subject: str = ""
) -> tuple[tuple[Stretch, ...], bool]:
    """Those that touch the time, with names; and whether some were left out."""
    fitting = [
        one
        for one in found
        if one.kind is Kind.ASSIGNMENT and one.status not in _NEVER and one.overlaps(since, until)
    ]
    fitting.sort(key=lambda one: (one.starts_at, one.id), reverse=True)
    shown = fitting[:MOST]
    names = Names(tx, {(one.provider, one.role_id, one.scope) for one in shown})
    holders = tx.principals.many({one.principal_id for one in shown})
    rows = []
    for one in shown:
        key = one.provider, one.role_id, one.scope
        holder = holders.get(one.principal_id)
        rows.append(
            Stretch(
                one,
                names.roles.get(key, one.role_id),
                names.scopes.get(key, one.scope),
                names.paths.get(one.scope, one.scope),
                holder,
                through=holder.display_name if holder and subject and holder.id != subject else "",
            )
        )
    return tuple(rows), len(fitting) > MOST
