"""OAuth 2.0's small decisions: PKCE, redirect addresses, prompts, response modes, and the error value.

Sources: RFC 6749, RFC 7636 (PKCE), RFC 8252 7.3 (loopback ports), RFC 9700 (security best practice), RFC 9207 (iss).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from openpim.core.signin.values import Client

RESPONSE_MODES = frozenset({"query", "fragment", "form_post"})
PROMPTS = frozenset({"none", "login", "select_account", "consent", "create"})
_UNRESERVED = re.compile(r"[A-Za-z0-9\-._~]{43,128}\Z")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_FORBIDDEN_SCHEMES = frozenset({"javascript", "data", "vbscript", "file", "blob", "about"})
_PRINTABLE = re.compile(r"[\x21-\x7e]+\Z")


@dataclass(frozen=True, slots=True)
class OAuthError:
    """A no in OAuth's words. `claims`: what the next sign-in must satisfy. status: HTTP, at JSON endpoints."""

    error: str
    description: str
    status: int = 400
    claims: str | None = None
    retry_after: int | None = None
    suberror: str = ""


def good_challenge(text: str) -> bool:
    """A code_challenge of S256 is the base64url of 32 bytes: 43 characters."""
    return _CHALLENGE.match(text) is not None


def pkce_matches(challenge: str, verifier: str) -> bool:
    """RFC 7636 4.6 with S256, the only method we take."""
    if _UNRESERVED.match(verifier) is None:
        return False
    hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=")
    return hmac.compare_digest(hashed, challenge.encode("ascii", "replace"))


def redirect_allowed(client: Client, uri: str) -> bool:
    """May the answer be sent to `uri`? Exact match (RFC 9700 2.1), but the port of a loopback address is free.

    Never: fragments, user info, whitespace or non-ASCII, backslashes, dot segments, http beyond loopback.
    """
    parsed = _plain(uri)
    if parsed is None:
        return False
    scheme, host, path, query = parsed
    if scheme == "http" and host in _LOOPBACK:
        if client.any_loopback:
            return True
        return any(_same_loopback(known, (scheme, host, path, query)) for known in client.redirect_uris)
    if scheme == "http":
        return False
    return uri in client.redirect_uris


def _same_loopback(known: str, asked: tuple[str, str, str, str]) -> bool:
    parsed = _plain(known)
    return parsed is not None and (parsed[0], parsed[1], parsed[2] or "/", parsed[3]) == (
        asked[0],
        asked[1],
        asked[2] or "/",
        asked[3],
    )


def _plain(uri: str) -> tuple[str, str, str, str] | None:
    """scheme, host, path, query of an address without tricks, else None."""
    if len(uri) > 2000 or _PRINTABLE.match(uri) is None or any(mark in uri for mark in '\\#"<>^`{|}'):
        return None
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if not scheme or scheme in _FORBIDDEN_SCHEMES or "@" in parts.netloc:
        return None
    if any(
        segment in {".", ".."} for segment in parts.path.replace("%2e", ".").replace("%2E", ".").split("/")
    ):
        return None
    return scheme, (parts.hostname or "").lower(), parts.path, parts.query


def origin_of(uri: str) -> str:
    """What a Content-Security-Policy form-action must allow so that a browser follows the answer to `uri`."""
    parts = urlsplit(uri)
    if parts.scheme in {"http", "https"}:
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"
