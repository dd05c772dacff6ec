"""`az role`: definitions, assignments, denials, and what changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


def custom(tree, *actions):
    return {
        "Name": "Robot Herder",
        "IsCustom": True,
        "Description": "Restarts robots",
        "Actions": list(actions),
        "NotActions": ["Microsoft.Compute/virtualMachines/delete"],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": [tree.subscription],
    }


def test_built_in_definitions(admin, tree):
    listed = admin("role", "definition", "list")
    assert len(listed) >= 928
    (owner,) = admin("role", "definition", "list", "--name", "Owner")
    assert owner["roleType"] == "BuiltInRole"
    assert owner["permissions"][0]["actions"] == ["*"]
    assert owner["assignableScopes"] == ["/"]
    words = ("role", "definition", "show", "--scope", tree.subscription)
    assert admin(*words, "--name", owner["name"])["id"] == owner["id"]
    assert admin("role", "definition", "show", "--id", owner["id"])["name"] == owner["name"]
    assert admin("role", "definition", "list", "--name", READER)[0]["roleName"] == "Reader"
    at = ("--scope", tree.group, "--name", "Reader")
    assert [one["name"] for one in admin("role", "definition", "list", *at)] == [READER]
    at = ("--resource-group", "rg-robots", "--name", "Reader")
    assert [one["name"] for one in admin("role", "definition", "list", *at)] == [READER]


def test_a_custom_definition(admin, tree):
    start, stop = (f"Microsoft.Compute/virtualMachines/{one}/action" for one in ("start", "powerOff"))
    assert admin("role", "definition", "list", "--custom-role-only", "--name", "Robot Herder") == []
    file = admin.folder / "role.json"
    file.write_text(json.dumps(custom(tree, start)))
    made = admin("role", "definition", "create", "--role-definition", f"@{file}")
    assert (made["roleName"], made["roleType"]) == ("Robot Herder", "CustomRole")
    assert made["permissions"][0]["actions"] == [start]
    listed = admin("role", "definition", "list", "--custom-role-only", "true")
    assert made["id"] in {one["id"] for one in listed}
    assert {one["roleType"] for one in listed} == {"CustomRole"}
    changed = admin(
        "role", "definition", "update", "--role-definition", json.dumps(custom(tree, start, stop))
    )
    assert changed["name"] == made["name"]
    assert changed["permissions"][0]["actions"] == [start, stop]
    (shown,) = admin("role", "definition", "list", "--name", "Robot Herder")
    assert shown["description"] == "Restarts robots"
    assert "Robot Herder" in admin.refused("role", "definition", "create", "--role-definition", f"@{file}")
    admin("role", "definition", "delete", "--name", "Robot Herder", "--custom-role-only", "true")
    assert admin("role", "definition", "list", "--name", "Robot Herder") == []
    admin("role", "definition", "delete", "--name", "Robot Herder")


def test_assignments(server, admin, tree):
    """By user name and by object id, at a subscription and at a resource group; seen from every side."""
    leila, viktor = server.people["leila"], server.people["viktor"]
    by_name = admin("role", "assignment", "create", "--assignee", leila.username, "--role", "Reader",
                    "--scope", tree.subscription)  # fmt: skip
    assert (by_name["principalId"], by_name["principalType"]) == (leila.id, "User")
    assert by_name["scope"] == tree.subscription
    assert by_name["roleDefinitionId"].endswith(READER)
    by_id = admin("role", "assignment", "create", "--assignee-object-id", viktor.id, "--assignee-principal-type",
                  "User", "--role", READER, "--scope", tree.group)  # fmt: skip
    assert by_id["scope"].lower() == tree.group.lower()
    again = admin("role", "assignment", "create", "--assignee", leila.username, "--role", "Reader",
                  "--scope", tree.subscription)  # fmt: skip
    assert again["id"] == by_name["id"]

    def listed(*words):
        return {one["id"] for one in admin("role", "assignment", "list", *words)}

    assert by_name["id"] in listed()
    assert by_id["id"] not in listed()
    assert {by_name["id"], by_id["id"]} <= listed("--all")
    assert listed("--assignee", leila.username) == {by_name["id"]}
    assert listed("--assignee", leila.id, "--all") == {by_name["id"]}
    assert listed("--assignee", viktor.username) == set()
    assert listed("--assignee", viktor.username, "--all") == {by_id["id"]}
    at_group = ("--resource-group", "rg-robots")
    assert by_id["id"] in listed(*at_group)
    assert by_name["id"] not in listed(*at_group)
    assert {by_name["id"], by_id["id"]} <= listed(*at_group, "--include-inherited")
    assert listed("--scope", tree.machine, "--include-inherited", "--role", "Reader") >= {by_id["id"]}
    (shown,) = admin("role", "assignment", "list", "--assignee", leila.username, "--include-groups")
    assert shown["principalName"] == leila.username
    assert shown["roleDefinitionName"] == "Reader"

    admin("role", "assignment", "delete", "--ids", by_id["id"])
    admin("role", "assignment", "delete", "--assignee", leila.username, "--role", "Reader",
          "--scope", tree.subscription)  # fmt: skip
    assert not {by_name["id"], by_id["id"]} & listed("--all")
    admin("role", "assignment", "delete", "--ids", by_id["id"])


def test_an_assignment_to_a_group(server, admin, desk, tree):
    """Who is in the group has it, and is told so."""
    anton = server.people["anton"]
    group = admin("ad", "group", "create", "--display-name", "Painters", "--mail-nickname", "painters")
    made = admin("role", "assignment", "create", "--assignee-object-id", group["id"], "--assignee-principal-type",
                 "Group", "--role", "Reader", "--scope", f"{tree.subscription}/resourceGroups/rg-paint")  # fmt: skip
    admin("ad", "group", "member", "add", "--group", group["id"], "--member-id", anton.id)
    words = ("role", "assignment", "list", "--all", "--assignee", anton.username)
    assert admin(*words) == []
    assert [one["id"] for one in admin(*words, "--include-groups")] == [made["id"]]
    az = desk("anton")
    az("account", "list", "--refresh")
    az("account", "set", "--subscription", tree.subscription_id)
    assert [one["name"] for one in az("group", "list")] == ["rg-paint"]
    admin("ad", "group", "delete", "--group", group["id"])
    assert made["id"] not in {one["id"] for one in admin("role", "assignment", "list", "--all")}


def test_what_is_not_allowed(server, desk, tree, admin):
    az = desk("liam")
    words = ("role", "assignment", "create", "--assignee-object-id", server.people["liam"].id,
             "--assignee-principal-type", "User", "--role", "Owner", "--scope", tree.subscription)  # fmt: skip
    assert "AuthorizationFailed" in az.refused(*words)
    words = ("role", "assignment", "create", "--assignee", "nobody@tidewater.example", "--role", "Reader",
             "--scope", tree.subscription)  # fmt: skip
    assert "Cannot find user" in admin.refused(*words)
    words = ("role", "assignment", "create", "--role", "Reader", "--scope", tree.subscription)
    words = (*words, "--assignee-object-id", "11111111-2222-4333-8444-555555555555")
    assert "PrincipalNotFound" in admin.refused(*words, "--assignee-principal-type", "User")
    words = ("role", "assignment", "create", "--assignee", server.people["liam"].username)
    assert "No Such" in admin.refused(*words, "--role", "No Such", "--scope", tree.subscription)


def test_denials_and_changes(server, admin, tree):
    paint = f"{tree.subscription}/resourceGroups/rg-paint"
    assert admin("role", "deny-assignment", "list") == []
    admin("role", "assignment", "create", "--assignee", server.people["leila"].username, "--role", "Reader",
          "--scope", paint)  # fmt: skip
    admin("role", "assignment", "delete", "--assignee", server.people["leila"].username,
          "--resource-group", "rg-paint")  # fmt: skip
    today = datetime.now(UTC)
    since, until = ((today + timedelta(hours=n)).strftime("%Y-%m-%dT%H:%M:%SZ") for n in (-1, 1))
    times = ("--start-time", since, "--end-time", until)  # by itself it leaves out the second that runs
    logged = admin("role", "assignment", "list-changelogs", *times)
    mine = [one for one in logged if one["principalId"] == server.people["leila"].id]
    assert {one["action"] for one in mine} >= {"Granted", "Revoked"}
    assert {one["roleName"] for one in mine} == {"Reader"}
