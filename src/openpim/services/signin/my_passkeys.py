"""A person's own passkeys: made and removed with the same proof as every change of a sign-in method.

A passkey stands beside an authenticator, never in place of it: where it is lost, or no script runs, the password and
a code still do, and the proof for the next change is the same for everybody.
"""

from __future__ import annotations

from openpim.core.refusals import Code, Refusal
from openpim.core.signin.values import Account, Passkey, Session
from openpim.ports.store import Transaction
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import Origin, record
from openpim.services.signin.my_methods import Proof, my_methods, proven
from openpim.services.signin.passkeys import MOST, make_options, new_challenge, possible, read_new, spend

_PURPOSE = "my passkey"
_LIFETIME = 3600  # seconds
_TOO_OLD = Refusal(Code.CONFLICT, "This page is too old: try again on the new one.", member="passkey")
_NONE = Refusal(Code.NOT_FOUND, "There is no such passkey.", member="passkey")


def my_passkeys(signin: SignIn, account: Account) -> list[Passkey]:
    """Oldest first."""
    return signin.deps.store.read("", lambda tx: tx.passkeys.of(account))


def my_passkey(signin: SignIn, account: Account, passkey_id: str) -> Passkey | Refusal:
    return next((one for one in my_passkeys(signin, account) if one.id == passkey_id), _NONE)


def offer_passkey(signin: SignIn, session: Session, origin: Origin) -> tuple[str, str] | Refusal:
    """The options for the browser (JSON), and the sealed challenge for the form."""
    account = session.account
    methods = my_methods(signin, account)
    if not methods.has_totp:
        return Refusal(Code.CONFLICT, "Set up an authenticator first: it helps where a passkey cannot.")
    if not possible(signin, origin):
        where = signin.settings.origin
        return Refusal(Code.CONFLICT, f"Passkeys belong to {where}: open this page there.")
    challenge = new_challenge(signin)
    body = {"session": session.id, "challenge": challenge, "at": int(signin.deps.clock().timestamp())}
    options = make_options(signin, challenge, account, methods.name, my_passkeys(signin, account))
    return options, signin.sealer.seal_json(_PURPOSE, body)


def add_passkey(
    signin: SignIn, session: Session, proof: Proof, token: str, answer: str, name: str, origin: Origin
) -> Passkey | Refusal:
    """Keep what the browser made. name: what the person calls it."""
    account = session.account
    challenge = _challenge_of(signin, session, token)
    if challenge is None or not possible(signin, origin):
        return _TOO_OLD
    before = my_methods(signin, account)
    if not before.has_totp:
        return Refusal(Code.CONFLICT, "Set up an authenticator first: it helps where a passkey cannot.")
    made = read_new(signin, account, challenge, answer, " ".join(name.split())[:100] or "Passkey")
    if isinstance(made, Refusal):
        return made

    def add(home: Transaction) -> Passkey | Refusal:
        if not spend(home, signin, challenge) or home.passkeys.get(made.id) is not None:
            return _TOO_OLD
        if len(home.passkeys.of(account)) >= MOST:
            return Refusal(Code.CONFLICT, f"You have {MOST} passkeys: remove one first.", member="passkey")
        home.passkeys.add(made)
        record(signin.deps, home, account, "Add passkey", origin, details=(("passkey", made.name),))
        return made

    return proven(signin, session, before, proof, origin, add)


def remove_passkey(
    signin: SignIn, session: Session, proof: Proof, passkey_id: str, origin: Origin
) -> Passkey | Refusal:
    account = session.account
    found = my_passkey(signin, account, passkey_id)
    if isinstance(found, Refusal):
        return found

    def remove(home: Transaction) -> Passkey:
        home.passkeys.remove(found.id)
        record(signin.deps, home, account, "Remove passkey", origin, details=(("passkey", found.name),))
        return found

    return proven(signin, session, my_methods(signin, account), proof, origin, remove)


def _challenge_of(signin: SignIn, session: Session, token: str) -> str | None:
    body = signin.sealer.unseal_json(_PURPOSE, token) if 0 < len(token) < 1000 else None
    if body is None or body["session"] != session.id:
        return None
    age = signin.deps.clock().timestamp() - body["at"]
    return str(body["challenge"]) if age <= _LIFETIME else None
