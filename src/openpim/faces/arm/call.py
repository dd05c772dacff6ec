"""One request to the management API, taken apart: what a handler is given, and the answer it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from openpim.core.caller import Caller
from openpim.core.resources import ROOT
from openpim.faces.arm.faults import Fault
from openpim.ports.deps import Deps
from openpim.wire.jsonbody import MAX_BYTES, Body, read_object
from openpim.wire.odata import QueryOptions

Row = dict[str, Any]
AUTHORIZATION = "/providers/Microsoft.Authorization"


@dataclass(frozen=True, slots=True)
class Raw:
    """A request as it came. path: raw (encoded) and below the origin; query: raw, without "?"; headers: lower-case."""

    method: str
    path: bytes
    query: bytes
    headers: Mapping[str, str]
    body: bytes = b""
    origin: str = ""
    ip: str | None = None
    request_id: str = ""
    client_request_id: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """body: what becomes JSON; None for no body at all."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose address is known. now: the one moment everything is read at.

    scope: the id of the place in front of `/providers/Microsoft.Authorization/…`, "/" for the root. written: the
    same as it was sent. params: the keys in the path. action: what the endpoint does, for refusals.
    """

    deps: Deps
    caller: Caller
    raw: Raw
    now: datetime
    scope: str
    written: str
    params: Mapping[str, str]
    options: QueryOptions
    action: str = ""

    def json(self, *, allow_empty: bool = False) -> Body:
        """The body, which must be a JSON object; the content type is not looked at, as clients often leave it out."""
        if len(self.raw.body) > MAX_BYTES:
            raise Fault("RequestEntityTooLarge", f"The body is larger than {MAX_BYTES} bytes.")
        return read_object(self.raw.body, allow_empty=allow_empty)

    def properties(self) -> Body:
        """What is under `properties`; the body itself where a client leaves that wrapper out."""
        body = self.json()
        return body.object("properties") or body

    @property
    def here(self) -> str:
        """The scope as a prefix of a path."""
        return "" if self.scope == ROOT else self.scope
