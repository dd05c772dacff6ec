"""News for open pages, as server-sent events: GET /portal/live says "news" when something happened that concerns the
person, and the page fetches itself again. Nothing else is said but how many changes the tenant has had, by which the tabs
of a browser tell who has seen what. A page asks for news since it was made (`changes`, `now`).

One task for all streams looks once a second, and only while somebody is looking. A stream belongs to a session, ends with
it, and after ten minutes (browsers come back by themselves); a session has a few, the server many, none without limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from openpim.faces.oidc.cookies import SESSION, origin_of
from openpim.faces.portal.dispatch import TENANT, Endpoint
from openpim.faces.shared.closing import closed_at_stop
from openpim.faces.shared.threads import in_thread
from openpim.ports.store import StoreUnavailableError
from openpim.services.news import Look, concerned, first_look, missed
from openpim.services.signin.context import SignIn
from openpim.services.signin.portal import Presence, enter

Since = tuple[int, datetime]  # how many changes there were, and when
LOOK_EVERY = 1.0
CHECK_EVERY = 15.0
LONGEST = 600.0
MOST = 1000
MOST_OF_A_SESSION = 6
_NEWS = b"event: news\ndata: %d\n\n"
_ENDED = b"event: ended\ndata: 1\n\n"
_STILL_HERE = b": still here\n\n"
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Stream:
    presence: Presence
    loop: asyncio.AbstractEventLoop
    news: asyncio.Event = field(default_factory=asyncio.Event)
    changes: int = 0  # of the tenant, at the last news


@dataclass(eq=False)
class Hub:
    """All open streams of one application, and the task that looks for them."""

    signin: SignIn
    streams: set[_Stream] = field(default_factory=set)
    closing: bool = False
    _task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        closed_at_stop(self)

    def open(self, presence: Presence) -> _Stream | None:
        """None when there are too many already."""
        own = sum(one.presence.session.id == presence.session.id for one in self.streams)
        if self.closing or len(self.streams) >= MOST or own >= MOST_OF_A_SESSION:
            return None
        stream = _Stream(presence, asyncio.get_running_loop())
        self.streams.add(stream)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        return stream

    def close(self) -> None:
        """The server stops: every stream ends at once, so that stopping does not wait for open pages."""
        self.closing = True
        for stream in list(self.streams):
            with contextlib.suppress(RuntimeError):  # its loop is closed: it has ended
                stream.loop.call_soon_threadsafe(stream.news.set)

    async def _look(self) -> None:
        """Until nobody is looking any more."""
        looks: dict[str, Look] = {}
        while self.streams and not self.closing:
            by_tenant: dict[str, Counter[str]] = {}
            for stream in self.streams:
                caller = stream.presence.caller
                by_tenant.setdefault(caller.tenant_id, Counter())[caller.principal_id] += 1
            for tenant_id, people in by_tenant.items():
                before = looks.get(tenant_id) or first_look(self.signin.deps)
                try:
                    looks[tenant_id], found = await in_thread(
                        concerned, self.signin.deps, tenant_id, before, frozenset(people)
                    )
                except StoreUnavailableError:
                    looks[tenant_id] = before
                    continue
                for stream in self.streams:
                    caller = stream.presence.caller
                    if caller.tenant_id == tenant_id and caller.principal_id in found:
                        stream.changes = looks[tenant_id].changes
                        stream.news.set()
            await asyncio.sleep(LOOK_EVERY)

    async def words(
        self, request: Request, stream: _Stream, since: Since | None = None
    ) -> AsyncIterator[bytes]:
        """What a stream says until it ends."""
        begun = asyncio.get_running_loop().time()
        try:
            yield b"retry: 3000\n\n"
            # Asked when the stream is open already: what happens from now on, it is told.
            if since is not None and await in_thread(_missed, self.signin, stream.presence, since):
                yield _NEWS % stream.presence.changes
            while not self.closing and asyncio.get_running_loop().time() - begun < LONGEST:
                try:
                    await asyncio.wait_for(stream.news.wait(), CHECK_EVERY)
                except TimeoutError:
                    if not await in_thread(_still_there, self.signin, request, stream.presence):
                        yield _ENDED
                        return
                    yield _STILL_HERE
                    continue
                stream.news.clear()
                if not await in_thread(_still_there, self.signin, request, stream.presence):
                    yield _ENDED
                    return
                yield _NEWS % stream.changes
        finally:
            self.streams.discard(stream)


def endpoint(signin: SignIn) -> Endpoint:
    hub = Hub(signin)

    async def handle(request: Request) -> Response:
        presence = await in_thread(_presence, signin, request)
        if presence is None or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return Response(status_code=401, headers=_HEADERS)
        stream = hub.open(presence)
        if stream is None:
            return Response(status_code=503, headers={**_HEADERS, "Retry-After": "30"})
        words = hub.words(request, stream, _since(request))
        return StreamingResponse(words, media_type="text/event-stream", headers=_HEADERS)

    return handle


def _presence(signin: SignIn, request: Request) -> Presence | None:
    cookie, wanted = request.cookies.get(SESSION, ""), request.cookies.get(TENANT, "")[:36]
    try:
        return enter(signin, cookie, wanted, origin_of(signin, request), used=False)
    except StoreUnavailableError:
        return None


def _since(request: Request) -> Since | None:
    """What the page says of when it was made; None: it does not, or nothing that can be."""
    changes, at = (request.query_params.get(name, "") for name in ("changes", "now"))
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    if not (changes.isascii() and changes.isdigit() and len(changes) < 19 and moment.tzinfo):
        return None
    return int(changes), moment


def _missed(signin: SignIn, presence: Presence, since: Since) -> bool:
    caller = presence.caller
    try:
        return missed(signin.deps, caller.tenant_id, caller.principal_id, *since)
    except StoreUnavailableError:
        return False


def _still_there(signin: SignIn, request: Request, presence: Presence) -> bool:
    """The same session, alive, and the same person in the same tenant."""
    found = _presence(signin, request)
    return found is not None and found.session.id == presence.session.id
