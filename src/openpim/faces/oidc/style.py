"""The style sheet of the sign-in pages: one small file of our own."""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

_CSS = (files("openpim.faces.oidc") / "templates" / "style.css").read_text("utf-8")


async def endpoint(_request: Request) -> Response:
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response(_CSS, media_type="text/css", headers=headers)
