"""MSAL for Python, the library under the Azure CLI and azure-identity: public and confidential clients."""

from __future__ import annotations

import base64
import json
import threading

import httpx
import msal
import pytest

from tests.live.server import REPOSITORY

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
GRAPH = ["https://graph.microsoft.com/.default"]
STEP_UP = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
MFA = '{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}'

assert REPOSITORY.is_dir()


def public(server, segment="common", **more):
    """`instance_discovery=False` is what a real user sets as well: MSAL asks Microsoft's servers about hosts that it
    does not know. The alias `adfs` and `oidc_authority` need no option."""
    options = {"authority": f"{server.origin}/{segment}", "instance_discovery": False, **more}
    return msal.PublicClientApplication(AZURE_CLI, **options)


def confidential(server, credential, **more):
    options = {"authority": f"{server.origin}/{server.tenant_id}", "instance_discovery": False, **more}
    return msal.ConfidentialClientApplication(
        server.facts["application"]["app_id"], client_credential=credential, **options
    )


def claims_of(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def me(server, result):
    assert "access_token" in result, result
    answer = httpx.get(
        f"{server.origin}/v1.0/me",
        headers={"Authorization": f"Bearer {result['access_token']}"},
        verify=server.trust(),
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["userPrincipalName"]


def test_interactive_sign_in_with_the_clients_own_listener(server, browsers, robots):
    browsers.robot = robots("mira")
    app = public(server)
    result = app.acquire_token_interactive(GRAPH, timeout=30)
    assert me(server, result) == server.people["mira"].username
    assert result["id_token_claims"]["tid"] == server.tenant_id
    assert result["id_token_claims"]["oid"] == server.people["mira"].id
    assert "code_challenge_method=S256" in browsers.opened[0]
    assert "response_mode=form_post" in browsers.opened[0]


def test_the_cache_hits_and_the_refresh_token_works(server, browsers, robots):
    browsers.robot = robots("jonas")
    app = public(server)
    first = app.acquire_token_interactive(GRAPH, timeout=30)
    (account,) = app.get_accounts()
    assert account["username"] == server.people["jonas"].username
    assert account["home_account_id"] == f"{server.people['jonas'].id}.{server.tenant_id}"
    again = app.acquire_token_silent_with_error(GRAPH, account)
    assert again["token_source"] == "cache"
    assert again["access_token"] == first["access_token"]
    fresh = app.acquire_token_silent_with_error(GRAPH, account, force_refresh=True)
    assert fresh["token_source"] == "identity_provider"
    assert fresh["access_token"] != first["access_token"]
    other = app.acquire_token_silent_with_error(["https://management.azure.com/.default"], account)
    assert claims_of(other["access_token"])["aud"] != claims_of(fresh["access_token"])["aud"]
    assert me(server, fresh) == server.people["jonas"].username


@pytest.mark.parametrize(
    "scope", ["User.Read", "{origin}/.default", "{origin}//.default", "https://localhost/.default"]
)
def test_every_way_to_name_graph_is_cached(server, browsers, robots, scope):
    scopes = [scope.format(origin=server.origin)]
    browsers.robot = robots("jonas")
    app = public(server, server.tenant_id)
    result = app.acquire_token_interactive(scopes, timeout=30)
    assert me(server, result)
    (account,) = app.get_accounts()
    assert app.acquire_token_silent(scopes, account)["token_source"] == "cache"


@pytest.mark.parametrize("segment", ["common", "organizations", "{id}", "{domain}"])
def test_authorities(server, browsers, robots, segment):
    name = segment.format(id=server.tenant_id, domain=server.domain)
    browsers.robot = robots("elif")
    result = public(server, name).acquire_token_interactive(GRAPH, timeout=30)
    assert me(server, result) == server.people["elif"].username


def test_the_alias_adfs_needs_no_option(server, browsers, robots):
    browsers.robot = robots("elif")
    app = msal.PublicClientApplication(AZURE_CLI, authority=f"{server.origin}/adfs")
    result = app.acquire_token_interactive(GRAPH, timeout=30)
    assert me(server, result) == server.people["elif"].username
    (account,) = app.get_accounts()
    assert "access_token" in app.acquire_token_silent(GRAPH, account, force_refresh=True)


def test_a_generic_openid_authority_needs_no_option(server, browsers, robots):
    browsers.robot = robots("elif")
    app = msal.PublicClientApplication(AZURE_CLI, oidc_authority=f"{server.origin}/{server.tenant_id}/v2.0")
    result = app.acquire_token_interactive(GRAPH, timeout=30)
    assert me(server, result) == server.people["elif"].username


def test_login_hint_prompt_and_domain_hint(server, browsers, robots):
    browsers.robot = robots("elif")
    app = public(server)
    result = app.acquire_token_interactive(
        GRAPH, timeout=30, login_hint=server.people["elif"].username, domain_hint="organizations"
    )
    assert me(server, result)
    for prompt in ("select_account", "login", "consent", "none"):
        browsers.robot.steps.clear()
        assert me(server, app.acquire_token_interactive(GRAPH, timeout=30, prompt=prompt))
        assert ("password" in browsers.robot.steps) == (prompt == "login")
        assert ("account" in browsers.robot.steps) == (prompt == "select_account")


def device_flow(app, robot, **more):
    flow = app.initiate_device_flow(GRAPH, **more)
    assert "user_code" in flow, flow
    assert flow["user_code"] in flow["message"]
    visits = threading.Thread(target=robot.device, args=(flow["user_code"],))
    visits.start()
    flow["interval"] = 1
    visits.join()
    return app.acquire_token_by_device_flow(flow, **more)


@pytest.mark.parametrize("segment", ["common", "organizations", "{id}", "adfs"])
def test_device_code(server, robots, segment):
    app = public(server, segment.format(id=server.tenant_id))
    result = device_flow(app, robots("oskar"))
    assert me(server, result) == server.people["oskar"].username
    (account,) = app.get_accounts()
    assert app.acquire_token_silent(GRAPH, account)["token_source"] == "cache"


def test_device_code_refused_by_the_person(server, robots):
    robot = robots("oskar")
    robot.consents = False
    result = device_flow(public(server), robot)
    assert result["error"] == "access_denied"


def test_step_up_by_claims(server, browsers, robots):
    """A token without the context; asked for silently the answer is interaction_required; with the browser it comes."""
    browsers.robot = robots("amina")
    app = public(server, client_capabilities=["CP1"])
    first = app.acquire_token_interactive(GRAPH, timeout=30)
    assert claims_of(first["access_token"])["xms_cc"] == ["CP1"]
    assert "c1" not in claims_of(first["access_token"]).get("acrs", [])
    (account,) = app.get_accounts()
    silent = app.acquire_token_silent_with_error(GRAPH, account, claims_challenge=STEP_UP)
    assert silent["error"] == "interaction_required"
    assert json.loads(silent["claims"])["access_token"]["acrs"]
    strong = app.acquire_token_interactive(GRAPH, timeout=30, claims_challenge=silent["claims"])
    assert "enrol" in browsers.robot.steps
    assert "c1" in claims_of(strong["access_token"])["acrs"]
    assert "mfa" in claims_of(strong["access_token"])["amr"]
    kept = app.acquire_token_silent(GRAPH, account, force_refresh=True)
    assert "c1" in claims_of(kept["access_token"])["acrs"]


def test_mfa_by_claims(server, browsers, robots):
    browsers.robot = robots("marek")
    app = public(server)
    first = app.acquire_token_interactive(GRAPH, timeout=30)
    assert "mfa" not in claims_of(first["access_token"])["amr"]
    strong = app.acquire_token_interactive(GRAPH, timeout=30, claims_challenge=MFA)
    assert "mfa" in claims_of(strong["access_token"])["amr"]


def test_a_guest_in_the_tenant_he_chooses(server, browsers, robots):
    """Signs in with the home account; `common` asks which organisation, the tenant's own address does not."""
    browsers.robot = robots("bea", tenant=server.tenant_id)
    chosen = public(server).acquire_token_interactive(GRAPH, timeout=30)
    assert "tenant" in browsers.robot.steps
    assert chosen["id_token_claims"]["tid"] == server.tenant_id
    named = public(server, server.domain).acquire_token_interactive(GRAPH, timeout=30)
    assert named["id_token_claims"]["tid"] == server.tenant_id
    home = public(server, server.facts["other_domain"]).acquire_token_interactive(GRAPH, timeout=30)
    assert home["id_token_claims"]["tid"] == server.facts["other_tenant_id"]
    assert home["id_token_claims"]["oid"] != named["id_token_claims"]["oid"]


def certificate_of(server):
    pem = (server.folder / "client.pem").read_text("utf-8")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    certificate = x509.load_pem_x509_certificate(pem.encode())
    return {
        "private_key": pem[: pem.index("-----BEGIN CERTIFICATE")],
        "public_certificate": pem[pem.index("-----BEGIN CERTIFICATE") :],
        "thumbprint": certificate.fingerprint(hashes.SHA1()).hex(),
    }


@pytest.mark.parametrize("way", ["secret", "certificate", "thumbprint"])
def test_an_application_as_itself(server, way):
    credential = server.facts["application"]["secret"]
    if way != "secret":
        credential = certificate_of(server)
        credential.pop("public_certificate" if way == "thumbprint" else "thumbprint")
    app = confidential(server, credential)
    result = app.acquire_token_for_client(GRAPH)
    assert "access_token" in result, result
    claims = claims_of(result["access_token"])
    assert claims["appid"] == server.facts["application"]["app_id"]
    assert "RoleManagement.ReadWrite.Directory" in claims["roles"]
    assert app.acquire_token_for_client(GRAPH)["token_source"] == "cache"
    users = httpx.get(
        f"{server.origin}/v1.0/users?$top=1",
        headers={"Authorization": f"Bearer {result['access_token']}"},
        verify=server.trust(),
    )
    assert users.status_code == 200, users.text


def test_an_application_by_adfs_and_domain(server):
    secret = server.facts["application"]["secret"]
    by_domain = confidential(server, secret, authority=f"{server.origin}/{server.domain}")
    assert "access_token" in by_domain.acquire_token_for_client(GRAPH)
    wrong = confidential(server, "not the secret at all, sorry", authority=f"{server.origin}/{server.domain}")
    assert wrong.acquire_token_for_client(GRAPH)["error"] == "invalid_client"


def test_a_web_application_signs_a_person_in(server, robots):
    """The authorization code flow of a confidential client, with PKCE, nonce and state as MSAL makes them."""
    application = server.facts["application"]
    app = confidential(server, application["secret"])
    for mode in ("query", "form_post", "fragment"):
        flow = app.initiate_auth_code_flow(GRAPH, redirect_uri=application["redirect"], response_mode=mode)
        robot = robots("callum")
        answer = robot.answer(flow["auth_uri"])
        assert robot.steps.count("consent") == 1  # once is enough
        result = app.acquire_token_by_auth_code_flow(flow, answer)
        assert me(server, result) == server.people["callum"].username
    account = app.get_accounts()[0]
    assert "access_token" in app.acquire_token_silent(GRAPH, account, force_refresh=True)


def test_a_used_code_is_worth_nothing(server, robots):
    application = server.facts["application"]
    app = confidential(server, application["secret"])
    flow = app.initiate_auth_code_flow(GRAPH, redirect_uri=application["redirect"])
    answer = robots("callum").answer(flow["auth_uri"])
    assert "access_token" in app.acquire_token_by_auth_code_flow(flow, answer)
    assert app.acquire_token_by_auth_code_flow(flow, answer)["error"] == "invalid_grant"


def test_sign_in_with_a_second_factor(server, browsers, robots):
    """Who has one is asked at every sign-in (the default setting)."""
    browsers.robot = robots("dana")
    result = public(server).acquire_token_interactive(GRAPH, timeout=60)
    assert browsers.robot.steps[:2] == ["password", "code"]
    assert "mfa" in claims_of(result["access_token"])["amr"]
