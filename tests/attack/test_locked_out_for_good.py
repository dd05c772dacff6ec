"""Disabling a person ends his sessions and tokens for good: enabling him again gives a thief nothing back."""

from __future__ import annotations

from typing import Any

from openpim.core.caller import Caller, CallerKind, system
from openpim.core.refusals import Code
from openpim.core.signin.values import Account
from openpim.services.directory.delete_user import delete_user
from openpim.services.directory.update_user import set_enabled
from openpim.services.signin.bearer import authenticate
from openpim.services.signin.revoke_sessions import revoke_sessions
from tests.signin_world import ADA, BOB, GRAPH, GUEST, A, B, World
from tests.world import ok, refused

SCOPE = f"openid offline_access {GRAPH}"


def able(world: World, token: str) -> bool:
    return isinstance(authenticate(world.deps, world.signin.tokens, f"Bearer {token}"), Caller)


def off_and_on(world: World, tenant: str = A, user: str = ADA) -> None:
    ok(set_enabled(world.deps, system(tenant), user, enabled=False))
    world.move(minutes=1)
    ok(set_enabled(world.deps, system(tenant), user, enabled=True))


def refreshed(browser: Any, tokens: dict[str, Any], tenant: str = A) -> int:
    answer = browser.token(tenant, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    return int(answer.status_code)


def test_session_refresh_token_and_access_token(signin_world: World) -> None:
    browser = signin_world.browser()
    tokens = browser.tokens(scope=SCOPE)
    assert able(signin_world, tokens["access_token"])
    off_and_on(signin_world)
    assert not able(signin_world, tokens["access_token"])
    assert refreshed(browser, tokens) == 400
    assert browser.authorize(prompt="none").status_code == 303
    assert browser.result["error"] == "login_required"
    # He himself comes back with his password.
    assert able(signin_world, browser.tokens(scope=SCOPE)["access_token"])


def test_a_code_that_was_not_redeemed(signin_world: World) -> None:
    browser = signin_world.browser()
    code = browser.code()
    off_and_on(signin_world)
    assert browser.redeem(code).status_code == 400


def test_a_guest_loses_what_the_tenant_gave(signin_world: World) -> None:
    """And keeps what his own organisation did."""
    browser = signin_world.browser()
    there, home = browser.tokens(B, scope=SCOPE), browser.tokens(A, scope=SCOPE)
    off_and_on(signin_world, B, GUEST)
    assert not able(signin_world, there["access_token"])
    assert refreshed(browser, there, B) == 400
    assert able(signin_world, home["access_token"])
    assert refreshed(browser, home) == 200


def test_sessions_revoked_by_whom(signin_world: World) -> None:
    """By himself; not by a colleague."""
    browser = signin_world.browser()
    tokens = browser.tokens(scope=SCOPE)
    bob = Caller(A, BOB, CallerKind.USER)
    refused(revoke_sessions(signin_world.deps, bob, ADA), Code.FORBIDDEN)
    assert able(signin_world, tokens["access_token"])
    assert revoke_sessions(signin_world.deps, Caller(A, ADA, CallerKind.USER), ADA) is None
    assert not able(signin_world, tokens["access_token"])
    assert refreshed(browser, tokens) == 400


def test_one_who_was_deleted(signin_world: World) -> None:
    browser = signin_world.browser()
    tokens = browser.tokens(scope=SCOPE)
    assert delete_user(signin_world.deps, system(A), ADA) is None
    assert not able(signin_world, tokens["access_token"])
    assert signin_world.read(A, lambda tx: tx.grants.of_account(Account(A, ADA))) == []
    assert signin_world.read(A, lambda tx: tx.sessions.of(Account(A, ADA))) == []
