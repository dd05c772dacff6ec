"""Assignments in bulk, from CSV: first a preview that decides every row and does nothing, then exactly what was shown.

What is confirmed travels in the form, sealed for the session that saw it: what has been changed on the way is not taken.
Every row is decided again when it is carried out, so the seal gives nobody a right.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from openpim.core.ask import Ask
from openpim.core.grants import Action, ExpirationType, Kind, Provider, Ticket, Window
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal.assignments import HERE, NAV
from openpim.faces.portal.call import Answer, Call, Show
from openpim.faces.portal.marks import proof_needed
from openpim.faces.portal.moments import read_moment
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import t
from openpim.services import assigning
from openpim.services.assigning import Member, Target
from openpim.services.submit import submit

IMPORT: Final = f"{HERE}/import"
MOST_ROWS: Final = 200
COLUMNS: Final = (
    ("action", "assign (also when empty) or remove", False),
    ("provider", "directory (also when empty), group or resource", False),
    ("role", "a role’s name or id; member or owner of a group", True),
    ("scope", "/ (also when empty) or an administrative unit; a group; the path of a resource", False),
    ("member", "a user principal name, or the exact name or id of a person, group or application", True),
    ("type", "eligible or active", True),
    ("start", "a moment such as 2026-11-21T14:30Z, in UTC unless it says otherwise; empty: now", False),
    ("end", "a moment, or permanent", True),
    ("justification", "why", False),
    ("ticket_number", "where the policy asks for a ticket", False),
    ("ticket_system", "where the policy asks for a ticket", False),
)
_PURPOSE: Final = "portal import"
_LASTS: Final = timedelta(hours=1)
_LARGEST: Final = 200_000  # characters of what is sealed: it must fit into a form
_STEP_UP_SIZE: Final = 20_000
_KINDS: Final = {
    "eligible": Kind.ELIGIBILITY,
    "eligibility": Kind.ELIGIBILITY,
    "active": Kind.ASSIGNMENT,
    "assigned": Kind.ASSIGNMENT,
    "assignment": Kind.ASSIGNMENT,
}
_ACTIONS: Final = {"": Action.ADMIN_ASSIGN, "assign": Action.ADMIN_ASSIGN, "remove": Action.ADMIN_REMOVE}


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it was read. number: of its line in a spreadsheet. ask: None where problem says what is wrong with it.
    done: it has been carried out, as this request."""

    number: int
    role: str
    scope: str
    member: str
    ask: Ask | None = None
    problem: str = ""
    done: str = ""


def begin(call: Call) -> Answer:
    return _show(call)


def press(call: Call) -> Answer:
    """Preview what was written, or carry out what was previewed."""
    if call.form.get("sealed"):
        return _carry_out(call)
    return _preview(call)


# ---------------------------------------------------------------- preview


def _preview(call: Call) -> Answer:
    text = call.form.get("csv", "")
    rows = _read(text)
    if isinstance(rows, str):
        return _show(call, problem=rows)
    reader = _Reader(call)
    lines = [reader.line(number, row) for number, row in rows]
    checked, refused = _checked(call, lines)
    if refused is not None and len(text) < _STEP_UP_SIZE:
        again = proof_needed(call, refused, IMPORT)
        if again is not None:
            return again
    good = [one for one in checked if one.ask is not None]
    sealed = _seal(call, good) if good else ""
    if len(sealed) > _LARGEST:
        return _show(call, problem=t("This is too much at a time. Send fewer rows, or shorter reasons."))
    return _show(call, lines=checked, sealed=sealed, good=len(good))


def _checked(call: Call, lines: Iterable[Line]) -> tuple[list[Line], Refusal | None]:
    """Each row decided, and nothing done; and the first refusal that more proof would lift."""
    found, seen = [], dict[tuple[object, ...], int]()
    needed: Refusal | None = None
    for line in lines:
        ask = line.ask
        if ask is None:
            found.append(line)
            continue
        key = (ask.action, ask.kind, ask.provider, ask.principal_id, ask.role_id, ask.scope)
        first = seen.setdefault(key, line.number)
        if first != line.number:
            found.append(replace(line, ask=None, problem=t("This is row {number} again.", number=first)))
            continue
        outcome = submit(call.deps, call.caller, replace(ask, validation_only=True))
        if isinstance(outcome, Refusal):
            if outcome.code is Code.STEP_UP or outcome.rules == ("MfaRule",):
                needed = needed or outcome
            found.append(replace(line, ask=None, problem=outcome.message))
        else:
            found.append(line)
    return found, needed


def _read(text: str) -> list[tuple[int, dict[str, str]]] | str:
    """The rows with their numbers, or what is wrong with all of it."""
    text = text.lstrip("\ufeff").strip("\r\n")
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",")
    rows: list[tuple[int, dict[str, str]]] = []
    names: list[str] = []
    try:
        for number, cells in enumerate(reader, start=1):
            if not names:
                names = [cell.strip().lower().replace(" ", "_") for cell in cells]
                missing = [one for one, _, must in COLUMNS if must and one not in names]
                if missing or len(names) != len(set(names)):
                    return t("The first row must name the columns, each once; missing: {names}.", names=", ".join(missing) or "-")  # fmt: skip
            elif any(cell.strip() for cell in cells):
                rows.append((number, dict(zip(names, map(_cell, cells), strict=False))))
    except csv.Error as error:
        return t("This is not CSV: {why}.", why=str(error)[:200])
    if not rows:
        return t("There is nothing to do: write a row of column names, and a row for each assignment.")
    if len(rows) > MOST_ROWS:
        return t("At most {count} rows at a time.", count=MOST_ROWS)
    return rows


def _cell(text: str) -> str:
    """Without the apostrophe by which our own downloads keep a text from being a formula."""
    text = text.strip()[:2000]
    return text[1:] if text[:1] == "'" and text[1:2] in {"=", "+", "-", "@"} else text


class _Reader:
    """Makes asks of rows; each role, place and person is looked up once."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._targets: dict[tuple[Provider, str, str], Target | Refusal] = {}
        self._members: dict[tuple[Provider, str, str, str], Member | str] = {}

    def line(self, number: int, row: dict[str, str]) -> Line:
        def shown(name: str) -> str:
            return row.get(name, "")[:120]

        line = Line(number, shown("role"), shown("scope") or "/", shown("member"))
        action = _ACTIONS.get(row.get("action", "").lower())
        kind = _KINDS.get(row.get("type", "").lower())
        wanted = row.get("provider", "").lower() or Provider.DIRECTORY.value
        provider = next((one for one in Provider if one.value == wanted), None)
        if action is None:
            return replace(line, problem=t("The action is assign or remove."))
        if provider is None:
            return replace(line, problem=t("The provider is directory, group or resource."))
        if kind is None:
            return replace(line, problem=t("The type is eligible or active."))
        window = _window(row) if action is Action.ADMIN_ASSIGN else Window()
        if isinstance(window, str):
            return replace(line, problem=window)
        where = self._target(provider, row.get("role", ""), row.get("scope", ""))
        if isinstance(where, Refusal):
            return replace(line, problem=where.message)
        member = self._member(where, row.get("member", "")[:256])
        if isinstance(member, str):
            return replace(line, role=where.role_name, scope=where.scope_name, problem=member)
        ask = Ask(
            kind=kind,
            provider=provider,
            action=action,
            principal_id=member.id,
            role_id=where.role_id,
            scope=where.scope,
            justification=row.get("justification") or None,
            ticket=Ticket(row.get("ticket_number") or None, row.get("ticket_system") or None),
            window=window,
        )
        return Line(number, where.role_name, where.scope_name, member.name, ask)

    def _target(self, provider: Provider, role: str, scope: str) -> Target | Refusal:
        key = (provider, role, scope)
        if key not in self._targets:
            self._targets[key] = assigning.target(self._call.deps, self._call.caller, *key)
        return self._targets[key]

    def _member(self, where: Target, name: str) -> Member | str:
        key = (where.provider, where.role_id, where.scope, name)
        if key not in self._members:
            found = assigning.members(self._call.deps, self._call.caller, where, [name])
            if isinstance(found, Refusal):
                self._members[key] = found.message
            else:
                people, faults = found
                self._members[key] = people[0] if people else faults[name]
        return self._members[key]


def _window(row: dict[str, str]) -> Window | str:
    start, end = row.get("start", ""), row.get("end", "")
    begins = read_moment(start[:40]) if start else None
    if start and not _usable(begins):
        return t("The start is no moment: write it as 2026-11-21T14:30Z.")
    if end.lower() == "permanent":
        return Window(begins, ExpirationType.NO_EXPIRATION)
    ends = read_moment(end[:40])
    if not _usable(ends):
        return t("The end is no moment: write it as 2026-11-21T14:30Z, or permanent.")
    return Window(begins, ExpirationType.AFTER_DATE_TIME, end=ends)


def _usable(when: datetime | None) -> bool:
    return when is not None and 1970 <= when.year < 9000


# ---------------------------------------------------------------- confirmation


def _carry_out(call: Call) -> Answer:
    held = call.signin.sealer.unseal_json(_PURPOSE, call.form["sealed"])
    if held is None or held.get("s") != call.presence.session.id:
        return _show(call, problem=t("This preview was not shown to you in this form. Look at a new one."))
    if call.now - datetime.fromisoformat(held["at"]) > _LASTS:
        return _show(call, problem=t("This preview is more than an hour old. Look at a new one."))
    found: list[Line] = []
    for row in held["rows"]:
        line, ask = _open(row, UUID(held["n"]))
        done = submit(call.deps, call.caller, ask)
        if isinstance(done, Refusal):
            again = proof_needed(call, done, IMPORT) if not found and len(call.form["sealed"]) < _STEP_UP_SIZE else None  # fmt: skip
            if again is not None:
                return again
            found.append(replace(line, problem=done.message))
        else:
            found.append(replace(line, done=done.id))
    values = {"lines": found, "bad": sum(1 for one in found if one.problem)}
    return Show("assignment_imported.html", values, 400 if values["bad"] == len(found) else 200, nav=NAV)


def _seal(call: Call, lines: Iterable[Line]) -> str:
    body: dict[str, Any] = {
        "s": call.presence.session.id,
        "at": call.now.isoformat(),
        "n": call.deps.new_id(),
        "rows": [_closed(one, one.ask) for one in lines if one.ask is not None],
    }
    return call.signin.sealer.seal_json(_PURPOSE, body)


def _closed(line: Line, ask: Ask) -> list[Any]:
    start, end = ask.window.start, ask.window.end
    return [
        line.number, line.role, line.scope, line.member, ask.kind.value, ask.provider.value, ask.action.value,
        ask.principal_id, ask.role_id, ask.scope, ask.justification, ask.ticket.number, ask.ticket.system,
        ask.window.type.value, start.isoformat() if start else None, end.isoformat() if end else None,
    ]  # fmt: skip


def _open(row: list[Any], nonce: UUID) -> tuple[Line, Ask]:
    """The same row again; the ids of its request come from the preview, so that twice is once."""
    number, role, scope, member, kind, provider, action, who, role_id, place, why, ticket, system, type_, start, end = row  # fmt: skip
    window = Window(
        datetime.fromisoformat(start).astimezone(UTC) if start else None,
        ExpirationType(type_),
        end=datetime.fromisoformat(end).astimezone(UTC) if end else None,
    )
    ask = Ask(
        kind=Kind(kind),
        provider=Provider(provider),
        action=Action(action),
        principal_id=who,
        role_id=role_id,
        scope=place,
        justification=why,
        ticket=Ticket(ticket, system),
        window=window,
        request_id=str(uuid5(nonce, str(number))),
    )
    return Line(number, role, scope, member, ask), ask


def _show(
    call: Call, *, lines: Iterable[Line] = (), sealed: str = "", good: int = 0, problem: str = ""
) -> Show:
    shown = tuple(lines)
    faults = sum(1 for one in shown if one.problem)
    values = {
        "csv": call.form.get("csv", ""),
        "columns": COLUMNS,
        "lines": shown,
        "sealed": sealed,
        "good": good,
        "faults": faults,
        "problem": problem,
        "most": MOST_ROWS,
    }
    return Show("assignment_import.html", values, 400 if problem or faults else 200, nav=NAV)


PAGES: Final[tuple[Page, ...]] = (
    Page("GET", IMPORT, begin),
    Page("POST", IMPORT, press),
)
