"""Signs and verifies our JWTs. RS256 and nothing else; access tokens are `at+jwt` (RFC 9068), so that an ID token
is never taken for one. Verified tokens are kept in a bounded cache: their signature, never their meaning.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

from joserfc import jwt
from joserfc.errors import JoseError

from openpim.ports.deps import Deps
from openpim.services.sealing import unb64
from openpim.services.signin.keyring import KeyRing

_CACHE = 4096
_LONGEST = 16_000
_SKEW = 60
_ALGORITHM = "RS256"
Kind = Literal["at+jwt", "JWT", "secevent+jwt", "logout+jwt"]


class Tokens:
    def __init__(self, deps: Deps, keys: KeyRing) -> None:
        self._deps = deps
        self.keys = keys
        self._verified: OrderedDict[bytes, tuple[str, Mapping[str, Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def sign(self, claims: Mapping[str, Any], kind: Kind = "JWT") -> str:
        ring = self.keys.current()
        header = {"alg": _ALGORITHM, "kid": ring.kid, "typ": kind}
        return jwt.encode(header, dict(claims), ring.private, algorithms=[_ALGORITHM], default_type=None)

    def jwks(self) -> dict[str, Any]:
        return {"keys": list(self.keys.current().jwks)}

    def verify(self, token: str, kind: Kind = "at+jwt", *, expired: bool = False) -> Mapping[str, Any] | None:
        """The claims of a token that we signed, of this kind, in its time; else None. expired: take old ones too.

        The issuer's tenant, the audience and everything else is the caller's to check.
        """
        if len(token) > _LONGEST:
            return None
        key = hashlib.sha256(f"{kind} {token}".encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            found = self._verified.get(key)
            if found is not None:
                self._verified.move_to_end(key)
        if found is None or found[0] not in self.keys.current(wanted=found[0]).public:
            found = self._check(token, kind)
            if found is None:
                return None
            with self._lock:
                self._verified[key] = found
                while len(self._verified) > _CACHE:
                    self._verified.popitem(last=False)
        claims = found[1]
        if not self._in_time(claims, expired=expired):
            return None
        return claims

    def _in_time(self, claims: Mapping[str, Any], *, expired: bool) -> bool:
        now = int(self._deps.clock().timestamp())
        end, start = claims.get("exp"), claims.get("nbf", 0)
        if type(end) is not int or type(start) is not int:
            return False
        return start <= now + _SKEW and (expired or now < end)

    def _check(self, token: str, kind: Kind) -> tuple[str, Mapping[str, Any]] | None:
        header = _header(token)
        if header is None or header.get("alg") != _ALGORITHM or header.get("typ") != kind or "crit" in header:
            return None
        kid = header.get("kid")
        if not isinstance(kid, str):
            return None
        public = self.keys.current(wanted=kid).public.get(kid)
        if public is None:
            return None
        try:
            claims = jwt.decode(token, public, algorithms=[_ALGORITHM]).claims
        except (JoseError, ValueError):
            return None
        return kid, MappingProxyType(claims)


def _header(token: str) -> dict[str, Any] | None:
    parts = token.split(".")
    raw = unb64(parts[0]) if len(parts) == 3 and token.isascii() else None
    if raw is None:
        return None
    try:
        header = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return header if isinstance(header, dict) else None


def seconds(at: datetime) -> int:
    return int(at.timestamp())


def instant(at: Any) -> datetime | None:
    """A NumericDate (RFC 7519 2): seconds, with a fraction where a client sends one (MSAL for Python does)."""
    return datetime.fromtimestamp(at, UTC) if type(at) in (int, float) and 0 <= at < 1 << 36 else None
