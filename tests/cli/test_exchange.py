"""`pim token --for`: a token for an application's API with one activation in it, from a real server."""

from __future__ import annotations

import json
import ssl
import urllib.request

import pytest

pytestmark = pytest.mark.slow


def call(demo, token, path, body):
    request = urllib.request.Request(
        f"{demo.origin}/v1.0/{path}",
        method="POST",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=demo.ca)) as answer:
        return json.loads(answer.read())


def mira_name(demo):
    return str(demo.accounts["mira"]["user"])


def test_a_token_for_one_activation(demo, desk):
    dana, mira = desk("dana"), desk("mira")
    assert dana("activate", "privileged role administrator", "-j", "x", "-t", "A:1").code == 0
    given = dana("assign", "application administrator", mira_name(demo), "--active", "-d", "1d", "-j", "x")
    assert given.code == 0, given
    token = mira("token").out.strip()
    named = {
        "displayName": "Ledger",
        "identifierUris": ["api://ledger"],
        "groupMembershipClaims": "DirectoryRole",
    }
    app = call(demo, token, "applications", named)
    call(demo, token, "servicePrincipals", {"appId": app["appId"]})
    assert mira("activate", "reports reader", "-d", "30m").code == 0
    assert mira("token", "--for", "reports reader").code == 2
    assert mira("token", "--for", "reports reader", "--audience", "x", "--arm").code == 2
    ran = mira("token", "--for", "teams", "--audience", "api://ledger")
    assert "no activation is called" in ran.err
    ran = mira("token", "--for", "reports reader", "--audience", "api://nobody")
    assert ran.code != 0
    assert "api://nobody" in ran.err
    ran = mira("token", "--for", "reports reader", "--audience", "api://ledger", "--show", "-o", "json")
    assert ran.code == 0, ran
    told = ran.json
    assert (told["aud"], told["activation"]["role"]) == (app["appId"], "Reports Reader")
    assert told["wids"] == [told["activation"]["role_id"]]
    assert told["exp"] - told["iat"] <= 30 * 60
