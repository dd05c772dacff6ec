"""The token endpoint beyond codes: refresh with reuse detection, device codes, applications acting as themselves."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from openpim.core.directory import ServicePrincipal
from openpim.core.first_party import AZURE_CLI, PIM
from openpim.core.grants import AssignmentType, Kind, Provider, Schedule
from openpim.core.lifecycle import ScheduleStatus
from openpim.core.signin.values import ClientCredential
from openpim.services.sealing import b64
from openpim.services.signin.bearer import ARM, authenticate
from tests.signin_world import (
    ADA,
    BOB,
    GRAPH,
    GUEST,
    ORIGIN,
    START,
    WEB,
    WEB_PRINCIPAL,
    WEB_SECRET,
    A,
    B,
    World,
    claims_of,
)

# Rules that no database decides are tried on one of them.
SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
MANAGEMENT = "https://management.core.windows.net//.default"
C1 = json.dumps({"access_token": {"acrs": {"essential": True, "value": "c1"}}})


def refresh(browser: Any, token: str, tenant: str = A, **fields: str) -> Any:
    return browser.token(tenant, grant_type="refresh_token", refresh_token=token, **fields)


# ------------------------------------------------------------------------------------------ refresh


def test_refresh_rotates(world: World) -> None:
    browser = world.browser()
    first = browser.tokens()
    world.move(minutes=50)
    second = refresh(browser, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert "id_token" in second
    assert claims_of(second["access_token"])["auth_time"] == claims_of(first["access_token"])["auth_time"]
    assert refresh(browser, second["refresh_token"]).status_code == 200


def test_reuse_revokes_the_family(world: World) -> None:
    browser = world.browser()
    first = browser.tokens()
    second = refresh(browser, first["refresh_token"]).json()
    world.move(seconds=21)
    assert refresh(browser, first["refresh_token"]).json()["error"] == "invalid_grant"
    assert refresh(browser, second["refresh_token"]).json()["error"] == "invalid_grant"
    caller = authenticate(world.deps, world.signin.tokens, "Bearer " + second["access_token"])
    assert caller.code == "sign_in"


def test_a_client_that_runs_twice_at_once_is_forgiven(world: World) -> None:
    browser = world.browser()
    first = browser.tokens()
    assert refresh(browser, first["refresh_token"]).status_code == 200
    world.move(seconds=10)
    again = refresh(browser, first["refresh_token"])
    assert again.status_code == 200
    assert refresh(browser, again.json()["refresh_token"]).status_code == 200


def test_refresh_for_another_resource_echoes_what_was_asked(world: World) -> None:
    browser = world.browser()
    first = browser.tokens()
    second = refresh(browser, first["refresh_token"], scope=MANAGEMENT).json()
    assert second["scope"] == MANAGEMENT
    access = claims_of(second["access_token"])
    assert access["aud"] == world.deps.settings.arm_origin
    assert access["scp"] == "user_impersonation"
    assert "id_token" not in second
    bearer = "Bearer " + second["access_token"]
    assert authenticate(world.deps, world.signin.tokens, bearer, accepts=ARM).principal_id == ADA
    assert authenticate(world.deps, world.signin.tokens, bearer).principal_id == ADA, (
        "Graph takes it as a fallback"
    )
    graph = "Bearer " + first["access_token"]
    assert authenticate(world.deps, world.signin.tokens, graph, accepts=ARM).code == "sign_in"


@SQLITE
@pytest.mark.parametrize(
    "scope",
    [
        "https://localhost/.default",
        "https://localhost:8443/.default",
        "https://localhost:8443//.default",
        "https://graph.microsoft.com/.default",
        "https://graph.microsoft.com//.default",
        "https://graph.microsoft.com/User.Read",
        "User.Read",
        "00000003-0000-0000-c000-000000000000/.default",
    ],
)
def test_all_the_names_of_graph(world: World, scope: str) -> None:
    body = world.browser().tokens(scope=scope)
    assert body["scope"] == scope
    assert claims_of(body["access_token"])["aud"] == ORIGIN
    assert "refresh_token" not in body
    assert "id_token" not in body


def test_refresh_in_another_tenant(world: World) -> None:
    browser = world.browser()
    first = browser.tokens()
    there = refresh(browser, first["refresh_token"], B).json()
    assert claims_of(there["access_token"])["oid"] == GUEST
    bob = world.browser()
    body = bob.tokens(name="bob@contoso.example")
    assert refresh(bob, body["refresh_token"], B).json()["error"] == "invalid_grant"


def test_refresh_is_bound_to_its_client(world: World) -> None:
    browser = world.browser()
    first = browser.tokens()
    assert refresh(browser, first["refresh_token"], client_id=AZURE_CLI).json()["error"] == "invalid_grant"
    assert refresh(browser, "opimrt_guess").json()["error"] == "invalid_grant"
    assert refresh(browser, first["refresh_token"]).status_code == 200


def test_refresh_that_cannot_satisfy_claims(world: World) -> None:
    browser = world.browser()
    first = browser.tokens(name="bob@contoso.example")
    answer = refresh(browser, first["refresh_token"], claims=C1)
    assert answer.status_code == 400
    assert answer.json()["error"] == "interaction_required"
    assert json.loads(answer.json()["claims"]) == json.loads(C1)
    assert refresh(browser, first["refresh_token"]).status_code == 200, "the refresh token was not used up"
    browser.authorize(claims=json.dumps({"access_token": {"amr": {"values": ["mfa"], "essential": True}}}))
    browser.submit("code", code=world.code_of(BOB))
    strong = browser.redeem(browser.result["code"]).json()
    assert "acrs" not in claims_of(strong["access_token"])
    third = refresh(browser, strong["refresh_token"], claims=C1).json()
    assert claims_of(third["access_token"])["acrs"] == ["c1"]
    fourth = refresh(browser, third["refresh_token"]).json()
    assert claims_of(fourth["access_token"])["acrs"] == ["c1"], "what was granted stays"


def test_a_disabled_person_gets_nothing(world: World) -> None:
    browser = world.browser()
    first = browser.tokens()
    world.change_user(A, ADA, enabled=False)
    assert refresh(browser, first["refresh_token"]).json()["error"] == "invalid_grant"
    caller = authenticate(world.deps, world.signin.tokens, "Bearer " + first["access_token"])
    assert caller.code == "sign_in"
    browser.authorize(prompt="none")
    assert browser.result["error"] == "login_required"
    browser.authorize()
    browser.sign_in()
    assert "disabled" in browser.page.text


def test_refresh_tokens_end(world: World) -> None:
    browser = world.browser()
    first = browser.tokens()
    world.move(days=91)
    assert refresh(browser, first["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_token_never_outlives_the_activation_it_rests_on(world: World) -> None:
    role = "62e90394-69f5-4237-9190-012177145e10"
    schedule = Schedule(
        id=str(uuid.uuid4()),
        kind=Kind.ASSIGNMENT,
        provider=Provider.DIRECTORY,
        principal_id=ADA,
        role_id=role,
        scope="/",
        starts_at=START,
        ends_at=START + timedelta(minutes=25),
        status=ScheduleStatus.PROVISIONED,
        assignment_type=AssignmentType.ACTIVATED,
        created_at=START,
    )
    world.write(A, lambda tx: tx.schedules.add(schedule))
    body = world.browser().tokens()
    assert body["expires_in"] == 25 * 60
    assert claims_of(body["access_token"])["wids"] == [role]
    info = world.browser().client.get(
        "/oidc/userinfo", headers={"Authorization": "Bearer " + body["access_token"]}
    )
    assert info.json()["roles"] == ["Global Administrator"]
    world.move(minutes=25)
    fresh = world.browser().tokens()
    assert fresh["expires_in"] == 3600
    assert claims_of(fresh["access_token"])["wids"] == []


# ------------------------------------------------------------------------------------------ device code


def begin_device(browser: Any, tenant: str = A, **fields: str) -> dict[str, Any]:
    scope = f"openid offline_access {GRAPH}"
    answer = browser.post(f"/{tenant}/oauth2/v2.0/devicecode", **{"client_id": PIM, "scope": scope, **fields})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def poll(browser: Any, device: dict[str, Any], tenant: str = A, **fields: str) -> Any:
    kind = "urn:ietf:params:oauth:grant-type:device_code"
    return browser.token(tenant, **{"grant_type": kind, "device_code": device["device_code"], **fields})


@pytest.mark.parametrize("alias", [False, True])
def test_device_flow(world: World, alias: bool) -> None:
    device_side, person = world.browser("198.51.100.4"), world.browser()
    device = begin_device(device_side)
    assert device["verification_uri"] == f"{ORIGIN}/devicelogin"
    assert device["user_code"] in device["message"]
    assert poll(device_side, device).json()["error"] == "authorization_pending"
    person.get("/devicelogin")
    person.submit("user_code", user_code=device["user_code"].lower()[:4] + "-" + device["user_code"][4:])
    person.sign_in()
    assert "Are you signing in to pim?" in person.page.text
    assert "198.51.100.4" in person.page.text
    person.submit("confirm_device", choice="yes")
    assert "You are signed in" in person.page.text
    world.move(seconds=5)
    extra = {"grant_type": "device_code", "code": device["device_code"]} if alias else {}
    body = poll(device_side, device, **extra).json()
    assert claims_of(body["access_token"])["oid"] == ADA
    assert "refresh_token" in body
    again = poll(device_side, device)
    assert again.json()["error"] == "invalid_grant"
    caller = authenticate(world.deps, world.signin.tokens, "Bearer " + body["access_token"])
    assert caller.code == "sign_in", "a replayed device code revokes what it gave"


def test_device_flow_refused(world: World) -> None:
    browser = world.browser()
    device = begin_device(browser)
    browser.get("/devicelogin")
    browser.submit("user_code", user_code=device["user_code"])
    browser.sign_in()
    browser.submit("confirm_device", choice="no")
    assert poll(browser, device).json()["error"] == "access_denied"
    browser.get("/devicelogin")
    assert browser.submit("user_code", user_code=device["user_code"]).status_code == 400


def test_device_flow_with_step_up(world: World) -> None:
    browser = world.browser()
    device = begin_device(browser, claims=C1)
    browser.get("/devicelogin")
    browser.submit("user_code", user_code=device["user_code"])
    browser.sign_in("bob@contoso.example")
    browser.submit("code", code=world.code_of(BOB))
    browser.submit("confirm_device", choice="yes")
    body = poll(browser, device).json()
    assert claims_of(body["access_token"])["acrs"] == ["c1"]


def test_polling_too_fast(world: World) -> None:
    browser = world.browser()
    device = begin_device(browser)
    assert poll(browser, device).json()["error"] == "authorization_pending"
    world.move(seconds=1)
    assert poll(browser, device).json()["error"] == "slow_down"
    world.move(seconds=16 * 60)
    assert poll(browser, device).json()["error"] == "expired_token"


def test_device_codes_belong_to_their_client(world: World) -> None:
    browser = world.browser()
    device = begin_device(browser)
    assert poll(browser, device, client_id=AZURE_CLI).json()["error"] == "invalid_grant"
    assert poll(browser, {"device_code": "x"}).json()["error"] == "invalid_grant"
    answer = browser.post(f"/{A}/oauth2/v2.0/devicecode", client_id=WEB, scope="openid")
    assert answer.json()["error"] == "unauthorized_client"
    assert browser.post("/nowhere/oauth2/v2.0/devicecode", client_id=PIM).status_code == 400


def test_guessing_user_codes_is_slowed(world: World) -> None:
    browser = world.browser("192.0.2.9")
    for _ in range(12):
        browser.get("/devicelogin")
        browser.submit("user_code", user_code="BCDFGHJK")
    assert browser.page.status_code == 429
    assert int(browser.page.headers["retry-after"]) >= 1


def test_the_adfs_alias_has_version_1_paths(world: World) -> None:
    browser = world.browser()
    document = browser.get("/adfs/.well-known/openid-configuration").json()
    assert document["issuer"] == f"{ORIGIN}/adfs"
    assert document["device_authorization_endpoint"] == f"{ORIGIN}/adfs/oauth2/devicecode"
    answer = browser.post("/adfs/oauth2/devicecode", client_id=PIM, resource="https://management.azure.com/")
    device = answer.json()
    browser.get("/devicelogin")
    browser.submit("user_code", user_code=device["user_code"])
    browser.sign_in()
    browser.submit("confirm_device", choice="yes")
    fields = {"grant_type": "device_code", "code": device["device_code"], "client_id": PIM}
    body = browser.post("/adfs/oauth2/token", **fields).json()
    assert claims_of(body["access_token"])["aud"] == world.deps.settings.arm_origin


# ------------------------------------------------------------------------------------------ applications


def as_app(browser: Any, tenant: str = A, **fields: str) -> Any:
    basics = {"grant_type": "client_credentials", "client_id": WEB, "scope": GRAPH}
    return browser.token(tenant, **{**basics, **fields})


def test_client_credentials_by_post_and_basic(world: World) -> None:
    browser = world.browser()
    body = as_app(browser, client_secret=WEB_SECRET).json()
    access = claims_of(body["access_token"])
    assert access["roles"] == ["RoleManagement.Read.Directory"]
    assert (access["idtyp"], access["oid"], access["tid"]) == ("app", WEB_PRINCIPAL, A)
    assert "refresh_token" not in body
    caller = authenticate(world.deps, world.signin.tokens, "Bearer " + body["access_token"])
    assert caller.permissions == {"RoleManagement.Read.Directory"}
    data = {"grant_type": "client_credentials", "scope": GRAPH}
    basic = browser.client.post(f"/{A}/oauth2/v2.0/token", data=data, auth=(WEB, WEB_SECRET))
    assert basic.status_code == 200
    wrong = browser.client.post(f"/{A}/oauth2/v2.0/token", data=data, auth=(WEB, "x"))
    assert wrong.status_code == 401
    assert wrong.headers["www-authenticate"].startswith("Basic")


def test_permissions_are_read_live(world: World) -> None:
    body = as_app(world.browser(), client_secret=WEB_SECRET).json()
    bearer = "Bearer " + body["access_token"]

    def change(**changes: Any) -> None:
        def work(tx: Any) -> None:
            found: ServicePrincipal = tx.service_principals.get(WEB_PRINCIPAL)
            tx.service_principals.save(replace(found, **changes))

        world.write(A, work)

    change(permissions=())
    assert authenticate(world.deps, world.signin.tokens, bearer).permissions == frozenset()
    change(enabled=False)
    assert authenticate(world.deps, world.signin.tokens, bearer).code == "sign_in"
    assert as_app(world.browser(), client_secret=WEB_SECRET).json()["error"] == "unauthorized_client"


@SQLITE
@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, "invalid_client"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": PIM}, "unauthorized_client"),
        ({"client_secret": WEB_SECRET, "scope": "User.Read"}, "invalid_scope"),
        ({"client_secret": WEB_SECRET, "client_assertion": "x.y.z"}, "invalid_request"),
        ({"client_secret": WEB_SECRET, "grant_type": "password"}, "unsupported_grant_type"),
        ({"client_secret": WEB_SECRET, "grant_type": ""}, "invalid_request"),
        ({"client_assertion": "x.y.z"}, "invalid_client"),
        ({"client_id": "x" * 300}, "invalid_client"),
    ],
)
def test_client_credentials_refused(world: World, fields: dict[str, str], error: str) -> None:
    answer = as_app(world.browser(), **fields)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"] == error


def test_applications_must_name_the_tenant(world: World) -> None:
    browser = world.browser()
    assert as_app(browser, "common", client_secret=WEB_SECRET).json()["error"] == "invalid_request"
    assert as_app(browser, B, client_secret=WEB_SECRET).json()["error"] == "unauthorized_client"


def test_the_alias_stands_for_the_tenant_of_the_application(world: World) -> None:
    """Azure CLI and azure-identity ask nobody about an authority `…/adfs`, and can name no tenant there."""
    browser = world.browser()
    for path in ("/adfs/oauth2/token", "/adfs/oauth2/v2.0/token"):
        proof = {"client_id": WEB, "client_secret": WEB_SECRET}
        answer = browser.post(path, grant_type="client_credentials", scope=GRAPH, **proof)
        assert answer.status_code == 200, answer.text
        access = claims_of(answer.json()["access_token"])
        assert (access["tid"], access["oid"]) == (A, WEB_PRINCIPAL)
        wrong = browser.post(
            path, grant_type="client_credentials", scope=GRAPH, client_id=WEB, client_secret="x"
        )
        assert wrong.json()["error"] == "invalid_client"


KEY = RSAKey.generate_key(2048)
OTHER_KEY = RSAKey.generate_key(2048)


def register_key(world: World) -> None:
    value = json.dumps(KEY.as_dict(private=False))
    credential = ClientCredential(str(uuid.uuid4()), WEB, "key", value, START)
    world.write(A, lambda tx: tx.client_credentials.add(credential))


def assertion(world: World, key: RSAKey = KEY, alg: str = "RS256", **changes: Any) -> str:
    now = int(world.now[0].timestamp())
    claims = {
        "iss": WEB,
        "sub": WEB,
        "aud": f"{ORIGIN}/{A}/oauth2/v2.0/token",
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + 600,
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": alg}, claims, key, algorithms=[alg])


def with_assertion(world: World, text: str, **fields: str) -> Any:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return as_app(world.browser(), **{"client_assertion": text, "client_assertion_type": kind, **fields})


def test_private_key_jwt(world: World) -> None:
    register_key(world)
    text = assertion(world)
    assert with_assertion(world, text).status_code == 200
    assert with_assertion(world, text).json()["error"] == "invalid_client", "an assertion works once"
    assert with_assertion(world, assertion(world, alg="PS256")).status_code == 200
    assert with_assertion(world, assertion(world, aud=[f"{ORIGIN}/{A}/v2.0"])).status_code == 200


@SQLITE
@pytest.mark.parametrize(
    "change",
    [
        {"key": OTHER_KEY},
        {"iss": PIM},
        {"sub": PIM},
        {"aud": "https://login.example/token"},
        {"aud": f"{ORIGIN}/{B}/oauth2/v2.0/token"},
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 99999999999},
        {"nbf": 99999999999},
        {"jti": None},
        {"jti": 7},
        {"aud": None},
    ],
)
def test_bad_assertions(world: World, change: dict[str, Any]) -> None:
    register_key(world)
    answer = with_assertion(world, assertion(world, **change))
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


def test_an_assertion_signed_with_the_public_key_as_a_secret(world: World) -> None:
    import base64

    register_key(world)
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    body = assertion(world).split(".")[1]
    assert with_assertion(world, f"{head}.{body}.").status_code == 401
    head = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=").decode()
    assert with_assertion(world, f"{head}.{body}.AAAA").status_code == 401


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("client_id", [WEB, PIM])
def test_an_assertion_whose_header_is_not_of_the_right_kind(world: World, client_id: str) -> None:
    """Anybody can send one: it is no proof, and no fault of ours."""
    register_key(world)
    body = assertion(world).split(".")[1]
    values: list[Any] = [[], {}, [[]], 1, None, True, "x", 10**400, "\ud800"]
    for name in (
        "x5t",
        "x5t#S256",
        "kid",
        "x5c",
        "x5u",
        "jwk",
        "jku",
        "typ",
        "cty",
        "b64",
        "zip",
        "enc",
        "alg",
    ):
        for value in values:
            head = b64(json.dumps({"alg": "RS256", name: value}).encode())
            answer = with_assertion(world, f"{head}.{body}.AAAA", client_id=client_id)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), (name, value)


def test_a_registered_certificate_as_msal_sends_it(world: World) -> None:
    """Found by thumbprint; the chain stands in the header; dates are fractions of seconds."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from openpim.services.credentials import add_client_certificate
    from openpim.services.sealing import b64

    private = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "intranet")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    builder = builder.serial_number(7).not_valid_before(START - timedelta(days=1))
    certificate = builder.not_valid_after(START + timedelta(days=30)).sign(private, SHA256())
    pem = certificate.public_bytes(Encoding.PEM)
    refused = world.write(A, lambda tx: add_client_certificate(tx, world.signin, WEB, b"nonsense"))
    assert refused.member == "certificate"
    added = world.write(A, lambda tx: add_client_certificate(tx, world.signin, WEB, pem))
    assert added.expires_at == START + timedelta(days=30)
    key = RSAKey.import_key(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    now = world.now[0].timestamp()

    def signed() -> str:
        claims = {"iss": WEB, "sub": WEB, "aud": f"{ORIGIN}/{A}/oauth2/v2.0/token", "jti": str(uuid.uuid4())}
        header = {
            "alg": "PS256",
            "x5t#S256": b64(certificate.fingerprint(SHA256())),
            "x5c": [pem.decode()[28:-27]],
        }
        header["x5c"] = ["".join(header["x5c"][0].split())]
        return jwt.encode(header, {**claims, "exp": now + 600.5}, key, registry=_LONG_HEADERS)

    assert with_assertion(world, signed()).status_code == 200
    world.move(days=31)
    now = world.now[0].timestamp()
    assert with_assertion(world, signed()).status_code == 401, "the certificate has expired"


class _LongHeaders(JWSRegistry):
    max_header_length = 16_000


_LONG_HEADERS = _LongHeaders(algorithms=["PS256"])
