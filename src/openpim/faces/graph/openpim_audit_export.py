"""`openPim/auditExport`, an addition of ours: the audit history in portions of CSV or JSON Lines, with the filters of
`auditLogs/directoryAudits`, the oldest event first.

`format`: `csv`; `jsonl`, the lines that `pim audit verify` reads; `rows`, the columns of CSV as JSON Lines. The header
`OpenPim-Next` says what to ask for next (`at`); without it the history ends here.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import parse_qsl

from openpim.core.audit import AuditEvent, line_of
from openpim.core.audit_form import COLUMNS, row
from openpim.faces.graph import permissions as p
from openpim.faces.graph.audits import AUDITS
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import Fault, settled
from openpim.faces.graph.table import Endpoint
from openpim.faces.shared.cells import plain_cell
from openpim.services import audit_export

PATH: Final = "openPim/auditExport"
NEXT: Final = "openpim-next"
PAGE: Final = 1000
_KNOWN: Final = frozenset({"format", "at", "$filter", "filter", "$top", "top"})


def _csv(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([plain_cell(cell) for cell in cells])
    return out.getvalue()


def _csv_line(event: AuditEvent, _tenant_id: str) -> str:
    return _csv(list(row(event).values()))


def _leaf_line(event: AuditEvent, tenant_id: str) -> str:
    return line_of(event, event.position, tenant_id).decode("utf-8", "replace") + "\n"


def _row_line(event: AuditEvent, _tenant_id: str) -> str:
    return json.dumps(row(event)) + "\n"


# format -> media type, what comes before the first line, and a line
_FORMS: Final[dict[str, tuple[str, str, Callable[[AuditEvent, str], str]]]] = {
    "csv": ("text/csv; charset=utf-8", _csv(COLUMNS), _csv_line),
    "jsonl": ("application/jsonl; charset=utf-8", "", _leaf_line),
    "rows": ("application/jsonl; charset=utf-8", "", _row_line),
}


def index(call: Call) -> Answer:
    pairs = parse_qsl(call.raw.query.decode("ascii", "replace"), keep_blank_values=True)
    asked = {name.lower(): value for name, value in pairs}
    unknown = sorted(asked.keys() - _KNOWN)
    if unknown:
        raise Fault("BadRequest", f"An export knows format, at, $filter and $top, not {unknown[0][:40]!r}.")
    form = _FORMS.get(asked.get("format", "jsonl").lower())
    if form is None:
        raise Fault("BadRequest", f"format is one of {', '.join(_FORMS)}.")
    kind, head, line = form
    at = asked.get("at", "")
    limit = min(call.options.page_size(PAGE) or PAGE, audit_export.MOST)
    where = AUDITS.query(call).where
    found = settled(audit_export.portion(call.deps, call.caller, where, at, limit), "")
    more = {NEXT: found.next} if found.next is not None else {}
    text = "".join(line(one, call.caller.tenant_id) for one in found.events)
    return Answer(200, ("" if at else head) + text, {"Content-Type": kind, **more})


ENDPOINTS = (Endpoint("GET", PATH, index, p.AUDITS_READ),)
