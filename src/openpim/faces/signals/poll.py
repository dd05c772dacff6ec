"""The address that a receiver polls (RFC 8936). A request that may wait is held for some seconds, looked after once in a
while, without holding a thread; so many wait at once, and who comes on top is answered at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from openpim.core.refusals import Refusal
from openpim.core.signals import MOST_ACKNOWLEDGED
from openpim.faces.shared.body import BadBody
from openpim.faces.shared.closing import closed_at_stop
from openpim.faces.shared.threads import in_thread
from openpim.faces.signals.call import Face, answered, bad, said, unread
from openpim.ports.store import StoreUnavailableError
from openpim.services.recording import storable
from openpim.services.signals import poll
from openpim.services.signals.poll import Asked, Given
from openpim.wire.jsonbody import BodyError

LONGEST_WAIT = 25.0  # seconds
LOOK_SECONDS = 0.5
MOST_WAITING = 100  # in this process
MOST_OF_ONE = 4  # of one stream


class Waiting:
    """Those whose request is held."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}
        self.closing = False
        closed_at_stop(self)

    def enter(self, stream_id: str) -> bool:
        of_one = self._held.get(stream_id, 0)
        if self.closing or of_one >= MOST_OF_ONE or sum(self._held.values()) >= MOST_WAITING:
            return False
        self._held[stream_id] = of_one + 1
        return True

    def leave(self, stream_id: str) -> None:
        left = self._held[stream_id] - 1
        if left:
            self._held[stream_id] = left
        else:
            del self._held[stream_id]

    def close(self) -> None:
        self.closing = True


def endpoint(face: Face) -> Callable[[Request], Awaitable[Response]]:
    waiting = Waiting()

    async def handle(request: Request) -> Response:
        members = await face.members(request)
        stream_id = request.path_params["stream"].lower()
        begun = await in_thread(_begin, face, request, members, stream_id)
        if isinstance(begun, Response):
            return begun
        asked, at_once, given = begun
        if given.sets or given.more or at_once or asked.most == 0 or not waiting.enter(stream_id):
            return _shown(given)
        try:
            return await _wait(face, request, stream_id, asked, waiting)
        finally:
            waiting.leave(stream_id)

    return handle


def _begin(
    face: Face,
    request: Request,
    members: Mapping[str, Any] | BodyError | BadBody | Response,
    stream_id: str,
) -> tuple[Asked, bool, Given] | Response:
    """Take note of what the receiver says, and look once: what it asked for, whether it wants no waiting, what there is."""
    if isinstance(members, Response):
        return members
    try:
        caller = face.caller(request)
        if isinstance(caller, Refusal):
            return face.refused(request, caller)
        if isinstance(members, (BodyError, BadBody)):
            return unread(members)
        asked = read(members)
        if isinstance(asked, Refusal):
            return face.refused(request, asked)
        refusal = poll.acknowledge(face.signin, caller, stream_id, asked)
    except StoreUnavailableError:
        return said(503, "unavailable", "Try again in a moment.", {"Retry-After": "5"})
    if refusal is not None:
        return face.refused(request, refusal)
    given = _look(face, request, stream_id, asked)
    return given if isinstance(given, Response) else (asked, members.get("returnImmediately") is True, given)


def _look(face: Face, request: Request, stream_id: str, asked: Asked) -> Given | Response:
    """What there is now; the caller is looked at anew each time, because his token may have ended meanwhile."""
    try:
        caller = face.caller(request)
        given = (
            caller if isinstance(caller, Refusal) else poll.give(face.signin, caller, stream_id, asked.most)
        )
    except StoreUnavailableError:
        return said(503, "unavailable", "Try again in a moment.", {"Retry-After": "5"})
    return face.refused(request, given) if isinstance(given, Refusal) else given


async def _wait(face: Face, request: Request, stream_id: str, asked: Asked, waiting: Waiting) -> Response:
    left = LONGEST_WAIT
    while left > 0 and not waiting.closing and not await request.is_disconnected():
        await asyncio.sleep(min(LOOK_SECONDS, left))
        left -= LOOK_SECONDS
        given = await in_thread(_look, face, request, stream_id, asked)
        if isinstance(given, Response):
            return given
        if given.sets:
            return _shown(given)
    return _shown(Given({}, more=False))


def _shown(given: Given) -> Response:
    return answered({"sets": dict(given.sets), "moreAvailable": given.more})


def read(body: Mapping[str, Any]) -> Asked | Refusal:
    """RFC 8936 2.4."""
    most = body.get("maxEvents")
    if most is not None and (type(most) is not int or most < 0):
        return bad("maxEvents", "maxEvents is not a whole number from 0.")
    if not isinstance(body.get("returnImmediately", False), bool):
        return bad("returnImmediately", "returnImmediately is true or false.")
    acknowledged = [] if body.get("ack") is None else body["ack"]
    errors = {} if body.get("setErrs") is None else body["setErrs"]
    if not isinstance(acknowledged, list) or not all(_is_jti(one) for one in acknowledged):
        return bad("ack", "ack is not a list of the jti of events.")
    if not isinstance(errors, Mapping) or not all(_is_jti(one) for one in errors):
        return bad("setErrs", "setErrs is not an object with the jti of events.")
    if len(acknowledged) > MOST_ACKNOWLEDGED or len(errors) > MOST_ACKNOWLEDGED:
        return bad("ack", f"Send at most {MOST_ACKNOWLEDGED} at once.")
    refused: dict[str, tuple[str, str]] = {}
    for jti, error in errors.items():
        said_ = error.get("err") if isinstance(error, Mapping) else None
        if not isinstance(said_, str):
            return bad("setErrs", "Each error has an err, which is a text.")
        description = error.get("description")
        refused[jti] = (said_[:40], description[:200] if isinstance(description, str) else "")
    return Asked(most, frozenset(acknowledged), refused)


def _is_jti(one: Any) -> bool:
    return isinstance(one, str) and storable(one)
