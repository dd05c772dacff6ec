"""One request to Graph, taken apart: what a handler is given, and the answer it gives back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from openpim.core.caller import Caller
from openpim.faces.graph.faults import Fault
from openpim.ports.deps import Deps
from openpim.services.signin.context import SignIn
from openpim.wire.jsonbody import MAX_BYTES, Body, read_object
from openpim.wire.odata import QueryOptions

JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_JSON_TYPE = re.compile(r"\s*application/(?:[a-z0-9.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE | re.DOTALL)


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
    """body: a JSON object, or text for `$count`; None for 204."""

    status: int
    body: dict[str, Any] | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


NO_CONTENT = Answer(204)


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose address is known and whose caller may use it. now: the one moment everything is read at.

    params: the keys in the path, decoded. args: the arguments of a function in it. cast: a type at its end
    ("group" for …/microsoft.graph.group). path: as sent below the origin, for links to the next page.
    """

    deps: Deps
    caller: Caller
    raw: Raw
    version: str
    now: datetime
    params: Mapping[str, str]
    args: Mapping[str, object]
    options: QueryOptions
    cast: str | None = None
    signin: SignIn | None = None

    def need_signin(self) -> SignIn:
        """Keys and hashes, which only what concerns signing in needs."""
        if self.signin is None:
            raise Fault("ServiceUnavailable", "Signing in is not served here.")
        return self.signin

    @property
    def root(self) -> str:
        return f"{self.raw.origin}/{self.version}"

    def context(self, fragment: str) -> str:
        """`@odata.context` with this fragment."""
        return f"{self.root}/$metadata#{fragment}"

    @property
    def eventual(self) -> bool:
        """The client said `ConsistencyLevel: eventual`, which searching needs."""
        return self.raw.headers.get("consistencylevel", "").strip().lower() == "eventual"

    def json(self, *, allow_empty: bool = False) -> Body:
        """The body, which must be a JSON object."""
        kind = self.raw.headers.get("content-type", "")
        if self.raw.body and not _JSON_TYPE.fullmatch(kind):
            raise Fault("UnsupportedMediaType", f"The body must be application/json, not {kind[:60]!r}.")
        if len(self.raw.body) > MAX_BYTES:
            raise Fault("RequestEntityTooLarge", f"The body is larger than {MAX_BYTES} bytes.")
        return read_object(self.raw.body, allow_empty=allow_empty)
