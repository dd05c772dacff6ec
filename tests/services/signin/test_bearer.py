"""Bearer tokens under attack, and the live check behind every one of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from openpim.core.caller import CallerKind
from openpim.services.signin.bearer import authenticate
from openpim.services.signin.my_sessions import my_sessions
from openpim.services.signin.sessions import end_own_session, end_session
from tests.signin_helper import access_token, app_token
from tests.signin_world import ADA, BOB, CARL, GUEST, WEB, WEB_PRINCIPAL, A, B, World, claims_of

# Rules that no database decides are tried on one of them.
SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def b64(data: bytes | dict[str, Any]) -> str:
    raw = json.dumps(data).encode() if isinstance(data, dict) else data
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def check(world: World, token: str | None) -> Any:
    header = None if token is None else f"Bearer {token}"
    return authenticate(world.deps, world.signin.tokens, header)


def refused(world: World, token: str | None) -> bool:
    return getattr(check(world, token), "code", None) == "sign_in"


def test_helper_tokens_are_real(world: World) -> None:
    caller = check(world, access_token(world.signin, A, ADA, amr=("pwd", "mfa"), acrs=("c1",), cp1=True))
    assert caller.kind is CallerKind.USER
    assert caller.has_mfa
    assert caller.acrs == {"c1"}
    assert caller.auth_time == world.now[0]
    assert check(world, access_token(world.signin, B, GUEST)).tenant_id == B
    app = check(world, app_token(world.signin, A, WEB))
    assert (app.kind, app.principal_id) == (CallerKind.SERVICE_PRINCIPAL, WEB_PRINCIPAL)


@SQLITE
@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic eA==", "Bearer \udcff", "bearer x", "x" * 99999]
)
def test_headers_that_are_no_tokens(world: World, header: str | None) -> None:
    assert authenticate(world.deps, world.signin.tokens, header).code == "sign_in"


def test_forged_signatures(world: World) -> None:
    good = access_token(world.signin, A, ADA)
    head, body, signature = good.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    public = world.signin.tokens.keys.current().public[header["kid"]]
    attacker = RSAKey.generate_key(2048)
    claims = claims_of(good)
    pem = public.as_pem(private=False)
    hs = b64({**header, "alg": "HS256"})
    mac = hmac.new(pem, f"{hs}.{body}".encode(), hashlib.sha256).digest()
    forged = [
        f"{b64({**header, 'alg': 'none'})}.{body}.",
        f"{b64({**header, 'alg': 'none'})}.{body}.{signature}",
        f"{b64({**header, 'alg': 'None'})}.{body}.",
        f"{hs}.{body}.{b64(mac)}",
        f"{head}.{b64({**claims, 'oid': BOB})}.{signature}",
        f"{head}.{body}.{b64(b'0' * 256)}",
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{body}.{signature}.x",
        f"{b64({**header, 'kid': '../../etc/passwd'})}.{body}.{signature}",
        f"{b64({**header, 'kid': 7})}.{body}.{signature}",
        f"{b64({'alg': 'RS256', 'typ': 'at+jwt'})}.{body}.{signature}",
        f"{b64({**header, 'crit': ['exp']})}.{body}.{signature}",
        f"{b64(b'[1]')}.{body}.{signature}",
        jwt.encode(
            {**header, "jwk": attacker.as_dict(private=False)}, claims, attacker, algorithms=["RS256"]
        ),
        jwt.encode({**header, "kid": "mine"}, claims, attacker, algorithms=["RS256"]),
        jwt.encode({**header, "jku": "https://evil.example/keys"}, claims, attacker, algorithms=["RS256"]),
        jwt.encode(header, claims, attacker, algorithms=["RS256"]),
        "[" * 9000 + ".x.y",
    ]
    for token in forged:
        assert refused(world, token), token[:80]
    assert check(world, good).principal_id == ADA


@SQLITE
@pytest.mark.parametrize(
    "change",
    [
        {"aud": "https://other.example"},
        {"aud": None},
        {"iss": "https://evil.example/x/v2.0"},
        {"iss": f"https://localhost:8443/{B}/v2.0"},
        {"tid": B},
        {"tid": 7},
        {"oid": CARL},
        {"oid": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "never"},
        {"exp": True},
        {"nbf": 1 << 40},
        {"idtyp": "app"},
    ],
)
def test_claims_that_do_not_fit(world: World, change: dict[str, Any]) -> None:
    """Signed by our own key, as if a bug had let it out: still refused."""
    claims = {**claims_of(access_token(world.signin, A, ADA)), **change}
    claims = {name: value for name, value in claims.items() if value is not None}
    assert refused(world, world.signin.tokens.sign(claims, "at+jwt"))


def test_an_id_token_is_no_access_token(world: World) -> None:
    claims = claims_of(access_token(world.signin, A, ADA))
    assert refused(world, world.signin.tokens.sign(claims, "JWT"))


def test_expiry_counts_for_cached_tokens_too(world: World) -> None:
    token = access_token(world.signin, A, ADA)
    assert check(world, token).principal_id == ADA
    world.move(minutes=59, seconds=59)
    assert check(world, token).principal_id == ADA
    world.move(seconds=1)
    assert refused(world, token)


def test_a_disabled_or_deleted_person(world: World) -> None:
    token = access_token(world.signin, A, ADA)
    world.change_user(A, ADA, enabled=False)
    assert refused(world, token)
    world.change_user(A, ADA, enabled=True)
    assert check(world, token).principal_id == ADA
    world.write(A, lambda tx: tx.users.remove(ADA, world.now[0]))
    assert refused(world, token)


def test_a_guest_depends_on_both_objects(world: World) -> None:
    token = access_token(world.signin, B, GUEST)
    world.change_user(B, GUEST, enabled=False)
    assert refused(world, token)
    world.change_user(B, GUEST, enabled=True)
    world.change_user(A, ADA, enabled=False)
    assert refused(world, token)


def test_ending_a_session_ends_its_tokens(world: World) -> None:
    browser = world.browser()
    body = browser.tokens()
    from openpim.core.signin.values import Account
    from openpim.services.signin.events import Origin

    mine, bobs = Account(A, ADA), Account(A, BOB)
    session = my_sessions(world.signin, mine)[0][0].session
    assert end_own_session(world.deps, bobs, session.id, Origin("")).code == "not_found"
    assert check(world, body["access_token"]).principal_id == ADA
    assert end_own_session(world.deps, mine, session.id, Origin("")) is None
    assert my_sessions(world.signin, mine)[0] == []
    assert refused(world, body["access_token"])
    again = browser.token(grant_type="refresh_token", refresh_token=body["refresh_token"])
    assert again.json()["error"] == "invalid_grant"
    assert world.write("", lambda tx: end_session(tx, world.deps, "nothing")) is False


def test_a_disabled_application(world: World) -> None:
    token = access_token(world.signin, A, ADA, client_id=WEB)
    assert check(world, token).app_id == WEB

    def disable(tx: Any) -> None:
        tx.service_principals.save(replace(tx.service_principals.get(WEB_PRINCIPAL), enabled=False))

    world.write(A, disable)
    assert refused(world, token)


def test_the_cache_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from openpim.services.signin import tokens

    monkeypatch.setattr(tokens, "_CACHE", 3)
    made = [access_token(world.signin, A, ADA) for _ in range(5)]
    for token in made * 2:
        assert check(world, token).principal_id == ADA
    assert len(world.signin.tokens._verified) == 3
