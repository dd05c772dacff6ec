"""What the sign-in acts share beyond `Deps`: keys, sealed boxes, the password hasher. Made once, in app.py."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from argon2 import PasswordHasher, Type
from joserfc.jwk import RSAKey

from openpim.core.settings import Settings
from openpim.core.signin.oauth import OAuthError
from openpim.core.signin.scopes import Asked, parse_scopes
from openpim.ports.deps import Deps
from openpim.ports.sealing import Sealer
from openpim.services.signin.keyring import KeyRing, make_key
from openpim.services.signin.tokens import Tokens


@dataclass(frozen=True, slots=True)
class SignIn:
    """gate: how many passwords are hashed at once (each takes its memory). dummy: a hash nobody's password has."""

    deps: Deps
    tokens: Tokens
    hasher: PasswordHasher
    gate: threading.Semaphore
    dummy: str

    @property
    def settings(self) -> Settings:
        return self.deps.settings

    @property
    def sealer(self) -> Sealer:
        return self.deps.sealer

    def asked(self, scope: str, resource: str = "") -> Asked | OAuthError:
        """Read a `scope` parameter against our own addresses."""
        return parse_scopes(scope, origins(self.settings), arm_origins(self.settings), resource=resource)


def make_sign_in(deps: Deps, make: Callable[[], RSAKey] = make_key) -> SignIn:
    """make: how a new signing key is made."""
    settings = deps.settings
    hasher = PasswordHasher(
        time_cost=settings.argon2_time_cost,
        memory_cost=settings.argon2_memory_kib,
        parallelism=settings.argon2_parallelism,
        type=Type.ID,
    )
    return SignIn(
        deps=deps,
        tokens=Tokens(deps, KeyRing(deps, make)),
        hasher=hasher,
        gate=threading.Semaphore(settings.password_checks_at_once),
        dummy=_nobodys(hasher, deps.secret(24)),
    )


def _nobodys(hasher: PasswordHasher, chance: str) -> str:
    """A hash with the cost of ours that no password has. Put together, not computed: that would take a tenth of a
    second, and the memory of one hash, of every start."""
    salt, value = (b64encode(sha256(f"{which}{chance}".encode()).digest()) for which in ("salt", "hash"))
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${cost}${salt.decode().rstrip('=')}${value.decode().rstrip('=')}"


def origins(settings: Settings) -> tuple[str, ...]:
    """Every origin a client may know us by, the canonical one first: the allowed hosts, on the same port."""
    return _named(settings.origin, settings.allowed_hosts)


def arm_origins(settings: Settings) -> tuple[str, ...]:
    """The same for the resource manager."""
    return _named(settings.arm_origin, settings.allowed_hosts)


def _named(origin: str, hosts: tuple[str, ...]) -> tuple[str, ...]:
    parts = urlsplit(origin)
    port = f":{parts.port}" if parts.port is not None else ""
    return tuple(dict.fromkeys([origin, *(f"{parts.scheme}://{host}{port}" for host in hosts)]))


def issuer(origin: str, tenant_id: str) -> str:
    return f"{origin}/{tenant_id}/v2.0"
