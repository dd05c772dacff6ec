"""Audit: what I did and what was done to me, and for readers all of it; one event in full; downloads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Final, get_args

from openpim.core.audit import AuditEvent, Category
from openpim.core.audit_form import COLUMNS, row
from openpim.core.query import All, Compare, Condition, Page, Query, Some, UnknownFieldError
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal import downloads, pick, words
from openpim.faces.portal.call import Answer, BrokenOffError, Call, RefusedError, Show, Stream
from openpim.faces.portal.table import Page as Row
from openpim.services import audit_proof, audits
from openpim.services.signin.portal import still_there

NAV: Final = "audit"
A_PAGE: Final = 25
A_PART: Final = 500  # of a download
_ID: Final = re.compile(r"[0-9a-fA-F-]{36}|/.*")  # of anything, whether it is still there or not
CATEGORIES: Final = get_args(Category)


def mine(call: Call) -> Answer:
    return _list(call, "/portal/audit", Compare("concerns", "eq", call.caller.principal_id))


def everything(call: Call) -> Answer:
    """Whoever may not read all of it sees his own part here too: the act takes care of that."""
    return _list(call, "/portal/audit/all", None)


def event(call: Call) -> Answer:
    found = audits.get(call.deps, call.caller, call.params["id"].lower()[:36])
    if isinstance(found, Refusal):
        raise RefusedError(found)
    proof = None if found.position is None else audit_proof.proved_by(call.deps, call.caller, found.position)
    return Show("audit_event.html", {"event": found, "proof": proof}, nav=NAV)


def as_csv(call: Call) -> Answer:
    parts = (downloads.csv_rows(COLUMNS, map(row, events)) for events in _all(call))
    return Stream(
        chain([downloads.csv_head(COLUMNS)], parts), "text/csv; charset=utf-8", f"{_file_name(call)}.csv"
    )


def as_json_lines(call: Call) -> Answer:
    parts = ("".join(f"{json.dumps(row(one))}\n" for one in events).encode() for events in _all(call))
    return Stream(parts, "application/jsonl; charset=utf-8", f"{_file_name(call)}.jsonl")


def _file_name(call: Call) -> str:
    return f"audit-{call.now.astimezone(UTC):%Y-%m-%d}"


def _all(call: Call) -> Iterator[Sequence[AuditEvent]]:
    """The events of the list as it is filtered, newest first, in parts: all of them, in constant memory. Who is signed out
    meanwhile, or may not read as much any more, gets no more of them."""
    only = None if call.query.get("all") else Compare("concerns", "eq", call.caller.principal_id)
    where, faults = _where(call, only)
    if faults:
        raise RefusedError(Refusal(Code.INVALID, " ".join(faults.values())))
    everything = audits.reads_all(call.deps, call.caller)

    def parts() -> Iterator[Sequence[AuditEvent]]:
        after: str | None = None
        while True:
            if not still_there(call.signin, call.presence):
                raise BrokenOffError("who downloads the audit was signed out")
            page = _ask(call, Query(where, limit=A_PART, after=after))
            if audits.reads_all(call.deps, call.caller) is not everything:
                raise BrokenOffError("who downloads the audit may read another part of it now")
            yield page.items
            after = page.next
            if after is None:
                return

    return parts()


# ---------------------------------------------------------------- the list


def _list(call: Call, path: str, only: Condition | None) -> Answer:
    where, faults = _where(call, only)
    after = call.query.get("after") or None
    nothing: Page[AuditEvent] = Page(())
    page = nothing if faults else _ask(call, Query(where, limit=A_PAGE, after=after))
    asked = {name: call.query.get(name, "")[:200] for name in ("words", "q", "activity", "category", "result", "since", "until", "about")}  # fmt: skip
    values = {
        "path": path,
        "events": page.items,
        "next": page.next,
        "first": after is None,
        "asked": asked,
        "faults": faults,
        "categories": CATEGORIES,
        "reads_all": audits.reads_all(call.deps, call.caller),
    }
    return Show("audit.html", values, 400 if faults else 200, nav=NAV)


def _ask(call: Call, query: Query) -> Page[AuditEvent]:
    try:
        return audits.page(call.deps, call.caller, query, call.query.get("words", "")[:200])
    except UnknownFieldError as error:
        message = "The address of this page is not one of ours. Begin again at the list."
        raise RefusedError(Refusal(Code.INVALID, message)) from error


def _where(call: Call, only: Condition | None) -> tuple[Condition, dict[str, str]]:
    """What was asked for, and what is wrong with it by the field's name."""
    asked = {name: value.strip()[:200] for name, value in call.query.items()}
    faults: dict[str, str] = {}
    parts: list[Condition] = [only] if only is not None else []
    if who := asked.get("q"):
        parts.append(Some((Compare("actor_name", "contains", who), Compare("actor_upn", "contains", who))))
    if activity := asked.get("activity"):
        parts.append(Compare("activity_text", "contains", activity))
    if asked.get("category") in CATEGORIES:
        parts.append(Compare("category", "eq", asked["category"]))
    if asked.get("result") in {"success", "failure"}:
        parts.append(Compare("result", "eq", asked["result"]))
    if about := asked.get("about"):
        meant = about if _ID.fullmatch(about) else pick.meant(call, about)
        if meant is None:
            faults["about"] = words.t(
                "Nobody is called so, or several: write a user principal name or an id."
            )
        parts.append(Compare("concerns", "eq", meant or about))
    for name, op, days in (("since", "ge", 0), ("until", "lt", 1)):
        if text := asked.get(name):
            day = _day(text)
            if day is None:
                faults[name] = words.t("This is not a day: write it as 2026-11-21.")
            else:
                parts.append(Compare("at", op, day + timedelta(days=days)))  # type: ignore[arg-type]
    return All(tuple(parts)), faults


def _day(text: str) -> datetime | None:
    try:
        found = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return found if 1970 <= found.year < 3000 else None


PAGES: Final[tuple[Row, ...]] = (
    Row("GET", "/portal/audit", mine),
    Row("GET", "/portal/audit/all", everything),
    Row("GET", "/portal/audit/csv", as_csv, streams=True),
    Row("GET", "/portal/audit/jsonl", as_json_lines, streams=True),
    Row("GET", "/portal/audit/{id}", event),
)
