"""The style sheet of the sign-in pages, and the script that asks for a passkey: two small files of our own."""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

_CSS = (files("openpim.faces.oidc") / "templates" / "style.css").read_text("utf-8")
_PASSKEY = (files("openpim.faces.oidc") / "templates" / "passkey.mjs").read_text("utf-8")
_HEADERS = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}


async def endpoint(_request: Request) -> Response:
    return Response(_CSS, media_type="text/css", headers=_HEADERS)


async def passkey_script(_request: Request) -> Response:
    return Response(_PASSKEY, media_type="text/javascript", headers=_HEADERS)
