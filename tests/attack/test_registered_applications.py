"""Whoever may register applications must not become everybody who follows a link: a registered application does nothing
for a person that was not allowed, by himself where it is only his to allow, else by an administrator."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from openpim.core.ask import Ask
from openpim.core.caller import Caller, CallerKind, system
from openpim.core.directory import Application, ServicePrincipal
from openpim.core.grants import Action, Kind, Provider
from openpim.core.refusals import Code
from openpim.core.roles import APPLICATION_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR
from openpim.core.signin.consent import ARM_RESOURCE
from openpim.services.directory.applications import NewApplication, create_application, update_application
from openpim.services.directory.service_principals import update_service_principal
from openpim.services.signin.bearer import ARM, authenticate
from openpim.services.submit import submit
from tests.signin_helper import access_token
from tests.signin_world import (
    ADA,
    BOB,
    DESKTOP,
    GRAPH,
    START,
    WEB,
    WEB_PRINCIPAL,
    WEB_SECRET,
    A,
    B,
    World,
    claims_of,
)
from tests.world import ok, refused

WRITE = "RoleManagement.ReadWrite.Directory"
WEB_REDIRECT = {"client_id": WEB, "redirect_uri": "https://app.example/cb"}
PAYROLL = "cccccccc-0000-4000-8000-000000000009"
PAYROLL_FACE = "cccccccc-0000-4000-8000-0000000000f9"


def caller_of(world: World, token: str) -> Caller:
    found = authenticate(world.deps, world.signin.tokens, f"Bearer {token}")
    assert isinstance(found, Caller), found
    return found


@pytest.mark.parametrize(
    "scope",
    [
        f"https://graph.microsoft.com/{WRITE}",
        f"openid User.Read {WRITE} Directory.AccessAsUser.All",
        "https://management.azure.com/.default",
        "https://management.azure.com/user_impersonation",
        "api://https://localhost:8443/user_impersonation",
        "spn:https://localhost:8443/Directory.AccessAsUser.All",
        "api://unknown/.default",
        "https://elsewhere.example/read",
    ],
)
def test_a_link_to_a_registered_application(signin_world: World, scope: str) -> None:
    """The person has a session: one click, and the application had everything he has."""
    browser = signin_world.browser()
    browser.authorize(scope=f"openid {GRAPH}")
    browser.sign_in()
    page = browser.authorize(**WEB_REDIRECT, scope=scope)
    if page.status_code == 200:
        assert "An administrator must allow this" in page.text
        # Nor by sending the form that the page does not have.
        page = browser.submit("consent", choice="yes", everybody="yes")
        assert page.status_code == 200
        assert "An administrator must allow this" in page.text
        browser.submit("consent", choice="no")
        assert browser.result["error"] == "access_denied"
    else:
        assert browser.result["error"] == "invalid_resource"
    browser.authorize(**WEB_REDIRECT, scope=scope, prompt="none")
    assert browser.result["error"] in {"consent_required", "invalid_resource"}


@pytest.mark.parametrize("scope", ["User.Read openid", GRAPH])
def test_a_person_allows_what_is_his_to_allow(signin_world: World, scope: str) -> None:
    client = {"client_id": DESKTOP, "redirect_uri": "http://localhost:5000/cb"}
    browser = signin_world.browser()
    browser.authorize(**client, scope=scope)
    page = browser.sign_in()
    assert (page.status_code, "Allow Desktop?" in page.text) == (200, True)
    assert "everybody" not in page.text
    # What an administrator alone may do is not done because the form says so.
    browser.submit("consent", choice="yes", everybody="yes")
    token = browser.redeem(browser.result["code"], **client).json()["access_token"]
    assert caller_of(signin_world, token).scopes >= {"User.Read"}

    def given(tx: Any) -> list[Any]:
        face = tx.service_principals.by_app_id(DESKTOP)
        return [one.principal_id for one in tx.permission_grants.of_client(face.id)]

    assert set(signin_world.read(A, given)) == {ADA}
    assert "Consent to application" in {one.activity for one in signin_world.events()}
    # Once is enough; the next person is asked again.
    assert browser.authorize(**client, scope=scope).status_code == 303
    other = signin_world.browser()
    other.authorize(**client, scope=scope)
    assert "Allow Desktop?" in other.sign_in("bob@contoso.example").text


def test_a_page_shown_to_one_person_is_not_answered_by_another(signin_world: World) -> None:
    """The same browser, another session meanwhile."""
    client = {"client_id": DESKTOP, "redirect_uri": "http://localhost:5000/cb", "scope": "openid User.Read"}
    browser = signin_world.browser()
    browser.authorize()
    browser.sign_in()
    shown = browser.authorize(**client)
    browser.authorize(prompt="login")
    browser.sign_in("bob@contoso.example")
    browser.page = shown
    page = browser.submit("consent", choice="yes")
    assert page.status_code == 200
    assert "bob@contoso.example" in page.text


def test_an_administrator_allows_it_for_everybody(signin_world: World) -> None:
    ok(
        submit(
            signin_world.deps,
            system(A),
            Ask(
                Kind.ASSIGNMENT,
                Provider.DIRECTORY,
                Action.ADMIN_ASSIGN,
                BOB,
                PRIVILEGED_ROLE_ADMINISTRATOR,
                "/",
            ),
        )
    )
    browser = signin_world.browser()
    browser.authorize(**WEB_REDIRECT, scope=f"openid {WRITE}")
    page = browser.sign_in("bob@contoso.example")
    assert "for everybody" in page.text
    browser.submit("consent", choice="yes", everybody="yes")
    assert "code" in browser.result
    ada = signin_world.browser()
    code = ada.code(**WEB_REDIRECT, scope=f"openid {WRITE}")
    token = ada.redeem(code, **WEB_REDIRECT, client_secret=WEB_SECRET).json()["access_token"]
    assert caller_of(signin_world, token).scopes == {"openid", WRITE}


def test_the_resource_manager_asks_for_its_one_permission(signin_world: World) -> None:
    """It looks at the person's roles alone for the rest, so a token without it must not get that far."""
    scope = "https://management.azure.com/user_impersonation"

    def lets_in(token: str) -> bool:
        found = authenticate(signin_world.deps, signin_world.signin.tokens, f"Bearer {token}", accepts=ARM)
        return isinstance(found, Caller)

    def theirs() -> str:
        return access_token(signin_world.signin, A, ADA, client_id=WEB, scope=scope)

    assert lets_in(signin_world.browser().tokens(scope=scope)["access_token"])
    assert not lets_in(theirs())
    # At another API the same name is another permission.
    signin_world.allow("user_impersonation", "User.Read")
    assert not lets_in(theirs())
    signin_world.allow("user_impersonation", resource=ARM_RESOURCE)
    assert lets_in(theirs())


def test_application_permissions_are_not_for_acting_as_people(signin_world: World) -> None:
    """What it may do as itself (and is watched for) says nothing about whom it may act for."""
    as_itself = signin_world.browser().token(
        client_id=WEB, grant_type="client_credentials", client_secret=WEB_SECRET, scope=GRAPH
    )
    assert claims_of(as_itself.json()["access_token"])["roles"] == ["RoleManagement.Read.Directory"]
    for_ada = access_token(signin_world.signin, A, ADA, client_id=WEB)
    assert "RoleManagement.Read.Directory" not in caller_of(signin_world, for_ada).scopes


def test_what_was_allowed_is_given_and_taken_back(signin_world: World) -> None:
    signin_world.allow(WRITE, "User.Read", "openid", "offline_access")
    browser = signin_world.browser()
    scope = f"openid offline_access {WRITE}"
    code = browser.code(**WEB_REDIRECT, scope=scope)
    tokens = browser.redeem(code, **WEB_REDIRECT, client_secret=WEB_SECRET).json()
    assert set(claims_of(tokens["access_token"])["scp"].split()) == {"openid", WRITE}
    assert caller_of(signin_world, tokens["access_token"]).scopes == {"openid", WRITE}
    # Taken back, it is gone from the tokens that are out, and no new ones come.
    signin_world.allow("openid")
    assert caller_of(signin_world, tokens["access_token"]).scopes == {"openid"}
    again = browser.token(
        client_id=WEB,
        client_secret=WEB_SECRET,
        grant_type="refresh_token",
        refresh_token=tokens["refresh_token"],
    )
    assert (again.status_code, again.json()["suberror"]) == (400, "consent_required")


@pytest.mark.parametrize("name", ["api://payroll", "api://Payroll/", PAYROLL, f"api://{PAYROLL}"])
def test_an_api_of_the_tenant(signin_world: World, name: str) -> None:
    def register(tx: Any, enabled: bool) -> None:
        if enabled:
            made = Application(
                PAYROLL, PAYROLL, "Payroll", START, identifier_uris=("api://payroll",), tenant_id=A
            )
            tx.applications.add(made)
            tx.service_principals.add(ServicePrincipal(PAYROLL_FACE, PAYROLL, "Payroll", True, START))
        else:
            face = tx.service_principals.get(PAYROLL_FACE)
            tx.service_principals.save(replace(face, enabled=False))

    scope = f"{name}/.default"

    def asked(tenant: str = A) -> Any:
        browser = signin_world.browser()
        browser.authorize(tenant, scope=scope)
        browser.sign_in("carl@fabrikam.example" if tenant == B else "ada@contoso.example")
        return browser

    assert asked().result["error"] == "invalid_resource"
    signin_world.write(A, lambda tx: register(tx, True))
    browser = asked()
    token = browser.redeem(browser.result["code"]).json()["access_token"]
    assert claims_of(token)["aud"] == PAYROLL
    # In another tenant nobody goes by that name; and one that is switched off is not there.
    assert asked(B).result["error"] == "invalid_resource"
    signin_world.write(A, lambda tx: register(tx, False))
    assert asked().result["error"] == "invalid_resource"
    itself = signin_world.browser().token(
        client_id=WEB, grant_type="client_credentials", client_secret=WEB_SECRET, scope=scope
    )
    assert itself.json()["error"] == "invalid_resource"


def test_nobody_takes_the_name_of_another_api(signin_world: World) -> None:
    def named(*uris: str) -> Any:
        return create_application(signin_world.deps, system(A), NewApplication("API", identifier_uris=uris))

    ok(named("api://payroll"))
    for uri in ("api://payroll", "API://Payroll/", f"api://{WEB}", WEB.upper()):
        refused(named("api://mine", uri), Code.CONFLICT)


def test_where_an_allowed_application_answers_is_not_for_everybody_to_say(signin_world: World) -> None:
    """An Application Administrator would get the administrators' tokens sent to himself."""
    role = Ask(Kind.ASSIGNMENT, Provider.DIRECTORY, Action.ADMIN_ASSIGN, ADA, APPLICATION_ADMINISTRATOR, "/")
    ok(submit(signin_world.deps, system(A), role))
    ada = Caller(A, ADA, CallerKind.USER)
    web = "dddddddd-0000-4000-8000-000000000001"

    def moved(to: str) -> Any:
        changes = {"redirect_uris": (f"https://{to}.example/cb",)}
        return update_application(signin_world.deps, ada, web, changes)

    ok(without_permissions(signin_world))
    ok(moved("a"))
    signin_world.allow(WRITE)
    refused(moved("b"), Code.FORBIDDEN)


def without_permissions(world: World) -> Any:
    return update_service_principal(world.deps, system(A), WEB_PRINCIPAL, {"permissions": ()})


def test_asked_again_because_the_client_wants_it(signin_world: World) -> None:
    browser = signin_world.browser()
    browser.authorize(**WEB_REDIRECT, scope="openid", prompt="consent")
    page = browser.sign_in()
    assert "Allow Intranet?" in page.text
    assert "code" in {**browser.submit("consent", choice="yes").headers, **browser.result}
    # Our own clients are not asked about.
    assert browser.authorize(scope="openid", prompt="consent").status_code == 303


def test_on_a_device(signin_world: World) -> None:
    browser = signin_world.browser()
    started = browser.post(f"/{A}/oauth2/v2.0/devicecode", client_id=DESKTOP, scope="openid User.Read").json()
    browser.get("/devicelogin")
    browser.submit("user_code", user_code=started["user_code"])
    page = browser.sign_in()
    assert "Allow Desktop?" in page.text
    form = {"grant_type": "device_code", "device_code": started["device_code"], "client_id": DESKTOP}
    assert browser.token(**form).json()["error"] == "authorization_pending"
    browser.submit("consent", choice="yes")
    browser.submit("confirm_device", choice="yes")
    signin_world.move(minutes=1)
    assert browser.token(**form).status_code == 200
