"""Assignments: who may activate, holds and held what, of each provider; as a list with filters, and as a download."""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from typing import Final
from urllib.parse import urlencode

from openpim.core.directory import PrincipalKind
from openpim.core.grants import AssignmentType, Kind, Provider, Schedule
from openpim.core.lifecycle import ScheduleStatus
from openpim.core.refusals import Refusal
from openpim.core.resources import canonical
from openpim.faces.portal import downloads
from openpim.faces.portal.call import Answer, Call, File, Go, Show, settled
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import t
from openpim.services import assignments
from openpim.services.assignments import Row, Tab, Wanted

NAV: Final = "assignments"
HERE: Final = "/portal/assignments"
A_PAGE: Final = 25
A_DOWNLOAD: Final = 10_000
DAYS: Final = (7, 30, 90, 365)
TABS: Final = (
    (Tab.ELIGIBLE, "Eligible assignments"),
    (Tab.ACTIVE, "Active assignments"),
    (Tab.EXPIRED, "Expired assignments"),
)
COLUMNS: Final = (
    "provider", "role", "scope", "member", "type", "state", "start", "end", "member_name", "member_kind",
    "scope_name", "id",
)  # fmt: skip
KINDS: Final = {
    PrincipalKind.USER: "User",
    PrincipalKind.GROUP: "Group",
    PrincipalKind.SERVICE_PRINCIPAL: "Application",
}


def listing(call: Call) -> Answer:
    wanted = _wanted(call)
    found = assignments.listed(call.deps, call.caller, wanted)
    if isinstance(found, Refusal) and not call.query:
        readable = assignments.reach(call.deps, call.caller)
        if readable and readable[0] is not wanted.provider:
            return Go(f"{HERE}?{urlencode({'provider': readable[0].value})}")
    page = settled(found)
    values = {
        "wanted": wanted,
        "tabs": [(_address(wanted, tab=tab), t(label), tab is wanted.tab) for tab, label in TABS],
        "providers": [(_address(wanted, provider=one), one) for one in Provider],
        "rows": page.items,
        "next": _address(wanted, after=page.next) if page.next else "",
        "first": "" if wanted.after is None else _address(wanted),
        "csv": _address(wanted, path=f"{HERE}/csv"),
        "json": _address(wanted, path=f"{HERE}/json"),
        "clear": _address(Wanted(wanted.tab, wanted.provider)),
        "kinds": tuple(Kind),
        "days": DAYS,
        "most": A_DOWNLOAD,
        "state_of": lambda one: state_of(one, call),
        "type_of": type_of,
        "principal_kinds": KINDS,
        "only_who": _with(wanted, "who"),
        "only_role": _with(wanted, "role"),
        "renewable": renewable,
        "soon": call.now + timedelta(days=call.deps.settings.extend_window_days),
    }
    return Show("assignments.html", values, nav=NAV)


def as_csv(call: Call) -> Answer:
    body = downloads.as_csv(COLUMNS, _flat_rows(call))
    return File(body, "text/csv; charset=utf-8", f"{_file_name(call)}.csv")


def as_json(call: Call) -> Answer:
    body = json.dumps(_flat_rows(call), indent=1).encode()
    return File(body, "application/json", f"{_file_name(call)}.json")


# ---------------------------------------------------------------- what its other pages share


def type_of(row: Row) -> str:
    """In one word: Eligible, Assigned, Activated, Outside PIM."""
    one = row.schedule
    if one.kind is Kind.ELIGIBILITY:
        return t("Eligible")
    return t("Outside PIM") if row.outside else t((one.assignment_type or AssignmentType.ASSIGNED).value)


def state_of(row: Row, call: Call) -> tuple[str, str]:
    """In one word, and its tone."""
    one = row.schedule
    if one.live(call.now):
        if one.starts_at > call.now or one.status is ScheduleStatus.GRANTED:
            return t("Scheduled"), "note"
        return (t("Eligible"), "plain") if one.kind is Kind.ELIGIBILITY else (t("Active"), "good")
    words = {
        ScheduleStatus.REVOKED: t("Removed"),
        ScheduleStatus.CANCELED: t("Canceled"),
        ScheduleStatus.FAILED: t("Failed"),
    }
    return words.get(one.status, t("Expired")), "bad" if one.status is ScheduleStatus.FAILED else "plain"


def renewable(one: Schedule) -> bool:
    """Whether it ended by time, so that it can be renewed (if nothing else was given meanwhile)."""
    by_time = one.status in {ScheduleStatus.PROVISIONED, ScheduleStatus.EXPIRED}
    return by_time and one.assignment_type is not AssignmentType.ACTIVATED


def list_of(one: Schedule, *, tab: Tab | None = None) -> str:
    """The list in which a schedule stands."""
    shown = tab or (Tab.ELIGIBLE if one.kind is Kind.ELIGIBILITY else Tab.ACTIVE)
    return _address(
        Wanted(shown, one.provider, scope="" if one.provider is Provider.DIRECTORY else one.scope)
    )


# ---------------------------------------------------------------- the address


def _wanted(call: Call) -> Wanted:
    """What the address asks for; words that are none of ours are the usual ones."""
    asked = {name: value.strip()[:500] for name, value in call.query.items()}
    provider = next((one for one in Provider if one.value == asked.get("provider")), Provider.DIRECTORY)
    scope = asked.get("scope", "")
    if scope and provider is Provider.RESOURCE:
        scope = canonical(scope)
    days = asked.get("days", "")
    return Wanted(
        tab=next((one for one in Tab if one.value == asked.get("tab")), Tab.ELIGIBLE),
        provider=provider,
        scope=scope,
        role=asked.get("role", "")[:200],
        who=asked.get("who", "")[:200],
        kind=Kind.ASSIGNMENT if asked.get("kind") == Kind.ASSIGNMENT.value else Kind.ELIGIBILITY,
        days=int(days) if days in {str(one) for one in DAYS} else assignments.LOOK_BACK_DAYS,
        after=call.query.get("after") or None,
        limit=A_PAGE,
    )


def _address(wanted: Wanted, *, path: str = HERE, after: str | None = None, **other: str) -> str:
    """The address of the list with something else in it."""
    parts = {"tab": wanted.tab.value, "provider": wanted.provider.value}
    parts |= {"role": wanted.role, "who": wanted.who}
    if other.get("provider", wanted.provider) == wanted.provider:
        parts["scope"] = wanted.scope
    else:
        parts["role"] = ""
    if other.get("tab", wanted.tab) == Tab.EXPIRED:
        parts |= {"kind": wanted.kind.value, "days": str(wanted.days)}
    parts |= other
    if after is not None:
        parts["after"] = after
    return f"{path}?{urlencode({name: value for name, value in parts.items() if value})}"


def _with(wanted: Wanted, name: str) -> str:
    """The address of the list of one more thing, which stands at its end."""
    return f"{_address(wanted, **{name: ''})}&{name}="


# ---------------------------------------------------------------- downloads


def _file_name(call: Call) -> str:
    return f"assignments-{_wanted(call).tab.value}-{call.now.astimezone(UTC):%Y-%m-%d}"


def _flat_rows(call: Call) -> list[dict[str, str]]:
    rows = settled(assignments.every(call.deps, call.caller, _wanted(call), A_DOWNLOAD))
    return [_flat(one, call) for one in rows]


def _flat(row: Row, call: Call) -> dict[str, str]:
    """The first columns are those that the bulk page reads."""
    one = row.schedule
    ends = one.ends_at.astimezone(UTC).isoformat(timespec="seconds") if one.ends_at else "permanent"
    return {
        "provider": one.provider.value,
        "role": row.role_name,
        "scope": one.scope,
        "member": row.address or one.principal_id,
        "type": type_of(row),
        "state": state_of(row, call)[0],
        "start": one.starts_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "end": ends.replace("+00:00", "Z"),
        "member_name": row.who_name,
        "member_kind": KINDS[row.who.kind] if row.who is not None else "",
        "scope_name": row.scope_name,
        "id": one.id,
    }


PAGES: Final[tuple[Page, ...]] = (
    Page("GET", HERE, listing),
    Page("GET", f"{HERE}/csv", as_csv),
    Page("GET", f"{HERE}/json", as_json),
)
