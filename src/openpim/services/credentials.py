"""Sets people's credentials: password, second factor with recovery codes, one-time links; and clients' secrets.

The functions that take a `tx` work inside the caller's unit of work (of the user's home tenant); hashing takes a
tenth of a second on purpose, so set passwords outside hot transactions: hash first with `hash_password`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pyotp

from openpim.core.refusals import Code, Refusal
from openpim.core.signin.passwords import check_password, normalised
from openpim.core.signin.values import Account, ClientCredential, Credential, SetupLink, digest
from openpim.ports.store import Transaction
from openpim.services.signin.certificates import read_certificate
from openpim.services.signin.context import SignIn
from openpim.services.signin.factors import TOTP_PURPOSE, matching_step
from openpim.services.signin.sessions import end_all

_RECOVERY_CODES = 10
_SHORTEST_SECRET = 24
ORDINARY_LINK = "u."
_B32 = "abcdefghijkmnpqrstuvwxyz23456789"


def hash_password(signin: SignIn, password: str, names: tuple[str, ...] = ()) -> str | Refusal:
    """The Argon2id hash to keep, or why the password may not be used. Slow: never on the event loop."""
    refused = check_password(password, shortest=signin.settings.password_min_length, names=names)
    if refused is not None:
        return refused
    with signin.gate:
        return signin.hasher.hash(normalised(password))


def set_password(
    tx: Transaction, signin: SignIn, user_id: str, password: str, *, keep_session: str | None = None
) -> Refusal | None:
    """Give the tenant's user a password; every session and token he had ends, except `keep_session`."""
    user = tx.users.get(user_id)
    if user is None:
        return Refusal(Code.NOT_FOUND, "There is no such user.", member="user_id")
    names = (user.user_principal_name, user.user_principal_name.partition("@")[0], user.display_name)
    hashed = hash_password(signin, password, names)
    if isinstance(hashed, Refusal):
        return hashed
    put_password_hash(tx, user_id, hashed, signin.deps.clock())
    end_all(tx, signin.deps, Account(tx.tenant_id, user_id), keep_session=keep_session)
    return None


def put_password_hash(tx: Transaction, user_id: str, hashed: str, now: datetime) -> None:
    tx.credentials.set_password(user_id, hashed, now)


def new_totp_seed(signin: SignIn) -> str:
    """160 random bits in base32, as authenticator applications want it."""
    return base64.b32encode(hashlib.sha256(signin.deps.secret(32).encode()).digest()[:20]).decode("ascii")


def totp_uri(seed: str, name: str, issuer: str) -> str:
    """otpauth:// address for an authenticator application."""
    return str(pyotp.TOTP(seed).provisioning_uri(name, issuer_name=issuer))


def enrol_totp(
    tx: Transaction, signin: SignIn, user_id: str, seed: str, code: str
) -> tuple[str, ...] | Refusal:
    """Take `seed` as the second factor if `code` shows that the person has it. Returns ten recovery codes: shown
    once, kept only as digests, and all former ones are void."""
    now = signin.deps.clock()
    plain = "".join(code.split())
    step = matching_step(seed, plain, now.timestamp()) if plain.isascii() else None
    if step is None:
        return Refusal(Code.INVALID, "That code does not match: check the time of the device.", member="code")
    return put_totp(tx, signin, user_id, seed, step)


def put_totp(tx: Transaction, signin: SignIn, user_id: str, seed: str, step: int = 0) -> tuple[str, ...]:
    """Like enrol_totp, without proof (for set-up by an operator, such as the demo organisation)."""
    known = tx.credentials.get(user_id) or Credential(user_id)
    sealed = signin.sealer.seal(TOTP_PURPOSE, seed)
    tx.credentials.put(replace(known, totp=sealed, totp_at=signin.deps.clock(), totp_step=step))
    return put_recovery_codes(tx, signin, user_id)


def put_recovery_codes(tx: Transaction, signin: SignIn, user_id: str) -> tuple[str, ...]:
    """Ten new ones, shown once and kept as digests; all former ones are void."""
    codes = tuple(_recovery_code(signin) for _ in range(_RECOVERY_CODES))
    tx.credentials.set_recovery_codes(user_id, [digest(one.replace("-", "")) for one in codes])
    return codes


def _recovery_code(signin: SignIn) -> str:
    """80 random bits: four groups of four letters and digits that nobody mistakes."""
    bits = int.from_bytes(hashlib.sha256(signin.deps.secret(16).encode()).digest(), "big")
    letters = [_B32[bits >> (5 * place) & 31] for place in range(16)]
    return "-".join("".join(letters[at : at + 4]) for at in range(0, 16, 4))


def remove_totp(tx: Transaction, signin: SignIn, user_id: str) -> None:
    """An administrator's answer to a lost device: the person enrols anew at the next demand."""
    known = tx.credentials.get(user_id)
    if known is not None:
        tx.credentials.put(replace(known, totp=None, totp_at=None, totp_step=0))
        tx.credentials.set_recovery_codes(user_id, [])
        tx.passkeys.remove_all(Account(tx.tenant_id, user_id))
        end_all(tx, signin.deps, Account(tx.tenant_id, user_id))


def make_setup_link(
    tx: Transaction,
    signin: SignIn,
    tenant_id: str,
    user_id: str | None,
    origin: str,
    *,
    ordinary: bool = False,
) -> str:
    """A one-time address where the person sets password and second factor. user_id None: the first administrator,
    who is made there. Earlier unused links for the same purpose are void.

    ordinary: its maker has no say over privileged people, so it opens nothing if the person has become one. That it
    is so stands in the secret itself, of which only the digest is kept: nobody can take it off.
    """
    secret = (ORDINARY_LINK if ordinary else "") + signin.deps.secret(32)
    now = signin.deps.clock()
    tx.setup_links.discard_unused(tenant_id, user_id)
    expires_at = now + timedelta(hours=signin.settings.setup_link_hours)
    tx.setup_links.add(SetupLink(digest(secret), tenant_id, user_id, expires_at))
    # The secret stands in the fragment-free path: it is single-use, and the page sends no referrer.
    return f"{origin}/setup/{secret}"


# ---------------------------------------------------------------------------------------------- clients


@dataclass(frozen=True, slots=True)
class NewSecret:
    id: str
    secret: str


def add_client_secret(
    tx: Transaction,
    signin: SignIn,
    app_id: str,
    *,
    secret: str | None = None,
    name: str = "",
    expires_at: datetime | None = None,
    secret_id: str | None = None,
) -> NewSecret | Refusal:
    """A secret for a confidential client: made here, or given (at least 24 characters: only a digest is kept)."""
    if secret is not None and len(secret) < _SHORTEST_SECRET:
        return Refusal(Code.INVALID, "A client secret needs at least 24 characters.", member="secret")
    text = secret or signin.deps.secret(32)
    credential = ClientCredential(
        id=secret_id or signin.deps.new_id(),
        app_id=app_id,
        kind="secret",
        value=digest(text),
        created_at=signin.deps.clock(),
        expires_at=expires_at,
        display_name=name,
        hint=text[:3],
    )
    tx.client_credentials.add(credential)
    return NewSecret(credential.id, text)


def add_client_certificate(
    tx: Transaction, signin: SignIn, app_id: str, certificate: bytes, *, name: str = ""
) -> ClientCredential | Refusal:
    """An X.509 certificate (PEM or DER) whose key signs the client's assertions. name: "" for the one in it."""
    now = signin.deps.clock()
    found = read_certificate(certificate, now)
    if isinstance(found, Refusal):
        return found
    if any(found.thumbprints[0] in one.thumbprints for one in tx.client_credentials.of(app_id)):
        return Refusal(Code.CONFLICT, "The application has this certificate already.", member="certificate")
    credential = ClientCredential(
        id=signin.deps.new_id(),
        app_id=app_id,
        kind="key",
        value=json.dumps(found.jwk),
        created_at=now,
        expires_at=found.not_after,
        display_name=name.strip() or found.subject,
        thumbprints=found.thumbprints,
    )
    tx.client_credentials.add(credential)
    return credential
