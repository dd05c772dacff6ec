"""Reads the certificate by whose key an application signs its assertions: what is kept of it, or what is wrong with it.

Whoever has the private key is the application, so a weak key is refused, and so is a file that has the private key in it: it has
no business here. The certificate's own signature proves nothing to us and is not looked at; an administrator vouches for it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey, RSAKey

from openpim.core.refusals import Code, Refusal
from openpim.services.sealing import b64

LARGEST: Final = 32 * 1024  # bytes: of a certificate, and of those above it that come along
LONGEST_SUBJECT: Final = 100  # of what is shown of it
_SHORTEST_RSA: Final = 2048
_LONGEST_RSA: Final = 8192  # checking a signature must stay cheap
_SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ReadCertificate:
    """jwk: its public key. thumbprints: x5t#S256 and x5t, base64url. subject: the name in it, only to be shown."""

    jwk: dict[str, Any]
    thumbprints: tuple[str, str]
    subject: str
    not_after: datetime


def read_certificate(data: bytes, now: datetime) -> ReadCertificate | Refusal:
    """data: PEM (the first certificate counts) or DER."""
    if len(data) > LARGEST:
        return _bad(f"A certificate has at most {LARGEST // 1024} KB.")
    if b"PRIVATE KEY" in data:
        return _bad(
            "This has a private key in it, which must stay with the application and was not kept. Send the certificate "
            "alone; if others may have seen the key, make a new one."
        )
    try:
        pem = b"-----BEGIN" in data
        found = x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data)
        key = found.public_key()
        subject = "".join(
            letter if letter.isprintable() else "?" for letter in found.subject.rfc4514_string()
        )
        start, end = found.not_valid_before_utc, found.not_valid_after_utc
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        return _bad("This is not a certificate: send one as PEM (-----BEGIN CERTIFICATE-----) or DER.")
    if isinstance(key, RSAPublicKey):
        if not _SHORTEST_RSA <= key.key_size <= _LONGEST_RSA:
            return _bad(
                f"An RSA key has {_SHORTEST_RSA} to {_LONGEST_RSA} bits here; this one has {key.key_size}."
            )
    elif not (isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)):
        return _bad("Its key must be RSA, or EC on the curve P-256.")
    if end <= now:
        return _bad("This certificate has ended. Make a new one.")
    if start > now + _SKEW:
        return _bad(f"This certificate does not count before {start:%Y-%m-%d %H:%M} UTC. Add it then.")
    public = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    jwk = RSAKey.import_key(public) if isinstance(key, RSAPublicKey) else ECKey.import_key(public)
    der = found.public_bytes(Encoding.DER)
    # x5t is SHA-1 by RFC 7515; it only finds the key, it proves nothing.
    thumbprints = (b64(hashlib.sha256(der).digest()), b64(hashlib.sha1(der, usedforsecurity=False).digest()))
    return ReadCertificate(dict(jwk.as_dict(private=False)), thumbprints, subject[:LONGEST_SUBJECT], end)


def _bad(message: str) -> Refusal:
    return Refusal(Code.INVALID, message, member="certificate")
