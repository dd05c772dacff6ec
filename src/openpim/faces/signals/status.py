"""The status endpoint: whether a stream flows, is paused, or is disabled (SSF 8.1.2)."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from openpim.core.refusals import Refusal
from openpim.core.signals import SignalStream, Status
from openpim.faces.signals.call import Act, Call, answered, bad
from openpim.services.signals import streams


def _get(call: Call) -> Response | Refusal:
    stream_id = call.named()
    if stream_id is None:
        return bad("stream_id", "stream_id is missing in the query.")
    return _shown(streams.get(call.deps, call.caller, stream_id))


def _set(call: Call) -> Response | Refusal:
    stream_id, reason = call.stream_id(), call.text("reason")
    if isinstance(stream_id, Refusal):
        return stream_id
    if isinstance(reason, Refusal):
        return reason
    status = call.body.get("status")
    if status not in list(Status):
        return bad("status", "status is enabled, paused or disabled.")
    return _shown(streams.set_status(call.deps, call.caller, stream_id, Status(status), reason))


def _shown(found: SignalStream | Refusal) -> Response | Refusal:
    if isinstance(found, Refusal):
        return found
    body = {"stream_id": found.id, "status": found.status.value}
    return answered(body if found.reason is None else {**body, "reason": found.reason})


ACTS: Final[dict[str, Act]] = {"GET": _get, "POST": _set}
