"""Whoever may register applications must not become everybody who follows a link: nobody is asked for consent, so a
registered application gets nothing at our own APIs that was not granted to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from openpim.core.caller import Caller
from openpim.services.signin.bearer import ARM, authenticate
from tests.signin_helper import access_token
from tests.signin_world import ADA, DESKTOP, GRAPH, WEB, WEB_PRINCIPAL, WEB_SECRET, A, World, claims_of

WRITE = "RoleManagement.ReadWrite.Directory"
WEB_REDIRECT = {"client_id": WEB, "redirect_uri": "https://app.example/cb"}


def caller_of(world: World, token: str) -> Caller:
    found = authenticate(world.deps, world.signin.tokens, f"Bearer {token}")
    assert isinstance(found, Caller), found
    return found


@pytest.mark.parametrize(
    "scope",
    [
        GRAPH,
        f"https://graph.microsoft.com/{WRITE}",
        f"{WRITE} Directory.AccessAsUser.All",
        "https://management.azure.com/.default",
        "https://management.azure.com/user_impersonation",
        "api://https://localhost:8443/user_impersonation",
        "spn:https://localhost:8443/Directory.AccessAsUser.All",
    ],
)
def test_a_link_to_a_registered_application(signin_world: World, scope: str) -> None:
    """The person has a session: one click, no question, and the application had everything he has."""
    browser = signin_world.browser()
    browser.authorize(scope=f"openid {GRAPH}")
    browser.sign_in()
    browser.authorize(**WEB_REDIRECT, scope=f"openid User.Read {scope}" if "/" not in scope else scope)
    answer = browser.redeem(browser.result["code"], **WEB_REDIRECT, client_secret=WEB_SECRET)
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    caller = authenticate(signin_world.deps, signin_world.signin.tokens, f"Bearer {token}")
    if isinstance(caller, Caller):
        assert caller.scopes <= {"openid", "User.Read"}


def test_the_resource_manager_asks_for_its_one_permission(signin_world: World) -> None:
    """It looks at the person's roles alone for the rest, so a token without it must not get that far."""
    browser = signin_world.browser()
    scope = "https://management.azure.com/user_impersonation"

    def theirs() -> str:
        code = browser.code(**WEB_REDIRECT, scope=scope)
        return str(browser.redeem(code, **WEB_REDIRECT, client_secret=WEB_SECRET).json()["access_token"])

    def lets_in(token: str) -> bool:
        found = authenticate(signin_world.deps, signin_world.signin.tokens, f"Bearer {token}", accepts=ARM)
        return isinstance(found, Caller)

    def grant(tx: Any) -> None:
        found = tx.service_principals.get(WEB_PRINCIPAL)
        tx.service_principals.save(replace(found, permissions=("user_impersonation",)))

    assert lets_in(browser.tokens(scope=scope)["access_token"])
    assert not lets_in(theirs())
    signin_world.write(A, grant)
    assert lets_in(theirs())


def test_what_was_granted_is_given(signin_world: World) -> None:
    signin_world.write(
        A,
        lambda tx: tx.service_principals.save(
            replace(tx.service_principals.get(WEB_PRINCIPAL), permissions=(WRITE,))
        ),
    )
    browser = signin_world.browser()
    code = browser.code(**WEB_REDIRECT, scope=f"openid {GRAPH}")
    token = browser.redeem(code, **WEB_REDIRECT, client_secret=WEB_SECRET).json()["access_token"]
    assert set(claims_of(token)["scp"].split()) == {"openid", "User.Read", WRITE}
    assert caller_of(signin_world, token).scopes == {"openid", "User.Read", WRITE}
    # Taken back, it is gone from the tokens that are out.
    signin_world.write(
        A,
        lambda tx: tx.service_principals.save(
            replace(tx.service_principals.get(WEB_PRINCIPAL), permissions=())
        ),
    )
    assert caller_of(signin_world, token).scopes == {"openid", "User.Read"}


def test_an_application_without_a_service_principal(signin_world: World) -> None:
    token = access_token(signin_world.signin, A, ADA, client_id=DESKTOP)
    assert caller_of(signin_world, token).scopes <= {"openid", "profile", "email", "User.Read"}
