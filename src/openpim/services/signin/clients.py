"""Proves who a client is at the token endpoint: public, by secret (post or basic), or by a signed assertion."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from openpim.core.signin.oauth import OAuthError
from openpim.core.signin.values import Client, ClientCredential, digest
from openpim.ports.store import Transaction
from openpim.services.sealing import unb64
from openpim.services.signin.context import SignIn, issuer, origins
from openpim.services.signin.people import find_client, find_tenant
from openpim.services.signin.tokens import instant

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGORITHMS = ["RS256", "PS256", "ES256"]


class _Assertions(JWSRegistry):
    """MSAL puts its certificate chain into the header (x5c)."""

    max_header_length = 16_000


_ASSERTIONS = _Assertions(algorithms=_ALGORITHMS, strict_check_header=False)
_LONGEST_ASSERTION = timedelta(hours=24)
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ClientProof:
    """What a request says about its client. basic: (id, secret) of an Authorization header."""

    client_id: str = ""
    secret: str = ""
    basic: tuple[str, str] | None = None
    assertion: str = ""
    assertion_type: str = ""


def proof_of(fields: Mapping[str, str], basic: tuple[str, str] | None) -> ClientProof:
    return ClientProof(
        client_id=fields.get("client_id", ""),
        secret=fields.get("client_secret", ""),
        basic=basic,
        assertion=fields.get("client_assertion", ""),
        assertion_type=fields.get("client_assertion_type", ""),
    )


def _no(description: str) -> OAuthError:
    return OAuthError("invalid_client", description, 401)


def identify(
    signin: SignIn, tx: Transaction, proof: ClientProof, authority: str, *, confidential: bool = False
) -> Client | OAuthError:
    """The client, proven. confidential: a public client is not enough. Runs in a writing unit of work."""
    ways = [bool(proof.secret), proof.basic is not None, bool(proof.assertion)]
    if sum(ways) > 1:
        return OAuthError("invalid_request", "Send one kind of client authentication, not several.")
    client_id = proof.basic[0] if proof.basic else proof.client_id
    if proof.basic and proof.client_id and proof.client_id != client_id:
        return OAuthError("invalid_request", "client_id differs from the Authorization header.")
    if not client_id and proof.assertion:
        client_id = str(_unverified(proof.assertion, 1).get("sub", ""))
    client = find_client(tx, client_id)
    if client is None:
        return _no("The application is not registered here: check its client id.")
    if client.public and not any(ways):
        return _no("A confidential client is needed here.") if confidential else client
    now = signin.deps.clock()
    known = [
        one
        for one in tx.client_credentials.of(client.app_id)
        if one.expires_at is None or now < one.expires_at
    ]
    if proof.assertion:
        return _by_assertion(signin, tx, client, known, proof, authority, now)
    secret = proof.basic[1] if proof.basic else proof.secret
    if not secret:
        return _no("The application must prove itself: send its secret or a signed assertion.")
    hashed = digest(secret)
    matches = [hmac.compare_digest(one.value, hashed) for one in known if one.kind == "secret"]
    return client if any(matches) else _no("The client secret is wrong or has expired.")


def _unverified(token: str, part: int) -> dict[str, Any]:
    parts = token.split(".")
    raw = unb64(parts[part]) if len(parts) == 3 and token.isascii() and len(token) < 16_000 else None
    try:
        body = json.loads(raw) if raw is not None else None
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _by_assertion(
    signin: SignIn,
    tx: Transaction,
    client: Client,
    known: list[ClientCredential],
    proof: ClientProof,
    authority: str,
    now: datetime,
) -> Client | OAuthError:
    """RFC 7523 3: iss = sub = client id, our audience, an end, and an id that was never used."""
    if proof.assertion_type != _ASSERTION:
        return _no("client_assertion_type must be jwt-bearer.")
    claims = _verified(proof.assertion, known)
    if claims is None:
        return _no("The client assertion is not signed by a registered key.")
    if claims.get("iss") != client.app_id or claims.get("sub") != client.app_id:
        return _no("The client assertion names another client.")
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not any(
        isinstance(one, str) and one.rstrip("/") in _audiences(signin, tx, authority) for one in named
    ):
        return _no("The client assertion is meant for another server.")
    end, start, unique = instant(claims.get("exp")), instant(claims.get("nbf", 0)), claims.get("jti")
    if (
        end is None
        or start is None
        or now >= end + _SKEW
        or start > now + _SKEW
        or end > now + _LONGEST_ASSERTION
    ):
        return _no("The client assertion is not valid at this time.")
    if not isinstance(unique, str) or not 1 <= len(unique) <= 200:
        return _no("The client assertion has no jti.")
    if not tx.client_credentials.spend_assertion(digest(f"{client.app_id}\x1f{unique}"), end + 2 * _SKEW):
        return _no("The client assertion was used before: sign a new one.")
    return client


def _verified(assertion: str, known: list[ClientCredential]) -> dict[str, Any] | None:
    header = _unverified(assertion, 0)
    if header.get("alg") not in _ALGORITHMS or "crit" in header:
        return None
    named = {one for name in ("x5t", "x5t#S256", "kid") if isinstance(one := header.get(name), str)}
    keys = [one for one in known if one.kind == "key"]
    first = [one for one in keys if named & set(one.thumbprints)] or keys
    for one in first:
        jwk = json.loads(one.value)
        key = RSAKey.import_key(jwk) if jwk.get("kty") == "RSA" else ECKey.import_key(jwk)
        try:
            return dict(jwt.decode(assertion, key, registry=_ASSERTIONS).claims)
        except (JoseError, ValueError, TypeError):
            continue
    return None


def _audiences(signin: SignIn, tx: Transaction, authority: str) -> set[str]:
    """Every way to name this token endpoint: RFC 7523 allows it or the issuer."""
    tenant = find_tenant(tx, authority)
    names = {authority.lower(), *([tenant.id, *tenant.domains] if tenant else [])}
    found: set[str] = set()
    for origin in origins(signin.settings):
        for name in names:
            found |= {
                f"{origin}/{name}/oauth2/v2.0/token",
                f"{origin}/{name}/oauth2/token",
                issuer(origin, name),
            }
            found.add(f"{origin}/{name}")
    return found
