"""An authentication context says that the person proved himself a moment ago: not that he once did, in this session or
in one that a thief's refresh token goes back to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openpim.core.caller import Caller
from openpim.core.signin.values import AuthenticationContext
from openpim.services.signin.bearer import authenticate
from tests.signin_world import BOB, GRAPH, WEB, WEB_SECRET, A, World, claims_of

C1 = json.dumps({"access_token": {"acrs": {"essential": True, "value": "c1"}}})
C2 = C1.replace("c1", "c2")
SCOPE = f"openid offline_access {GRAPH}"
NAME = "bob@contoso.example"


def stepped_up(world: World, browser: Any) -> dict[str, Any]:
    browser.authorize(scope=SCOPE, claims=C1)
    if browser.page.status_code == 200 and "Password" in browser.page.text:
        browser.sign_in(NAME)
    browser.submit("code", code=world.code_of(BOB))
    answer = browser.redeem(browser.result["code"])
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def contexts(world: World, token: str) -> frozenset[str]:
    found = authenticate(world.deps, world.signin.tokens, f"Bearer {token}")
    assert isinstance(found, Caller), found
    return found.acrs


def refresh(browser: Any, tokens: dict[str, Any], **fields: str) -> Any:
    return browser.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"], **fields)


def test_a_refresh_token_does_not_keep_it_alive(signin_world: World) -> None:
    browser = signin_world.browser()
    tokens = stepped_up(signin_world, browser)
    assert contexts(signin_world, tokens["access_token"]) == {"c1"}
    signin_world.move(minutes=59)
    tokens = refresh(browser, tokens).json()
    assert contexts(signin_world, tokens["access_token"]) == {"c1"}
    # The token lives on, its context does not.
    signin_world.move(minutes=1)
    assert contexts(signin_world, tokens["access_token"]) == frozenset()
    asked = refresh(browser, tokens, claims=C1)
    assert (asked.json()["error"], json.loads(asked.json()["claims"])["access_token"]["acrs"]["value"]) == (
        "interaction_required",
        "c1",
    )
    tokens = refresh(browser, tokens).json()
    assert "acrs" not in claims_of(tokens["access_token"])


def test_introspection_does_not_keep_it_alive(signin_world: World) -> None:
    row = AuthenticationContext("c1", "Here", requires_mfa=False)
    signin_world.write(A, lambda tx: tx.authentication_contexts.put(row))
    client = {"client_id": WEB, "client_secret": WEB_SECRET}
    browser = signin_world.browser()
    where = {"client_id": WEB, "redirect_uri": "https://app.example/cb"}
    browser.authorize(**where, scope="openid User.Read", claims=C1)
    browser.sign_in()
    secret = {**where, "client_secret": WEB_SECRET}
    token = browser.redeem(browser.result["code"], **secret).json()["access_token"]

    def seen() -> Any:
        return browser.post(f"/{A}/oauth2/v2.0/introspect", **client, token=token).json()

    assert (seen()["acrs"], seen()["scope"]) == (["c1"], "User.Read openid")
    # The first access token lives for an hour from its making; its proof is a little older.
    signin_world.allow("openid")
    assert (seen()["scope"], seen()["scp"]) == ("openid", "openid")
    claims = {**claims_of(token), "acrs_until": int(signin_world.now[0].timestamp())}
    token = signin_world.signin.tokens.sign(claims, "at+jwt")
    assert (seen()["active"], seen()["acrs"]) == (True, [])


def test_a_session_asks_for_the_second_factor_anew(signin_world: World) -> None:
    browser = signin_world.browser()
    stepped_up(signin_world, browser)
    signin_world.move(minutes=61)
    browser.authorize(scope=SCOPE, claims=C1, prompt="none")
    assert browser.result["error"] == "interaction_required"
    # What needs no context still needs nothing: MFA itself does not age within a session.
    assert browser.authorize(scope=SCOPE).status_code == 303
    assert "Confirm that it is you" in browser.authorize(scope=SCOPE, claims=C1).text
    token = stepped_up(signin_world, browser)["access_token"]
    assert contexts(signin_world, token) == {"c1"}


def test_a_new_context_by_refresh_alone(signin_world: World) -> None:
    """Proven long ago for another one."""
    browser = signin_world.browser()
    tokens = stepped_up(signin_world, browser)
    signin_world.move(days=30)
    assert refresh(browser, tokens, claims=C2).json()["error"] == "interaction_required"


def test_a_context_without_a_second_factor(signin_world: World) -> None:
    row = AuthenticationContext("c1", "Here", requires_mfa=False)
    signin_world.write(A, lambda tx: tx.authentication_contexts.put(row))
    browser = signin_world.browser()
    browser.authorize(scope=SCOPE, claims=C1)
    browser.sign_in()
    tokens = browser.redeem(browser.result["code"]).json()
    assert contexts(signin_world, tokens["access_token"]) == {"c1"}
    signin_world.move(minutes=61)
    assert refresh(browser, tokens, claims=C1).json()["error"] == "interaction_required"
    browser.authorize(scope=SCOPE, claims=C1)
    assert "Password" in browser.page.text
    browser.sign_in()
    tokens = browser.redeem(browser.result["code"]).json()
    assert contexts(signin_world, tokens["access_token"]) == {"c1"}


@pytest.mark.parametrize("until", [None, "soon", -1, 0])
def test_a_token_that_says_nothing_of_the_age(signin_world: World, until: Any) -> None:
    token = signin_world.browser().tokens(scope=SCOPE)["access_token"]
    claims = {**claims_of(token), "acrs": ["c1"], "acrs_until": until}
    assert contexts(signin_world, signin_world.signin.tokens.sign(claims, "at+jwt")) == frozenset()
