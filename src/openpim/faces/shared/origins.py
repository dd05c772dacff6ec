"""One server, two origins: which application a request is for, told by the name it was sent to or the port it came in by.

Clients keep tokens for Graph and for the resource manager apart by origin (scheme, host and port), so each has its own.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from openpim.core.settings import Settings


class Origins:
    """ASGI. Everything that is not the resource manager's goes to the main application, the life span too."""

    def __init__(self, settings: Settings, main: ASGIApp, manager: ASGIApp, port: int | None = None) -> None:
        self._main = main
        self._manager = manager
        self._port = port
        mine, theirs = _names(settings.origin, settings), _names(settings.arm_origin, settings)
        self._only_main, self._only_manager = mine - theirs, theirs - mine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = self._manager if scope["type"] == "http" and self._for_manager(scope) else self._main
        await wanted(scope, receive, send)

    def _for_manager(self, scope: Scope) -> bool:
        host = next((value for name, value in scope["headers"] if name == b"host"), b"").lower()
        if host in self._only_main:
            return False
        if host in self._only_manager:
            return True
        server = scope.get("server")
        return self._port is not None and server is not None and server[1] == self._port


def _names(origin: str, settings: Settings) -> frozenset[bytes]:
    """The Host headers by which an origin may be called."""
    parts = urlsplit(origin)
    port = f":{parts.port}" if parts.port is not None else ""
    names = [parts.netloc, *(f"{name}{port}" for name in settings.allowed_hosts)]
    return frozenset(name.lower().encode("latin-1", "replace") for name in names)
