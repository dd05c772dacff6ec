"""Certificates of applications, for tests: made with a key of each kind, around a moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding


@cache
def key_of(kind: str) -> Any:
    match kind:
        case "p256":
            return ec.generate_private_key(ec.SECP256R1())
        case "p384":
            return ec.generate_private_key(ec.SECP384R1())
        case "ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return rsa.generate_private_key(65537, int(kind))


def made(
    now: datetime, kind: str = "p256", *, starts: int = -1, ends: int = 90, name: str = "build server"
) -> Any:
    """A certificate. starts, ends: in days from now."""
    key = key_of(kind)
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(called).issuer_name(called).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now + timedelta(days=starts))
    return builder.not_valid_after(now + timedelta(days=ends)).sign(
        key, None if kind == "ed25519" else SHA256()
    )


def pem(certificate: Any) -> str:
    return str(certificate.public_bytes(Encoding.PEM).decode())
