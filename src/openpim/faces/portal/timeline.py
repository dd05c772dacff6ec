"""Timeline: who held what when, of a person, a role or a place: drawn, nearer or farther by links, and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from openpim.core.directory import ServicePrincipal, User
from openpim.core.grants import AssignmentType, Provider
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import ROOT, canonical
from openpim.core.scopes import ADMINISTRATIVE_UNITS, TENANT
from openpim.faces.portal.call import Answer, Call, RefusedError, Show
from openpim.faces.portal.finding import holder_address, settled
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import MONTHS, t
from openpim.services import browse, timeline
from openpim.services.resources import browse as places
from openpim.services.timeline import Stretch, Timeline

NAV = "timeline"
LANES = 60
ZOOMS = {
    "1d": ("1 day", timedelta(days=1)),
    "1w": ("1 week", timedelta(weeks=1)),
    "1m": ("1 month", timedelta(days=30)),
    "1y": ("1 year", timedelta(days=365)),
}
_AHEAD = 8  # of the time that is shown, an eighth is to come
_ASK_FOR = Refusal(
    Code.NOT_FOUND, "Ask for a person, a role or a place: person=…, role=directory:…, scope=resource:/…"
)


@dataclass(frozen=True, slots=True)
class Bar:
    """left, width: in hundredths of the time that is shown."""

    left: float
    width: float
    tone: str
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    name: str
    more: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What it is the timeline of. query: as it stands in the address."""

    kind: str
    name: str
    query: tuple[tuple[str, str], ...]
    found: Timeline


def show(call: Call) -> Answer:
    zoom = call.query.get("zoom", "")
    zoom = zoom if zoom in ZOOMS else "1w"
    length = ZOOMS[zoom][1]
    until = _moment(call.query.get("until", "")) or _rounded(call.now + length / _AHEAD, zoom)
    since = until - length
    subject = _subject(call, since, until)
    lanes = _lanes(subject, since, until, call.now)
    values = {
        "subject": subject,
        "found": subject.found,
        "lanes": lanes[:LANES],
        "not_drawn": max(0, len(lanes) - LANES),
        "since": since,
        "until": until,
        "ticks": _ticks(zoom, since, until),
        "now_at": _part(call.now, since, until) if since < call.now < until else None,
        "zooms": [(key, words, _address(subject, key, None)) for key, (words, _) in ZOOMS.items()],
        "zoom": zoom,
        "earlier": _address(subject, zoom, until - length / 2) if since.year > 1971 else "",
        "later": _address(subject, zoom, until + length / 2) if until.year < 2990 else "",
        "address": holder_address,
    }
    return Show("timeline.html", values, nav=NAV)


# ---------------------------------------------------------------- of whom


def _subject(call: Call, since: datetime, until: datetime) -> Subject:
    role, scope = call.query.get("role", "")[:120], call.query.get("scope", "")[:620]
    if role:
        return _role(call, role, since, until)
    if scope:
        return _scope(call, scope, since, until)
    key = call.query.get("person", "").strip().lower()[:36] or call.caller.principal_id
    found = settled(timeline.of_person(call.deps, call.caller, key, since, until))
    who = browse.objects(call.deps, call.caller, [key]).get(key)
    name = who.display_name if who is not None else key
    return Subject(
        "person" if isinstance(who, User | ServicePrincipal) else "group", name, (("person", key),), found
    )


def _role(call: Call, text: str, since: datetime, until: datetime) -> Subject:
    provider, role_id = _read(text)
    role_id = role_id.lower()
    found = timeline.of_role(call.deps, call.caller, provider, role_id, since, until)
    match provider:
        case Provider.DIRECTORY:
            name = settled(browse.role_definition(call.deps, call.caller, role_id)).display_name
        case Provider.RESOURCE:
            roles = places.facts(call.deps, call.caller, roles=[role_id]).roles
            # What such a role is called is for those to know who see where it is held.
            if role_id not in roles or not (found.everything or found.stretches):
                raise RefusedError(_ASK_FOR)
            name = roles[role_id].name
        case Provider.GROUP:
            if role_id not in {"member", "owner"}:
                raise RefusedError(_ASK_FOR)
            name = t("Members of groups") if role_id == "member" else t("Owners of groups")
    return Subject("role", name, (("role", f"{provider.value}:{role_id}"),), found)


def _scope(call: Call, text: str, since: datetime, until: datetime) -> Subject:
    provider, scope = _read(text)
    match provider:
        case Provider.GROUP:
            scope = scope.lower()
            name = settled(browse.group(call.deps, call.caller, scope)).display_name
        case Provider.RESOURCE:
            scope = canonical(scope)
            name = t("Tenant root")
            if scope != ROOT:
                name = settled(places.get(call.deps, call.caller, scope)).display_name
        case Provider.DIRECTORY:
            scope, name = _directory_scope(call, scope)
    found = timeline.of_scope(call.deps, call.caller, provider, scope, since, until)
    return Subject("scope", name, (("scope", f"{provider.value}:{scope}"),), found)


def _directory_scope(call: Call, scope: str) -> tuple[str, str]:
    if scope in {"", TENANT}:
        return TENANT, settled(browse.tenant(call.deps, call.caller)).name
    if not scope.lower().startswith(ADMINISTRATIVE_UNITS.lower()):
        raise RefusedError(_ASK_FOR)
    key = scope[len(ADMINISTRATIVE_UNITS) :].lower()
    unit = settled(browse.administrative_unit(call.deps, call.caller, key))
    return ADMINISTRATIVE_UNITS + unit.id, unit.display_name


def _read(text: str) -> tuple[Provider, str]:
    """provider:what"""
    kind, _, rest = text.partition(":")
    provider = next((one for one in Provider if one.value == kind), None)
    if provider is None or not rest:
        raise RefusedError(_ASK_FOR)
    return provider, rest.strip()


# ---------------------------------------------------------------- drawing


def _lanes(subject: Subject, since: datetime, until: datetime, now: datetime) -> list[Lane]:
    """One for each person, role and place; by name."""
    lanes: dict[tuple[str, str, str], Lane] = {}
    for one in reversed(subject.found.stretches):
        holder = one.holder.display_name if one.holder is not None else t("Deleted")
        holder = one.through or holder
        what = f"{one.role_name} · {one.scope_name}"
        if subject.kind in {"person", "group"}:
            name, more = one.role_name, one.scope_name
            more += " · " + t("through {group}", group=one.through) if one.through else ""
        else:
            name, more = holder, one.scope_name if subject.kind == "role" else one.role_name
        key = (one.schedule.principal_id, what, one.schedule.scope)
        lane = lanes.get(key, Lane(name, more, ()))
        lanes[key] = replace(lane, bars=(*lane.bars, _bar(one, since, until, now)))
    return sorted(lanes.values(), key=lambda one: (one.name.casefold(), one.more.casefold()))


def _bar(one: Stretch, since: datetime, until: datetime, now: datetime) -> Bar:
    schedule = one.schedule
    left = _part(max(schedule.starts_at, since), since, until)
    right = _part(min(schedule.ends_at or until, until), since, until)
    tone = "activated" if schedule.assignment_type is AssignmentType.ACTIVATED else "assigned"
    if schedule.starts_at > now:
        tone += " ahead"
    begin, end = _short(schedule.starts_at), _short(schedule.ends_at) if schedule.ends_at else t("permanent")
    width = max(right - left, 0.4)
    return Bar(min(left, 100 - width), width, tone, f"{begin} – {end}")


def _short(when: datetime) -> str:
    at = when.astimezone(UTC)
    return f"{at.day} {MONTHS[at.month - 1]} {at:%H:%M}"


def _part(when: datetime, since: datetime, until: datetime) -> float:
    return round(100 * ((when - since) / (until - since)), 3)


def _ticks(zoom: str, since: datetime, until: datetime) -> Sequence[tuple[float, str, bool]]:
    """(where, words, whether there is room for the words on a phone)"""
    begin = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    found: list[tuple[datetime, str]] = []
    at = begin
    while at < until:
        day = f"{at.day} {MONTHS[at.month - 1]}"
        if zoom == "1d" and at.hour % 3 == 0:
            found.append((at, day if at.hour == 0 else f"{at:%H:%M}"))
        elif (zoom == "1w" and at.hour == 0) or (zoom == "1m" and at.hour == 0 and at.toordinal() % 5 == 0):
            found.append((at, day))
        elif zoom == "1y" and at.hour == 0 and at.day == 1:
            found.append((at, MONTHS[at.month - 1] if at.month > 1 else str(at.year)))
        at += timedelta(hours=1) if zoom == "1d" else timedelta(hours=24 - at.hour)
    return [
        (_part(at, since, until), words, number % 2 == 0)
        for number, (at, words) in enumerate(found)
        if since <= at < until
    ]


def _rounded(when: datetime, zoom: str) -> datetime:
    """Up to the hour, or to the day: so that the links of a page stay the same for a while."""
    whole = when.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return whole if zoom == "1d" else whole.replace(hour=0) + timedelta(days=1)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.strip()[:40])
    except ValueError:
        return None
    if not 1972 <= found.year < 2990:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _address(subject: Subject, zoom: str, until: datetime | None) -> str:
    asked = [*subject.query, ("zoom", zoom)]
    if until is not None:
        asked.append(("until", f"{until:%Y-%m-%dT%H:%M}"))
    return "/portal/timeline?" + urlencode(asked)


PAGES = (Page("GET", "/portal/timeline", show),)
