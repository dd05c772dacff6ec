"""A face is loaded by the first request it gets: what waits idle does not carry all the dialects, and starts sooner.

`WhenAsked` is such an application, `Below` the route to one by the beginnings of its addresses, `Ahead` a shorter one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeAlias

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from openpim.faces.shared.threads import in_thread

Load: TypeAlias = Callable[[], ASGIApp]


class WhenAsked:
    """ASGI. load: called once, in a thread, so that others are answered meanwhile."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._loading = threading.Lock()
        self._app: ASGIApp | None = None

    @property
    def loaded(self) -> ASGIApp | None:
        """The application, None before the first request."""
        return self._app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if app is None:
            app = await in_thread(self._loaded)
        await app(scope, receive, send)

    def _loaded(self) -> ASGIApp:
        with self._loading:
            if self._app is None:
                self._app = self._load()
            return self._app


class Ahead:
    """ASGI. What is asked thousands of times a second goes straight to its application, whichever origin it was sent to:
    every layer between costs it more than its answer does. below: how the path begins; paths that are not tidy take the
    long way. short: the address that `app` has a short way for (faces/shared/short.py)."""

    def __init__(self, below: str, app: WhenAsked, others: ASGIApp, *, short: str) -> None:
        self._below = below
        self._app = app
        self._others = others
        self.short = {short.encode("ascii"): self._shortly}

    def _shortly(self, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes | None:
        app: Any = self._app.loaded
        said: bytes | None = app.short(headers, body) if app is not None else None
        return said

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if path.startswith(self._below) and not path.endswith("/") and "//" not in path:
                await (self._app.loaded or self._app)(scope, receive, send)
                return
        await self._others(scope, receive, send)


class Below(BaseRoute):
    """Requests to these addresses, written in lower case, and all below them; clients may write them in any case."""

    def __init__(self, *addresses: str, load: Load) -> None:
        self._addresses = frozenset(addresses)
        self._below = tuple(f"{address}/" for address in addresses)
        self._app = WhenAsked(load)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http":
            path = scope["path"].lower()
            if path in self._addresses or path.startswith(self._below):
                return Match.FULL, {}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
