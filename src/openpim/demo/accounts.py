"""What a person needs to sign in to the demo organisation: made new in every installation, shown once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """totp_secret: base32, for an authenticator application; None where the person enrols one when first asked."""

    user_id: str
    user_principal_name: str
    display_name: str
    purpose: str
    password: str
    totp_secret: str | None = None


@dataclass(frozen=True, slots=True)
class DemoClient:
    """A confidential client for client-credentials sign-in."""

    app_id: str
    display_name: str
    secret: str


@dataclass(frozen=True, slots=True)
class DemoAccounts:
    """The first account is the one the walk through the README signs in with."""

    tenant_id: str
    tenant_name: str
    domain: str
    other_tenant_id: str
    other_domain: str
    accounts: tuple[DemoAccount, ...]
    client: DemoClient


def made_password(secret: Callable[[int], str]) -> str:
    """80 random bits in four groups of letters that nobody mistakes."""
    bits = int.from_bytes(hashlib.sha256(secret(32).encode()).digest(), "big")
    letters = [_LETTERS[bits >> (5 * place) & 31] for place in range(16)]
    return "-".join("".join(letters[at : at + 4]) for at in range(0, 16, 4))
