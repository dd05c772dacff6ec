"""`az ad`: people, groups and applications."""

from __future__ import annotations


def test_oneself(server, desk):
    me = server.people["marek"]
    shown = desk("marek")("ad", "signed-in-user", "show")
    assert (shown["id"], shown["userPrincipalName"], shown["displayName"]) == (me.id, me.username, me.name)
    assert isinstance(desk("marek")("ad", "signed-in-user", "list-owned-objects"), list)


def test_users(server, desk):
    az, mira = desk("marek"), server.people["mira"]
    everybody = az("ad", "user", "list")
    assert {mira.id, server.people["dana"].id} <= {one["id"] for one in everybody}
    assert [one["id"] for one in az("ad", "user", "list", "--upn", mira.username)] == [mira.id]
    assert [one["id"] for one in az("ad", "user", "list", "--display-name", mira.name)] == [mira.id]
    query = f"startswith(userPrincipalName, '{mira.username[:6]}')"
    assert [one["id"] for one in az("ad", "user", "list", "--filter", query)] == [mira.id]
    assert az("ad", "user", "show", "--id", mira.id) == az("ad", "user", "show", "--id", mira.username)
    assert "does not exist" in az.refused("ad", "user", "show", "--id", "nobody@tidewater.example")
    groups = az("ad", "user", "get-member-groups", "--id", mira.id)
    assert "Platform Engineering" in {one["displayName"] for one in groups}


def test_groups(server, admin):
    made = admin("ad", "group", "create", "--display-name", "Welders", "--mail-nickname", "welders")
    shown = admin("ad", "group", "show", "--group", "Welders")
    assert shown["id"] == made["id"]
    assert shown["securityEnabled"] is True
    assert [one["id"] for one in admin("ad", "group", "list", "--display-name", "Welders")] == [made["id"]]
    leila, viktor = server.people["leila"].id, server.people["viktor"].id
    for one in (leila, viktor):
        admin("ad", "group", "member", "add", "--group", "Welders", "--member-id", one)
    members = admin("ad", "group", "member", "list", "--group", "Welders")
    assert {one["id"] for one in members} == {leila, viktor}
    admin("ad", "group", "member", "remove", "--group", "Welders", "--member-id", viktor)
    check = ("ad", "group", "member", "check", "--group", "Welders", "--member-id")
    assert admin(*check, leila) == {"value": True}
    assert admin(*check, viktor) == {"value": False}
    admin("ad", "group", "owner", "add", "--group", "Welders", "--owner-object-id", viktor)
    assert viktor in {one["id"] for one in admin("ad", "group", "owner", "list", "--group", "Welders")}
    assert admin("ad", "group", "get-member-groups", "--group", "Welders") == []
    admin("ad", "group", "delete", "--group", "Welders")
    assert admin("ad", "group", "list", "--filter", "displayName eq 'Welders'") == []


def test_applications(server, desk):
    az, application = desk("marek"), server.facts["application"]
    named = az("ad", "sp", "list", "--display-name", "Conformance")
    assert [one["id"] for one in named] == [application["principal_id"]]
    everything = az("ad", "sp", "list", "--all")
    assert application["app_id"] in {one["appId"] for one in everything}
    by_app = az("ad", "sp", "show", "--id", application["app_id"])
    assert by_app == az("ad", "sp", "show", "--id", application["principal_id"])
    (found,) = az("ad", "sp", "list", "--filter", f"appId eq '{application['app_id']}'")
    assert found["appId"] == application["app_id"]
    shown = az("ad", "app", "show", "--id", application["app_id"])
    assert (shown["id"], shown["displayName"]) == (application["id"], "Conformance")
    assert [one["appId"] for one in az("ad", "app", "list", "--app-id", application["app_id"])] == [
        application["app_id"]
    ]
