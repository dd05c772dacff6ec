"""What applications get from a real server: `pim token --for`, a token for an API with one activation in it; `pim signals`,
the event streams of one."""

from __future__ import annotations

import json
import ssl
import urllib.request

import pytest

pytestmark = pytest.mark.slow


def call(demo, token, path, body, method="POST"):
    request = urllib.request.Request(
        f"{demo.origin}/v1.0/{path}",
        method=method,
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=demo.ca)) as answer:
        return json.loads(answer.read() or b"{}")


def mira_name(demo):
    return str(demo.accounts["mira"]["user"])


def administrators(demo, desk):
    """Dana of privileged roles, mira of applications; they may be so already."""
    dana, mira = desk("dana"), desk("mira")
    dana("activate", "privileged role administrator", "-j", "x", "-t", "A:1")
    dana("assign", "application administrator", mira_name(demo), "--active", "-d", "1d", "-j", "x")
    return dana, mira


def test_a_token_for_one_activation(demo, desk):
    _dana, mira = administrators(demo, desk)
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


def test_event_streams_of_an_application(demo, desk, monkeypatch, tmp_path):
    dana, mira = administrators(demo, desk)
    said = dana("signals")
    assert said.code != 0, "a person has none"
    assert "PIM_CLIENT_ID" in said.err
    by = mira("token").out.strip()
    app = call(demo, by, "applications", {"displayName": "Wiki"})
    secret = call(demo, by, f"applications/{app['id']}/addPassword", {})["secretText"]
    principal = call(demo, by, "servicePrincipals", {"appId": app["appId"]})
    wanted = {"openPim": {"permissions": ["ssf.manage"]}}
    call(demo, dana("token").out.strip(), f"servicePrincipals/{principal['id']}", wanted, "PATCH")
    for name, value in (("ID", app["appId"]), ("SECRET", secret)):
        monkeypatch.setenv(f"PIM_CLIENT_{name}", value)
    monkeypatch.setenv("PIM_TENANT", demo.domain)
    assert dana("signals").out.startswith("This application has no stream.")
    made = dana("signals", "add", "wiki", "--event", "session-revoked", "--email", "-o", "json")
    assert made.code == 0, made
    assert (made.json["delivery"], made.json["events"]) == ("poll", "session-revoked")
    (listed,) = dana("signals", "-o", "json").json
    assert listed == made.json
    assert dana("signals", "verify", "WIKI").code == 0
    header = tmp_path / "header"
    header.write_text("Bearer of the wiki\n")
    pushed = ("signals", "add", "pushed", "--to", "https://wiki.example.com/events", "--authorization")
    assert dana(*pushed, "Bearer seen").code == 2
    made = dana(*pushed, f"@{header}", "-o", "json")
    assert (made.json["delivery"], len(made.json["events"].split())) == ("push", 4)
    assert "Bearer" not in made.out
    refused = dana("signals", "add", "pushed", "--to", "ftp://wiki")
    assert refused.code != 0
    assert "http" in refused.err, "the server's own words"
    assert dana("signals", "remove", "nobody's").code != 0
    for name in ("wiki", listed["stream_id"]):
        assert (dana("signals", "remove", name).code == 0) is (name == "wiki")
    assert [one["description"] for one in dana("signals", "-o", "json").json] == ["pushed"]
