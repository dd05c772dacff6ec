"""`POST /targets/{tenant}/{target}/agent/{enroll|sync}`: where the agent of a Linux host comes. It asks, and the question waits
here until there is news, so that a privilege is on the host a moment after it was given.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from openpim.core.refusals import Code, Refusal
from openpim.faces.shared.body import BadBody, read_body
from openpim.faces.shared.closing import closed_at_stop
from openpim.faces.shared.threads import in_thread
from openpim.ports.deps import Deps
from openpim.services.connecting import agents
from openpim.services.connecting.agents import Answer
from openpim.services.connecting.doorbell import BELL
from openpim.services.connecting.published import Lists, lists
from openpim.wire.ids import is_guid

_MOST: Final = 2_000_000  # bytes of a report
_LONGEST: Final = 30.0  # s that a question waits
_LOOK: Final = 1.0  # s: another process may have changed what is wanted
_MOST_WAITING: Final = 2_000
_STATUS: Final = {Code.SIGN_IN: 401, Code.INVALID: 400}


class _Waiting:
    """Questions that wait; none does when the server stops."""

    def __init__(self) -> None:
        self.count = 0
        self.closing = False
        closed_at_stop(self)

    def close(self) -> None:
        self.closing = True


def routes(deps: Deps) -> list[BaseRoute]:
    waiting = _Waiting()

    async def handle(request: Request) -> Response:
        body = await read_body(request, _MOST)
        if isinstance(body, BadBody):
            return _said(body.status, body.message)
        tenant, target = request.path_params["tenant"].lower(), request.path_params["target"].lower()
        given = _parsed(body)
        if given is None or not is_guid(tenant) or not is_guid(target):
            return _said(400, "This is not a question of an agent.")
        if request.path_params["what"] == "enroll":
            return await _enroll(deps, tenant, target, given)
        if request.path_params["what"] != "sync":
            return _said(404, "There is nothing here.")
        secret = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        outcome = await _sync(deps, waiting, tenant, target, secret, given)
        if isinstance(outcome, Refusal):
            return _said(_STATUS.get(outcome.code, 400), outcome.message)
        answer, news = outcome
        return _answer(given, _rendered(answer) | _ssh_rendered(news))

    return [Route("/targets/{tenant}/{target}/agent/{what}", handle, methods=["POST"])]


async def _enroll(deps: Deps, tenant: str, target: str, given: dict[str, Any]) -> Response:
    token, host = given.get("token"), given.get("host")
    if not isinstance(token, str) or not isinstance(host, str):
        return _said(400, "token and host must be texts.")
    made = await in_thread(agents.enrol, deps, tenant, target, token, host)
    if isinstance(made, Refusal):
        return _said(401, "This token is not, or no longer, good. Make a new one: pim agent token TARGET")
    return _answer(given, {"credential": made})


async def _sync(
    deps: Deps, waiting: _Waiting, tenant: str, target: str, secret: str, given: dict[str, Any]
) -> tuple[Answer, Lists | None] | Refusal:
    """Answered at once when there is news, else after a while."""
    seen, wait = given.get("seen"), given.get("wait")
    fleet, mark = _fleet(given)
    patient = isinstance(seen, int) and isinstance(wait, int | float) and wait > 0
    loop = asyncio.get_running_loop()
    ends = loop.time() + min(float(wait), _LONGEST) if patient and wait is not None else 0.0
    news = asyncio.Event()

    def tell() -> None:
        with contextlib.suppress(RuntimeError):  # the server has stopped
            loop.call_soon_threadsafe(news.set)

    def look(report: Any) -> tuple[Answer, Lists | None] | Refusal:
        answer = agents.sync(deps, tenant, target, secret, report)
        if isinstance(answer, Refusal):
            return answer
        return answer, lists(deps, tenant, fleet, mark) if fleet else None

    with BELL.listening((tenant, target), tell), BELL.listening((tenant, fleet), tell):
        outcome = await in_thread(look, given.get("report"))
        if waiting.count >= _MOST_WAITING:
            return outcome
        waiting.count += 1
        try:
            while (
                not isinstance(outcome, Refusal)
                and outcome[0].desired.version == seen
                and not (outcome[1] and outcome[1].krl)
                and (left := ends - loop.time()) > 0
                and not waiting.closing
            ):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), min(left, _LOOK))
                news.clear()
                outcome = await in_thread(look, None)
        finally:
            waiting.count -= 1
    return outcome


def _rendered(answer: Answer) -> dict[str, Any]:
    desired = answer.desired
    return {
        "version": desired.version,
        "serverTime": answer.now.isoformat(),
        "leaseSeconds": int(answer.lease.total_seconds()),
        "edges": [
            [*pair, until.isoformat() if until else None] for pair, until in sorted(desired.edges.items())
        ],
        "absent": sorted(desired.absent),
    }


def _fleet(given: dict[str, Any]) -> tuple[str, str]:
    """The target whose certificates this host takes, "" where it takes none; and the mark of what it has."""
    asked = given.get("ssh")
    named, mark = (asked.get("target"), asked.get("mark")) if isinstance(asked, dict) else (None, None)
    if not isinstance(named, str) or not isinstance(mark, str) or not is_guid(named):
        return "", ""
    return named.lower(), mark


def _ssh_rendered(news: Lists | None) -> dict[str, Any]:
    if news is None:
        return {}
    if not news.krl:
        return {"ssh": {"mark": news.mark}}
    krl = base64.b64encode(news.krl).decode()
    return {"ssh": {"mark": news.mark, "keys": news.keys.decode(), "krl": krl}}


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _answer(given: dict[str, Any], content: dict[str, Any]) -> Response:
    """With the number of the question, so that an old answer is none."""
    nonce = given.get("nonce")
    body = {**content, "nonce": nonce if isinstance(nonce, str) and len(nonce) <= 100 else None}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


def _said(status: int, message: str) -> Response:
    error = {"error": {"code": str(status), "message": message}}
    return JSONResponse(error, status_code=status, headers={"Cache-Control": "no-store"})
