"""Being told one address, and every way of signing in."""

from __future__ import annotations

import base64
import json
import shlex
import sys

import pytest

from tests.conformance.azure_cli.az import CLOUD

ARM_READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
STEP_UP = base64.b64encode(b'{"access_token":{"acrs":{"essential":true,"value":"c1"}}}').decode()


def claims_of(token):
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def principal(server, secret=""):
    application = server.facts["application"]
    words = ("login", "--service-principal", "--username", application["app_id"])
    return (*words, "--password", secret or application["secret"], "--tenant", server.tenant_id)


@pytest.fixture(scope="module")
def reader(server, admin, tree):
    """marek and the application may read the subscription."""
    application = server.facts["application"]["app_id"]
    for who in (server.people["marek"].username, application):
        admin(
            "role",
            "assignment",
            "create",
            "--assignee",
            who,
            "--role",
            "Reader",
            "--scope",
            tree.subscription,
        )
    return server.people["marek"]


def test_one_address_is_enough(server, fresh):
    fresh("cloud", "register", "--name", CLOUD, "--endpoint-resource-manager", server.arm_origin)
    assert "AzureCloud" in {one["name"] for one in fresh("cloud", "list") if one["isActive"]}
    fresh("cloud", "set", "--name", CLOUD)
    shown = fresh("cloud", "show")
    assert shown["isActive"] is True
    found = shown["endpoints"]
    assert found["resourceManager"] == found["management"] == server.arm_origin
    assert found["activeDirectoryResourceId"] == server.arm_origin
    assert found["activeDirectory"] == found["microsoftGraphResourceId"] == server.origin
    fresh("cloud", "update", "--name", CLOUD, "--endpoint-resource-manager", server.arm_origin)
    fresh("cloud", "set", "--name", "AzureCloud")
    fresh("cloud", "unregister", "--name", CLOUD)


def test_device_code(server, fresh, robots, reader, tree):
    fresh.register()
    listed = fresh("login", "--use-device-code", robot=robots("marek"))
    (shown,) = listed
    assert shown["id"] == tree.subscription_id
    assert shown["tenantId"] == shown["homeTenantId"] == server.tenant_id
    assert shown["user"] == {"name": reader.username, "type": "user"}
    assert (shown["name"], shown["state"], shown["isDefault"]) == ("Welding", "Enabled", True)
    assert shown["tenantDefaultDomain"] == server.domain
    assert fresh("account", "show")["id"] == tree.subscription_id
    assert fresh("account", "list", "--refresh") == fresh("account", "list", "--all")
    assert fresh("account", "list-locations")[0]["name"] == "global"

    arm = claims_of(fresh("account", "get-access-token")["accessToken"])
    assert (arm["oid"], arm["tid"], arm["upn"]) == (reader.id, server.tenant_id, reader.username)
    assert arm["aud"].rstrip("/") == server.arm_origin
    assert arm["scp"]
    token = fresh("account", "get-access-token", "--resource-type", "ms-graph")
    assert claims_of(token["accessToken"])["aud"].rstrip("/") == server.origin
    assert token["tenant"] == server.tenant_id

    assert fresh("ad", "signed-in-user", "show")["id"] == reader.id
    fresh("logout")
    assert "az login" in fresh.refused("account", "show")
    assert "az login" in fresh.refused("ad", "signed-in-user", "show")


@pytest.mark.parametrize("tenant", ["{id}", "{domain}"])
def test_device_code_in_a_tenant(server, fresh, regulars, reader, tenant):
    fresh.register()
    words = (
        "login",
        "--use-device-code",
        "--tenant",
        tenant.format(id=server.tenant_id, domain=server.domain),
    )
    (shown,) = fresh(*words, robot=regulars("marek"))
    assert shown["tenantId"] == server.tenant_id


def test_who_has_no_subscription_is_told_so(server, fresh, robots):
    fresh.register()
    tenant = server.facts["other_tenant_id"]
    words = ("login", "--use-device-code", "--tenant", tenant)
    with pytest.raises(AssertionError, match="No subscriptions found"):
        fresh(*words, robot=robots("bea"))
    (shown,) = fresh(*words, "--allow-no-subscriptions", robot=robots("bea"))
    assert shown["id"] == shown["tenantId"] == tenant
    assert fresh("ad", "signed-in-user", "show")["id"] == server.people["bea"].id
    assert fresh.get("/subscriptions?api-version=2022-12-01")["value"] == []


def test_browser(server, fresh, robots, reader, tree):
    """az opens the browser that BROWSER names, and waits for the page that comes back to its listener."""
    fresh.register()
    page = fresh.folder / "page"
    opener = fresh.folder / "opener.py"
    opener.write_text("import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])")
    browser = shlex.join([sys.executable, str(opener), str(page)])
    (shown,) = fresh("login", page=page, robot=robots("marek"), BROWSER=f"{browser} %s")
    assert shown["id"] == tree.subscription_id


def test_service_principal(server, fresh, reader, tree):
    fresh.register()
    (shown,) = fresh(*principal(server))
    application = server.facts["application"]
    assert shown["id"] == tree.subscription_id
    assert shown["user"] == {"name": application["app_id"], "type": "servicePrincipal"}
    assert (
        claims_of(fresh("account", "get-access-token")["accessToken"])["oid"] == application["principal_id"]
    )
    assert {one["name"] for one in fresh("group", "list")} >= {"rg-robots"}
    assert "AuthorizationFailed" in fresh.refused("group", "delete", "--name", "rg-robots", "--yes")
    assert "signed-in-user" not in fresh("ad", "sp", "show", "--id", application["app_id"])
    assert "/me" in fresh.refused("ad", "signed-in-user", "show")


def test_service_principal_with_a_certificate(server, fresh, reader, tree):
    fresh.register()
    words = ("login", "--service-principal", "--username", server.facts["application"]["app_id"])
    certificate = str(server.folder / "client.pem")
    (shown,) = fresh(*words, "--certificate", certificate, "--tenant", server.domain)
    assert shown["id"] == tree.subscription_id
    (shown,) = fresh(
        *words, "--certificate", certificate, "--use-cert-sn-issuer", "--tenant", server.tenant_id
    )
    assert shown["id"] == tree.subscription_id


def test_a_wrong_secret_says_why(server, fresh):
    fresh.register()
    assert "secret is wrong" in fresh.refused(*principal(server, "wrong-wrong-wrong-wrong-wrong"))


def test_a_stronger_sign_in(server, fresh, robots, reader):
    """What az tells a person to type when something wants an authentication context."""
    fresh.register()
    fresh("login", "--use-device-code", robot=robots("marek"))
    assert not claims_of(fresh("account", "get-access-token")["accessToken"]).get("acrs")
    scope = f"{server.arm_origin}/.default"
    words = ("login", "--claims-challenge", STEP_UP, "--scope", scope, "--tenant", server.tenant_id)
    fresh(*words, "--use-device-code", robot=robots("marek"))
    assert claims_of(fresh("account", "get-access-token")["accessToken"])["acrs"] == ["c1"]


def test_no_setting_at_all_with_the_adfs_address(server, fresh, reader, tree):
    """az asks nobody about an authority whose address ends in /adfs."""
    words = ("cloud", "register", "--name", CLOUD, "--endpoint-resource-manager", server.arm_origin)
    fresh(*words, "--endpoint-active-directory", f"{server.origin}/adfs",
          "--endpoint-active-directory-resource-id", server.arm_origin)  # fmt: skip
    fresh("cloud", "set", "--name", CLOUD)
    (shown,) = fresh(*principal(server))
    assert shown["id"] == tree.subscription_id


def test_no_register_with_the_address_of_the_metadata(server, fresh, reader, tree):
    """Read by urllib, which has its own variable for whom it trusts."""
    fresh.env |= {
        "ARM_CLOUD_METADATA_URL": f"{server.arm_origin}/metadata/endpoints?api-version=2019-05-01",
        "SSL_CERT_FILE": server.ca_file,
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
    }
    assert [one["name"] for one in fresh("cloud", "list") if one["isActive"]] == [CLOUD]
    (shown,) = fresh(*principal(server))
    assert shown["id"] == tree.subscription_id
