"""Encryption of what must be read back later (TOTP seeds, signing keys, the secrets of other servers) or travels through
a browser (half-done sign-ins), and marks that only we can make. AES-256-GCM and HMAC-SHA-256; one key file outside the
database, one derived key for each purpose.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None


class Sealer:
    """See ports/sealing.py. master: 32 bytes from the key file. secret: `deps.secret`."""

    def __init__(self, master: bytes, secret: Callable[[int], str]) -> None:
        if len(master) != KEY_BYTES:
            raise ValueError("the key file must hold 32 bytes")
        self._master = master
        self._secret = secret
        self._boxes: dict[str, AESGCM] = {}
        self._macs: dict[str, bytes] = {}

    def _key(self, purpose: str) -> bytes:
        derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"openpim/" + purpose.encode("ascii"))
        return derived.derive(self._master)

    def _box(self, purpose: str) -> AESGCM:
        box = self._boxes.get(purpose)
        if box is None:
            box = self._boxes[purpose] = AESGCM(self._key(purpose))
        return box

    def seal(self, purpose: str, text: str) -> str:
        nonce = hashlib.sha256(self._secret(16).encode("utf-8")).digest()[:12]
        sealed = self._box(purpose).encrypt(nonce, text.encode("utf-8"), purpose.encode("ascii"))
        return b64(nonce + sealed)

    def unseal(self, purpose: str, text: str) -> str | None:
        data = unb64(text) if text.isascii() else None
        if data is None or len(data) < 12 + 16:
            return None
        try:
            return self._box(purpose).decrypt(data[:12], data[12:], purpose.encode("ascii")).decode("utf-8")
        except InvalidTag:
            return None

    def seal_json(self, purpose: str, value: dict[str, Any]) -> str:
        return self.seal(purpose, json.dumps(value, separators=(",", ":")))

    def unseal_json(self, purpose: str, text: str) -> dict[str, Any] | None:
        plain = self.unseal(purpose, text)
        return None if plain is None else json.loads(plain)

    def mac(self, purpose: str, data: bytes) -> bytes:
        key = self._macs.get(purpose)
        if key is None:
            key = self._macs[purpose] = self._key("mac/" + purpose)
        return hmac.digest(key, data, "sha256")
