"""Requests to absolute addresses over a few kept connections, and the percent-encoding they need.

`urllib.parse` is left out on purpose: it costs almost as much as starting Python (measured).
"""

from __future__ import annotations

import json

from openpim.client import clock
from openpim.client.errors import PimError
from openpim.client.http11 import Connection, Response, split_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from typing import Any

__all__ = ["Transport", "decode_json", "form", "quote", "unquote"]

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_IN_QUERY = _PLAIN | frozenset(b"$'(),/:@;!*=")
_ALWAYS = {"User-Agent": "openpim", "Accept": "application/json"}
_MAX_WAIT = 60.0
_TRIES = 4


def quote(text: str, *, query: bool = False) -> str:
    """Percent-encode; with `query`, characters that OData queries use and URLs allow stay readable."""
    safe = _IN_QUERY if query else _PLAIN
    return "".join(chr(byte) if byte in safe else f"%{byte:02X}" for byte in text.encode())


def unquote(text: str, *, plus: bool = False) -> str:
    """Undo percent-encoding; broken sequences stay as they are."""
    if plus:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    first, *rest = text.encode().split(b"%")
    parts = [first]
    for part in rest:
        try:
            parts.append(bytes.fromhex(part[:2].decode("ascii")) + part[2:] if len(part) > 1 else b"%" + part)
        except ValueError:
            parts.append(b"%" + part)
    return b"".join(parts).decode("utf-8", "replace")


def form(fields: Mapping[str, str]) -> str:
    """`application/x-www-form-urlencoded` of the fields that are not empty."""
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in fields.items() if value)


def decode_json(response: Response) -> Any:
    """The body as JSON, None where there is none or it is something else."""
    if not response.body:
        return None
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        return None


class Transport:
    """Sends requests; keeps one connection per origin; waits and repeats when the server asks for it."""

    def __init__(self, *, ca_file: str = "", timeout: float = 30.0) -> None:
        self.ca_file = ca_file
        self.timeout = timeout
        self._connections: dict[tuple[str, str, int], Connection] = {}
        self._trust: dict[str, ssl.SSLContext] = {}

    def _connection(self, scheme: str, host: str, port: int) -> Connection:
        key = (scheme, host, port)
        found = self._connections.get(key)
        if found is None:
            found = Connection(
                scheme, host, port, ca_file=self.ca_file, timeout=self.timeout, trust=self._trust
            )
            self._connections[key] = found
        return found

    def begin(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> None:
        """Send a request now whose answer `send` with the same one reads; a fault shows only there."""
        scheme, host, port, path = split_url(url)
        self._connection(scheme, host, port).begin(method, path, {**_ALWAYS, **headers}, body)

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        reads: bool = False,
    ) -> Response:
        """One request; repeated after 429 (nothing was done) and, if it only reads, after 503 and 504.

        reads: it only reads, though it is no GET.
        """
        reads = reads or method == "GET"
        scheme, host, port, path = split_url(url)
        connection = self._connection(scheme, host, port)
        sent = {**_ALWAYS, **(headers or {})}
        for attempt in range(_TRIES):
            response = connection.request(method, path, sent, body)
            again = response.status == 429 or (response.status in {503, 504} and reads)
            if not again or attempt == _TRIES - 1:
                break
            wait = retry_after(response.headers, attempt)
            if wait > _MAX_WAIT:
                text = f"the server asks to wait {wait:.0f} seconds before the next request"
                raise PimError("server", text, "try again later")
            clock.sleep(wait)
        return response

    def close(self) -> None:
        """Close every connection."""
        for connection in self._connections.values():
            connection.close()


def retry_after(headers: Mapping[str, str], attempt: int) -> float:
    """Seconds to wait: what `Retry-After` says, else 0.5, 1, 2, ..."""
    given = headers.get("retry-after", "")
    return float(given) if given.isdigit() else 0.5 * 2.0**attempt
