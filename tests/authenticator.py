"""A passkey in software: what a device does when a page calls navigator.credentials (WebAuthn level 2), for tests.

device = Authenticator("https://localhost:8443")
answer = device.create(options)     # the JSON text that our script sends
answer = device.get(options)
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """origin: of the page, as the browser tells it. verified: the person gave a finger or a PIN. step: by how much the
    counter grows at each use (0: it has none)."""

    origin: str
    verified: bool = True
    step: int = 1
    count: int = 0
    handle: bytes = b"a credential of this device"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: str, **changed: Any) -> str:
        asked = {**json.loads(options), **changed}
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        attested = bytes(16) + len(self.handle).to_bytes(2, "big") + self.handle + public
        data = self._data(asked["rp"]["id"], ATTESTED) + attested
        body = {
            "clientDataJSON": b64(self._client("webauthn.create", asked)),
            "attestationObject": b64(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
            "transports": [],
        }
        return self._answer(body)

    def get(self, options: str, **changed: Any) -> str:
        asked = {**json.loads(options), **changed}
        client = self._client("webauthn.get", asked)
        data = self._data(asked["rpId"], 0)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        body = {
            "clientDataJSON": b64(client),
            "authenticatorData": b64(data),
            "signature": b64(signature),
            "userHandle": None,
        }
        return self._answer(body)

    def _data(self, host: str, flags: int) -> bytes:
        self.count += self.step
        flags |= PRESENT | (VERIFIED if self.verified else 0)
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, asked: dict[str, Any]) -> bytes:
        body = {"type": kind, "challenge": asked["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(body).encode()

    def _answer(self, response: dict[str, Any]) -> str:
        handle = b64(self.handle)
        return json.dumps(
            {
                "id": handle,
                "rawId": handle,
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {},
            }
        )
