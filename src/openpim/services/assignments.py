"""Who holds, may activate, or held what, with names: what people who manage roles, groups and places look at. (What one
holds oneself is `my_grants`.) Each sees what the acts let him read: group owners their groups, owners of places those."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from openpim.core.caller import Caller
from openpim.core.directory import Principal, PrincipalKind
from openpim.core.grants import LIVE, AssignmentType, Kind, Provider, Request, Schedule
from openpim.core.lifecycle import ScheduleStatus
from openpim.core.query import All, AnyOf, Compare, Condition, Order, Page, Query, UnknownFieldError
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.assigning import place_named
from openpim.services.authority import identities
from openpim.services.eligibilities import Names
from openpim.services.providers import PROVIDERS
from openpim.services.reading import NOT_A_READER
from openpim.services.resource_access import assigned_at

LOOK_BACK_DAYS = 30
_MOST_PEOPLE = 200
_MOST_PLACES = 2000
_OVER = tuple(status.value for status in ScheduleStatus if status not in LIVE)
_ENDED = AnyOf("status", (ScheduleStatus.PROVISIONED.value, *_OVER))


class Tab(StrEnum):
    ELIGIBLE = "eligible"
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of it. scope: exactly this one (its name, id or path); "" everywhere. role, who: (parts of) names, or ids. kind, days: of what has
    ended, which and how long ago at most. after: the cursor of the page before."""

    tab: Tab
    provider: Provider
    scope: str = ""
    role: str = ""
    who: str = ""
    kind: Kind = Kind.ELIGIBILITY
    days: int = LOOK_BACK_DAYS
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Row:
    """A schedule and what it is called. who: None where the principal is gone for good; address: of a person.

    through: the group by which it comes to the person who was asked about. asked: its holder's open request to extend
    or renew it. may_manage: the caller may change it.
    """

    schedule: Schedule
    role_name: str
    scope_name: str
    scope_path: str
    who: Principal | None
    address: str = ""
    through: str = ""
    asked: Request | None = None
    may_manage: bool = False

    @property
    def who_name(self) -> str:
        return self.who.display_name if self.who is not None else self.schedule.principal_id

    @property
    def outside(self) -> bool:
        """Made by a plain role assignment, not through a request."""
        one = self.schedule
        return one.assignment_type is AssignmentType.ASSIGNED and one.request_id is None


def listed(deps: Deps, caller: Caller, wanted: Wanted) -> Page[Row] | Refusal:
    """By role, then by person within a page; what has ended newest first. FORBIDDEN, INVALID (the cursor)."""
    now = deps.clock()

    def work(tx: Transaction) -> Page[Row] | Refusal:
        where = _places(tx, caller, wanted, now)
        if isinstance(where, Refusal):
            return where
        parts = [where] if where is not None else []
        roles = _roles(tx, wanted)
        person, people = _people(tx, wanted.who, now)
        nothing: Page[Row] = Page(())
        if roles == () or people == ():
            return nothing
        over = wanted.tab is Tab.EXPIRED
        if over:
            parts.append(_ENDED)
        order = (Order("ends_at", descending=True), Order("id")) if over else (Order("role_id"), Order("id"))
        try:
            page = tx.schedules.page(
                wanted.provider,
                kind_of(wanted),
                Query(
                    All(tuple(parts)) if parts else None, order=order, limit=wanted.limit, after=wanted.after
                ),
                live_at=None if over else now,
                ended=(now - timedelta(days=max(1, wanted.days)), now) if over else None,
                principal_ids=people,
                role_ids=roles,
            )
        except UnknownFieldError:
            return Refusal(
                Code.INVALID, "The address of this page is not one of ours. Begin at the list again."
            )
        rows = _dressed(tx, caller, page.items, now, person)
        if (
            wanted.provider is Provider.RESOURCE
        ):  # a deny assignment may hide a place inside one that is readable
            may = {one.schedule.scope for one in rows}
            may = {one for one in may if PROVIDERS[Provider.RESOURCE].may_read(tx, caller, one, now)}
            rows = [one for one in rows if one.schedule.scope in may]
        return Page(tuple(rows if over else _by_person(rows)), page.next)

    return deps.store.read(caller.tenant_id, work)


def get(deps: Deps, caller: Caller, schedule_id: str) -> Row | Refusal:
    """One, whatever has become of it. NOT_FOUND, for what one may not read too."""
    now = deps.clock()

    def work(tx: Transaction) -> Row | Refusal:
        found = tx.schedules.get(schedule_id)
        if found is None or not PROVIDERS[found.provider].may_read(tx, caller, found.scope, now):
            return Refusal(Code.NOT_FOUND, "There is no such assignment among those that you may read.")
        return _dressed(tx, caller, [found], now, None)[0]

    return deps.store.read(caller.tenant_id, work)


def reach(deps: Deps, caller: Caller) -> tuple[Provider, ...]:
    """The providers of which the caller may read anything."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[Provider, ...]:
        found = {one: _places(tx, caller, Wanted(Tab.ACTIVE, one), now) for one in Provider}
        return tuple(one for one, where in found.items() if not isinstance(where, Refusal))

    return deps.store.read(caller.tenant_id, work)


def kind_of(wanted: Wanted) -> Kind:
    if wanted.tab is Tab.EXPIRED:
        return wanted.kind
    return Kind.ELIGIBILITY if wanted.tab is Tab.ELIGIBLE else Kind.ASSIGNMENT


# ---------------------------------------------------------------- what was asked for


def _places(tx: Transaction, caller: Caller, wanted: Wanted, now: datetime) -> Condition | Refusal | None:
    """Where the caller may look: None, everywhere."""
    rules = PROVIDERS[wanted.provider]
    if wanted.scope:
        scope = place_named(tx, wanted.provider, wanted.scope)
        if scope is None:
            return AnyOf("scope", ()) if rules.may_read(tx, caller, None, now) else NOT_A_READER
        return Compare("scope", "eq", scope) if rules.may_read(tx, caller, scope, now) else NOT_A_READER
    if rules.may_read(tx, caller, None, now):
        return None
    places: set[str] = set()
    if wanted.provider is Provider.GROUP:
        owned = tx.groups.owned(caller.principal_id, now, Query(limit=_MOST_PLACES)).items
        places = {one.id for one in owned if rules.may_read(tx, caller, one.id, now)}
    elif wanted.provider is Provider.RESOURCE:
        held = [one for one in sorted(assigned_at(tx, caller, now)) if rules.may_read(tx, caller, one, now)]
        places = set(held)
        for one in held:
            if len(places) < _MOST_PLACES:
                places.update(tx.resources.ids_below(one))
    return AnyOf("scope", tuple(sorted(places)[:_MOST_PLACES])) if places else NOT_A_READER


def _roles(tx: Transaction, wanted: Wanted) -> tuple[str, ...] | None:
    """Ids of the roles whose name has every word of it; None: any."""
    words = wanted.role.casefold().split()
    if not words:
        return None
    names: Iterable[tuple[str, str]]
    match wanted.provider:
        case Provider.DIRECTORY:
            names = ((one.id, one.display_name) for one in tx.roles.all())
        case Provider.RESOURCE:
            names = ((one.id, one.name) for one in tx.resource_roles.all())
        case Provider.GROUP:
            names = (("member", "Member"), ("owner", "Owner"))
    asked = wanted.role.strip().lower()
    return tuple(one for one, name in names if one == asked or all(word in name.casefold() for word in words))


def _people(
    tx: Transaction, text: str, now: datetime
) -> tuple[str | None, frozenset[str] | tuple[()] | None]:
    """The one person it means, if it is one, and whose grants fit: his and his groups'; None: anybody's."""
    text = text.strip()
    if not text:
        return None, None
    exact = tx.users.by_upn(text) if "@" in text else None
    known = tx.principals.get(exact.id if exact is not None else text.lower())
    if known is None:
        found = {one.id: one.kind for one in tx.principals.search(text, limit=_MOST_PEOPLE)}
        found |= {one.id: PrincipalKind.USER for one in tx.users.search(text, _MOST_PEOPLE)}
        if len(found) != 1:
            return None, frozenset(found) or ()
        known = tx.principals.get(next(iter(found)))
    if known is None or known.kind is PrincipalKind.GROUP:
        return None, frozenset({known.id}) if known is not None else ()
    return known.id, identities(tx, known.id, now)


# ---------------------------------------------------------------- names


def _dressed(
    tx: Transaction, caller: Caller, schedules: Sequence[Schedule], now: datetime, person: str | None
) -> list[Row]:
    named = Names(tx, {(one.provider, one.role_id, one.scope) for one in schedules})
    ids = {one.principal_id for one in schedules}
    people = tx.principals.many(sorted(ids), deleted=True)
    addresses = tx.users.addresses([one.id for one in people.values() if one.kind is PrincipalKind.USER])
    asked = _asked(tx, schedules)
    managed: dict[tuple[Provider, str], bool] = {}
    rows = []
    for one in schedules:
        key = (one.provider, one.role_id, one.scope)
        place = (one.provider, one.scope)
        if place not in managed:
            managed[place] = PROVIDERS[one.provider].may_manage(tx, caller, one.role_id, one.scope, now)
        who = people.get(one.principal_id)
        through = who.display_name if person is not None and who is not None and who.id != person else ""
        rows.append(
            Row(
                schedule=one,
                role_name=named.roles.get(key, one.role_id),
                scope_name=named.scopes.get(key, one.scope),
                scope_path=named.paths.get(one.scope, one.scope),
                who=who,
                address=addresses.get(one.principal_id, ""),
                through=through,
                asked=asked.get((one.principal_id, one.role_id, one.scope)),
                may_manage=managed[place],
            )
        )
    return rows


def _asked(tx: Transaction, schedules: Sequence[Schedule]) -> dict[tuple[str, str, str], Request]:
    """Open requests to extend or renew these, by whom and what they are about."""
    if not schedules:
        return {}
    first = schedules[0]
    people = sorted({one.principal_id for one in schedules})
    found = tx.requests.to_decide(people, first.provider, first.kind)
    return {(one.principal_id, one.role_id, one.scope): one for one in found}


def _by_person(rows: Sequence[Row]) -> list[Row]:
    """Roles stay in the order of the pages; within one by name."""
    order = {role: number for number, role in enumerate(dict.fromkeys(one.schedule.role_id for one in rows))}
    return sorted(
        rows,
        key=lambda one: (
            order[one.schedule.role_id],
            one.who_name.casefold(),
            one.scope_name,
            one.schedule.id,
        ),
    )


def every(deps: Deps, caller: Caller, wanted: Wanted, most: int) -> tuple[Row, ...] | Refusal:
    """All pages of it, `most` rows at most."""
    rows: list[Row] = []
    asked = replace(wanted, limit=500, after=None)
    while True:
        page = listed(deps, caller, asked)
        if isinstance(page, Refusal):
            return page
        rows += page.items
        if page.next is None or len(rows) >= most:
            return tuple(rows[:most])
        asked = replace(asked, after=page.next)
