"""A person changes how he signs in: password, authenticator, recovery codes.

A browser that was left open must not be enough for it: each change asks for the password again and, where a second
factor is enrolled, for a code of it (a recovery code does, for somebody who lost the device). Both are checked and
counted as at sign-in. What is made here is shown once; only digests and sealed text are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from openpim.core.refusals import Code, Refusal
from openpim.core.signin.lifetimes import session_alive
from openpim.core.signin.values import Account, Session
from openpim.ports.store import Transaction
from openpim.services.credentials import (
    enrol_totp,
    hash_password,
    new_totp_seed,
    put_password_hash,
    put_recovery_codes,
    totp_uri,
)
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import Origin, record
from openpim.services.signin.factors import check_password, check_second_factor, matching_step
from openpim.services.signin.known_browsers import Known
from openpim.services.signin.people import able_user
from openpim.services.signin.sessions import end_all

_PURPOSE = "my authenticator"
_SEED_LIFETIME = 3600  # seconds
T = TypeVar("T")

NO_PASSWORD = Refusal(
    Code.CONFLICT, "This account has no password: ask an administrator for a set-up link.", member="password"
)
_CHANGED = Refusal(
    Code.CONFLICT, "Your sign-in methods were changed meanwhile: open the page again and look at them."
)
_NOT_BY_ONESELF = Refusal(
    Code.FORBIDDEN, "Second factors are set up by a link here: ask an administrator for one."
)
_NO_FIT = Refusal(Code.INVALID, "That code does not match: check the time of the device.", member="new_code")


@dataclass(frozen=True, slots=True)
class Methods:
    """What the account has. Moments: since when; None: none. may_enrol: a first authenticator, by oneself."""

    name: str
    password_at: datetime | None
    has_password: bool
    totp_at: datetime | None
    has_totp: bool
    codes_left: int
    may_enrol: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """What was typed to prove it again. code: of the authenticator, or a recovery code; "" where none is enrolled."""

    password: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class NewSeed:
    """An authenticator on offer. token: the seed, sealed for this session and for one use."""

    seed: str
    uri: str
    token: str


def my_methods(signin: SignIn, account: Account) -> Methods:
    """The account's ways to sign in."""

    def look(tx: Transaction) -> Methods:
        known = tx.credentials.get(account.user_id)
        user = tx.users.get(account.user_id)
        enrolled = known is not None and known.totp is not None
        return Methods(
            name=user.user_principal_name if user else "",
            password_at=known.password_at if known else None,
            has_password=known is not None and known.password is not None,
            totp_at=known.totp_at if known else None,
            has_totp=enrolled,
            codes_left=tx.credentials.recovery_codes_left(account.user_id) if enrolled else 0,
            may_enrol=enrolled or signin.settings.totp_self_enrolment,
        )

    return signin.deps.store.read(account.tenant_id, look)


def change_password(
    signin: SignIn, session: Session, proof: Proof, password: str, origin: Origin
) -> int | Refusal:
    """A new password. Every other session and token of the person ends: how many browsers that were."""
    account = session.account
    before = my_methods(signin, account)
    user = signin.deps.store.read(account.tenant_id, lambda tx: tx.users.get(account.user_id))
    names = (before.name, before.name.partition("@")[0], user.display_name if user else "")
    if password == proof.password:
        return Refusal(Code.INVALID, "That is the password you have: choose another.", member="new")
    hashed = hash_password(signin, password, names)
    if isinstance(hashed, Refusal):
        return Refusal(hashed.code, hashed.message, member="new")

    def change(home: Transaction) -> int:
        put_password_hash(home, account.user_id, hashed, signin.deps.clock())
        ended = end_all(home, signin.deps, account, keep_session=session.id)
        record(signin.deps, home, account, "Change password", origin)
        return ended

    return proven(signin, session, before, proof, origin, change)


def offer_totp(signin: SignIn, session: Session) -> NewSeed:
    """A fresh seed to scan. Nothing is kept until `take_totp`."""
    methods = my_methods(signin, session.account)
    seed = new_totp_seed(signin)
    body = {
        "session": session.id,
        "seed": seed,
        "was": _mark(methods.totp_at),
        "at": int(signin.deps.clock().timestamp()),
    }
    return NewSeed(seed, totp_uri(seed, methods.name, "OpenPIM"), signin.sealer.seal_json(_PURPOSE, body))


def same_offer(signin: SignIn, session: Session, token: str) -> NewSeed | None:
    """The seed of a form that was refused, so that nobody scans twice; None if it does not count any more."""
    seed = _seed_of(signin, session, my_methods(signin, session.account), token)
    if seed is None:
        return None
    name = my_methods(signin, session.account).name
    return NewSeed(seed, totp_uri(seed, name, "OpenPIM"), token)


def take_totp(
    signin: SignIn, session: Session, proof: Proof, token: str, new_code: str, origin: Origin
) -> tuple[str, ...] | Refusal:
    """Take the seed on offer as the second factor, in place of the one there may be. Returns new recovery codes."""
    account = session.account
    before = my_methods(signin, account)
    seed = _seed_of(signin, session, before, token)
    if seed is None:
        return Refusal(Code.CONFLICT, "This key is too old or was used: scan the new one.", member="seed")
    if not before.may_enrol:
        return _NOT_BY_ONESELF
    if not _fits(signin, seed, new_code):  # before the proof, which is used up by being looked at
        return _NO_FIT

    def take(home: Transaction) -> tuple[str, ...] | Refusal:
        codes = enrol_totp(home, signin, account.user_id, seed, new_code)
        if isinstance(codes, Refusal):
            return _NO_FIT
        done = "Replace second factor" if before.has_totp else "Enrol second factor"
        record(signin.deps, home, account, done, origin)
        return codes

    return proven(signin, session, before, proof, origin, take)


def renew_recovery_codes(
    signin: SignIn, session: Session, proof: Proof, origin: Origin
) -> tuple[str, ...] | Refusal:
    """Ten new recovery codes; all former ones are void."""
    account = session.account
    before = my_methods(signin, account)
    if not before.has_totp:
        return Refusal(Code.CONFLICT, "Recovery codes go with an authenticator: set one up first.")

    def renew(home: Transaction) -> tuple[str, ...]:
        codes = put_recovery_codes(home, signin, account.user_id)
        record(signin.deps, home, account, "Make recovery codes", origin)
        return codes

    return proven(signin, session, before, proof, origin, renew)


def proven(
    signin: SignIn,
    session: Session,
    before: Methods,
    proof: Proof,
    origin: Origin,
    work: Callable[[Transaction], T | Refusal],
) -> T | Refusal:
    """Do it if the proof is good, the session still lives, and nothing changed since the proof was looked at."""
    account = session.account
    if not before.has_password:
        return NO_PASSWORD
    if not proof.password:  # left behind while somebody signed in again, and no guess
        return Refusal(Code.SIGN_IN, "Type your password.", member="password")
    found = check_password(signin, before.name, proof.password, account.tenant_id, Known(), origin)
    if isinstance(found, Refusal):
        message = found.message if found.code is Code.THROTTLED else "That is not your password."
        return Refusal(found.code, message, member="password", retry_after=found.retry_after)
    if found != account:
        return Refusal(Code.SIGN_IN, "That is not your password.", member="password")
    if before.has_totp:
        second = check_second_factor(signin, account, proof.code[:64], origin)
        if isinstance(second, Refusal):
            return Refusal(second.code, second.message, member="code", retry_after=second.retry_after)

    def once(home: Transaction) -> T | Refusal:
        home.lock_principal(account.user_id)
        now = signin.deps.clock()
        there = home.sessions.get(session.id)
        if there is None or not session_alive(there, now, signin.settings.session_idle_minutes):
            return Refusal(Code.SIGN_IN, "You were signed out meanwhile: sign in again.")
        if able_user(home, account.tenant_id, account.user_id) is None or not _same(home, account, before):
            return _CHANGED
        return work(home)

    return signin.deps.store.write(account.tenant_id, once)


def _same(home: Transaction, account: Account, before: Methods) -> bool:
    known = home.credentials.get(account.user_id)
    return known is not None and (known.password_at, known.totp_at) == (before.password_at, before.totp_at)


def _seed_of(signin: SignIn, session: Session, methods: Methods, token: str) -> str | None:
    body = signin.sealer.unseal_json(_PURPOSE, token) if 0 < len(token) < 1000 else None
    if body is None or body["session"] != session.id or body["was"] != _mark(methods.totp_at):
        return None
    age = signin.deps.clock().timestamp() - body["at"]
    return str(body["seed"]) if age <= _SEED_LIFETIME else None


def _fits(signin: SignIn, seed: str, code: str) -> bool:
    plain = "".join(code.split())
    return plain.isascii() and matching_step(seed, plain, signin.deps.clock().timestamp()) is not None


def _mark(at: datetime | None) -> str:
    return at.isoformat() if at else ""
