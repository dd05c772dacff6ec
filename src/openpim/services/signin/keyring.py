"""The keys that sign tokens, with rotation: the next key is published before it signs, an old one stays published
until everything it signed has expired. Each process keeps a copy for a minute.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc.jwk import RSAKey

from openpim.core.signin.lifetimes import next_key_due, published, signer
from openpim.core.signin.values import SigningKey
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction

_PURPOSE = "signing-key"
_FRESH = timedelta(minutes=1)
_RELOAD = timedelta(seconds=5)
LONGEST_TOKEN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Ring:
    """public: kid -> key, of those whose signatures count. signer: (kid, private key)."""

    loaded_at: datetime
    public: dict[str, RSAKey]
    jwks: tuple[dict[str, Any], ...]
    kid: str
    private: RSAKey
    next_at: datetime


def make_key() -> RSAKey:
    """A new key pair; takes a tenth of a second or more."""
    return RSAKey.generate_key(2048)


class KeyRing:
    """make: makes a key pair (tests hand in keys made before)."""

    def __init__(self, deps: Deps, make: Callable[[], RSAKey] = make_key) -> None:
        self._make = make
        self._deps = deps
        self._sealer = deps.sealer
        self._lock = threading.Lock()
        self._ring: Ring | None = None

    def readable(self) -> bool:
        """Whether our key file opens the key that signs now; True while there is none yet."""
        signing = signer(self._deps.store.read("", lambda tx: tx.signing_keys.all()), self._deps.clock())
        return signing is None or self._sealer.unseal(_PURPOSE, signing.sealed) is not None

    def current(self, *, wanted: str | None = None) -> Ring:
        """The ring as of now. wanted: a kid somebody presented; if we do not have it, look again (not too often)."""
        now = self._deps.clock()
        ring = self._ring
        if ring is not None:
            age = now - ring.loaded_at
            known = wanted is None or wanted in ring.public or age < _RELOAD
            if timedelta(0) <= age < _FRESH and now < ring.next_at and known:
                return ring
        with self._lock:
            if self._ring is not ring and self._ring is not None:
                return self._ring
            self._ring = self._load(now)
            return self._ring

    def _load(self, now: datetime) -> Ring:
        settings = self._deps.settings
        lead = timedelta(hours=settings.signing_key_lead_hours)
        keys = self._deps.store.read("", lambda tx: tx.signing_keys.all())
        if next_key_due(keys, now, settings.signing_key_days, lead) is not None:
            # Made outside the unit of work: it takes a tenth of a second.
            pair = self._make()

            def add(tx: Transaction) -> list[SigningKey]:
                known = tx.signing_keys.all()
                due = next_key_due(known, now, settings.signing_key_days, lead)
                if due is None:
                    return known
                tx.signing_keys.forget(now)
                for old in known:
                    if old.expires_at is None:
                        tx.signing_keys.set_end(old.kid, due + LONGEST_TOKEN)
                tx.signing_keys.add(self._made(pair, known, now, due))
                return tx.signing_keys.all()

            keys = self._deps.store.write("", add)
        return self._ring_of(keys, now)

    def _made(self, pair: RSAKey, known: list[SigningKey], now: datetime, due: datetime) -> SigningKey:
        return SigningKey(
            kid=pair.thumbprint(),
            generation=max((key.generation for key in known), default=0) + 1,
            jwk=json.dumps(pair.as_dict(private=False)),
            sealed=self._sealer.seal(_PURPOSE, json.dumps(pair.as_dict(private=True))),
            created_at=now,
            active_at=due,
        )

    def _ring_of(self, keys: list[SigningKey], now: datetime) -> Ring:
        signing = signer(keys, now)
        if signing is None:
            raise RuntimeError("no signing key is active: check the machine's clock")
        plain = self._sealer.unseal(_PURPOSE, signing.sealed)
        if plain is None:
            raise RuntimeError(
                "the signing keys in the database were sealed with another key file: restore it, or delete them"
            )
        shown = published(keys, now)
        future = [key.active_at for key in keys if key.active_at > now]
        return Ring(
            loaded_at=now,
            public={key.kid: RSAKey.import_key(json.loads(key.jwk)) for key in shown},
            jwks=tuple({**json.loads(k.jwk), "use": "sig", "alg": "RS256", "kid": k.kid} for k in shown),
            kid=signing.kid,
            private=RSAKey.import_key(json.loads(plain)),
            next_at=min(future, default=now + timedelta(days=3650)),
        )
