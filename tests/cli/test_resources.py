"""Roles on Azure resources with `pim` alone, against a real OpenPIM with its demo organisation, over HTTPS."""

from __future__ import annotations

import json
import socket

import pytest

from openpim.client.profiles import NO_ARM, load_config, save_config

pytestmark = pytest.mark.slow

PROD = "/subscriptions/10000000-0000-4000-8000-000000000001"
IDENTITY = "/subscriptions/10000000-0000-4000-8000-000000000004"
FIELDS = {
    "provider", "role", "roleDefinitionId", "scope", "scopeName", "state", "start", "end", "left", "assignmentType",
    "memberType", "via", "needs", "request", "id",
}  # fmt: skip


def changed(desk, **members: str) -> None:
    """The profile of the person at the desk, changed by hand."""
    config = load_config(str(desk.home))
    for name, value in members.items():
        setattr(config.choose(), name, value)
    save_config(config)


def told(ran) -> dict[tuple[str, str], dict]:
    return {(row["role"], row["scopeName"]): row for row in ran.json}


def test_stronger_sign_in_by_itself(desk):
    """First in this file: what a role on a resource demands of the session is asked for there, once."""
    mira = desk("mira")
    lacking = "mfa" not in mira("whoami", "-o", "json").json["methods"]
    ran = mira("activate", "key vault administrator", "-j", "x", "-d", "30m")
    assert ran.code == 0, ran
    assert ("multi-factor" in ran.err) == lacking
    assert "Key Vault Administrator@kv-payments is active until" in ran.out


def test_one_table_of_all_kinds(desk):
    rows = desk("mira")("list", "-o", "json").json
    assert {row["provider"] for row in rows} == {"directory", "group", "resource"}
    assert all(set(row) >= FIELDS for row in rows)
    by_name = {(row["role"], row["scopeName"]): row for row in rows}
    assert by_name["Owner", "IT"]["needs"] == "approval, justification"
    assert by_name["Owner", "IT"]["scope"] == "/providers/Microsoft.Management/managementGroups/IT"
    assert by_name["Owner", "prod"]["needs"] == "justification, ticket"
    fleet = by_name["Fleet Operator", "rg-fleet"]
    assert (fleet["via"], fleet["memberType"]) == ("On-Call Engineers", "Group")


def test_the_same_where_the_server_has_only_what_microsoft_has(desk):
    """No list of everything, no batch of the resource manager: each list by itself, and the policies read."""
    mira = desk("mira")
    ours = told(mira("list", "eligible", "-o", "json"))
    assert mira("whoami").code == 0
    changed(mira, kind="entra", arm=f"https://localhost:{mira.demo.port + 1}")
    theirs = told(mira("list", "eligible", "-o", "json"))
    assert set(theirs) == set(ours)
    for key, row in theirs.items():
        assert {name: row[name] for name in ("scope", "roleDefinitionId", "via", "end")} == {
            name: ours[key][name] for name in ("scope", "roleDefinitionId", "via", "end")
        }
    ran = mira("activate", "Owner@prod", "--dry-run", "-d", "20h", tty=False)
    assert ran.code == 8
    assert "-t SYSTEM:NUMBER" in ran.err
    ran = mira("activate", "Owner@prod", "-j", "x", "-t", "A:1", "-d", "20h", "--dry-run")
    assert ran.code == 0, ran
    assert "allows at most 4 h" in ran.err
    assert "could be activated now" in ran.out


def test_from_eligible_to_active(desk):
    mira = desk("mira")
    ran = mira("activate", "Contributor@sandbox", "-d", "1h")
    assert ran.code == 0, ran
    assert "Contributor@sandbox is active until" in ran.out
    assert "already active" in mira("activate", "contrib@10000000-0000-4000-8000-000000000007").out
    assert "already active" in mira("activate", "Contributor@sandbox/rg-trials").out  # it holds there too
    assert "Contributor@sandbox: until" in mira("status").out
    row = told(mira("list", "active", "-o", "json"))["Contributor", "sandbox"]
    assert (row["assignmentType"], row["provider"]) == ("Activated", "resource")
    assert "Contributor@sandbox\n" in mira("completion", "names", "deactivate").out
    ran = mira("deactivate", "Contributor@sandbox")
    assert (ran.code, "possible from" in ran.err) == (8, True)  # five minutes
    assert "is not active" in mira("deactivate", "Contributor@staging").out
    assert any(row["provider"] == "resource" for row in mira("requests", "-o", "json").json)
    assert any(event["role"] == "Contributor" for event in mira("history", "-o", "json").json)


def test_never_a_guess(desk):
    mira = desk("mira")
    ran = mira("activate", "Owner", tty=False)
    assert ran.code == 7
    assert PROD in ran.err
    assert "managementGroups/IT" in ran.err
    assert mira("activate", "contributor", tty=False).code == 7
    ran = mira("activate", "Owner@nowhere", tty=False)
    assert ran.code == 6
    ran = mira("activate", "Owner@prod/rg-web", tty=False)
    assert (ran.code, "rg-fleet" in ran.err) == (6, True)
    # Owner of nothing in staging: another role whose name only contains it is not meant
    assert mira("activate", "Owner@staging", tty=False).code == 6
    assert mira("activate", "sg-admins", "--reduce", "prod", tty=False).code == 2
    assert mira("activate", "Owner@prod", "--reduce", "identity", tty=False).code == 6
    assert mira("activate", "Owner@prod//x", tty=False).code == 2


def test_narrower_than_the_eligibility_meets_both_policies(desk):
    mira = desk("mira")
    ran = mira("activate", "Owner@prod/rg-payments", tty=False)
    assert ran.code == 8
    assert "Owner@rg-payments" in ran.err
    assert "-t SYSTEM:NUMBER" in ran.err
    for words in (
        ("Owner@prod/rg-fleet",),
        ("Owner", "--on", "sub:prod", "--reduce", "rg:fleet"),
        ("Owner", "--on", f"{PROD}/resourceGroups/rg-fleet"),
    ):
        ran = mira("activate", *words, "-j", "x", "-t", "A:1", "--dry-run", "-o", "json")
        assert ran.code == 0, ran
        assert ran.json[0]["scope"] == f"{PROD}/resourceGroups/rg-fleet"
    ran = mira("activate", "Owner@prod/rg-payments", "-j", "x", "-t", "A:1", "-d", "3h", "--no-wait")
    assert ran.code == 3, ran
    assert "allows at most 1 h" in ran.err  # there
    assert "Tomas" in ran.out
    assert mira("cancel", "rg-payments").code == 0


def test_approval_denial_and_taking_back(desk):
    mira = desk("mira")
    ran = mira(
        "activate", "Owner", "--on", "mg:IT", "--reduce", "identity", "-j", "x", "--no-wait", "-o", "json"
    )
    assert ran.code == 3, ran
    assert (ran.json[0]["scope"], ran.json[0]["approvers"]) == (
        IDENTITY,
        ["Dana Okaforde", "Jonas Weberling"],
    )
    again = mira("activate", "Owner@identity", "-j", "x", "--no-wait", "-o", "json")
    assert again.json[0]["request"] == ran.json[0]["request"]
    assert told(mira("list", "pending", "-o", "json"))["Owner", "identity"]["state"] == "waiting"
    jonas = desk("jonas")
    assert "identity" in jonas("inbox").out
    ran = jonas("approve", "mira.solbergen@tidewater.example Owner", "-j", "agreed")
    assert (ran.code, "Owner@identity" in ran.out) == (0, True), ran
    assert "already active" in mira("activate", "Owner@identity").out
    ran = mira("activate", "Owner@connectivity", "-j", "x", "--no-wait", "-o", "json")
    assert jonas("deny", ran.json[0]["request"], "-j", "no").code == 0
    assert jonas("deny", ran.json[0]["request"], "-j", "no").code == 6
    assert mira("requests", "--status", "Denied", "-o", "json").json[0]["scopeName"] == "connectivity"
    assert (
        mira("activate", "Owner@workplace", "-j", "x", "--no-wait").code == 7
    )  # a subscription, and its group
    ran = mira("activate", "Owner", "--on", "sub:workplace", "-j", "x", "--no-wait")
    assert ran.code == 3, ran
    assert "Owner@workplace is taken back" in mira("cancel", "Owner@workplace").out


def test_administrators(desk):
    dana, tomas = desk("dana"), desk("tomas")
    ran = dana("assign", "Reader@staging", "jonas", "-j", "x", "-d", "9d")
    assert ran.code == 4, ran
    assert dana("activate", "user access administrator", "-j", "x", "-t", "A:1", "--no-wait").code == 3
    assert tomas("approve", "dana", "-j", "fine").code == 0
    ran = dana("assign", "Reader@staging", "jonas", "-j", "x", "-d", "9d")
    assert (ran.code, "is eligible for Reader@staging, until" in ran.out) == (0, True), ran
    assert "already" in dana("assign", "Reader", "jonas", "--on", "sub:staging", "-j", "x", "-d", "9d").out
    assert (
        dana(
            "assign", "Reader@prod/rg-network", "On-Call Engineers", "-j", "x", "-d", "9d", "-o", "json"
        ).code
        == 0
    )
    assert dana("assign", "Reader@nowhere", "jonas", "-j", "x").code == 6
    assert dana("assign", "Reader", "jonas", "--on", "rg:rg-fleet", "-j", "x").code == 7
    assert dana("assign", "No Such Role@staging", "jonas", "-j", "x").code == 6
    ran = dana(
        *(
            "policy",
            "set",
            "Reader@staging",
            "--max-duration",
            "3h",
            "--approval",
            "--approver",
            "jonas",
            "-o",
            "json",
        ),
        *("--escalate-to", "Change Advisory Board", "--escalate-after", "2h"),
        *("--notify", "activation:admin=off,critical,ops@tidewater.example"),
    )
    assert ran.code == 0, ran
    assert ran.json["maximumDuration"] == "PT3H"
    assert ran.json["stages"] == [
        "stage 1: 1 of Jonas Weberling within 1 d, after 2 h also Change Advisory Board (group)"
    ]
    assert ran.json["notifications"] == ["activation:admin=off,critical,ops@tidewater.example"]
    shown = dana("policy", "show", "Reader@staging", "-o", "json").json
    assert shown == ran.json
    ran = dana(
        *[
            "policy",
            "set",
            "Reader@staging",
            "--no-escalation",
            "--notify",
            "activation:admin=on,all,nobody",
            "-o",
            "json",
        ]
    )
    assert (ran.json["stages"], ran.json["notifications"]) == (
        ["stage 1: 1 of Jonas Weberling within 1 d"],
        [],
    )
    ran = dana("policy", "set", "Reader@staging", "--escalate-after", "1h")
    assert (ran.code, "--escalate-to" in ran.err) == (2, True)
    assert dana("policy", "set", "Reader@staging", "--notify", "always=on").code == 2
    assert any(row["provider"] == "resource" for row in dana("requests", "--everyone", "-o", "json").json)
    assert dana("unassign", "Reader@staging", "jonas").code == 0
    assert "not there" in dana("unassign", "Reader@staging", "jonas").out


def test_mail_and_escalation_of_directory_roles(desk):
    dana = desk("dana")
    assert dana("activate", "privileged role administrator", "-j", "x", "-t", "A:1").code == 0
    ran = dana(
        *("policy", "set", "sharepoint administrator", "--escalate-to", "jonas", "--escalate-after", "1h"),
        *("--notify", "eligible:approver=critical", "-o", "json"),
    )
    assert ran.code == 0, ran
    assert ran.json["notifications"] == ["eligible:approver=critical"]
    assert "after 1 h also Jonas Weberling" in ran.json["stages"][0]


def test_without_the_resource_manager_the_rest_works(desk):
    mira = desk("mira")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        closed = probe.getsockname()[1]
    changed(mira, arm=f"https://localhost:{closed}")
    ran = mira("list", "-o", "json")
    assert ran.code == 0, ran
    assert ran.err.count("note: roles on resources are left out: nothing answers at") == 1
    assert "Reports Reader" in {row["role"] for row in ran.json}
    assert mira("activate", "reports reader", "-d", "30m").code == 0
    assert mira("status").code == 0
    ran = mira("activate", "Contributor@staging", "-j", "x")
    assert ran.code == 11, ran
    ran = mira("doctor")
    assert (ran.code, "resources" in ran.out) == (11, True)
    ran = mira("assign", "User Administrator", "jonas", "--au", "Oslo Office", "-j", "x")
    assert ran.code == 4, ran  # that is for administrators; the unit was found
    assert mira("history").code == 0
    changed(mira, arm=NO_ARM)
    ran = mira("list", "active", "-o", "json")
    assert (ran.code, ran.err) == (0, "")
    assert mira("login", "--arm", "no address").code == 2


def test_the_server_says_where_its_resource_manager_is(desk):
    mira = desk("mira")
    assert load_config(str(mira.home)).choose().arm == ""
    assert mira("list").code == 0
    assert load_config(str(mira.home)).choose().arm == f"https://localhost:{mira.demo.port + 1}"
    tokens = json.loads((mira.home / "tokens-openpim.json").read_text())
    assert set(tokens["others"]) == {f"https://localhost:{mira.demo.port + 1}"}
    ran = mira("doctor", "-o", "json")
    assert (ran.code, ran.json[-1]["check"], ran.json[-1]["state"]) == (0, "resources", "ok")


def test_tokens_from_elsewhere(desk, monkeypatch):
    """A token in the environment is for one API, and says for which."""
    mira = desk("mira")
    assert mira("list").code == 0
    graph, manager = mira("token").out.strip(), mira("token", "--arm").out.strip()
    assert graph != manager
    monkeypatch.setenv("PIM_ACCESS_TOKEN", graph)
    ran = mira("list", "-o", "json")
    assert (ran.code, ran.err) == (0, "")
    ran = mira("activate", "Owner@prod", "-j", "x", "-t", "A:1", "--dry-run")
    assert (ran.code, "PIM_ARM_ACCESS_TOKEN" in ran.err) == (6, True), ran
    monkeypatch.setenv("PIM_ARM_ACCESS_TOKEN", manager)
    assert mira("activate", "Owner@prod", "-j", "x", "-t", "A:1", "--dry-run").code == 0
    monkeypatch.delenv("PIM_ARM_ACCESS_TOKEN")
    monkeypatch.setenv("PIM_ACCESS_TOKEN", manager)
    assert mira("activate", "Owner@prod", "-j", "x", "-t", "A:1", "--dry-run").code == 0


def test_a_token_that_is_no_longer_taken_is_renewed(desk):
    mira = desk("mira")
    assert mira("list").code == 0
    file = mira.home / "tokens-openpim.json"
    tokens = json.loads(file.read_text())
    address = next(iter(tokens["others"]))
    first = tokens["others"][address][0]
    for broken in (["no token", 4e9], [first, 0.0]):  # refused, and over
        tokens["others"][address] = broken
        file.write_text(json.dumps(tokens))
        ran = mira("list", "active")
        assert (ran.code, ran.err) == (0, ""), ran
        tokens = json.loads(file.read_text())
        assert tokens["others"][address][0] not in {"no token", first}
        first = tokens["others"][address][0]


def test_later_and_until(desk):
    mira = desk("mira")
    ran = mira("activate", "Contributor@staging", "-j", "x", "--start", "+2h", "--until", "+4h")
    assert (ran.code, "will be active from" in ran.out) == (0, True), ran
    assert told(mira("list", "pending", "-o", "json"))["Contributor", "staging"]["state"] == "scheduled"
    again = mira("activate", "Contributor@staging", "-j", "x", "--start", "+2h")
    assert (again.code, "will be active from" in again.out) == (0, True), again
    assert "Contributor@staging is taken back" in mira("cancel", "contributor").out


def test_several_kinds_at_once(desk):
    mira = desk("mira")
    names = ["Contributor@sandbox", "Reports Reader", "sg-admins", "nothing of the sort"]
    ran = mira("activate", *names, "-j", "x", "-d", "1h", "-o", "json")
    assert ran.code == 10, ran
    assert [row["provider"] for row in ran.json] == ["resource", "directory", "group", None]
    assert [row["exitCode"] for row in ran.json] == [0, 0, 0, 6]
