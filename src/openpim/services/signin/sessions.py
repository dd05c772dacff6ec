"""Browser sessions: opened at sign-in, made stronger at step-up (each time with a new cookie), listed and ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from openpim.core.directory import User
from openpim.core.refusals import Code, Refusal
from openpim.core.signin.lifetimes import session_alive
from openpim.core.signin.values import Account, Grant, Session, digest
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.signin.events import Origin, record
from openpim.services.signin.keyring import LONGEST_TOKEN
from openpim.services.signin.people import able_user

SEEN_EVERY = timedelta(minutes=5)


def current_session(tx: Transaction, deps: Deps, cookie: str) -> Session | None:
    """The live session of a cookie; None if it ended, timed out, or its person is disabled."""
    session = unended_session(tx, deps, cookie)
    if session is None or able_user(tx, session.account.tenant_id, session.account.user_id) is None:
        return None
    return session


def unended_session(tx: Transaction, deps: Deps, cookie: str) -> Session | None:
    """The session of a cookie; None if it ended or timed out. Whether its person may still enter is for whoever asks."""
    if not cookie or len(cookie) > 200:
        return None
    session = tx.sessions.by_cookie(digest(cookie))
    if session is None or not session_alive(session, deps.clock(), deps.settings.session_idle_minutes):
        return None
    return session


def touch(tx: Transaction, deps: Deps, session: Session) -> None:
    """The session was used. Written every five minutes at most."""
    now = deps.clock()
    if now - session.seen_at >= SEEN_EVERY:
        tx.sessions.seen(session.id, now)


def open_session(
    tx: Transaction, deps: Deps, account: Account, amr: tuple[str, ...], origin: Origin
) -> tuple[Session, str]:
    """A fresh session and the value of its cookie."""
    now = deps.clock()
    cookie = deps.secret(32)
    session = Session(
        id=deps.new_id(),
        cookie_hash=digest(cookie),
        account=account,
        created_at=now,
        seen_at=now,
        expires_at=now + timedelta(hours=deps.settings.session_max_hours),
        auth_time=now,
        amr=tuple(dict.fromkeys(amr)),
        mfa_at=now if "mfa" in amr else None,
        ip=origin.ip,
        user_agent=origin.user_agent,
    )
    tx.sessions.add(session)
    return session, cookie


def strengthen(
    tx: Transaction, deps: Deps, session: Session, amr: tuple[str, ...], *, anew: bool
) -> tuple[Session, str]:
    """The session after more proof, under a new cookie. anew: the person also gave the password again."""
    now = deps.clock()
    cookie = deps.secret(32)
    stronger = replace(
        session,
        cookie_hash=digest(cookie),
        seen_at=now,
        auth_time=now if anew else session.auth_time,
        mfa_at=now if "mfa" in amr else session.mfa_at,
        amr=tuple(dict.fromkeys([*session.amr, *amr])),
    )
    tx.sessions.replace(stronger)
    return stronger, cookie


def revoke_grant(tx: Transaction, deps: Deps, grant: Grant) -> None:
    """The whole family, and the access tokens made from it."""
    now = deps.clock()
    tx.client_sessions.end_grant(grant.id, now)
    tx.grants.revoke(grant.id, now)
    tx.revocations.add(grant.id, now + LONGEST_TOKEN)


def sign_out(tx: Transaction, deps: Deps, session: Session) -> None:
    """The person signed out of this browser: clients without offline access lose their tokens, the others (a
    command line, say) keep theirs."""
    tx.sessions.end(session.id, deps.clock())
    tx.client_sessions.end_session(session.id, deps.clock())
    for grant in tx.grants.of_session(session.id):
        if not grant.offline:
            revoke_grant(tx, deps, grant)


def end_session(tx: Transaction, deps: Deps, session_id: str) -> bool:
    """End a session and everything that came out of it, offline access too."""
    session = tx.sessions.get(session_id)
    if session is None:
        return False
    tx.sessions.end(session_id, deps.clock())
    tx.client_sessions.end_session(session_id, deps.clock())
    tx.revocations.add(session_id, deps.clock() + LONGEST_TOKEN)
    for grant in tx.grants.of_session(session_id):
        revoke_grant(tx, deps, grant)
    return True


def end_all(tx: Transaction, deps: Deps, account: Account, *, keep_session: str | None = None) -> int:
    """Every session and token of a person. Returns how many sessions ended."""
    ended = 0
    for session in tx.sessions.of(account):
        if session.id != keep_session and end_session(tx, deps, session.id):
            ended += 1
    for grant in tx.grants.of_account(account):
        if keep_session is None or grant.session_id != keep_session:
            revoke_grant(tx, deps, grant)
    return ended


def end_in_tenant(tx: Transaction, deps: Deps, user: User) -> None:
    """End for good what this user object gave access to: tx is of its tenant. A member's sessions and tokens
    everywhere; a guest's tokens for this tenant alone, because the rest is his home's business."""
    if user.home_tenant_id is None or user.home_user_id is None:
        end_all(tx, deps, Account(tx.tenant_id, user.id))
        return
    for grant in tx.grants.of_account(Account(user.home_tenant_id, user.home_user_id)):
        if grant.tenant_id == tx.tenant_id:
            revoke_grant(tx, deps, grant)


def end_own_session(deps: Deps, account: Account, session_id: str, origin: Origin) -> Refusal | None:
    """A person ends one of his sessions."""

    def work(tx: Transaction) -> Refusal | None:
        session = tx.sessions.get(session_id)
        if session is None or session.account != account or session.ended_at is not None:
            return Refusal(Code.NOT_FOUND, "That session has ended already.", member="session_id")
        end_session(tx, deps, session_id)
        about = (("session", session_id),)
        record(deps, tx.in_tenant(account.tenant_id), account, "End session", origin, details=about)
        return None

    return deps.store.write("", work)
