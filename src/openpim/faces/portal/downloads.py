"""Tables as files to take away: CSV that a spreadsheet reads as text, whatever people have written into it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from openpim.faces.shared.cells import plain_cell, written_cell

__all__ = ["as_csv", "plain_cell", "written_cell"]


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    """With a mark of its encoding, which spreadsheets need."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    writer.writerows({name: plain_cell(value) for name, value in row.items()} for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()
