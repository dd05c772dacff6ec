"""The keys that sign certificates, over time. One signs; the hosts trust that one, the one that will follow it, and the one
before it as long as something that it signed is valid. Which is which is a question of the time alone, so a rotation needs
no second step that somebody might forget.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.ssh import load_ssh_private_key

from openpim.connectors.ssh.keys import line_of
from openpim.ports.connector import Fault, TargetError

SECRET: Final = "authority"  # the name among a target's secrets


@dataclass(frozen=True, slots=True)
class AuthorityKey:
    """private: OpenSSH's own form. public: `type base64`. trusted_until None: no other is to follow it yet."""

    private: str
    public: str
    signs_from: datetime
    trusted_until: datetime | None = None


def rotated(present: str, now: datetime, overlap: timedelta, longest: timedelta) -> str:
    """The secret with a new key in it. The new one is trusted at once and signs after the overlap, in which the hosts learn
    it; no overlap: at once, and what was signed before counts no longer (a key that was stolen)."""
    keys = [one for one in _read(present) if one.trusted_until is None or one.trusted_until > now]
    fresh = Ed25519PrivateKey.generate()
    private = fresh.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode("ascii")
    public = line_of(fresh.public_key())
    if not keys or not overlap:
        return _write([AuthorityKey(private, public, now)])
    ends = now + overlap + longest
    kept = [one if one.trusted_until else replace(one, trusted_until=ends) for one in keys]
    return _write([*kept, AuthorityKey(private, public, now + overlap)])


class Authority:
    """Of one target, from its secret. Raises TargetError when there is none."""

    def __init__(self, secret: str) -> None:
        self._keys = _read(secret)
        if not self._keys:
            raise TargetError(
                Fault.REFUSED, "this target has no key to sign with: rotate its secret to make one"
            )

    def trusted(self, now: datetime) -> tuple[str, ...]:
        """Lines of public keys."""
        return tuple(one.public for one in self._keys if one.trusted_until is None or one.trusted_until > now)

    def signer(self, now: datetime) -> tuple[Ed25519PrivateKey, str]:
        """The key, and the line of its public half."""
        signing = [one for one in self._keys if one.signs_from <= now] or self._keys[:1]
        chosen = max(signing, key=lambda one: one.signs_from)
        key = load_ssh_private_key(chosen.private.encode("ascii"), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TargetError(Fault.BROKEN, "the key to sign with is not what was made here")
        return key, chosen.public


def make_secrets(present: Mapping[str, str], settings: Mapping[str, str], now: datetime) -> Mapping[str, str]:
    """As ConnectorKind says."""
    overlap = timedelta(hours=int(settings.get("rotation_overlap_hours") or "24"))
    longest = timedelta(hours=int(settings.get("longest_hours") or "8"))
    return {SECRET: rotated(present.get(SECRET, ""), now, overlap, longest)}


def _read(secret: str) -> list[AuthorityKey]:
    rows: list[dict[str, Any]] = json.loads(secret) if secret else []
    return [
        AuthorityKey(
            row["private"],
            row["public"],
            datetime.fromisoformat(row["signs_from"]),
            datetime.fromisoformat(row["trusted_until"]) if row["trusted_until"] else None,
        )
        for row in rows
    ]


def _write(keys: list[AuthorityKey]) -> str:
    return json.dumps(
        [
            {
                "private": one.private,
                "public": one.public,
                "signs_from": one.signs_from.isoformat(),
                "trusted_until": one.trusted_until.isoformat() if one.trusted_until else None,
            }
            for one in keys
        ]
    )
