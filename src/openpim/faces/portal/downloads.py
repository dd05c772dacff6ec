"""Tables as files to take away: CSV that a spreadsheet reads as text, whatever people have written into it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from openpim.faces.shared.cells import plain_cell, written_cell

__all__ = ["as_csv", "csv_head", "csv_rows", "plain_cell", "written_cell"]


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    return csv_head(columns) + csv_rows(columns, rows)


def csv_head(columns: Sequence[str]) -> bytes:
    """The names of the columns, after a mark of the encoding, which spreadsheets need."""
    return b"\xef\xbb\xbf" + csv_rows(columns, [dict(zip(columns, columns, strict=True))])


def csv_rows(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns)
    writer.writerows({name: plain_cell(value) for name, value in row.items()} for row in rows)
    return out.getvalue().encode("utf-8", "replace")
