"""Adding subjects to a stream and removing them (SSF 8.1.3)."""

from __future__ import annotations

from starlette.responses import Response

from openpim.core.refusals import Refusal
from openpim.faces.signals.call import Call, bad, empty
from openpim.services.signals.subjects import name_subject


def add(call: Call) -> Response | Refusal:
    if not isinstance(call.body.get("verified", True), bool):
        return bad("verified", "verified is true or false.")
    return _name(call, included=True) or empty(200)


def remove(call: Call) -> Response | Refusal:
    return _name(call, included=False) or empty(204)


def _name(call: Call, *, included: bool) -> Refusal | None:
    stream_id = call.stream_id()
    if isinstance(stream_id, Refusal):
        return stream_id
    return name_subject(call.deps, call.caller, stream_id, call.body.get("subject"), included=included)
