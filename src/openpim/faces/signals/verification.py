"""The verification endpoint (SSF 8.1.4)."""

from __future__ import annotations

from starlette.responses import Response

from openpim.core.refusals import Refusal
from openpim.faces.signals.call import Call, empty
from openpim.services.signals import verifying


def verify(call: Call) -> Response | Refusal:
    stream_id, state = call.stream_id(), call.text("state")
    if isinstance(stream_id, Refusal):
        return stream_id
    if isinstance(state, Refusal):
        return state
    return verifying.verify(call.deps, call.caller, stream_id, state) or empty(204)
