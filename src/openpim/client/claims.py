"""Claims requests: how a server says which sign-in it wants, and how the client asks for one.

OpenID Connect Core 1.0, section 5.5; the two ways a server of Graph asks are in `challenge`.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["MFA", "acrs", "challenge", "from_message", "merged", "satisfied", "wanted"]

# The client handles a claims challenge in a 401 by itself, and says so.
_CAPABLE = {"access_token": {"xms_cc": {"values": ["CP1"]}}}
MFA = '{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}'


def acrs(value: str) -> str:
    """The claims request for an authentication context such as `c1`."""
    return json.dumps({"access_token": {"acrs": {"essential": True, "value": value}}}, separators=(",", ":"))


def merged(claims: str) -> str:
    """`claims` together with what this client can do, as the `claims` parameter wants it."""
    try:
        asked = json.loads(claims) if claims else {}
    except (ValueError, RecursionError):
        asked = {}
    if not isinstance(asked, dict):
        asked = {}
    inner = asked.get("access_token")
    asked["access_token"] = {**(inner if isinstance(inner, dict) else {}), **_CAPABLE["access_token"]}
    return json.dumps(asked, separators=(",", ":"))


def _values(request: Any) -> list[str]:
    if not isinstance(request, dict):
        return []
    values = request.get("values")
    found = list(values) if isinstance(values, list) else []
    if request.get("value") is not None:
        found.append(request["value"])
    return [str(value) for value in found]


def wanted(claims: str) -> dict[str, list[str]]:
    """`{"acrs": ["c1"]}`, `{"amr": ["mfa"]}`: what the claims request asks of the access token."""
    try:
        inner = json.loads(claims).get("access_token")
    except (ValueError, AttributeError, RecursionError):
        return {}
    if not isinstance(inner, dict):
        return {}
    return {name: _values(inner[name]) for name in ("acrs", "amr") if inner.get(name) is not None}


def satisfied(claims: str, token: Mapping[str, Any]) -> bool:
    """Whether an access token with these contents has what was asked for (True where one cannot tell)."""
    if not token:
        return True
    for name, values in wanted(claims).items():
        held = token.get(name) or []
        if values and not set(values) & set(held if isinstance(held, list) else [held]):
            return False
    return True


def challenge(header: str) -> str:
    """The claims in `WWW-Authenticate: Bearer …, error="insufficient_claims", claims="<base64>"`, or ""."""
    if "insufficient_claims" not in header:
        return ""
    from openpim.wire.claims import claims_of_challenge

    return _if_object(claims_of_challenge(header))


def from_message(message: str) -> str:
    """The claims in the message of `RoleAssignmentRequestAcrsValidationFailed`: `&claims=<percent-encoded>`."""
    from openpim.wire.claims import claims_of_message

    return _if_object(claims_of_message(message))


def _if_object(claims: str | None) -> str:
    try:
        return claims if claims and isinstance(json.loads(claims), dict) else ""
    except (ValueError, RecursionError):
        return ""
