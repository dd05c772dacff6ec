"""Tables as files to take away: CSV that a spreadsheet reads as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    """With a mark of its encoding, which spreadsheets need."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    writer.writerows({name: plain_cell(value) for name, value in row.items()} for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def plain_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula: names and reasons are written by people."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
