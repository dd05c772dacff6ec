"""The HTTP side of bearer tokens: what a handler passes to `authenticate`, and the 401 with its challenge."""

from __future__ import annotations

import base64
from typing import Any

from starlette.requests import Request

from openpim.core.signin.claims import Wanted, parse_claims
from openpim.services.signin.bearer import ARM, GRAPH, authenticate

__all__ = ["ARM", "GRAPH", "authenticate", "challenge", "facts", "step_up_challenge"]

_GRAPH_APP = "00000003-0000-0000-c000-000000000000"


def facts(request: Request) -> dict[str, Any]:
    """The keyword arguments `authenticate` takes from a request: address, client, id."""
    state = request.scope.get("state", {})
    return {
        "ip": request.client.host if request.client else None,
        "client": request.headers.get("user-agent", "")[:200] or None,
        "request_id": state.get("request_id"),
    }


def challenge(origin: str, *, error: str = "", description: str = "") -> str:
    """WWW-Authenticate of a 401 (RFC 6750 3). error: "" when no token was sent, else "invalid_token"."""
    parts = [f'Bearer realm="", authorization_uri="{origin}/common/oauth2/v2.0/authorize"']
    parts.append(f'client_id="{_GRAPH_APP}"')
    if error:
        parts.append(f'error="{error}"')
    if description:
        plain = "".join(ch for ch in description if ch.isascii() and ch.isprintable() and ch not in '"\\')
        parts.append(f'error_description="{plain}"')
    return ", ".join(parts)


def step_up_challenge(origin: str, claims: str) -> str:
    """WWW-Authenticate of a 401 that asks for more proof: clients with `CP1` in xms_cc (Caller.capabilities has
    "cp1") redeem a new token by themselves and repeat the request. claims: JSON, see core.signin.claims.demand."""
    encoded = base64.b64encode(claims.encode("utf-8")).decode("ascii")
    wanted = parse_claims(claims) or Wanted()
    acr = " ".join(wanted.acrs) or ("mfa" if wanted.mfa else "")
    hint = f', acr_values="{acr}"' if acr else ""
    return challenge(origin, error="insufficient_claims") + f', claims="{encoded}"{hint}'
