"""Which address is which handler's."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from starlette.types import ASGIApp, Receive, Scope, Send

from openpim.faces.authzen import access_requests, check, discovery, evaluation, quick, search
from openpim.faces.authzen.call import Answered, Call, HttpError, Room, respond, respond_error, unavailable
from openpim.faces.authzen.wire import BadRequestError
from openpim.faces.shared.metering import ACCESS, Metering
from openpim.ports.deps import Deps
from openpim.ports.store import StoreUnavailableError
from openpim.services.decisions.callers import Callers
from openpim.services.decisions.following import Following

_BASE: Final = "/access/v1/"
FACE: Final = "authzen"
Answers: TypeAlias = Callable[[str, int, float], None]
_access = logging.getLogger(ACCESS)
_POSTS: Final[dict[str, Callable[[Call], Awaitable[Answered]]]] = {
    "evaluation": evaluation.one,
    "evaluations": evaluation.many,
    "search/subject": search.subjects,
    "search/resource": search.resources,
    "search/action": search.actions,
    "requests": access_requests.submit,
}
ENDPOINTS: Final = (
    *(("POST", _BASE + path) for path in _POSTS),
    ("GET", _BASE + "requests/{task}"),
    ("POST", _BASE + "requests/{task}/cancel"),
    ("GET", _BASE + "check"),
    ("GET", "/.well-known/authzen-configuration"),
    ("GET", "/.well-known/authzen-configuration/{tenant}"),
)


class Decisions:
    """An ASGI application; paths are tidy already (faces/shared/paths.py). answered: told of each request, as
    faces/shared/metering.py tells it."""

    def __init__(
        self, deps: Deps, following: Following, callers: Callers, answered: Answers | None = None
    ) -> None:
        self._room = Room(deps, following, callers)
        self._answered = answered
        self._app: ASGIApp = Metering(self._answer, answered, FACE) if answered is not None else self._answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def short(self, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes | None:
        """The short way of an evaluation (faces/shared/short.py); not where each request has its line in the log."""
        if _access.isEnabledFor(logging.INFO):
            return None
        begun = time.perf_counter()
        said = quick.decided(self._room, headers, body)
        if said is not None and self._answered is not None:
            self._answered(FACE, 200, time.perf_counter() - begun)
        return said

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = Call(self._room, scope)
        try:
            said = await _handle(call, receive)
        except HttpError as error:
            await respond_error(call, send, error)
        except BadRequestError as error:
            await respond_error(call, send, HttpError(400, str(error)))
        except StoreUnavailableError as error:
            await respond_error(call, send, unavailable(error))
        else:
            await respond(call, send, said)


async def _handle(call: Call, receive: Receive) -> Answered:
    path = call.path
    if path.startswith(_BASE):
        name = path[len(_BASE) :]
        handler = _POSTS.get(name)
        if handler is not None:
            _only(call, "POST")
            if handler is access_requests.submit:
                await call.authenticate(to_change=True)
            else:
                await call.permitted()
            await call.read_body(receive)
            return await handler(call)
        if name == "check" or name.startswith("check/"):
            return await check.check(call)
        if name.startswith("requests/"):
            parts = name.split("/")
            await call.authenticate(to_change=True)
            if len(parts) == 2:
                _only(call, "GET")
                return await access_requests.status(call, parts[1])
            if len(parts) == 3 and parts[2] == "cancel":
                _only(call, "POST")
                return await access_requests.cancel(call, parts[1])
    elif path.lower().startswith("/.well-known/authzen-configuration"):
        _only(call, "GET")
        return await discovery.metadata(call)
    raise HttpError(404, "There is nothing at this address. See /.well-known/authzen-configuration.")


def _only(call: Call, method: str) -> None:
    if call.method != method:
        raise HttpError(405, f"Use {method} here.", [(b"allow", method.encode("ascii"))])
