"""azure-identity, which Azure's and Graph's SDKs sign in with. A real user sets two options: `authority` (the server's
address with https://; a bare `localhost:port` is taken for a URL with the scheme "localhost") and `disable_instance_discovery=True` (it would ask Microsoft's servers about the host otherwise).
"""

from __future__ import annotations

import threading

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    AuthenticationRequiredError,
    AuthorizationCodeCredential,
    CertificateCredential,
    ClientSecretCredential,
    DeviceCodeCredential,
    InteractiveBrowserCredential,
)
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential

GRAPH = "https://graph.microsoft.com/.default"
STEP_UP = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'


def options(server):
    return {"authority": server.origin, "disable_instance_discovery": True}


def whose(server, token, path="/v1.0/me"):
    answer = httpx.get(
        server.origin + path, headers={"Authorization": f"Bearer {token}"}, verify=server.trust()
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("tenant", [None, "organizations", "{id}", "{domain}", "adfs"])
def test_browser(server, browsers, robots, tenant):
    browsers.robot = robots("rui")
    more = {} if tenant is None else {"tenant_id": tenant.format(id=server.tenant_id, domain=server.domain)}
    credential = InteractiveBrowserCredential(**options(server), **more)
    token = credential.get_token(GRAPH)
    assert whose(server, token.token)["id"] == browsers.robot.person.id
    assert credential.get_token(GRAPH).token == token.token
    assert len(browsers.opened) == 1


def test_browser_with_a_claims_challenge(server, browsers, robots):
    """What kiota and azure-core do after a 401 with claims.

    An AuthenticationRecord is given, but cannot be used again where the address has a port: the record keeps
    `localhost:1234`, and azure-identity reads that back as a URL with the scheme `localhost`.
    """
    browsers.robot = robots("viktor")
    credential = InteractiveBrowserCredential(**options(server), tenant_id=server.tenant_id)
    record = credential.authenticate(scopes=[GRAPH])
    assert record.username == server.people["viktor"].username
    assert record.tenant_id == server.tenant_id
    first = credential.get_token(GRAPH, enable_cae=True)
    strong = credential.get_token(GRAPH, claims=STEP_UP, enable_cae=True)
    assert strong.token != first.token
    assert "enrol" in browsers.robot.steps
    silent = InteractiveBrowserCredential(**options(server), disable_automatic_authentication=True)
    with pytest.raises(AuthenticationRequiredError):
        silent.get_token(GRAPH)


@pytest.mark.parametrize("tenant", ["organizations", "{id}", "adfs"])
def test_device_code(server, robots, tenant):
    visits = []

    def prompt(_address, code, _expires):
        visits.append(threading.Thread(target=robots("greta").device, args=(code,)))
        visits[0].start()
        visits[0].join()  # so that the first poll finds it done

    credential = DeviceCodeCredential(
        **options(server), tenant_id=tenant.format(id=server.tenant_id), prompt_callback=prompt
    )
    token = credential.get_token(GRAPH)
    assert whose(server, token.token)["id"] == server.people["greta"].id
    assert credential.get_token("https://management.azure.com/.default").token != token.token
    assert len(visits) == 1


def test_client_secret(server):
    application = server.facts["application"]
    with ClientSecretCredential(
        server.tenant_id, application["app_id"], application["secret"], **options(server)
    ) as credential:
        token = credential.get_token(GRAPH)
    assert whose(server, token.token, "/v1.0/users?$top=1")["value"]


async def get_token_async(server):
    application = server.facts["application"]
    async with AsyncClientSecretCredential(
        server.domain, application["app_id"], application["secret"], **options(server)
    ) as credential:
        return await credential.get_token(GRAPH)


def test_client_certificate(server):
    application = server.facts["application"]
    for chain in (False, True):
        with CertificateCredential(
            server.tenant_id,
            application["app_id"],
            certificate_path=str(server.folder / "client.pem"),
            send_certificate_chain=chain,
            **options(server),
        ) as credential:
            token = credential.get_token(GRAPH)
            assert whose(server, token.token, "/v1.0/users?$top=1")["value"]


def test_a_wrong_secret_says_why(server):
    application = server.facts["application"]
    with (
        ClientSecretCredential(
            server.tenant_id, application["app_id"], "wrong-wrong-wrong-wrong-wrong", **options(server)
        ) as credential,
        pytest.raises(ClientAuthenticationError, match="secret is wrong"),
    ):
        credential.get_token(GRAPH)


def test_authorization_code(server, robots):
    """A web application brings the code itself."""
    application = server.facts["application"]
    address = httpx.URL(
        f"{server.origin}/{server.tenant_id}/oauth2/v2.0/authorize",
        params={
            "client_id": application["app_id"],
            "response_type": "code",
            "redirect_uri": application["redirect"],
            "scope": f"openid offline_access {GRAPH}",
            "state": "s",
        },
    )
    answer = robots("piotr").answer(str(address))
    credential = AuthorizationCodeCredential(
        server.tenant_id,
        application["app_id"],
        authorization_code=answer["code"],
        redirect_uri=application["redirect"],
        client_secret=application["secret"],
        **options(server),
    )
    token = credential.get_token(GRAPH)
    assert whose(server, token.token)["id"] == server.people["piotr"].id


def test_async_client_secret(server):
    import asyncio

    try:
        token = asyncio.run(get_token_async(server))
    except ImportError as error:
        pytest.skip(f"azure-identity's asynchronous half needs another package: {error}")
    assert whose(server, token.token, "/v1.0/users?$top=1")["value"]
