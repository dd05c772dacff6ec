"""What signing in keeps: credentials, sessions, grants and the short-lived codes that lead to them.

Secrets never stand here in the clear: cookies, codes, refresh tokens and recovery codes are kept as SHA-256 of 256
random bits (nothing to guess, so no slow hash), passwords as Argon2id, TOTP seeds and private keys sealed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal


def digest(secret: str) -> str:
    """SHA-256 of a random secret, lower-case hex: what is kept instead of it."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Account:
    """Where a person's credentials live: the home tenant and the user object there."""

    tenant_id: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Credential:
    """One person's credentials. password: an Argon2 encoded hash. totp: the sealed seed; totp_step: the last time
    step used, so that no code works twice."""

    user_id: str
    password: str | None = None
    password_at: datetime | None = None
    totp: str | None = None
    totp_at: datetime | None = None
    totp_step: int = 0


@dataclass(frozen=True, slots=True)
class Passkey:
    """One person's passkey. id: digest of the handle, by which the authenticator calls it (base64url). public_key:
    COSE, base64url. count: its signature counter, 0 where it has none. stopped_at: when it answered as a copy would."""

    id: str
    account: Account
    handle: str
    public_key: str
    count: int
    name: str
    created_at: datetime
    used_at: datetime | None = None
    stopped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SetupLink:
    """A one-time link: the first administrator's, or a new person's. account None: it creates one."""

    hash: str
    tenant_id: str
    user_id: str | None
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which a person signed in. id: the public `sid`; cookie_hash: digest of the cookie. mfa_at: when the
    second factor was given last. acrs: contexts that were granted, as "tenant id/c1"; they count while fresh."""

    id: str
    cookie_hash: str
    account: Account
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    auth_time: datetime
    amr: tuple[str, ...]
    acrs: tuple[str, ...] = ()
    ended_at: datetime | None = None
    ip: str = ""
    user_agent: str = ""
    mfa_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person gave a client: the family all its refresh tokens belong to.

    tenant_id: where the tokens count. account: the home account that signed in. amr/acrs/auth_time/mfa_at: how,
    then.
    """

    id: str
    client_id: str
    account: Account
    tenant_id: str
    scope: tuple[str, ...]
    session_id: str
    amr: tuple[str, ...]
    acrs: tuple[str, ...]
    auth_time: datetime
    created_at: datetime
    expires_at: datetime
    offline: bool = False
    nonce: str | None = None
    cp1: bool = False
    revoked_at: datetime | None = None
    mfa_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefreshToken:
    hash: str
    grant_id: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """redirect_uri is what the authorize request named; challenge None only for confidential clients."""

    hash: str
    grant_id: str
    client_id: str
    redirect_uri: str
    challenge: str | None
    expires_at: datetime
    used_at: datetime | None = None


DeviceStatus = Literal["pending", "approved", "denied", "redeemed"]


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """authority: the tenant segment of the address the client used. claims: the raw `claims` parameter."""

    hash: str
    user_code: str
    client_id: str
    authority: str
    scope: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    claims: str = ""
    ip: str = ""
    interval: int = 5
    polled_at: datetime | None = None
    status: DeviceStatus = "pending"
    grant_id: str | None = None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """generation counts up from 1. jwk: the public half (JSON); sealed: the private half, encrypted.
    Signs from active_at until the next generation is active; is published until expires_at."""

    kid: str
    generation: int
    jwk: str
    sealed: str
    created_at: datetime
    active_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClientCredential:
    """A confidential client's secret (kind "secret": digest) or public key (kind "key": JWK as JSON)."""

    id: str
    app_id: str
    kind: Literal["secret", "key"]
    value: str
    created_at: datetime
    expires_at: datetime | None = None
    display_name: str = ""
    hint: str = ""
    thumbprints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuthenticationContext:
    """c1..c99. A context that has no row behaves like one that requires MFA."""

    id: str
    display_name: str
    description: str = ""
    available: bool = True
    requires_mfa: bool = True


@dataclass(frozen=True, slots=True)
class Counter:
    """Failures counted against one key. since: when the count began; last: the newest failure."""

    key: str
    failures: int
    since: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Client:
    """An application as sign-in sees it. tenant_id None: one of the well-known first-party clients.

    any_loopback: http://localhost and the loopback addresses, any port and path, need no registration.
    """

    app_id: str
    display_name: str
    public: bool
    redirect_uris: tuple[str, ...] = ()
    tenant_id: str | None = None
    any_loopback: bool = False
    first_party: bool = False
    logout_uri: str | None = None
