"""Discovery, keys, userinfo, introspection, revocation, logout and the one-time set-up page."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from openpim.core.directory import Group, Principal, PrincipalKind
from openpim.core.first_party import PIM
from openpim.services.credentials import make_setup_link
from openpim.services.signin.bearer import authenticate
from openpim.services.signin.bootstrap import first_start_link
from tests.signin_world import ADA, GRAPH, LOOPBACK, ORIGIN, START, WEB, WEB_SECRET, A, B, World, claims_of


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("path", "issuer"),
    [
        (f"/{A}/v2.0", f"{ORIGIN}/{A}/v2.0"),
        (f"/{A.upper()}/V2.0", f"{ORIGIN}/{A}/v2.0"),
        ("/contoso.example/v2.0", f"{ORIGIN}/{A}/v2.0"),
        ("/common/v2.0", f"{ORIGIN}/common/v2.0"),
        ("/organizations/v2.0", f"{ORIGIN}/organizations/v2.0"),
        ("/adfs", f"{ORIGIN}/adfs"),
        (f"//{A}//v2.0/", f"{ORIGIN}/{A}/v2.0"),
    ],
)
def test_discovery(world: World, path: str, issuer: str) -> None:
    client = world.browser().client
    answer = client.get(f"{ORIGIN}{path}/.well-known/openid-configuration")
    document = answer.json()
    assert document["issuer"] == issuer
    assert answer.headers["access-control-allow-origin"] == "*"
    for member in (
        "authorization_endpoint",
        "token_endpoint",
        "device_authorization_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "end_session_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
    ):
        assert document[member].startswith(ORIGIN + "/"), member
        answer = client.get(document[member])
        assert answer.status_code in {200, 400, 401, 405}, member
    assert document["device_authorization_endpoint"] == document["token_endpoint"].replace(
        "/token", "/devicecode"
    )
    assert client.get(document["jwks_uri"]).json()["keys"][0]["kty"] == "RSA"


def test_discovery_of_nobody(world: World) -> None:
    assert world.browser().get("/nobody.example/v2.0/.well-known/openid-configuration").status_code == 400


def test_discovery_says_where_the_resource_manager_is(world: World) -> None:
    """By the name that the client used, if that is one of ours; `pim` looks here."""
    client = world.browser().client
    path = f"/{A}/v2.0/.well-known/openid-configuration"
    named = "openpim_resource_manager"
    assert client.get(path).json()[named] == world.deps.settings.arm_origin
    for host, told in (
        ("127.0.0.1:8443", "https://127.0.0.1:8444"),
        ("evil.example:8443", "https://localhost:8444"),
        ("127.0.0.1:1", "https://localhost:8444"),
    ):
        assert client.get(path, headers={"Host": host}).json()[named] == told


def test_the_host_header_counts_only_if_allowed(world: World) -> None:
    client = world.browser().client
    path = f"/{A}/v2.0/.well-known/openid-configuration"
    assert (
        client.get(path, headers={"Host": "127.0.0.1:8443"}).json()["issuer"]
        == f"https://127.0.0.1:8443/{A}/v2.0"
    )
    for host in ("evil.example", "localhost:1", "localhost.evil.example:8443", ""):
        assert client.get(path, headers={"Host": host}).json()["issuer"] == f"{ORIGIN}/{A}/v2.0"


def test_instance_discovery(world: World) -> None:
    browser = world.browser()
    asked = f"{ORIGIN}/{A}/oauth2/v2.0/authorize"
    body = browser.get("/common/discovery/instance", authorization_endpoint=asked).json()
    assert body["tenant_discovery_endpoint"] == f"{ORIGIN}/{A}/v2.0/.well-known/openid-configuration"
    assert body["metadata"][0]["aliases"] == ["localhost:8443"]
    wrong = browser.get("/common/discovery/instance", authorization_endpoint="https://login.evil.example/x")
    assert wrong.json()["error"] == "invalid_instance"
    assert browser.get("/common/discovery/instance").status_code == 400
    assert browser.get("/common/discovery/instance", authorization_endpoint="https://[x").status_code == 400


def test_preflight_of_browser_applications(world: World) -> None:
    client = world.browser().client
    answer = client.options(
        f"/{A}/oauth2/v2.0/token", headers={"Access-Control-Request-Headers": "x-client-sku"}
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-headers"] == "x-client-sku"
    assert "access-control-allow-credentials" not in answer.headers


# ------------------------------------------------------------------------------------------ keys


def test_keys_rotate_without_a_gap(world: World) -> None:
    browser = world.browser()
    client = browser.client

    def kids() -> list[str]:
        return [key["kid"] for key in client.get(f"/{A}/discovery/v2.0/keys").json()["keys"]]

    def signing() -> str:
        return str(world.signin.tokens.keys.current().kid)

    first = kids()
    assert len(first) == 1
    assert "d" not in client.get(f"/{A}/discovery/v2.0/keys").json()["keys"][0]
    old = browser.tokens()
    world.move(days=89)
    assert len(kids()) == 2, "the next key is published a day before it signs"
    assert signing() == first[0]
    world.move(hours=24)
    assert signing() != first[0]
    assert first[0] in kids(), "the old one stays while its tokens live"
    world.move(hours=25)
    assert first[0] not in kids()
    answer = authenticate(world.deps, world.signin.tokens, "Bearer " + old["access_token"])
    assert answer.code == "sign_in"


def test_several_servers_make_one_key(world: World) -> None:
    from openpim.services.signin.context import make_sign_in

    body = world.browser().tokens()
    other = make_sign_in(world.deps)
    assert authenticate(world.deps, other.tokens, "Bearer " + body["access_token"]).principal_id == ADA
    assert len(other.tokens.jwks()["keys"]) == 1


def test_a_lost_key_file_is_named(world: World) -> None:
    from dataclasses import replace

    from openpim.services.sealing import Sealer
    from openpim.services.signin.context import make_sign_in

    world.signin.tokens.jwks()
    with pytest.raises(RuntimeError, match="key file"):
        make_sign_in(replace(world.deps, sealer=Sealer(b"x" * 32, world.deps.secret))).tokens.jwks()


def test_private_keys_are_not_in_the_database_in_clear(world: World) -> None:
    world.signin.tokens.jwks()
    key = world.read("", lambda tx: tx.signing_keys.all())[0]
    assert '"d"' not in key.jwk
    assert '"' not in key.sealed


# ------------------------------------------------------------------------------------------ userinfo


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": "Bearer " + token}


def test_userinfo_is_live(world: World) -> None:
    browser = world.browser()
    token = browser.tokens()["access_token"]
    body = browser.client.get("/oidc/userinfo", headers=bearer(token)).json()
    assert body["sub"] == claims_of(token)["sub"]
    assert (body["groups"], body["group_names"], body["roles"], body["wids"]) == ([], [], [], [])
    group = Group("eeeeeeee-0000-4000-8000-000000000001", "Admins", START)
    member = Principal(ADA, PrincipalKind.USER, "Ada", True, START)

    def join(tx: Any) -> None:
        tx.groups.add(group)
        tx.groups.add_member(group.id, member)

    world.write(A, join)
    body = browser.client.post("/oidc/userinfo", headers=bearer(token)).json()
    assert (body["groups"], body["group_names"]) == ([group.id], ["Admins"])
    world.write(A, lambda tx: tx.groups.remove_member(group.id, ADA))
    assert browser.client.get("/oidc/userinfo", headers=bearer(token)).json()["groups"] == []


def test_userinfo_refuses(world: World) -> None:
    browser = world.browser()
    client = browser.client
    assert client.get("/oidc/userinfo").status_code == 401
    bad = client.get("/oidc/userinfo", headers=bearer("x.y.z"))
    assert bad.status_code == 401
    assert 'error="invalid_token"' in bad.headers["www-authenticate"]
    body = browser.tokens()
    assert client.get("/oidc/userinfo", headers=bearer(body["id_token"])).status_code == 401
    bare = browser.tokens(scope="User.Read")["access_token"]
    assert client.get("/oidc/userinfo", headers=bearer(bare)).status_code == 403


# ------------------------------------------------------------------------------------------ introspection, revocation


def web_tokens(world: World) -> dict[str, Any]:
    browser = world.browser()
    web = {"client_id": WEB, "redirect_uri": "https://app.example/cb"}
    browser.authorize(**web)
    browser.sign_in()
    return dict(browser.redeem(browser.result["code"], **web, client_secret=WEB_SECRET).json())


def inspect(world: World, token: str, **fields: str) -> Any:
    return world.browser().post(f"/{A}/oauth2/v2.0/introspect", token=token, **fields)


def test_introspection(world: World) -> None:
    body = web_tokens(world)
    proof = {"client_id": WEB, "client_secret": WEB_SECRET}
    found = inspect(world, body["access_token"], **proof).json()
    assert found["active"] is True
    assert (found["client_id"], found["username"], found["tid"]) == (WEB, "ada@contoso.example", A)
    assert inspect(world, body["refresh_token"], **proof).json()["active"] is True
    assert inspect(world, "x", **proof).json() == {"active": False}
    assert inspect(world, body["access_token"]).status_code == 401
    assert inspect(world, body["access_token"], client_id=PIM).status_code == 401
    others = world.browser().tokens()
    assert inspect(world, others["access_token"], **proof).json() == {"active": False}, "not this client's"
    world.change_user(A, ADA, enabled=False)
    assert inspect(world, body["access_token"], **proof).json() == {"active": False}
    assert inspect(world, body["refresh_token"], **proof).json() == {"active": False}


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_revocation(world: World, which: str) -> None:
    browser = world.browser()
    body = browser.tokens()
    path = f"/{A}/oauth2/v2.0/revoke"
    assert browser.post(path, client_id=WEB, client_secret=WEB_SECRET, token=body[which]).status_code == 200
    assert authenticate(world.deps, world.signin.tokens, "Bearer " + body["access_token"]).principal_id == ADA
    assert browser.post(path, client_id=PIM, token=body[which]).status_code == 200
    assert authenticate(world.deps, world.signin.tokens, "Bearer " + body["access_token"]).code == "sign_in"
    again = browser.token(grant_type="refresh_token", refresh_token=body["refresh_token"])
    assert again.json()["error"] == "invalid_grant"
    assert browser.post(path, client_id=PIM, token="unknown").status_code == 200
    assert browser.post(path, client_id=PIM).status_code == 400


def test_revoking_a_token_of_an_application(world: World) -> None:
    browser = world.browser()
    proof = {"client_id": WEB, "client_secret": WEB_SECRET}
    scope = "https://graph.microsoft.com/.default"
    token = browser.token(grant_type="client_credentials", scope=scope, **proof).json()["access_token"]
    assert authenticate(world.deps, world.signin.tokens, "Bearer " + token).app_id == WEB
    assert browser.post(f"/{A}/oauth2/v2.0/revoke", token=token, **proof).status_code == 200
    assert authenticate(world.deps, world.signin.tokens, "Bearer " + token).code == "sign_in"


# ------------------------------------------------------------------------------------------ logout


def test_logout_with_a_hint(world: World) -> None:
    browser = world.browser()
    body = browser.tokens()
    page = browser.get(
        f"/{A}/oauth2/v2.0/logout",
        id_token_hint=body["id_token"],
        post_logout_redirect_uri=LOOPBACK,
        state="s 1",
    )
    assert page.status_code == 303
    assert page.headers["location"] == LOOPBACK + "?state=s+1"
    assert browser.authorize().status_code == 200
    answer = browser.token(grant_type="refresh_token", refresh_token=body["refresh_token"])
    assert answer.status_code == 200, "offline access survives a sign-out of the browser"


def test_logout_ends_what_has_no_offline_access(world: World) -> None:
    browser = world.browser()
    body = browser.tokens(scope="openid User.Read")
    browser.get(f"/{A}/oauth2/v2.0/logout", id_token_hint=body["id_token"])
    assert authenticate(world.deps, world.signin.tokens, "Bearer " + body["access_token"]).code == "sign_in"


def test_logout_without_a_hint_asks(world: World) -> None:
    browser = world.browser()
    browser.code()
    page = browser.get(f"/{A}/oauth2/v2.0/logout", client_id=PIM, post_logout_redirect_uri=LOOPBACK)
    assert "Sign out?" in page.text
    assert "ada@contoso.example" in page.text
    token = browser.fields()["token"]
    other = world.browser()
    assert other.client.post("/signin/signout", data={"token": token}).status_code == 400
    evil = browser.client.post(
        "/signin/signout", data={"token": token}, headers={"Origin": "https://evil.example"}
    )
    assert evil.status_code == 400
    browser.authorize(prompt="none")
    assert "code" in browser.result
    done = browser.client.post("/signin/signout", data={"token": token})
    assert done.headers["location"] == LOOPBACK
    browser.authorize(prompt="none")
    assert browser.result["error"] == "login_required"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        "http://localhost@evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "/x",
    ],
)
def test_logout_goes_nowhere_unregistered(world: World, uri: str) -> None:
    browser = world.browser()
    page = browser.get(f"/{A}/oauth2/v2.0/logout", client_id=PIM, post_logout_redirect_uri=uri)
    assert page.status_code == 200
    assert "location" not in page.headers
    browser.code()
    page = browser.get(f"/{A}/oauth2/v2.0/logout", client_id=PIM, post_logout_redirect_uri=uri)
    token = browser.fields()["token"]
    assert "location" not in browser.client.post("/signin/signout", data={"token": token}).headers


# ------------------------------------------------------------------------------------------ set-up links

GOOD = {"password": "a fine long password", "repeat": "a fine long password"}


def open_link(world: World, link: str) -> tuple[Any, str, str]:
    browser = world.browser()
    path = link.removeprefix(ORIGIN)
    browser.get(path)
    assert browser.page.status_code == 200, browser.page.text
    seed = "".join(re.search(r'class="seed"><code>([^<]+)<', browser.page.text)[1].split())
    return browser, path, seed


def test_the_first_administrator(world: World) -> None:
    link = first_start_link(world.signin, A)
    assert link.startswith(f"{ORIGIN}/setup/")
    assert link.rpartition("/")[2] not in repr(world.read("", lambda tx: tx.setup_links.get("x")))
    browser, path, seed = open_link(world, link)
    fields = {**browser.fields(), **GOOD, "username": "root@contoso.example", "display_name": "Root"}
    code = pyotp.TOTP(seed).at(world.now[0])
    for wrong in (
        {"repeat": "another"},
        {"password": "short", "repeat": "short"},
        {"username": "root@evil.example"},
        {"username": "ada@contoso.example"},
        {"username": "<b>@contoso.example"},
        {"code": "000000"},
        {"code": "é"},
    ):
        page = browser.client.post(path, data={**fields, "code": code, **wrong})
        assert page.status_code == 400, wrong
        assert seed[:4] in page.text
    assert browser.client.post(path, data={**fields, "code": code, "token": "x"}).status_code == 404
    done = browser.client.post(path, data={**fields, "code": code})
    assert done.status_code == 200
    assert len(re.findall(r"<li><code>", done.text)) == 10
    assert browser.client.post(path, data={**fields, "code": code}).status_code == 404, "once"
    assert browser.get(path).status_code == 404
    assert first_start_link(world.signin, A) is None, "there is one now"
    browser.authorize()
    browser.sign_in("root@contoso.example", GOOD["password"])
    access = claims_of(browser.redeem(browser.result["code"]).json()["access_token"])
    assert access["wids"] == ["62e90394-69f5-4237-9190-012177145e10"]
    assert any(event.activity == "Create the first administrator" for event in world.events())


def test_a_new_start_voids_the_former_link_and_links_expire(world: World) -> None:
    first = first_start_link(world.signin, A)
    second = first_start_link(world.signin, A)
    assert world.browser().get(first.removeprefix(ORIGIN)).status_code == 404
    assert world.browser().get(second.removeprefix(ORIGIN)).status_code == 200
    world.move(hours=25)
    assert world.browser().get(second.removeprefix(ORIGIN)).status_code == 404
    assert world.browser().get("/setup/x").status_code == 404
    assert world.browser().get("/setup/" + "x" * 43).status_code == 404


def test_a_link_for_somebody_who_exists(world: World) -> None:
    before = world.browser().tokens()
    link = world.write(A, lambda tx: make_setup_link(tx, world.signin, A, ADA, ORIGIN))
    browser, path, seed = open_link(world, link)
    assert "ada@contoso.example" in browser.page.text
    fields = {**browser.fields(), **GOOD, "username": "bob@contoso.example"}
    done = browser.client.post(path, data={**fields, "code": pyotp.TOTP(seed).at(world.now[0])})
    assert done.status_code == 200
    assert authenticate(world.deps, world.signin.tokens, "Bearer " + before["access_token"]).code == "sign_in"
    browser.authorize()
    assert browser.sign_in("ada@contoso.example", GOOD["password"]).status_code == 303


def test_a_setup_form_from_another_site(world: World) -> None:
    browser, path, _ = open_link(world, first_start_link(world.signin, A))
    answer = browser.client.post(path, data=GOOD, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


def test_the_style_sheet(world: World) -> None:
    answer = world.browser().get("/signin/style.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert timedelta(0) < timedelta(seconds=int(answer.headers["cache-control"].rpartition("=")[2]))


def test_unused_tenant_alias(world: World) -> None:
    assert world.browser().get(f"/{B}/v2.0/.well-known/openid-configuration").status_code == 200


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "path", ["v2.0/.well-known/openid-configuration", "oauth2/v2.0/authorize", "oauth2/v2.0/token"]
)
def test_a_tenant_that_no_database_could_keep(world: World, path: str) -> None:
    client = world.browser().client
    answer = (
        client.post(f"/%00/{path}", data={"grant_type": "refresh_token"})
        if path.endswith("token")
        else client.get(f"/%00/{path}")
    )
    assert answer.status_code in {400, 404}, answer.text


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
@pytest.mark.parametrize("how", ["basic", "assertion"])
def test_a_client_that_no_database_could_keep(world: World, how: str) -> None:
    """Neither comes as a field of a form, which may hold no null character."""
    fields, headers = {"grant_type": "client_credentials", "scope": GRAPH}, {}
    if how == "basic":
        headers = {"authorization": "Basic " + base64.b64encode(b"%00:secret").decode()}
    else:
        part = base64.urlsafe_b64encode(b'{"sub": "\\u0000"}').decode().rstrip("=")
        fields |= {"client_assertion": f"{part}.{part}.{part}"}
    answer = world.browser().client.post(f"/{A}/oauth2/v2.0/token", data=fields, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
