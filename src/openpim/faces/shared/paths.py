"""Clients write paths in many ways: doubled slashes are collapsed and one trailing slash is dropped, for every face.

Matching without regard to case is each face's own: `CaselessRoute` here does it for Starlette routes. `Fixed` finds one of
many routes at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

_SLASHES = re.compile(r"/{2,}")


def tidy(path: str) -> str:
    path = _SLASHES.sub("/", path) or "/"
    return path[:-1] if len(path) > 1 and path.endswith("/") else path


class TidyPaths:
    """ASGI middleware: every application behind it sees tidy paths."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = tidy(scope["path"])
            if path != scope["path"]:
                scope = {**scope, "path": path}
        await self._app(scope, receive, send)


class CaselessRoute(Route):
    """A route whose fixed segments match in any case."""

    def __init__(self, path: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(path, *args, **kwargs)
        self.path_regex = re.compile(self.path_regex.pattern, re.IGNORECASE)


class Fixed(BaseRoute):
    """Routes without parameters as one: found by their path, where each would be tried in turn."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = {one.path: one for one in routes}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        route = self._routes.get(scope["path"])
        return (Match.NONE, {}) if route is None else route.matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._routes[scope["path"]].handle(scope, receive, send)
