"""Checks what a person knows and has: password, time-based code, recovery code. Every try is throttled."""

from __future__ import annotations

import hmac
import re

import pyotp
from argon2.exceptions import InvalidHashError, VerificationError

from openpim.core.refusals import Code, Refusal
from openpim.core.signin import throttle as limits
from openpim.core.signin.passwords import LONGEST, normalised
from openpim.core.signin.values import Account, Credential, digest
from openpim.ports.store import Transaction
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import Origin, record
from openpim.services.signin.known_browsers import Known
from openpim.services.signin.people import able_user, find_account
from openpim.services.signin.throttle import Key, key, reserve, succeeded

TOTP_PURPOSE = "totp"
_WRONG = "The user name or the password is wrong."
_WRONG_CODE = "That code is wrong or was used already: wait for the next one and try again."
_DIGITS = re.compile(r"[0-9]{6}\Z")
_STEP = 30


def check_password(
    signin: SignIn, name: str, password: str, tenant_id: str | None, known: Known, origin: Origin
) -> Account | Refusal:
    """Whose password is it? The same answer and the same work for a wrong password and for an unknown name."""
    deps = signin.deps
    if len(name) > 320 or len(password) > 4 * LONGEST:
        return Refusal(Code.SIGN_IN, _WRONG)

    def facts(tx: Transaction) -> tuple[Account | None, Credential | None]:
        account = find_account(tx, name, tenant_id)
        if account is None:
            return None, None
        return account, tx.in_tenant(account.tenant_id).credentials.get(account.user_id)

    account, credential = deps.store.read("", facts)
    keys = _password_keys(account, name, known, origin, deps.clock().timestamp())
    throttled = reserve(deps, keys)
    if throttled is not None:
        return throttled
    stored = credential.password if credential is not None else None
    right = _verify(signin, stored, password)
    return deps.store.write("", lambda tx: _judge(signin, tx, account, right, keys, password, origin))


def _password_keys(
    account: Account | None, name: str, known: Known, origin: Origin, now: float
) -> tuple[Key, ...]:
    network = limits.network(origin.ip)
    who = (account.tenant_id, account.user_id) if account else ("", name.strip().lower())
    nonce = known.nonce(account, now) if account else None
    if nonce is not None:
        return (key(limits.ACCOUNT, "browser", *who, nonce),)
    return (
        key(limits.ACCOUNT, "account", *who, network),
        key(limits.NETWORK, "network", network, own=False),
    )


def _verify(signin: SignIn, stored: str | None, password: str) -> bool:
    with signin.gate:
        try:
            plain = normalised(password).encode("utf-8", "surrogatepass")
            signin.hasher.verify(stored or signin.dummy, plain)
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def _judge(
    signin: SignIn,
    tx: Transaction,
    account: Account | None,
    right: bool,
    keys: tuple[Key, ...],
    password: str,
    origin: Origin,
) -> Account | Refusal:
    if account is None:
        return Refusal(Code.SIGN_IN, _WRONG)
    now = signin.deps.clock()
    home = tx.in_tenant(account.tenant_id)
    if not right:
        record(signin.deps, home, account, "Sign in", origin, reason="wrong password")
        return Refusal(Code.SIGN_IN, _WRONG)
    succeeded(tx, keys)
    if able_user(tx, account.tenant_id, account.user_id) is None:
        # Said only to somebody who knows the password.
        record(signin.deps, home, account, "Sign in", origin, reason="account disabled")
        return Refusal(Code.SIGN_IN, "This account is disabled: ask an administrator.")
    credential = home.credentials.get(account.user_id)
    if (
        credential is not None
        and credential.password
        and signin.hasher.check_needs_rehash(credential.password)
    ):
        hashed = signin.hasher.hash(normalised(password))
        # The same password: what was proven with it elsewhere still counts.
        home.credentials.set_password(account.user_id, hashed, credential.password_at or now)
    return account


def check_second_factor(
    signin: SignIn, account: Account, code: str, origin: Origin
) -> tuple[str, ...] | Refusal:
    """A six-digit code or a recovery code. Returns what it adds to `amr`.

    Counted by account alone: only somebody who knows the password gets here, so no stranger can use it up.
    """
    deps = signin.deps
    plain = "".join(code.split()).replace("-", "").lower()
    keys = (key(limits.SECOND_FACTOR, "second factor", account.tenant_id, account.user_id),)
    throttled = reserve(deps, keys)
    if throttled is not None:
        return throttled

    def work(tx: Transaction) -> tuple[str, ...] | Refusal:
        home = tx.in_tenant(account.tenant_id)
        credential = home.credentials.get(account.user_id)
        if credential is None or credential.totp is None:
            return Refusal(Code.SIGN_IN, "This account has no second factor: enrol one first.")
        amr = _spend(signin, home, credential, plain)
        if amr is None:
            record(deps, home, account, "Sign in", origin, reason="wrong second factor")
            return Refusal(Code.SIGN_IN, _WRONG_CODE)
        succeeded(tx, keys)
        if "otp" not in amr:
            left = home.credentials.recovery_codes_left(account.user_id)
            record(deps, home, account, "Use recovery code", origin, details=(("left", str(left)),))
        return amr

    return deps.store.write("", work)


def _spend(signin: SignIn, tx: Transaction, credential: Credential, code: str) -> tuple[str, ...] | None:
    if _DIGITS.match(code):
        seed = signin.sealer.unseal(TOTP_PURPOSE, credential.totp or "")
        step = matching_step(seed, code, signin.deps.clock().timestamp()) if seed else None
        # The step must be later than the last one used: a code that was looked at over a shoulder is dead.
        if step is not None and tx.credentials.spend_totp_step(credential.user_id, step):
            return ("otp", "mfa")
        return None
    if tx.credentials.spend_recovery_code(credential.user_id, digest(code), signin.deps.clock()):
        return ("mfa",)
    return None


def matching_step(seed: str, code: str, now: float) -> int | None:
    """The time step (RFC 6238) whose code this is, one step of clock error either way; None if there is none."""
    totp = pyotp.TOTP(seed)
    current = int(now) // _STEP
    found = None
    for step in (current - 1, current, current + 1):
        if hmac.compare_digest(totp.generate_otp(step), code):
            found = step
    return found
