"""`/healthz`, `/readyz` and `/metrics`.

Health is for everybody and says nothing of what is inside. Figures are the operator's: on the public listener they need the
bearer token of the token file; a listener of its own, which the configuration can open, shows them without.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from openpim.core.metrics import CONTENT_TYPE
from openpim.faces.shared.threads import in_thread

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_CLOSED = "Send the token in the server's token file as a bearer token (setting monitoring.token_file).\n"
# name of a check -> what is wrong, in words; "" when all is well
Checks = Mapping[str, Callable[[], str]]


def routes(text: Callable[[], str], checks: Checks, token: str | None) -> list[BaseRoute]:
    """text: of the figures. token: who sends it may read them; None: everybody who gets here; "": nobody."""

    async def metrics(request: Request) -> Response:
        if token is not None and not _knows(request, token):
            refused = {**_HEADERS, "WWW-Authenticate": 'Bearer realm="metrics"'}
            return PlainTextResponse(_CLOSED, 401, refused)
        shown = await in_thread(text)
        return Response(shown.encode(), headers={**_HEADERS, "Content-Type": CONTENT_TYPE})

    async def ready(_request: Request) -> Response:
        found = await in_thread(_checked, checks)
        good = not any(found.values())
        body = {
            "status": "ok" if good else "; ".join(said for said in found.values() if said),
            "checks": {name: said or "ok" for name, said in found.items()},
        }
        return JSONResponse(body, 200 if good else 503, _HEADERS)

    return [
        Route("/healthz", _healthy),
        Route("/readyz", ready),
        Route("/metrics", metrics),
    ]


def application(text: Callable[[], str], checks: Checks) -> Starlette:
    """What listens on an address of its own."""
    return Starlette(routes=routes(text, checks, None))


def _knows(request: Request, token: str) -> bool:
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    good = hmac.compare_digest(sent.strip().encode("utf-8", "surrogateescape"), token.encode("utf-8"))
    return bool(token) and scheme.lower() == "bearer" and good


async def _healthy(_request: Request) -> Response:
    return JSONResponse({"status": "ok"}, headers=_HEADERS)


def _checked(checks: Checks) -> dict[str, str]:
    """The later ones are skipped when the first, the database, fails: they would only wait for it too."""
    found: dict[str, str] = {}
    for name, check in checks.items():
        found[name] = check()
        if found[name] and name == "database":
            break
    return found
