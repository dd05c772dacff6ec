"""Calls to targets over HTTP, by the one guarded road: what has no answer, and what an answer is, in the words of a connector."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from openpim.ports.connector import Fault, TargetError
from openpim.ports.outbound import Answer, Outbound, OutboundError, OutboundFault

MOST_BYTES: Final = 8 * 1024 * 1024
_AWAY: Final = frozenset(
    {OutboundFault.UNKNOWN_NAME, OutboundFault.UNREACHABLE, OutboundFault.TIMED_OUT, OutboundFault.NONSENSE}
)
_BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


def call(
    outbound: Outbound,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    seconds: float,
) -> Answer:
    """Raises TargetError where nobody answered, or whoever answered is not there for us now."""
    try:
        answer = outbound.request(
            method, url, headers=headers, body=body, seconds=seconds, max_bytes=MOST_BYTES
        )
    except OutboundError as error:
        fault = Fault.UNREACHABLE if error.fault in _AWAY else Fault.REFUSED
        raise TargetError(
            Fault.BROKEN if error.fault is OutboundFault.TOO_LARGE else fault, error.message
        ) from None
    if answer.status in _BUSY:
        raise TargetError(Fault.UNREACHABLE, f"The target answered {answer.status}. It is tried again.")
    if answer.status in {401, 403}:
        raise TargetError(
            Fault.REFUSED,
            f"The target answered {answer.status}: give it a credential that may do this.",
        )
    return answer


def object_of(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer. Raises TargetError."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise TargetError(
            Fault.BROKEN, f"The target's answer ({answer.status}) is not the JSON object that was expected."
        )
    return found


def said_by(answer: Answer) -> str:
    """What an answer says about itself, cut, on one line."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    text = found.get("detail") or found.get("error") if isinstance(found, dict) else ""
    if not isinstance(text, str):
        return ""
    return " ".join("".join(one if one.isprintable() else " " for one in text[:200]).split())
