"""Passkeys (WebAuthn): what a browser is asked, and whether its answer is good.

One is bound to the host of our origin and always asks for the person (a finger, a PIN): it is two factors in one, so
it says `fido` and `mfa`. The challenge travels in the sealed flow (or form) of one browser and is spent by being looked
at. A signature counter that does not grow tells of a copy: the passkey is stopped, and the history says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from openpim.core.refusals import Code, Refusal
from openpim.core.signin.values import Account, Passkey, digest
from openpim.ports.store import Transaction
from openpim.services.sealing import b64, unb64
from openpim.services.signin.context import SignIn
from openpim.services.signin.events import Origin, record
from openpim.services.signin.people import able_user

AMR = ("fido", "mfa")
LONGEST = 20_000  # characters of an answer
MOST = 20  # passkeys of one person
_ALGORITHMS = (-7, -8, -257)  # ES256, EdDSA, RS256 (RFC 9053)
_TIMEOUT = 300_000  # milliseconds
_SPENT_FOR = timedelta(hours=2)  # longer than any flow or form lives
_NO = Refusal(
    Code.SIGN_IN,
    "This passkey is not known here, or its answer is not right: sign in another way.",
    member="passkey",
)
_COPY = Refusal(
    Code.SIGN_IN,
    "This passkey answered as a copy would, so it is stopped: sign in with your password, and remove it.",
    member="passkey",
)


def host_of(signin: SignIn) -> str:
    """The relying party's id: the host of the origin everybody uses."""
    return urlsplit(signin.settings.origin).hostname or ""


def possible(signin: SignIn, origin: Origin) -> bool:
    """Does the browser look at us by that origin? By another name, no passkey of ours would do."""
    return origin.base == signin.settings.origin


def new_challenge(signin: SignIn) -> str:
    return b64(signin.deps.secret(32).encode())


def ask_options(signin: SignIn, challenge: str, known: Iterable[Passkey]) -> str:
    """For navigator.credentials.get, as JSON. known: the passkeys that would do; none: any of the device."""
    allowed = [{"type": "public-key", "id": one.handle} for one in known if one.stopped_at is None]
    return json.dumps(
        {
            "challenge": challenge,
            "rpId": host_of(signin),
            "allowCredentials": allowed,
            "userVerification": "required",
            "timeout": _TIMEOUT,
        }
    )


def make_options(
    signin: SignIn, challenge: str, account: Account, name: str, known: Iterable[Passkey]
) -> str:
    """For navigator.credentials.create, as JSON. known: those there are, so that no device makes a second one."""
    return json.dumps(
        {
            "challenge": challenge,
            "rp": {"id": host_of(signin), "name": "OpenPIM"},
            "user": {"id": user_handle(account), "name": name, "displayName": name},
            "pubKeyCredParams": [{"type": "public-key", "alg": one} for one in _ALGORITHMS],
            "excludeCredentials": [{"type": "public-key", "id": one.handle} for one in known],
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": "required",
            },
            "attestation": "none",
            "timeout": _TIMEOUT,
        }
    )


def user_handle(account: Account) -> str:
    """What the device keeps beside the key: no name, nothing that says who it is."""
    return b64(bytes.fromhex(digest(f"{account.tenant_id}/{account.user_id}")))


def read_new(signin: SignIn, account: Account, challenge: str, answer: str, name: str) -> Passkey | Refusal:
    """The passkey a browser has made for this challenge."""
    import webauthn  # noqa: PLC0415 - a start does not wait for it
    from webauthn.helpers.cose import COSEAlgorithmIdentifier  # noqa: PLC0415

    no = Refusal(Code.INVALID, "The passkey could not be made: try again.", member="passkey")
    if not challenge or not 0 < len(answer) <= LONGEST:
        return no
    try:
        made = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=unb64(challenge) or b"",
            expected_rp_id=host_of(signin),
            expected_origin=signin.settings.origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(one) for one in _ALGORITHMS],
        )
    except Exception:  # noqa: BLE001 - whatever a browser sends: the parsers beneath raise what they like
        return no
    handle = b64(made.credential_id)
    return Passkey(
        id=digest(handle),
        account=account,
        handle=handle,
        public_key=b64(made.credential_public_key),
        count=made.sign_count,
        name=name,
        created_at=signin.deps.clock(),
    )


def spend(tx: Transaction, signin: SignIn, challenge: str) -> bool:
    """True once for each challenge. tx: holds the person's lock, so that two at once are one after another."""
    spent = digest(f"passkey challenge {challenge}")
    if tx.revocations.any_of([spent]):
        return False
    tx.revocations.add(spent, signin.deps.clock() + _SPENT_FOR)
    return True


def check_passkey(
    signin: SignIn, challenge: str, answer: str, wanted: Account | None, origin: Origin
) -> Account | Refusal:
    """Whose passkey signed this challenge? wanted: only this person's will do.

    Nothing is written before the signature is found right, so that no stranger can make us write.
    """
    handle, passkey_id = _handle(answer)
    if not challenge or not handle or not possible(signin, origin):
        return _NO
    known = signin.deps.store.read("", lambda tx: tx.passkeys.get(passkey_id))
    if known is None or known.stopped_at is not None or (wanted is not None and known.account != wanted):
        return _NO
    count = _verified(signin, known, challenge, answer)
    if count is None:
        return _NO
    return signin.deps.store.write("", lambda tx: _judge(signin, tx, known, challenge, count, origin))


def _judge(
    signin: SignIn, tx: Transaction, known: Passkey, challenge: str, count: int, origin: Origin
) -> Account | Refusal:
    deps, account = signin.deps, known.account
    home = tx.in_tenant(account.tenant_id)
    home.lock_principal(account.user_id)
    now = deps.clock()
    fresh = tx.passkeys.get(known.id)
    if fresh is None or fresh.stopped_at is not None or not spend(tx, signin, challenge):
        return _NO
    about = (("passkey", fresh.name),)
    if (count or fresh.count) and count <= fresh.count:
        tx.passkeys.stop(fresh.id, now)
        record(deps, home, account, "Sign in", origin, reason="passkey may be a copy", details=about)
        return _COPY
    tx.passkeys.used(fresh.id, count, now)
    if able_user(tx, account.tenant_id, account.user_id) is None:
        record(deps, home, account, "Sign in", origin, reason="account disabled")
        return Refusal(Code.SIGN_IN, "This account is disabled: ask an administrator.", member="passkey")
    return account


def _handle(answer: str) -> tuple[str, str]:
    """The credential's name in an answer, and our id of it; empty for what is none."""
    if not 0 < len(answer) <= LONGEST:
        return "", ""
    try:
        body: Any = json.loads(answer)
    except (ValueError, RecursionError):
        return "", ""
    handle = body.get("id") if isinstance(body, dict) else None
    if not isinstance(handle, str):
        return "", ""
    return handle, digest(handle)


def _verified(signin: SignIn, known: Passkey, challenge: str, answer: str) -> int | None:
    """The counter of an answer that is right in all else; None for one that is not."""
    import webauthn  # noqa: PLC0415 - a start does not wait for it

    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=unb64(challenge) or b"",
            expected_rp_id=host_of(signin),
            expected_origin=signin.settings.origin,
            credential_public_key=unb64(known.public_key) or b"",
            credential_current_sign_count=0,  # compared by us, under the lock, where its meaning is kept
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001 - whatever a browser sends: the parsers beneath raise what they like
        return None
    return found.new_sign_count
