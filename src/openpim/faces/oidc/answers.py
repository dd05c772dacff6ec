"""JSON answers of the OAuth endpoints: never cached, readable by browser applications of other origins (no cookie
counts at these endpoints, so that gives nothing away).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from openpim.core.signin.oauth import OAuthError
from openpim.faces.shared.body import BadBody

Endpoint = Callable[[Request], Awaitable[Response]]
OPEN = {"Access-Control-Allow-Origin": "*"}
_STILL = {**OPEN, "Cache-Control": "no-store", "Pragma": "no-cache"}


def preflight(request: Request) -> Response | None:
    """The answer to an OPTIONS request."""
    if request.method != "OPTIONS":
        return None
    headers = {
        **OPEN,
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": request.headers.get("access-control-request-headers", "")[:500]
        or "*",
        "Access-Control-Max-Age": "86400",
    }
    return Response(status_code=204, headers=headers)


def ok(body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers=_STILL)


def refused(request: Request, error: OAuthError) -> Response:
    """RFC 6749 5.2, with the members MSAL shows to people."""
    state = request.scope.get("state", {})
    body: dict[str, Any] = {
        "error": error.error,
        "error_description": error.description,
        "trace_id": state.get("request_id", ""),
        "correlation_id": state.get("client_request_id", ""),
    }
    if error.claims is not None:
        body["claims"] = error.claims
    if error.suberror:
        body["suberror"] = error.suberror
    headers = dict(_STILL)
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="OpenPIM"'
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return JSONResponse(body, error.status, headers=headers)


def bad_form(request: Request, bad: BadBody) -> Response:
    return refused(request, OAuthError("invalid_request", bad.message, bad.status))


def basic_credentials(request: Request) -> tuple[str, str] | OAuthError | None:
    """client_secret_basic (RFC 6749 2.3.1): both halves are form-encoded before base64."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, secret = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return OAuthError("invalid_client", "The Authorization header is not valid.", 401)
    if not colon:
        return OAuthError("invalid_client", "The Authorization header is not valid.", 401)
    return unquote_plus(name), unquote_plus(secret)
