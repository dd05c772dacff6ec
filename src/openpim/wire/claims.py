"""The `claims` request, by which a client is told to come back with a stronger token.

Three forms of the same small JSON: in the message of PIM's 400 (`&claims=<percent-encoded>`), in the
`WWW-Authenticate` challenge of a 401 (base64), and as the `claims` parameter that the client then
sends to the sign-in service.  Read tolerantly: of everything a client may ask, only
`access_token.acrs` (authentication contexts) and `access_token.xms_cc` (client capabilities) matter.

Errors: `ClaimsError`.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import NamedTuple
from urllib.parse import quote, unquote

from openpim.wire.errors import WireError, shown

__all__ = [
    "ClaimsError",
    "ClaimsRequest",
    "acrs_challenge",
    "acrs_message",
    "acrs_request",
    "challenge_header",
    "claims_of_challenge",
    "claims_of_message",
    "is_context_id",
    "parse_claims",
]

MAX_LENGTH = 8_192
MESSAGE_MARK = "&claims="
_CONTEXT = re.compile(r"c[1-9][0-9]?")


class ClaimsError(WireError):
    """The text is no claims request, or the context is none of c1 to c99."""


class ClaimsRequest(NamedTuple):
    """What matters of a claims request: contexts demanded for the access token, client capabilities."""

    acrs: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


def is_context_id(text: str) -> bool:
    """Whether `text` is an authentication context: `c1` to `c99`."""
    return _CONTEXT.fullmatch(text) is not None


def acrs_request(context: str) -> str:
    """The JSON that asks for `context`: `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`."""
    return _json(context, "")


def acrs_message(context: str) -> str:
    """The message of PIM's 400, exactly as clients cut it apart; it has a space before `"value"`."""
    return MESSAGE_MARK + quote(_json(context, " "), safe="")


def acrs_challenge(context: str) -> str:
    """The same request in base64, as the `claims` of a `WWW-Authenticate` header."""
    return b64encode(acrs_request(context).encode("ascii")).decode("ascii")


def challenge_header(context: str, *, authorization_uri: str, realm: str = "") -> str:
    """The whole `WWW-Authenticate` value that makes Azure's SDKs ask for a stronger token and repeat."""
    return (
        f'Bearer realm="{realm}", authorization_uri="{authorization_uri}", '
        f'error="insufficient_claims", claims="{acrs_challenge(context)}"'
    )


def _json(context: str, gap: str) -> str:
    if not is_context_id(context):
        raise ClaimsError(f"authentication context {shown(context)} is none of c1 to c99")
    return f'{{"access_token":{{"acrs":{{"essential":true,{gap}"value":"{context}"}}}}}}'


def parse_claims(text: str) -> ClaimsRequest:
    """Read the `claims` parameter; unknown members and odd shapes inside are ignored."""
    if len(text) > MAX_LENGTH:
        raise ClaimsError(f"claims is longer than {MAX_LENGTH} characters")
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):
        raise ClaimsError("claims is not JSON") from None
    if not isinstance(request, dict):
        raise ClaimsError("claims is not a JSON object")
    wanted = request.get("access_token")
    if not isinstance(wanted, dict):
        return ClaimsRequest()
    return ClaimsRequest(_values(wanted.get("acrs")), _values(wanted.get("xms_cc")))


def _values(member: object) -> tuple[str, ...]:
    """`{"value": "x"}`, `{"values": ["x", …]}`, `["x"]` or `"x"`: the texts, each once."""
    found: list[object] = []
    if isinstance(member, dict):
        found.append(member.get("value"))
        values = member.get("values")
        found.extend(values if isinstance(values, list) else [values])
    elif isinstance(member, list):
        found.extend(member)
    else:
        found.append(member)
    return tuple(dict.fromkeys(one for one in found if isinstance(one, str) and one))


def claims_of_message(message: str) -> str | None:
    """For a client: the claims request in the message of a 400, or None if there is none."""
    _, mark, encoded = message.partition(MESSAGE_MARK)
    if not mark:
        return None
    return unquote(encoded.split("&", 1)[0]) or None


def claims_of_challenge(header: str) -> str | None:
    """For a client: the claims request in a `WWW-Authenticate` header, or None if there is none."""
    match = re.search(r'\bclaims="([A-Za-z0-9+/_-]{1,16384}={0,2})"', header)
    if match is None:
        return None
    body = match[1].rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return a2b_base64(body + "=" * (-len(body) % 4)).decode("utf-8")
    except (Base64Error, UnicodeDecodeError):
        return None
