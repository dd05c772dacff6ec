"""Batches of events over HTTPS: what the HTTP answers of receivers mean, said in words."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from typing import Any

from openpim.core.streams import Stream
from openpim.ports.outbound import Answer, Outbound, OutboundError
from openpim.ports.streams import NotTakenError

SECONDS = 30.0
_WORDS = {
    400: "does not understand what it was sent (400). Look whether its address and kind are right.",
    401: "does not accept the secret (401). Set the right one.",
    403: "does not let us in (403). Look at the secret's rights there.",
    404: "has nothing at this address (404). Correct the address.",
    405: "takes no events at this address (405). Correct the address.",
    413: "says that one event is too large (413). Raise its limit.",
    415: "does not take this kind of content (415). Look whether kind and compression are right.",
    429: "asks us to send more slowly (429).",
}
_SECONDS = re.compile(r"[0-9]{1,6}")


class Posting:
    """outbound: the guarded road."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    def post(self, stream: Stream, secret: str, body: Any) -> Answer:
        """The answer of a receiver that took it. Raises NotTakenError."""
        data = json.dumps(body, separators=(",", ":")).encode("ascii")
        headers = {"Content-Type": "application/json"}
        if stream.gzip:
            data = gzip.compress(data, 5, mtime=0)
            headers["Content-Encoding"] = "gzip"
        if secret:
            headers[stream.header] = secret
        try:
            answer = self._outbound.request(
                "POST", stream.address, headers=headers, body=data, seconds=SECONDS
            )
        except OutboundError as error:
            raise NotTakenError(error.message) from None
        if not answer.ok:
            raise NotTakenError(
                f"The receiver {_said(answer.status)}",
                too_large=answer.status == 413,
                wait_seconds=_wait(answer.headers),
            )
        return answer


def _said(status: int) -> str:
    if 300 <= status < 400:
        return f"sends us elsewhere ({status}), which is not followed. Write the address it really has."
    if status >= 500:
        return f"is in trouble ({status}); it is tried again."
    return _WORDS.get(status, f"did not take the events ({status}).")


def _wait(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds; its other form, a date, needs no exactness and is left to our own pauses."""
    text = headers.get("retry-after", "").strip()
    return float(text) if _SECONDS.fullmatch(text) else None
