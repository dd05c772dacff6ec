"""Assignments in bulk, from a CSV file or text: first a preview that decides every row and does nothing, then exactly what
was shown, all of it or none.

What is confirmed travels in the form, sealed (assignment_draft.py). Every row is decided again when it is carried out, so
the seal gives nobody a right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from openpim.core.ask import Ask
from openpim.core.grants import Provider, Ticket
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal import assignment_csv as table
from openpim.faces.portal import assignment_draft as draft
from openpim.faces.portal.assignment_csv import Row, UnreadableError
from openpim.faces.portal.assignment_draft import Line
from openpim.faces.portal.assignments import HERE, NAV
from openpim.faces.portal.call import Answer, Call, File, Go, Show, Verify
from openpim.faces.portal.marks import proof_needed
from openpim.faces.portal.paging import page_number
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import plural, t
from openpim.services import assigning
from openpim.services.assigning import Member, Target
from openpim.services.submit_all import decide_all, submit_all

IMPORT: Final = f"{HERE}/import"
A_PAGE: Final = 100
_LONGEST_TEXT: Final = 1_000_000  # characters that are written into the page
_LARGEST_FORM: Final = table.LARGEST_FILE + draft.LARGEST
_STEP_UP_SIZE: Final = 20_000  # what is longer does not wait for a sign-in: it is sent again
_CONTEXT: Final = re.compile(r"c[1-9][0-9]?")


def begin(call: Call) -> Answer:
    return _show(call)


def template(_call: Call) -> Answer:
    return File(table.template(), "text/csv; charset=utf-8", "assignments-template.csv")


def press(call: Call) -> Answer:
    """Preview what was written or chosen, look at another page of the preview, or carry out what was previewed."""
    pressed = call.form.get("go", "")[:20]
    if pressed == "verify":
        return _verify(call)
    if not call.form.get("sealed"):
        return _preview(call)
    lines = draft.opened(call, call.form["sealed"])
    if isinstance(lines, str):
        return _show(call, problem=lines)
    if pressed.startswith("page-"):
        return _show(call, lines=lines, page=pressed.removeprefix("page-"), again=call.form["sealed"])
    return _carry_out(call, lines)


def _verify(call: Call) -> Answer:
    """More proof for rows that ask for it, where what was sent is too much to wait for a sign-in."""
    wanted = call.form.get("need", "")
    if call.form.get("verified"):
        return Go(IMPORT, t("You are verified. Choose the file again."))
    return Verify(IMPORT, wanted if _CONTEXT.fullmatch(wanted) else "")


# ---------------------------------------------------------------- preview


def _preview(call: Call) -> Answer:
    try:
        rows = table.rows(_text(call))
    except UnreadableError as error:
        return _show(call, problem=str(error))
    reader = _Reader(call)
    lines, needed = _checked(call, [reader.line(row) for row in rows])
    if needed is not None and not call.files and len(call.form.get("csv", "")) < _STEP_UP_SIZE:
        again = proof_needed(call, needed, IMPORT)
        if again is not None:
            return again
    return _show(call, lines=lines, needed=needed)


def _text(call: Call) -> str:
    """Of the file, or what was written."""
    text = call.form.get("csv", "")
    file = call.files.get("file")
    if file is None:
        return text[:_LONGEST_TEXT]
    if text.strip():
        raise UnreadableError(t("Choose a file or write, not both."))
    if len(file.body) > table.LARGEST_FILE:
        most = table.LARGEST_FILE // 1024 // 1024
        raise UnreadableError(t("The file is larger than {most} MB. Send it in parts.", most=most))
    return table.decoded(file.body)


def _checked(call: Call, lines: Sequence[Line]) -> tuple[list[Line], Refusal | None]:
    """Each row decided, and nothing done; and the first refusal that more proof would lift."""
    seen = dict[tuple[object, ...], int]()
    found: list[Line] = []
    for line in lines:
        ask = line.ask
        if ask is not None:
            key = (
                ask.action,
                ask.kind,
                ask.provider,
                ask.principal_id,
                ask.role_id,
                ask.scope,
                ask.schedule_id,
            )
            first = seen.setdefault(key, line.number)
            if first != line.number:
                line = replace(line, ask=None, problem=t("This is row {number} again.", number=first))  # noqa: PLW2901
        found.append(line)
    return _judged(
        found, decide_all(call.deps, call.caller, [one.ask for one in found if one.ask is not None])
    )


def _judged(lines: Iterable[Line], outcomes: Sequence[object]) -> tuple[list[Line], Refusal | None]:
    """The lines with what became of each that asked for something. outcomes: of these, in their order."""
    remaining = iter(outcomes)
    found: list[Line] = []
    needed: Refusal | None = None
    for line in lines:
        outcome = next(remaining) if line.ask is not None else None
        if isinstance(outcome, Refusal):
            if outcome.code is Code.STEP_UP or outcome.rules == ("MfaRule",):
                needed = needed or outcome
            found.append(replace(line, ask=None, problem=outcome.message))
        else:
            found.append(line)
    return found, needed


class _Reader:
    """Makes asks of rows; each role, place and person is looked up once."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._targets: dict[tuple[Provider, str, str], Target | Refusal] = {}
        self._members: dict[tuple[Provider, str, str, str], Member | str] = {}

    def line(self, row: Row) -> Line:
        role, scope, member_name = (row.text(name)[:120] for name in ("role", "scope", "member"))
        line = Line(row.number, role, scope or "/", member_name)
        wanted = table.wanted(row)
        if isinstance(wanted, str):
            return replace(line, problem=wanted)
        where = self._target(wanted.provider, row.text("role"), row.text("scope"))
        if isinstance(where, Refusal):
            return replace(line, problem=where.message)
        member = self._member(where, row.text("member")[:256])
        if isinstance(member, str):
            return replace(line, role=where.role_name, scope=where.scope_name, problem=member)
        ask = Ask(
            kind=wanted.kind,
            provider=wanted.provider,
            action=wanted.action,
            principal_id=member.id,
            role_id=where.role_id,
            scope=where.scope,
            schedule_id=wanted.schedule_id,
            justification=row.text("justification") or None,
            ticket=Ticket(row.text("ticket_number") or None, row.text("ticket_system") or None),
            window=wanted.window,
        )
        return Line(row.number, where.role_name, where.scope_name, member.name, ask)

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


# ---------------------------------------------------------------- confirmation


def _carry_out(call: Call, lines: Sequence[Line]) -> Answer:
    """All rows that could be done, in one unit of work; where one cannot be done any more, none."""
    asked = [one for one in lines if one.ask is not None]
    outcomes = submit_all(call.deps, call.caller, [one.ask for one in asked if one.ask is not None])
    judged, needed = _judged(lines, outcomes)
    if any(isinstance(one, Refusal) for one in outcomes):
        again = None
        if needed is not None and len(call.form["sealed"]) < _STEP_UP_SIZE:
            again = proof_needed(call, needed, IMPORT)
        return again or _show(
            call,
            lines=judged,
            needed=needed,
            problem=t("Nothing was done, because a row cannot be done any more. Look at all of it again."),
        )
    done = [
        replace(line, done=request.id)
        for line, request in zip(asked, outcomes, strict=True)
        if not isinstance(request, Refusal)
    ]
    values = {"lines": done[:A_PAGE], "count": len(done), "left_out": len(lines) - len(done)}
    return Show("assignment_imported.html", values, nav=NAV)


# ---------------------------------------------------------------- the page


def _show(
    call: Call,
    *,
    lines: Sequence[Line] = (),
    page: str = "1",
    again: str = "",
    needed: Refusal | None = None,
    problem: str = "",
) -> Show:
    """again: the preview as it is sealed already."""
    good = sum(one.ask is not None for one in lines)
    faults = len(lines) - good
    sealed = again or (draft.sealed(call, lines) if lines else "")
    if len(sealed) > draft.LARGEST:
        lines, good, sealed = (), 0, ""
        problem = t("This is too much at a time. Send fewer rows, or shorter reasons.")
    # What is wrong comes first, for it is what is to be looked at.
    order = sorted(lines, key=lambda one: one.ask is not None)
    pages = max(1, -(-len(order) // A_PAGE))
    at = page_number(page, pages)
    file = call.files.get("file")
    values = {
        "csv": "" if again else call.form.get("csv", "")[:_LONGEST_TEXT],
        "file_name": file.name if file is not None else "",
        "columns": table.COLUMNS,
        "lines": order[(at - 1) * A_PAGE : at * A_PAGE],
        "all_lines": len(order),
        "page": at,
        "pages": pages,
        "sealed": sealed,
        "good": good,
        "faults": faults,
        "carry_out": _button(good, faults),
        "need": (needed.detail or "mfa") if needed is not None else "",
        "problem": problem,
        "most": table.MOST_ROWS,
        "most_bytes": table.LARGEST_FILE // 1024 // 1024,
    }
    return Show("assignment_import.html", values, 400 if problem or (faults and not again) else 200, nav=NAV)


def _button(good: int, faults: int) -> str:
    do = plural(good, "Carry out {count} row", "Carry out {count} rows")
    return do if not faults else t("{do}, leave out {count}", do=do, count=faults)


PAGES: Final[tuple[Page, ...]] = (
    Page("GET", IMPORT, begin),
    Page("POST", IMPORT, press, largest=_LARGEST_FORM),
    Page("GET", f"{IMPORT}/template", template),
)
