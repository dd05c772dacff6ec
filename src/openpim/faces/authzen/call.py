"""One request: what came, who sent it, the index that answers it, and the answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from starlette.types import Receive, Scope, Send

from openpim.core.caller import Caller
from openpim.core.decisions import micros
from openpim.core.refusals import Refusal
from openpim.faces.shared.bearer import challenge
from openpim.faces.shared.threads import in_thread
from openpim.ports.deps import Deps
from openpim.ports.store import StoreUnavailableError
from openpim.services.decisions.callers import Callers, may_ask
from openpim.services.decisions.following import Following
from openpim.services.decisions.index import Index

MAX_BODY: Final = 1 << 20
JSON: Final = b"application/json"
NO_STORE: Final = (b"cache-control", b"no-store")
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")


class HttpError(Exception):
    """An answer that is no decision: it concerns the request, never what was asked."""

    def __init__(self, status: int, message: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = tuple(headers)


@dataclass(frozen=True, slots=True)
class Answered:
    """body: what is sent; bytes are JSON already."""

    body: Any
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()
    kind: bytes = JSON


@dataclass(frozen=True, slots=True)
class Room:
    """What all handlers have."""

    deps: Deps
    following: Following
    callers: Callers


class Call:
    """headers: names in lower case, the last of each; `several` tells the others."""

    __slots__ = ("_headers", "body", "caller", "headers", "method", "now", "path", "query", "room", "scope")

    def __init__(self, room: Room, scope: Scope) -> None:
        self.room = room
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._headers: list[tuple[bytes, bytes]] = scope["headers"]
        self.headers: dict[bytes, bytes] = dict(self._headers)
        self.query: bytes = scope.get("query_string", b"")
        self.body = b""
        self.now: datetime = room.deps.clock()
        self.caller: Caller

    @property
    def micros(self) -> int:
        return micros(self.now)

    @property
    def origin(self) -> str:
        return self.room.deps.settings.origin

    def several(self, name: bytes) -> int:
        return sum(1 for one, _ in self._headers if one == name)

    async def read_body(self, receive: Receive) -> None:
        """One message, nearly always; never more than MAX_BODY."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise HttpError(400, "The client went away.")
            part = message.get("body", b"")
            size += len(part)
            if size > MAX_BODY:
                raise HttpError(
                    413, f"The body is larger than {MAX_BODY} bytes.", [(b"connection", b"close")]
                )
            parts.append(part)
            if not message.get("more_body"):
                break
        self.body = parts[0] if len(parts) == 1 else b"".join(parts)
        kind = self.headers.get(b"content-type", b"")
        if not kind.lower().startswith(b"application/json"):
            raise HttpError(400, "Send the question as application/json.")

    async def authenticate(self, *, to_change: bool = False) -> Caller:
        """Whoever may ask anything. to_change: he is looked up in the store now, and what he does is on record with
        where he did it from."""
        header = self.headers.get(b"authorization", b"").decode("latin-1")
        caller: Caller | Refusal | None
        if to_change:
            caller = await in_thread(self.room.callers.now, header or None, **self._facts())
        else:
            caller = self.room.callers.known(header, self.now)
        if caller is None:
            caller = await in_thread(self.room.callers.find, header or None)
        if isinstance(caller, Refusal):
            error = "invalid_token" if header else ""
            said = challenge(self.origin, error=error, description=caller.message if header else "")
            raise HttpError(401, caller.message, [(b"www-authenticate", said.encode("latin-1", "replace"))])
        self.caller = caller
        return caller

    def _facts(self) -> dict[str, Any]:
        """The keyword arguments that services.signin.bearer.authenticate takes of a request."""
        client = self.scope.get("client")
        agent = self.headers.get(b"user-agent", b"").decode("latin-1")
        return {
            "ip": client[0] if client else None,
            "client": agent[:200] or None,
            "request_id": self.room.deps.new_id(),
        }

    async def permitted(self) -> Caller:
        caller = await self.authenticate()
        refusal = may_ask(caller)
        if refusal is not None:
            raise HttpError(403, refusal.message)
        return caller

    async def index(self, names: Collection[str] = ()) -> Index:
        """Never older than following.LATEST; knows everybody who goes by these sign-in names."""
        following, tenant = self.room.following, self.caller.tenant_id
        index = following.ready(tenant, self.now)
        if index is None:
            index = await in_thread(following.look, tenant)
            self.now = self.room.deps.clock()
        elif following.due(tenant, self.now):  # one of those who ask now looks; the others go on meanwhile
            try:
                index = await in_thread(following.look, tenant)
            except StoreUnavailableError:
                index = following.ready(tenant, self.room.deps.clock())
                if index is None:
                    raise
            self.now = self.room.deps.clock()
        unknown = {name for name in names if name not in index.people} if names else None
        if unknown:
            await in_thread(following.look_up, tenant, unknown)
            index = following.ready(tenant, self.now) or index
        return index

    def request_id(self) -> tuple[tuple[bytes, bytes], ...]:
        said = self.headers.get(b"x-request-id")
        return () if said is None else ((b"x-request-id", said),)


async def respond(call: Call, send: Send, answered: Answered) -> None:
    body = answered.body if isinstance(answered.body, bytes) else msgspec.json.encode(answered.body)
    headers = [
        (b"content-type", answered.kind),
        NO_STORE,
        (b"content-length", b"%d" % len(body)),
        *call.request_id(),
        *answered.headers,
    ]
    await send({"type": "http.response.start", "status": answered.status, "headers": headers})
    await send({"type": "http.response.body", "body": body if call.method != "HEAD" else b""})


async def respond_error(call: Call, send: Send, error: HttpError) -> None:
    """AuthZEN 10.1.2: a message as text."""
    body = error.message.encode("utf-8", "replace")
    headers = [
        _TEXT,
        NO_STORE,
        (b"content-length", b"%d" % len(body)),
        (b"x-content-type-options", b"nosniff"),
        *call.request_id(),
        *error.headers,
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body if call.method != "HEAD" else b""})


def unavailable(_: StoreUnavailableError) -> HttpError:
    return HttpError(
        503,
        "The database cannot be reached, so nothing can be decided. Try again later.",
        [(b"retry-after", b"1")],
    )


def text_of(properties: Mapping[str, Any] | None, name: str) -> str:
    value = (properties or {}).get(name)
    return value if isinstance(value, str) else ""
