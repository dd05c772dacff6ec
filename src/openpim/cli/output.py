"""What `pim` prints: tables for people, JSON, JSON lines and TSV for programs.

Text of the server (names, reasons) is never trusted: `clean` takes out everything a terminal could
take for a command.  Times are kept as ISO 8601 in UTC and shown to people in the local zone.
"""

from __future__ import annotations

from openpim.client import clock
from openpim.client.instants import instant, local_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TextIO

    Row = dict[str, Any]
    Column = tuple[str, str] | tuple[str, str, str]

__all__ = ["Printer", "clean", "left", "local", "one_line", "short"]

_SHORT = 10  # columns up to this wide are never made narrower
_BOLD, _DIM, _OFF = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_COLOURS = {
    "active": "\x1b[32m", "already active": "\x1b[32m", "Provisioned": "\x1b[32m", "ok": "\x1b[32m", "valid": "\x1b[32m",
    "waiting": "\x1b[33m", "PendingApproval": "\x1b[33m", "PendingApprovalProvisioning": "\x1b[33m", "note": "\x1b[33m",
    "Granted": "\x1b[33m", "scheduled": "\x1b[33m",
    "failed": "\x1b[31m", "Denied": "\x1b[31m", "Failed": "\x1b[31m", "TimedOut": "\x1b[31m", "denied": "\x1b[31m",
}  # fmt: skip


def _visible(char: str) -> str:
    code = ord(char)
    if char.isspace():
        return " "
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def clean(text: str) -> str:
    """`text` with control, formatting and direction characters made visible; line breaks stay."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else _visible(char) for char in text)


def one_line(text: str) -> str:
    """`clean`, on one line."""
    return text if text.isprintable() else " ".join(clean(text).split())


def local(value: str | None) -> str:
    """An ISO 8601 time in the local zone: `18:30` today, `Sun 18:30` within a week, else `2026-11-21 18:30`."""
    seconds = instant(value)
    return "" if seconds is None else local_text(seconds, clock.now())


def short(seconds: float) -> str:
    """`7 h 59 min`, `3 d 4 h`, `40 s`: the two largest units."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60 % 60, whole // 3600 % 24, whole // 86400
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def left(ends: float | None) -> str:
    """The time until `ends`; "permanent" for none."""
    return "permanent" if ends is None else short(ends + 0.5 - clock.now())


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if value is True or value is False:
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    return str(value)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


class Printer:
    """Prints to one stream in one of the formats; `colour` only where a person looks, whose terminal has `width`
    columns (0: as wide as it takes)."""

    def __init__(self, out: TextIO, form: str, colour: bool, width: int = 0) -> None:
        self.out = out
        self.form = form
        self.colour = colour
        self.width = width

    @property
    def for_people(self) -> bool:
        """Whether a table is wanted, so that sentences may stand around it."""
        return self.form == "table"

    def line(self, text: str = "") -> None:
        """A sentence for people."""
        self.out.write(clean(text) + "\n")

    def rows(self, rows: Sequence[Row], columns: Sequence[Column], *, empty: str = "") -> None:
        """The rows: every member in JSON, the columns `(member, title[, "time"])` elsewhere."""
        if self.form in {"json", "jsonl"}:
            self._json(rows)
        elif self.form == "tsv":
            self.out.write("\t".join(column[0] for column in columns) + "\n")
            for row in rows:
                cells = [one_line(_plain(row.get(column[0])).replace("\t", " ")) for column in columns]
                self.out.write("\t".join(cells) + "\n")
        elif rows:
            self._table(rows, columns)
        elif empty:
            self.out.write(empty + "\n")

    def one(self, row: Row, columns: Sequence[Column]) -> None:
        """One thing: a JSON object, or a line per member."""
        if self.form == "table":
            shown = [column for column in columns if _plain(row.get(column[0]))]
            width = max((len(column[1]) for column in shown), default=0)
            for column in shown:
                value = row[column[0]]
                cell = local(value) if len(column) > 2 else one_line(_plain(value))
                self.out.write(f"{column[1].ljust(width)}  {cell}\n")
        elif self.form == "tsv":
            self.rows([row], columns)
        else:
            self.out.write(_dumps(row, 2 if self.form == "json" else None) + "\n")

    def _json(self, rows: Sequence[Row]) -> None:
        if self.form == "json":
            self.out.write(_dumps(list(rows), 2) + "\n")
        else:
            for row in rows:
                self.out.write(_dumps(row, None) + "\n")

    def _table(self, rows: Sequence[Row], columns: Sequence[Column]) -> None:
        shown = [column for column in columns if any(_plain(row.get(column[0])) for row in rows)]
        lines = [[column[1] for column in shown]]
        lines += [
            [local(row.get(c[0])) if len(c) > 2 else one_line(_plain(row.get(c[0]))) for c in shown]
            for row in rows
        ]
        widths = [max(_width(line[index]) for line in lines) for index in range(len(shown))]
        narrow = self.width and sum(widths) + 2 * len(widths) - 2 > self.width
        if narrow:
            widths = _narrowed(widths, lines, self.width)
        for number, line in enumerate(lines):
            for part in _stacked(line, widths) if narrow else (line,):
                cells = []
                for index, cell in enumerate(part):
                    pad = " " * (widths[index] - _width(cell)) if index < len(line) - 1 else ""
                    cells.append(self._coloured(cell, header=number == 0) + pad)
                self.out.write("  ".join(cells).rstrip() + "\n")

    def _coloured(self, cell: str, *, header: bool) -> str:
        if not self.colour or not cell:
            return cell
        code = _BOLD if header else _COLOURS.get(cell, "")
        return f"{code}{cell}{_OFF}" if code else cell


def _narrowed(widths: list[int], lines: list[list[str]], most: int) -> list[int]:
    """Widths with which a table fits, as far as that goes without breaking words; short columns stay."""
    floors = [
        width
        if width <= _SHORT
        else max(_SHORT, *(_width(word) for line in lines for word in line[index].split(" ")))
        for index, width in enumerate(widths)
    ]
    found = list(widths)
    while sum(found) + 2 * len(found) - 2 > most:
        over = [index for index, width in enumerate(found) if width > floors[index]]
        if not over:
            break
        found[max(over, key=found.__getitem__)] -= 1
    return found


def _stacked(line: list[str], widths: list[int]) -> list[list[str]]:
    """The lines that one row takes when its cells are broken between words."""
    columns = [_broken(cell, width) for cell, width in zip(line, widths, strict=True)]
    height = max(len(column) for column in columns)
    return [[column[at] if at < len(column) else "" for column in columns] for at in range(height)]


def _broken(cell: str, width: int) -> list[str]:
    if _width(cell) <= width:
        return [cell]
    found = [""]
    for word in cell.split(" "):
        joined = f"{found[-1]} {word}" if found[-1] else word
        if _width(joined) <= width or not found[-1]:
            found[-1] = joined
        else:
            found.append(word)
    return found


def _dumps(value: Any, indent: int | None) -> str:
    """JSON in which nothing but line breaks of its own is a control character."""
    import json

    text = json.dumps(value, ensure_ascii=False, indent=indent)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
