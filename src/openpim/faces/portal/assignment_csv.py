"""CSV of assignments, as spreadsheets write it and people type it: from bytes or text to rows, or what is wrong and on which
line; the columns; and a file to begin with.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from openpim.core.grants import Action, ExpirationType, Kind, Provider, Window
from openpim.faces.portal import downloads
from openpim.faces.portal.moments import read_moment
from openpim.faces.portal.words import t

MOST_ROWS: Final = 5_000
LARGEST_FILE: Final = 2 * 1024 * 1024  # bytes
COLUMNS: Final = (
    ("action", "assign (also when empty), update, extend, renew or remove", False),
    ("provider", "directory (also when empty), group or resource", False),
    ("role", "a role’s name or id; member or owner of a group", True),
    ("scope", "/ (also when empty) or an administrative unit; a group; the path of a resource", False),
    ("member", "a user principal name, or the exact name or id of a person, group or application", True),
    ("type", "eligible or active", True),
    ("start", "a moment such as 2026-11-21T14:30Z, in UTC unless it says otherwise; empty: now (what has begun keeps its start)", False),
    ("end", "a moment, or permanent; a row that removes needs none", True),
    ("justification", "why", False),
    ("ticket_number", "where the policy asks for a ticket", False),
    ("ticket_system", "where the policy asks for a ticket", False),
    ("id", "which one is updated, extended or removed, where somebody has several alike; as our lists have it", False),
)  # fmt: skip
EXAMPLES: Final = (
    {"action": "assign", "provider": "directory", "role": "Global Reader", "scope": "/", "member": "someone@example.com",
     "type": "eligible", "end": "2027-11-21T00:00Z", "justification": "Yearly review"},
    {"action": "extend", "provider": "group", "role": "Member", "scope": "Night watch", "member": "someone@example.com",
     "type": "eligible", "end": "2027-11-21T00:00Z", "justification": "Still on duty"},
    {"action": "remove", "provider": "resource", "role": "Owner", "scope": "/subscriptions/…", "member": "someone@example.com",
     "type": "active", "justification": "Has left the team"},
)  # fmt: skip
ACTIONS: Final[Mapping[str, Action]] = {
    "": Action.ADMIN_ASSIGN,
    "assign": Action.ADMIN_ASSIGN,
    "update": Action.ADMIN_UPDATE,
    "extend": Action.ADMIN_EXTEND,
    "renew": Action.ADMIN_RENEW,
    "remove": Action.ADMIN_REMOVE,
}
_KINDS: Final[Mapping[str, Kind]] = {
    "eligible": Kind.ELIGIBILITY,
    "eligibility": Kind.ELIGIBILITY,
    "active": Kind.ASSIGNMENT,
    "assigned": Kind.ASSIGNMENT,
    "assignment": Kind.ASSIGNMENT,
}
_NAMED: Final = frozenset(
    {Action.ADMIN_UPDATE, Action.ADMIN_EXTEND, Action.ADMIN_REMOVE}
)  # what an id can name
_LONGEST: Final = 2000


class UnreadableError(Exception):
    """What is wrong with all of it, in words for whoever sent it."""


@dataclass(frozen=True, slots=True)
class Row:
    """number: of its line in a spreadsheet."""

    number: int
    cells: Mapping[str, str]

    def text(self, name: str) -> str:
        return self.cells.get(name, "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a row asks for, before anybody has looked up whom and where it means. schedule_id: of the one it changes."""

    action: Action
    provider: Provider
    kind: Kind
    window: Window
    schedule_id: str | None


def template() -> bytes:
    """A file with all columns and an example of each sort, which does nothing as it is: nobody has these names."""
    names = [name for name, _, _ in COLUMNS]
    return downloads.as_csv(names, [{**dict.fromkeys(names, ""), **row} for row in EXAMPLES])


def decoded(body: bytes) -> str:
    """The text of a file: UTF-8, with a mark of it or without, or UTF-16 as spreadsheets write “Unicode text”."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return body.decode("utf-16")
        except UnicodeDecodeError:
            raise UnreadableError(
                t("The file begins as UTF-16 and is something else. Save it as CSV UTF-8.")
            ) from None
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        if b"\x00" in body[:4000]:
            raise UnreadableError(t("This is no text: save the sheet as CSV UTF-8 and send that.")) from None
        wrong = body[error.start]
        raise UnreadableError(
            t(
                "Line {line} is not UTF-8 (byte {byte}). Save the file as CSV UTF-8.",
                line=line,
                byte=f"0x{wrong:02X}",
            )
        ) from None


def rows(text: str) -> list[Row]:
    """The rows below the names of the columns. Separated by commas, semicolons or tabs, whichever the first row has most."""
    text = text.lstrip("\ufeff").strip("\r\n")
    at = text.find("\x00")
    if at >= 0:
        raise UnreadableError(t("Line {line} holds a null character.", line=text.count("\n", 0, at) + 1))
    head, _, rest = text.partition("\n")
    skipped = 0
    separator = ""
    if head.lower().startswith("sep=") and len(head.strip()) == len("sep=;"):  # what Excel reads and writes
        separator, text, skipped = head.strip()[-1], rest, 1
        head = text.partition("\n")[0]
    separator = separator or max(",;\t", key=head.count)
    names: list[str] = []
    found: list[Row] = []
    for number, cells in _cells(text, separator, skipped):
        if not names:
            names = [cell.strip().lower().replace(" ", "_") for cell in cells]
            missing = [one for one, _, must in COLUMNS if must and one not in names]
            twice = sorted({one for one in names if one and names.count(one) > 1})
            if missing or twice:
                raise UnreadableError(_about_names(missing, twice))
        elif any(cell.strip() for cell in cells):
            found.append(Row(number, dict(zip(names, map(_cell, cells), strict=False))))
            if len(found) > MOST_ROWS:
                raise UnreadableError(t("At most {count} rows at a time.", count=MOST_ROWS))
    if not found:
        raise UnreadableError(
            t("There is nothing to do: write a row of column names, and a row for each assignment.")
        )
    return found


def _about_names(missing: list[str], twice: list[str]) -> str:
    said = [t("The first row must name the columns, each once.")]
    if missing:
        said.append(t("Missing: {names}.", names=", ".join(missing)))
    if twice:
        said.append(t("Twice: {names}.", names=", ".join(one[:40] for one in twice[:5])))
    return " ".join(said)


def _cells(text: str, separator: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    number = skipped
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            line = reader.line_num + skipped
            raise UnreadableError(
                t("Line {line} is not CSV: {why}.", line=line, why=str(error)[:200])
            ) from None
        number += 1
        yield number, cells


def _cell(text: str) -> str:
    """Without what our own downloads put before a text that a spreadsheet would take for a formula."""
    return downloads.written_cell(text.strip()[:_LONGEST])


def wanted(row: Row) -> Wanted | str:
    """What it asks for, or what is wrong with it."""
    action = ACTIONS.get(row.text("action").lower())
    kind = _KINDS.get(row.text("type").lower())
    named = row.text("provider").lower() or Provider.DIRECTORY.value
    provider = next((one for one in Provider if one.value == named), None)
    if action is None:
        return t("The action is assign, update, extend, renew or remove.")
    if provider is None:
        return t("The provider is directory, group or resource.")
    if kind is None:
        return t("The type is eligible or active.")
    window = _window(row) if action is not Action.ADMIN_REMOVE else Window()
    if isinstance(window, str):
        return window
    schedule_id = row.text("id").lower()[:36] or None
    return Wanted(action, provider, kind, window, schedule_id if action in _NAMED else None)


def _window(row: Row) -> Window | str:
    start, end = row.text("start"), row.text("end")
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
