"""`pim provisioning` against a real OpenPIM: a token that works, and ends."""

from __future__ import annotations

import json
import ssl
import urllib.request
from urllib.error import HTTPError

import pytest

pytestmark = pytest.mark.slow


def ask(demo, token, method, path, body=None):
    request = urllib.request.Request(
        f"{demo.origin}/{path}",
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=demo.ca)) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")


def test_a_token_from_its_making_to_its_end(demo, desk):
    dana, mira = desk("dana"), desk("mira")
    assert dana("activate", "privileged role administrator", "-j", "x", "-t", "A:1").code == 0
    whom = str(demo.accounts["mira"]["user"])
    assert dana("assign", "application administrator", whom, "--active", "-d", "1d", "-j", "x").code == 0
    by = mira("token").out.strip()
    _, app = ask(demo, by, "POST", "v1.0/applications", {"displayName": "Entra ID"})
    _, principal = ask(demo, by, "POST", "v1.0/servicePrincipals", {"appId": app["appId"]})
    assert dana("provisioning", "add", "Entra ID").code != 0  # it may not provision yet
    wanted = {"openPim": {"permissions": ["Provisioning.ReadWrite.All"]}}
    status, said = ask(
        demo, dana("token").out.strip(), "PATCH", f"v1.0/servicePrincipals/{principal['id']}", wanted
    )
    assert status < 300, said
    made = dana("provisioning", "add", "Entra ID", "--name", "tests", "-o", "json").json
    assert made["secretText"].startswith("pimscim_")
    assert ask(demo, made["secretText"], "GET", "scim/v2/Users?count=1")[0] == 200
    listed = dana("provisioning", "-o", "json")
    assert [one["displayName"] for one in listed.json] == ["tests"]
    assert made["secretText"] not in listed.out
    _, group = ask(
        demo,
        made["secretText"],
        "POST",
        "scim/v2/Groups",
        {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Wiki readers"},
    )
    assert group["id"]
    assert dana("provisioning", "group", "wiki readers", "--members", "eligible").code == 0
    assert dana("provisioning", "groups", "-o", "json").json[0]["membersBecome"] == "eligible"
    assert dana("provisioning", "group", "wiki readers", "--members", "usual").code == 0
    assert dana("provisioning", "groups", "-o", "json").json == []
    assert dana("provisioning", "revoke", "TESTS").code == 0
    assert ask(demo, made["secretText"], "GET", "scim/v2/Users?count=1")[0] == 401
    assert dana("provisioning", "revoke", "tests").code != 0
    assert dana("provisioning", "group", "no such group", "--members", "member").code != 0


def test_others_may_not(desk):
    assert desk("mira")("provisioning").code != 0
