"""Clients write paths in many ways: doubled slashes are collapsed and one trailing slash is dropped, for every face.

Matching without regard to case is each face's own: `CaselessRoute` here does it for Starlette routes.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.routing import Route
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
