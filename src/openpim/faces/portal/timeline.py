"""Timeline: who held what when, of a person, a role or a place: drawn, nearer or farther by links, and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote, urlencode

from markupsafe import escape

from openpim.core.grants import AssignmentType, Provider
from openpim.core.lifecycle import ScheduleStatus
from openpim.faces.portal import pick
from openpim.faces.portal import timeline_of as of
from openpim.faces.portal.call import Answer, Call, Show
from openpim.faces.portal.finding import holder_address
from openpim.faces.portal.table import Page
from openpim.faces.portal.timeline_of import Question, Subject
from openpim.faces.portal.words import MONTHS, PROVIDER_MARKS, t
from openpim.services import timeline
from openpim.services.timeline import Stretch

NAV = "timeline"
FEW = 25  # stretches that are shown at first
LANES = 60
ZOOMS = {
    "1d": ("1 day", timedelta(days=1)),
    "1w": ("1 week", timedelta(weeks=1)),
    "1m": ("1 month", timedelta(days=30)),
    "1y": ("1 year", timedelta(days=365)),
}
_AHEAD = 8  # of the time that is shown, an eighth is to come
_SCALES = {"1d": timedelta(days=2), "1w": timedelta(days=14), "1m": timedelta(days=100)}
_A_DAY = len("2026-11-21")
LONGEST = timedelta(days=5 * 365)


class Bar(NamedTuple):
    """left, width: in hundredths of the time that is shown."""

    left: str
    width: str
    tone: str
    title: str


class Line(NamedTuple):
    """Of the table; where it leads, and what is written there. early: it ended before its time."""

    holder: str | None
    holder_name: str
    role: str
    role_name: str
    activated: bool
    mark: str
    scope: str
    scope_name: str
    path: str
    starts_at: datetime
    ends_at: datetime | None
    early: bool


@dataclass(frozen=True, slots=True)
class Lane:
    name: str
    more: str
    bars: list[Bar]

    @property
    def said(self) -> str:
        """For who does not see them: the first of them."""
        return "; ".join(bar.title for bar in self.bars[:12])


@dataclass(frozen=True, slots=True)
class Range:
    """What time is shown. zoom: one of ZOOMS, "" where the reader said from when. typed: its two days, as in the form."""

    since: datetime
    until: datetime
    zoom: str
    typed: tuple[str, str] = ("", "")
    problem: str = ""

    @property
    def scale(self) -> str:
        """The zoom whose marks fit."""
        length = self.until - self.since
        return self.zoom or next((one for one, most in _SCALES.items() if length <= most), "1y")


def show(call: Call) -> Answer:
    time = _range(call)
    since, until = time.since, time.until
    many = call.query.get("show") == "more"
    most = timeline.MOST if many else FEW
    subject = of.subject(call, of.Time(since, until, most), _kept(time))
    form = {
        "providers": tuple(Provider),
        "typed": {name: call.query.get(name, "").strip()[:200] for name in (*of.FIELDS, "provider")},
        "days": time.typed,
        "zoom": time.zoom,
        "problem": time.problem,
    }
    if isinstance(subject, Question):
        return Show("timeline_ask.html", {**form, "question": subject, "kinds": pick.KINDS}, 400, nav=NAV)
    form["typed"] = {subject.query[0][0]: subject.written, "provider": subject.provider.value}
    lanes = _lanes(subject, since, until, call.now)
    half = (until - since) / 2
    values = {
        **form,
        "subject": subject,
        "found": subject.found,
        "table": _table(subject, time.scale),
        "more": "" if many else _address(subject, {**_kept(time), "show": "more"}),
        "lanes": lanes[:LANES],
        "not_drawn": max(0, len(lanes) - LANES),
        "since": since,
        "until": until,
        "ticks": _ticks(time.scale, since, until),
        "now_at": _part(call.now, since, until) if since < call.now < until else None,
        "zooms": [(key, words, _address(subject, {"zoom": key})) for key, (words, _) in ZOOMS.items()],
        "earlier": _address(subject, _moved(time, -half)) if since.year > 1971 else "",
        "later": _address(subject, _moved(time, half)) if until.year < 2990 else "",
    }
    return Show("timeline.html", values, 400 if time.problem else 200, nav=NAV)


# ---------------------------------------------------------------- when


def _range(call: Call) -> Range:
    """`zoom` up to `until` (or a little after now); or from a day or moment (`from`) until another."""
    zoom = call.query.get("zoom", "")
    zoom = zoom if zoom in ZOOMS else "1w"
    first, last = (call.query.get(name, "").strip()[:40] for name in ("from", "until"))
    length = ZOOMS[zoom][1]
    usual = _moment(last) or _rounded(call.now + length / _AHEAD, zoom)
    if last and len(last) <= _A_DAY and _moment(last):
        usual += timedelta(days=1)  # a day is all of it
    typed = (first[:_A_DAY], last[:_A_DAY])
    if not first:
        return Range(usual - length, usual, zoom, typed if len(last) <= _A_DAY else ("", ""))
    begins = _moment(first)
    ends = usual if last else _rounded(call.now, "1w")
    problem = ""
    if begins is None or (last and not _moment(last)):
        problem = t("Write days as 2026-11-21.")
    elif not timedelta() < ends - begins <= LONGEST:
        problem = t("It must end after it begins, and last at most {years} years.", years=LONGEST.days // 365)
    if problem or begins is None:
        return Range(usual - length, usual, zoom, typed, problem)
    return Range(begins, ends, "", typed)


def _kept(time: Range) -> dict[str, str]:
    """The same time, as it stands in an address."""
    if time.zoom:
        return {"zoom": time.zoom, "until": f"{time.until:%Y-%m-%dT%H:%M}"}
    return {"from": f"{time.since:%Y-%m-%dT%H:%M}", "until": f"{time.until:%Y-%m-%dT%H:%M}"}


def _moved(time: Range, by: timedelta) -> dict[str, str]:
    return _kept(replace(time, since=time.since + by, until=time.until + by))


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
        lanes.setdefault(key, Lane(name, more, [])).bars.append(_bar(one, since, until, now))
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
    return Bar(str(min(left, 100 - width)), str(width), tone, f"{begin} – {end}")


def _table(subject: Subject, zoom: str) -> list[Line]:
    """What says the same in many lines is made once."""
    roles: dict[tuple[Provider, str], str] = {}
    scopes: dict[tuple[Provider, str], str] = {}
    lines = []
    for one in subject.found.stretches:
        schedule, who = one.schedule, one.holder
        role, scope = (schedule.provider, schedule.role_id), (schedule.provider, schedule.scope)
        if role not in roles:
            roles[role] = escape(
                f"/portal/timeline?role={schedule.provider.value}:{schedule.role_id}&zoom={zoom}"
            )
        if scope not in scopes:
            key = quote(f"{schedule.provider.value}:{schedule.scope}")
            scopes[scope] = escape(f"/portal/timeline?scope={key}&zoom={zoom}")
        lines.append(
            Line(
                holder_address(who.kind.value, who.id) if who is not None else None,
                who.display_name if who is not None else "",
                roles[role],
                one.role_name,
                schedule.assignment_type is AssignmentType.ACTIVATED,
                t(PROVIDER_MARKS[schedule.provider]),
                scopes[scope],
                one.scope_name,
                one.scope_path,
                schedule.starts_at,
                schedule.ends_at,
                schedule.status is ScheduleStatus.REVOKED,
            )
        )
    return lines


def _short(when: datetime) -> str:
    at = when.astimezone(UTC)
    return f"{at.day} {MONTHS[at.month - 1]} {at.hour:02}:{at.minute:02}"


def _part(when: datetime, since: datetime, until: datetime) -> float:
    return round(100 * ((when - since) / (until - since)), 3)


def _ticks(zoom: str, since: datetime, until: datetime) -> Sequence[tuple[float, str, bool]]:
    """(where, words, whether there is room for the words on a phone)"""
    begin = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    months = 1 + (until - since).days // 500  # fewer words where more time is shown
    months = next(one for one in (1, 2, 3, 6, 12) if one >= months or one == 12)
    found: list[tuple[datetime, str]] = []
    at = begin
    while at < until:
        day = f"{at.day} {MONTHS[at.month - 1]}"
        if zoom == "1d" and at.hour % 3 == 0:
            found.append((at, day if at.hour == 0 else f"{at:%H:%M}"))
        elif (zoom == "1w" and at.hour == 0) or (zoom == "1m" and at.hour == 0 and at.toordinal() % 5 == 0):
            found.append((at, day))
        elif zoom == "1y" and at.hour == 0 and at.day == 1 and at.month % months == 1 % months:
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


def _address(subject: Subject, when: Mapping[str, str]) -> str:
    return "/portal/timeline?" + urlencode([*subject.query, *when.items()])


PAGES = (Page("GET", "/portal/timeline", show),)
