"""The authorization code flow, as a person with a browser and a client with PKCE live it."""

from __future__ import annotations

import json

import pytest

from openpim.core.first_party import PIM
from openpim.services.signin.bearer import authenticate
from tests.signin_world import (
    ADA,
    BOB,
    CHALLENGE,
    GRAPH,
    GUEST,
    LOOPBACK,
    ORIGIN,
    VERIFIER,
    WEB,
    WEB_SECRET,
    A,
    B,
    World,
    claims_of,
)

# Rules that no database decides are tried on one of them.
SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
MFA = json.dumps({"access_token": {"amr": {"essential": True, "values": ["mfa"]}}})
C1 = json.dumps({"access_token": {"acrs": {"essential": True, "value": "c1"}}})
CP1 = json.dumps({"access_token": {"xms_cc": {"values": ["CP1"]}}})


def test_code_flow(world: World) -> None:
    browser = world.browser()
    shown = browser.authorize(nonce="n-1")
    assert shown.status_code == 200
    assert "Sign in" in shown.text
    assert "pim" in shown.text
    browser.sign_in()
    assert browser.page.headers["location"].startswith(LOOPBACK + "?code=")
    assert browser.result["state"] == "st&te=1"
    assert browser.result["iss"] == f"{ORIGIN}/{A}/v2.0"
    answer = browser.redeem(browser.result["code"])
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["scope"] == f"openid profile offline_access {GRAPH}"
    assert body["expires_in"] == 3600
    access, identity = claims_of(body["access_token"]), claims_of(body["id_token"])
    assert access["aud"] == ORIGIN
    assert access["iss"] == identity["iss"] == f"{ORIGIN}/{A}/v2.0"
    assert (access["oid"], access["tid"], access["appid"], access["azp"]) == (ADA, A, PIM, PIM)
    assert access["upn"] == access["unique_name"] == "ada@contoso.example"
    assert access["amr"] == ["pwd"]
    assert access["idtyp"] == "user"
    assert access["exp"] - access["iat"] == 3600
    assert "RoleManagement.ReadWrite.Directory" in access["scp"].split()
    assert identity["aud"] == PIM
    assert identity["nonce"] == "n-1"
    assert identity["sub"] == access["sub"]
    assert identity["preferred_username"] == "ada@contoso.example"
    assert identity["sid"] == access["sid"]
    caller = authenticate(world.deps, world.signin.tokens, "Bearer " + body["access_token"])
    assert caller.principal_id == ADA


def test_single_sign_on(world: World) -> None:
    browser = world.browser()
    browser.code()
    browser.authorize()
    assert "code" in browser.result
    browser.authorize(prompt="none")
    assert "code" in browser.result


def test_prompt_none_without_a_session(world: World) -> None:
    browser = world.browser()
    browser.authorize(prompt="none")
    assert browser.result["error"] == "login_required"
    assert browser.result["state"] == "st&te=1"


def test_prompt_login_asks_again(world: World) -> None:
    browser = world.browser()
    browser.code()
    browser.authorize(prompt="login")
    assert browser.page.status_code == 200
    browser.sign_in()
    assert "code" in browser.result


def test_max_age(world: World) -> None:
    browser = world.browser()
    browser.code()
    browser.authorize(max_age="600")
    assert "code" in browser.result
    world.move(minutes=11)
    browser.authorize(max_age="600")
    assert browser.page.status_code == 200
    browser.authorize(max_age="600", prompt="none")
    assert browser.result["error"] == "login_required"


def test_select_account(world: World) -> None:
    browser = world.browser()
    browser.code()
    browser.authorize(prompt="select_account")
    assert "Continue as ada@contoso.example" in browser.page.text
    browser.submit("account", choice="other")
    browser.sign_in("bob@contoso.example")
    body = browser.redeem(browser.result["code"]).json()
    assert claims_of(body["access_token"])["oid"] == BOB
    browser.authorize(prompt="select_account")
    browser.submit("account", choice="this")
    assert "code" in browser.result


def test_a_hint_for_somebody_else_asks_for_him(world: World) -> None:
    browser = world.browser()
    browser.code()
    browser.authorize(login_hint="bob@contoso.example")
    assert browser.page.status_code == 200
    assert 'value="bob@contoso.example"' in browser.page.text
    browser.authorize(login_hint="ada@contoso.example")
    assert "code" in browser.result


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_response_modes(world: World, mode: str) -> None:
    browser = world.browser()
    browser.authorize(response_mode=mode)
    browser.sign_in()
    if mode == "form_post":
        assert browser.page.status_code == 200
        assert f'action="{LOOPBACK}"' in browser.page.text
        assert "form-action 'self' http://localhost:51234" in browser.page.headers["content-security-policy"]
        code = browser.fields()["code"]
    else:
        mark = "#" if mode == "fragment" else "?"
        assert browser.page.headers["location"].startswith(f"{LOOPBACK}{mark}code=")
        code = browser.result["code"]
    assert browser.redeem(code).status_code == 200


def test_posted_authorize_request_goes_round_by_get(world: World) -> None:
    browser = world.browser()
    from tests.signin_world import authorize_params

    page = browser.client.post(f"/{A}/oauth2/v2.0/authorize", data=authorize_params())
    assert page.status_code == 303
    assert page.headers["location"].startswith(f"/{A}/oauth2/v2.0/authorize?")


def test_client_info_and_capabilities(world: World) -> None:
    body = world.browser().tokens(claims=CP1)
    assert claims_of("x." + body["client_info"]) == {"uid": ADA, "utid": A}
    assert claims_of(body["access_token"])["xms_cc"] == ["CP1"]
    caller = authenticate(world.deps, world.signin.tokens, "Bearer " + body["access_token"])
    assert caller.capabilities == {"cp1"}


def test_step_up_asks_only_for_the_second_factor(world: World) -> None:
    browser = world.browser()
    browser.code(name="bob@contoso.example")
    before = browser.client.cookies["__Host-openpim-session"]
    browser.authorize(claims=C1, prompt="none")
    assert browser.result["error"] == "interaction_required"
    assert json.loads(browser.result["claims"])["access_token"]["acrs"]["value"] == "c1"
    browser.authorize(claims=C1)
    assert "authenticator" in browser.page.text
    browser.submit("code", code=world.code_of(BOB))
    access = claims_of(browser.redeem(browser.result["code"]).json()["access_token"])
    assert access["amr"] == ["pwd", "otp", "mfa"]
    assert access["acrs"] == ["c1"]
    assert browser.client.cookies["__Host-openpim-session"] != before, "the cookie changes with the privilege"
    browser.authorize(claims=MFA)
    assert "code" in browser.result, "the session has it now"


def test_a_context_that_needs_no_second_factor(world: World) -> None:
    from openpim.core.signin.values import AuthenticationContext

    row = AuthenticationContext("c1", "Signed in", requires_mfa=False)
    world.write(A, lambda tx: tx.authentication_contexts.put(row))
    body = world.browser().tokens(claims=C1)
    assert claims_of(body["access_token"])["acrs"] == ["c1"]


def test_enrolment_when_first_demanded(world: World) -> None:
    import pyotp

    browser = world.browser()
    browser.authorize(claims=MFA)
    browser.sign_in()
    assert "Set up a second factor" in browser.page.text
    import re

    seed = "".join(re.search(r'class="seed"><code>([^<]+)<', browser.page.text)[1].split())
    browser.submit("enrol", code="000000")
    assert browser.page.status_code == 400
    assert seed[:4] in browser.page.text, "the same seed is still there"
    browser.submit("enrol", code=pyotp.TOTP(seed).at(world.now[0]))
    codes = re.findall(r"<li><code>([^<]+)</code>", browser.page.text)
    assert len(set(codes)) == 10
    browser.submit("recovery_codes")
    assert "mfa" in claims_of(browser.redeem(browser.result["code"]).json()["access_token"])["amr"]
    other = world.browser()
    other.authorize(claims=MFA)
    other.sign_in()
    other.submit("code", code=codes[3].upper())
    assert "code" in other.result
    third = world.browser()
    third.authorize(claims=MFA)
    third.sign_in()
    third.submit("code", code=codes[3])
    assert third.page.status_code == 400, "a recovery code works once"


def test_guest_signs_in_with_the_home_account(world: World) -> None:
    browser = world.browser()
    body = browser.tokens(B)
    access = claims_of(body["access_token"])
    assert (access["oid"], access["tid"], access["iss"]) == (GUEST, B, f"{ORIGIN}/{B}/v2.0")
    assert claims_of("x." + body["client_info"]) == {"uid": ADA, "utid": A}
    world.change_user(A, ADA, enabled=False)
    caller = authenticate(world.deps, world.signin.tokens, "Bearer " + body["access_token"])
    assert caller.code == "sign_in", "the home account decides"


def test_somebody_without_access_to_the_tenant(world: World) -> None:
    browser = world.browser()
    browser.authorize(B)
    browser.sign_in("bob@contoso.example")
    assert "no access to Fabrikam" in browser.page.text
    browser.sign_in("ada@contoso.example")
    assert "code" in browser.result


def test_common_lets_the_person_choose_the_tenant(world: World) -> None:
    browser = world.browser()
    browser.authorize("common")
    browser.sign_in()
    assert "Contoso" in browser.page.text
    assert "Fabrikam" in browser.page.text
    browser.submit("tenant", tenant=B)
    body = browser.redeem(browser.result["code"], "common").json()
    assert claims_of(body["access_token"])["tid"] == B
    assert claims_of(body["id_token"])["iss"] == f"{ORIGIN}/common/v2.0"
    alone = world.browser()
    alone.authorize("common")
    alone.sign_in("bob@contoso.example")
    assert "code" in alone.result, "with one tenant there is nothing to choose"
    quiet = world.browser()
    quiet.authorize("organizations")
    quiet.sign_in()
    body = quiet.redeem(quiet.result["code"], "organizations").json()
    assert claims_of(body["access_token"])["tid"] == A


def test_choosing_a_tenant_that_is_not_on_the_list(world: World) -> None:
    browser = world.browser()
    browser.authorize("common")
    browser.sign_in()
    browser.submit("tenant", tenant="dddddddd-0000-4000-8000-000000000009")
    assert "Choose an organisation" in browser.page.text


def test_confidential_client_without_pkce(world: World) -> None:
    browser = world.browser()
    web = {"client_id": WEB, "redirect_uri": "https://app.example/cb"}
    browser.authorize(**web, code_challenge=None, code_challenge_method=None)
    browser.sign_in()
    code = browser.result["code"]
    assert browser.redeem(code, **web, client_secret="x" * 32).json()["error"] == "invalid_client"
    fields = {"grant_type": "authorization_code", "code": code, **web, "client_secret": WEB_SECRET}
    assert browser.token(**fields, code_verifier=VERIFIER).json()["error"] == "invalid_grant", (
        "PKCE downgrade"
    )
    assert browser.token(**fields).status_code == 200


# ------------------------------------------------------------------------------------------ attacks


def test_a_code_works_once_and_its_reuse_kills_the_tokens(world: World) -> None:
    browser = world.browser()
    code = browser.code()
    body = browser.redeem(code).json()
    again = browser.redeem(code)
    assert again.json()["error"] == "invalid_grant"
    caller = authenticate(world.deps, world.signin.tokens, "Bearer " + body["access_token"])
    assert caller.code == "sign_in"
    refreshed = browser.token(grant_type="refresh_token", refresh_token=body["refresh_token"])
    assert refreshed.json()["error"] == "invalid_grant"
    assert any("used twice" in event.reason for event in world.events())


@SQLITE
@pytest.mark.parametrize(
    "change",
    [
        {"code_verifier": "w" * 50},
        {"code_verifier": ""},
        {"code_verifier": CHALLENGE},
        {"redirect_uri": "http://localhost:1/"},
        {"client_id": WEB, "client_secret": WEB_SECRET},
        {"code": "opimac_guess"},
    ],
)
def test_a_stolen_code_is_worth_nothing(world: World, change: dict[str, str]) -> None:
    browser = world.browser()
    code = browser.code()
    answer = browser.redeem(**{"code": code, **change})
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"
    assert browser.redeem(code).status_code == 200


def test_a_code_expires_and_stays_in_its_tenant(world: World) -> None:
    browser = world.browser()
    code = browser.code()
    assert browser.redeem(code, B).json()["error"] == "invalid_grant"
    world.move(minutes=6)
    assert browser.redeem(code).json()["error"] == "invalid_grant"


@SQLITE
@pytest.mark.parametrize(
    "params",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": "short"},
        {"code_challenge": "=" * 43},
    ],
)
def test_public_clients_need_pkce(world: World, params: dict[str, str | None]) -> None:
    browser = world.browser()
    browser.authorize(**params)
    assert browser.result["error"] == "invalid_request"


@SQLITE
@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        "http://localhost.evil.example/",
        "http://localhost@evil.example/",
        "http://evil.example\\@localhost/",
        "http://127.0.0.1.evil.example/",
        "http://localhost:51234/#fragment",
        "http://localhost:99999/",
        "http://[::1/",
        "//localhost/",
        "javascript:alert(1)",
        "http://localhost:51234/\r\nSet-Cookie:x=1",
        "",
    ],
)
def test_redirect_tricks_get_a_page_not_a_redirect(world: World, uri: str) -> None:
    browser = world.browser()
    browser.authorize(redirect_uri=uri)
    assert browser.page.status_code == 400
    assert "location" not in browser.page.headers


@SQLITE
@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/cb/",
        "https://app.example/cb?x=1",
        "https://app.example/CB",
        "https://app.example/cb/../out",
        "https://app.example:8443/cb",
        "http://app.example/cb",
        "https://sub.app.example/cb",
        "https://user@app.example/cb",
        "http://localhost/cb",
    ],
)
def test_registered_redirects_match_exactly(world: World, uri: str) -> None:
    browser = world.browser()
    browser.authorize(client_id=WEB, redirect_uri=uri)
    assert browser.page.status_code == 400
    assert "location" not in browser.page.headers


@SQLITE
@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("http://localhost:4000/cb", True),
        ("http://localhost/cb", True),
        ("myapp://auth", True),
        ("http://127.0.0.1:4000/cb", False),
        ("http://localhost:4000/other", False),
        ("myapp://other", False),
    ],
)
def test_registered_loopback_frees_only_the_port(world: World, uri: str, good: bool) -> None:
    from tests.signin_world import DESKTOP

    browser = world.browser()
    browser.authorize(client_id=DESKTOP, redirect_uri=uri)
    assert browser.page.status_code == (200 if good else 400)


@SQLITE
@pytest.mark.parametrize("uri", ["http://localhost:9", "http://127.0.0.1:1/x", "http://[::1]:7/"])
def test_first_party_clients_take_any_loopback(world: World, uri: str) -> None:
    browser = world.browser()
    browser.authorize(redirect_uri=uri)
    assert browser.page.status_code == 200


@SQLITE
@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"request_uri": "https://x"}, "request_uri_not_supported"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "dance"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "²"}, "invalid_request"),
        ({"claims": "[1]"}, "invalid_request"),
        ({"claims": "x" * 9000}, "invalid_request"),
        ({"response_mode": "web_message"}, "invalid_request"),
        (
            {"scope": "https://graph.microsoft.com/.default https://management.azure.com/.default"},
            "invalid_scope",
        ),
        ({"nonce": "n" * 2000}, "invalid_request"),
    ],
)
def test_bad_requests_are_told_to_the_client(world: World, params: dict[str, str | None], error: str) -> None:
    browser = world.browser()
    browser.authorize(**params)
    assert browser.result["error"] == error


def test_unknown_tenant_and_client(world: World) -> None:
    browser = world.browser()
    assert browser.authorize("nowhere.example").status_code == 404
    assert browser.authorize(client_id="00000000-0000-0000-0000-000000000000").status_code == 400
    assert browser.authorize(client_id=None).status_code == 400


def test_the_page_says_it_is_not_for_frames(world: World) -> None:
    headers = world.browser().authorize().headers
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "script-src https://localhost:8443/signin/passkey.mjs;" in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    cookie = headers["set-cookie"]
    assert cookie.startswith("__Host-openpim-browser=")
    assert "HttpOnly" in cookie
    assert "Secure" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_hostile_text_is_escaped(world: World) -> None:
    browser = world.browser()
    browser.authorize(login_hint='"><script>alert(1)</script>', state='"><script>')
    assert "<script>" not in browser.page.text
    browser.authorize(response_mode="form_post", state='"><script>alert(2)</script>')
    browser.sign_in()
    assert "<script>alert" not in browser.page.text
