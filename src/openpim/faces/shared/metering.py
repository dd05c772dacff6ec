"""Counts requests and how long their answers took to begin; one line each in the log of requests, where that is switched
on."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ACCESS = "openpim.access"
_FACES = {
    "v1.0": "graph", "beta": "graph", "api": "legacy", "portal": "portal", "demo": "portal",
    "access": "authzen", "metrics": "health", "healthz": "health", "readyz": "health",
}  # fmt: skip
# What stands in a path for a secret that works once (set-up links, the demo's door), or may.
_SECRET = re.compile(
    r"(?<=/)(?![0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?:/|\Z))[A-Za-z0-9_~-]{20,}(?=/|\Z)"
)
_WORD = re.compile(r"[A-Za-z]+\Z")
_log = logging.getLogger(ACCESS)


def face_of(path: str) -> str:
    """Which face an address belongs to: one of few, whatever was sent."""
    return _FACES.get(path.split("/", 2)[1].lower() if "/" in path else "", "sign-in")


class Metering:
    """ASGI. answered(face, status, seconds). face: of everything behind it; None: told by the path."""

    def __init__(
        self, app: ASGIApp, answered: Callable[[str, int, float], None], face: str | None = None
    ) -> None:
        self._app = app
        self._answered = answered
        self._face = face

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                seconds = time.perf_counter() - begun
                self._answered(self._face or face_of(scope["path"]), message["status"], seconds)
                if _log.isEnabledFor(logging.INFO):
                    _log.info(
                        "%s", line(scope, message["status"], seconds), extra=_facts(scope, message, seconds)
                    )
            await send(message)

        await self._app(scope, receive, noted)


def shown(path: str) -> str:
    """A path without what may be a secret in it. The query is never shown: codes and tokens stand there."""
    return _SECRET.sub(lambda found: found[0] if _WORD.match(found[0]) else "…", path)


def line(scope: Scope, status: int, seconds: float) -> str:
    return f"{scope['method']} {shown(scope['path'])} {status} {seconds * 1000:.1f} ms"


def _facts(scope: Scope, message: Message, seconds: float) -> dict[str, object]:
    client = scope.get("client")
    return {
        "facts": {
            "method": scope["method"],
            "path": shown(scope["path"]),
            "status": message["status"],
            "milliseconds": round(seconds * 1000, 1),
            "address": client[0] if client else None,
        }
    }
