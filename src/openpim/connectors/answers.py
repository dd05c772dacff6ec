"""Targets over HTTP: their address, and calls by the one guarded road: what has no answer, and what an answer is, in the words of a
connector."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from openpim.connectors.checks import is_number
from openpim.connectors.taking import too_large
from openpim.ports.connector import Fault, TargetError
from openpim.ports.outbound import Answer, Outbound, OutboundError, OutboundFault

MOST_BYTES: Final = 8 * 1024 * 1024
_AWAY: Final = frozenset(
    {OutboundFault.UNKNOWN_NAME, OutboundFault.UNREACHABLE, OutboundFault.TIMED_OUT, OutboundFault.NONSENSE}
)
_BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


_MOST_SECONDS: Final = 30 * 24 * 3600


def web_faults(settings: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with url and session_seconds."""
    faults: dict[str, str] = {}
    if not _is_base(settings.get("url", "")):
        faults["url"] = "Give an address that begins with https:// and has no query."
    if _seconds(settings) is None:
        faults["session_seconds"] = f"Give a number of seconds from 0 to {_MOST_SECONDS}."
    return faults


def session_of(settings: Mapping[str, str]) -> timedelta:
    """How long somebody may work on whose access was taken, where that is for the service to say."""
    return timedelta(seconds=_seconds(settings) or 0)


def _seconds(settings: Mapping[str, str]) -> int | None:
    text = settings.get("session_seconds") or "0"
    return int(text) if is_number(text, 0, _MOST_SECONDS) else None


def _is_base(text: str) -> bool:
    """An address that a path can be put behind."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    plain = text.isascii() and text.isprintable() and " " not in text and len(text) <= 1000
    return (
        plain
        and parts.scheme in {"https", "http"}
        and bool(parts.hostname)
        and port != 0
        and not (parts.query or parts.fragment or parts.username or "?" in text or "#" in text)
    )


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
        if error.fault is OutboundFault.TOO_LARGE:
            raise too_large("The target", MOST_BYTES) from None
        raise TargetError(
            Fault.UNREACHABLE if error.fault in _AWAY else Fault.REFUSED, error.message
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
