"""Every other command of `pim`, from the words typed to the requests sent and the exit code."""

from __future__ import annotations

import subprocess

import pytest

from openpim.client.profiles import NO_ARM, load_config, save_config
from tests.cli import fake as f


def test_list_merges_what_is_eligible_active_and_waiting(signed_in):
    fake = signed_in.fake
    for role in ("Teams Administrator", "Exchange Administrator", "User Administrator"):
        fake.make_eligible(role)
    fake.make_active("Teams Administrator")
    fake.ask("Exchange Administrator", who=f.ANNA)
    ran = signed_in("list", "-o", "json")
    states = [(row["role"], row["state"]) for row in ran.json]
    assert states == [
        ("Teams Administrator", "active"), ("Exchange Administrator", "waiting"),
        ("User Administrator", "eligible"),
    ]  # fmt: skip
    assert [path for _, path in fake.seen if path == "/$batch"] == ["/$batch"]
    assert "UNTIL" in signed_in("list").out
    assert [row["role"] for row in signed_in("list", "active", "-o", "json").json] == ["Teams Administrator"]
    assert (
        signed_in("list", "pending", "-o", "tsv")
        .out.splitlines()[1]
        .startswith("Exchange Administrator\t/\twaiting")
    )


def test_list_has_one_row_for_each_role_and_scope(signed_in):
    fake = signed_in.fake
    fake.make_eligible("Teams Administrator", ends=f.timedelta(days=3))
    fake.make_eligible("Teams Administrator", via=f.HELPDESK)
    fake.make_eligible("Teams Administrator", scope=f.BERLIN)
    fake.make_eligible("Exchange Administrator")
    fake.make_active("Exchange Administrator")
    request = fake.ask(
        "Exchange Administrator", who=f.ANNA, action="selfExtend", status="PendingAdminDecision"
    )
    rows = signed_in("list", "-o", "json").json
    assert [(row["role"], row["scopeName"], row["state"], row["left"]) for row in rows] == [
        ("Exchange Administrator", "/", "active", "1 h"),
        ("Teams Administrator", "/", "eligible", "permanent"),
        ("Teams Administrator", "Berlin", "eligible", "permanent"),
    ]
    assert rows[0]["request"] == request
    assert len(signed_in("list", "eligible", "-o", "json").json) == 4


def test_list_works_without_batch(signed_in):
    signed_in.fake.no_batch = True
    signed_in.fake.make_eligible("Teams Administrator")
    assert signed_in("list", "-o", "json").json[0]["role"] == "Teams Administrator"


def test_list_empty_says_what_to_do(signed_in):
    assert "pim list eligible" in signed_in("list", "active").out
    assert signed_in("list", "active", "-o", "json").json == []


def test_deactivate(signed_in):
    signed_in.fake.make_eligible("Teams Administrator")
    signed_in.fake.make_active("Teams Administrator")
    ran = signed_in("deactivate", "teams")
    assert (ran.code, ran.out) == (0, "Teams Administrator is no longer active.\n")
    ran = signed_in("deactivate", "teams")
    assert (ran.code, ran.out) == (0, "Teams Administrator is not active.\n")
    assert signed_in("deactivate", "nonsense").code == 6
    assert signed_in("deactivate").code == 2


def test_deactivate_too_early_and_all(signed_in):
    signed_in.fake.make_active("Teams Administrator")
    signed_in.fake.active[0]["young"] = True
    signed_in.fake.make_active("Exchange Administrator")
    ran = signed_in("deactivate", "teams")
    assert ran.code == 8
    assert "five minutes" in ran.err
    ran = signed_in("deactivate", "--all", "-o", "json")
    assert ran.code == 10
    assert sorted(row["state"] for row in ran.json) == ["ended", "failed"]


def test_extend_where_activations_are_not_extended(signed_in):
    fake = signed_in.fake
    fake.make_eligible("Teams Administrator")
    fake.make_active("Teams Administrator")
    fake.ours = False
    config = load_config()
    config.choose().kind, config.choose().arm = "entra", NO_ARM
    save_config(config)
    ran = signed_in("extend", "teams", "-d", "2h")
    assert ran.code == 2, ran
    assert "Teams Administrator: The role assignment request is invalid." in ran.err
    assert "Microsoft Entra does not extend activations" in ran.err


def test_extend_never_guesses_and_names_what_is_missing(signed_in):
    fake = signed_in.fake
    fake.make_eligible("Teams Administrator")
    fake.make_eligible("Teams Communications Administrator")
    assert signed_in("extend", "teams").code == 7
    fake.make_active("Teams Communications Administrator")  # the one that runs is meant
    fake.demand("Teams Communications Administrator", "Ticketing")
    ran = signed_in("extend", "teams")
    assert (ran.code, "-t SYSTEM:NUMBER" in ran.err) == (8, True), ran
    assert signed_in("extend", "teams", "-d", "2h", "--until", "18:00").code == 2
    assert not fake.requests
    ran = signed_in("extend", "teams", "nonsense", "-t", "JIRA:1", "-o", "json")
    assert (ran.code, [row["exitCode"] for row in ran.json]) == (10, [0, 6]), ran
    path, body = fake.bodies[-1]
    assert path.endswith("/roleAssignmentScheduleRequests")
    assert (body["action"], body["ticketInfo"]["ticketNumber"]) == ("selfExtend", "1")
    assert body["scheduleInfo"] == {"expiration": {"type": "afterDuration", "duration": "PT8H"}}


def test_requests_and_cancel(signed_in):
    fake = signed_in.fake
    first, second = (
        fake.ask("Teams Administrator", who=f.ANNA),
        fake.ask("Exchange Administrator", who=f.ANNA),
    )
    fake.ask("User Administrator", who=f.ANNA, status="Denied")
    assert len(signed_in("requests", "-o", "json").json) == 3
    assert len(signed_in("requests", "--pending", "-o", "json").json) == 2
    assert [row["role"] for row in signed_in("requests", "--status", "Denied", "-o", "json").json] == [
        "User Administrator"
    ]
    assert signed_in("cancel", "user").code == 6
    assert signed_in("cancel", first[:8]).code == 0
    assert fake.requests[first]["status"] == "Canceled"
    assert signed_in("cancel", "--all").code == 0
    assert fake.requests[second]["status"] == "Canceled"


def test_requests_say_why_they_failed(signed_in):
    request = signed_in.fake.ask("Teams Administrator", who=f.ANNA, status="Failed")
    assert "BECAUSE" not in signed_in("requests").out
    signed_in.fake.requests[request]["@openpim.failure"] = "The eligibility has ended."
    assert "The eligibility has ended." in signed_in("requests").out
    assert signed_in("requests", "-o", "json").json[0]["failure"] == "The eligibility has ended."


def test_cancel_never_guesses(signed_in):
    signed_in.fake.ask("Teams Administrator", who=f.ANNA)
    signed_in.fake.ask("Teams Communications Administrator", who=f.ANNA)
    assert signed_in("cancel", "teams").code == 7


def test_inbox_approve_deny(signed_in):
    fake = signed_in.fake
    teams, exchange = fake.ask("Teams Administrator"), fake.ask("Exchange Administrator")
    ran = signed_in("inbox")
    assert "ben@contoso.com" in ran.out
    assert "1 h" in ran.out
    assert signed_in("approve", "teams").code == 8
    assert signed_in("approve", "ben", "-j", "ok").code == 7
    ran = signed_in("approve", "teams", "-j", "ok")
    assert (ran.code, ran.out) == (0, "Teams Administrator for ben@contoso.com: approved.\n")
    assert fake.steps[teams]["justification"] == "ok"
    ran = signed_in("deny", exchange[:6], answers=["no need"])
    assert ran.code == 0, ran
    assert fake.requests[exchange]["status"] == "Denied"
    assert "Nothing waits" in signed_in("inbox").out
    assert signed_in("approve").out == "Nothing waits for your decision.\n"


def test_inbox_has_extensions_too(signed_in):
    fake = signed_in.fake
    fake.ask("Teams Administrator")
    waits = fake.ask("Exchange Administrator", action="selfRenew", status="PendingAdminDecision")
    fake.eligibility_requests[waits] = fake.requests.pop(waits)
    rows = signed_in("inbox", "-o", "json").json
    assert [(row["role"], row["what"]) for row in rows] == [
        ("Teams Administrator", "activate"),
        ("Exchange Administrator", "renew eligibility"),
    ]
    assert [path for _, path in fake.seen if path == "/$batch"] == ["/$batch"]
    assert "2 waiting" in signed_in("status").out
    fake.denied_paths.add("roleEligibilityScheduleRequests")
    assert len(signed_in("inbox", "-o", "json").json) == 1
    fake.denied_paths.add("roleAssignmentScheduleRequests")
    assert signed_in("inbox").code == 4


def test_decided_meanwhile_by_somebody_else(signed_in):
    fake = signed_in.fake
    teams, exchange = fake.ask("Teams Administrator"), fake.ask("Exchange Administrator")
    fake.steps[teams].update(reviewResult="Approve", status="Completed", assignedToMe=False)
    fake.steps[exchange].update(
        reviewResult="Deny", status="Completed", assignedToMe=False, reviewedBy={"displayName": "Cleo"}
    )
    assert "approved before" in signed_in("approve", "teams", "-j", "ok").out
    ran = signed_in("approve", "exchange", "-j", "ok")
    assert ran.code == 4
    assert "denied already by Cleo" in ran.err


def test_approve_all_is_confirmed(signed_in):
    signed_in.fake.ask("Teams Administrator")
    signed_in.fake.ask("Exchange Administrator")
    assert signed_in("approve", "--all", "-j", "ok").code == 2
    assert signed_in("approve", "--all", "-j", "ok", answers=["n"]).code == 2
    assert signed_in("approve", "--all", "-j", "ok", answers=["y"]).code == 0


def test_one_waiting_is_approved_after_a_yes(signed_in):
    signed_in.fake.ask("Teams Administrator")
    assert signed_in("approve", answers=["y", "fine"]).code == 0


def test_status(signed_in):
    fake = signed_in.fake
    fake.make_active("Teams Administrator", minutes=30)
    fake.ask("Exchange Administrator", who=f.ANNA)
    fake.ask("User Administrator")
    ran = signed_in("status")
    assert "30 min left" in ran.out
    assert "1 waiting for your decision" in ran.out
    data = signed_in("status", "-o", "json").json
    assert (len(data["active"]), len(data["waiting"]), len(data["inbox"])) == (1, 1, 1)
    assert signed_in("status", "-o", "tsv").out.count("\n") == 4


def test_history_from_audits_and_from_requests(signed_in):
    fake = signed_in.fake
    fake.audits.append({
        "id": "PIM_1", "activityDateTime": "2026-11-20T10:00:00Z", "activityDisplayName": "Add member to role completed (PIM activation)",
        "initiatedBy": {"user": {"userPrincipalName": "anna@contoso.com"}}, "result": "success", "resultReason": "outage",
        "targetResources": [{"type": "Role", "displayName": "Teams Administrator"}, {"type": "User", "displayName": "Anna Arendt"}],
    })  # fmt: skip
    ran = signed_in("history", "--since", "5y")
    assert ran.code == 0, ran
    assert "PIM activation" in ran.out
    fake.denied_paths.add("directoryAudits")
    fake.ask("Teams Administrator", who=f.ANNA)
    ran = signed_in("history", "--since", "5y", "-o", "jsonl")
    assert "its own requests" in ran.err
    assert '"selfActivate"' in ran.out
    assert signed_in("history", "--everyone").code == 4


def test_assign_and_unassign(signed_in):
    fake = signed_in.fake
    ran = signed_in("assign", "teams administrator", "ben@contoso.com", "-d", "90d", "-j", "season")
    assert ran.code == 0, ran
    path, body = fake.bodies[-1]
    assert path.endswith("/roleEligibilityScheduleRequests")
    assert body["scheduleInfo"]["expiration"] == {"type": "afterDuration", "duration": "P90D"}
    assert body["principalId"] == f.BEN
    assert signed_in("assign", "exchange administrator", "Helpdesk").code == 0
    assert fake.bodies[-1][1]["scheduleInfo"]["expiration"] == {"type": "noExpiration"}
    assert signed_in("assign", "exchange administrator", "ben", "--active").code == 0
    path, body = fake.bodies[-1]
    assert path.endswith("/roleAssignmentScheduleRequests")
    assert body["scheduleInfo"]["expiration"] == {"type": "afterDuration", "duration": "P180D"}
    assert signed_in("assign", "teams", "ben").code == 7
    assert signed_in("assign", "teams administrator", "nobody").code == 6
    fake.make_eligible("Teams Administrator", via=f.BEN)
    assert signed_in("unassign", "teams administrator", "ben").code == 0
    assert fake.bodies[-1][1]["action"] == "adminRemove"
    ran = signed_in("unassign", "security administrator", "ben", "--eligible")
    assert ran.code == 0
    assert "not there" in ran.out


def test_assign_needs_the_justification_of_the_policy(signed_in):
    signed_in.fake.rule("Teams Administrator", "Enablement_Admin_Eligibility")["enabledRules"] = [
        "Justification"
    ]
    assert signed_in("assign", "teams administrator", "ben").code == 8
    assert signed_in("assign", "teams administrator", "ben", answers=["because"]).code == 0


def test_policy_show_and_set(signed_in):
    fake = signed_in.fake
    fake.demand("Teams Administrator", "MultiFactorAuthentication", "Justification")
    ran = signed_in("policy", "show", "teams administrator")
    assert "8 h" in ran.out
    assert "mfa, justification" in ran.out
    ran = signed_in("policy", "set", "teams administrator", "--max-duration", "4h")
    assert ran.code == 0, ran
    name, rule = fake.patched[-1]
    assert (name, rule["maximumDuration"]) == ("Expiration_EndUser_Assignment", "PT4H")
    assert rule["target"]["level"] == "Assignment"
    ran = signed_in(
        "policy",
        "set",
        "teams administrator",
        "--ticket",
        "--approval",
        "--approver",
        "ben@contoso.com",
        "-o",
        "json",
    )
    assert ran.code == 0, ran
    assert ran.json["requires"] == ["mfa", "justification", "ticket"]
    assert ran.json["approvers"] == ["Ben Brandt"]
    ran = signed_in("policy", "set", "teams administrator", "--context", "c1", "-o", "json")
    assert "takes the place of MFA" in ran.err
    assert (ran.json["context"], ran.json["requires"]) == ("c1", ["justification", "ticket"])
    assert signed_in("policy", "set", "teams administrator").code == 2


def test_policy_with_several_stages(signed_in):
    ran = signed_in(
        "policy",
        "set",
        "teams administrator",
        "--approver",
        "ben@contoso.com",
        "--quorum",
        "2",
        "--approval-timeout",
        "4h",
        "-o",
        "json",
    )
    assert ran.code == 0, ran
    assert ran.json["stages"] == ["stage 1: 2 of Ben Brandt within 4 h"]
    ran = signed_in("policy", "set", "teams administrator", "--stage", "2", "--approver", "Helpdesk")
    assert "stage 2: 1 of Helpdesk (group) within 1 d" in ran.out
    setting = signed_in.fake.rule("Teams Administrator", "Approval_EndUser_Assignment")["setting"]
    assert (setting["approvalMode"], setting["approvalStages"][0]["openPim"]) == (
        "Serial",
        {"quorum": 2, "timeOutInMinutes": 240},
    )
    assert signed_in("policy", "set", "teams administrator", "--stage", "9", "--quorum", "2").code == 2


def test_profile(pim):
    assert pim("profile", "add", "work", "--server", "https://pim.example.org").code == 0
    assert pim("profile", "add", "ms", "--entra", "--tenant", "contoso.com").code == 0
    assert [row["name"] for row in pim("profile", "-o", "json").json] == ["ms", "test", "work"]
    assert pim("profile", "use", "work").code == 0
    assert pim("profile", "show", "-o", "json").json["authority"] == "https://pim.example.org"
    assert "RoleAssignmentSchedule" in pim("profile", "show", "ms", "-o", "json").json["scope"]
    assert pim("profile", "remove", "work").code == 0
    assert pim("profile", "use", "work").code == 6
    assert pim("profile", "add", "../x", "--server", "https://a").code == 2
    assert (
        pim("login", "--device", "--server", "http://pim.example.org").code == 2
    )  # no credentials without TLS


def test_doctor(signed_in):
    ran = signed_in("doctor", "-o", "json")
    assert ran.code == 0, ran
    assert {row["check"] for row in ran.json} >= {
        "configuration",
        "profile",
        "connection",
        "discovery",
        "clock",
        "sign-in",
        "roles",
    }
    signed_in.server.shutdown()
    signed_in.server.server_close()
    ran = signed_in("doctor")
    assert ran.code == 11
    assert "failed" in ran.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(pim, shell):
    ran = pim("completion", shell)
    assert ran.code == 0
    assert "activate" in ran.out
    if shell == "bash":
        assert subprocess.run(["bash", "-n"], input=ran.out, text=True, check=False).returncode == 0


_TRY = """
pim() {{ printf '%s\\n' 'Owner@IT' 'Owner@prod' 'Key Vault Administrator@kv' 'sg-admins:owner'; }}
COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}; COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_pim; printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("line", "words", "found"),
    [
        ("pim activate Own", "pim activate Own", ["Owner@IT", "Owner@prod"]),
        ("pim activate Owner@pr", "pim activate Owner @ pr", ["prod"]),  # bash ends words at @ and :
        ("pim activate Owner@", "pim activate Owner @", ["@IT", "@prod"]),
        ("pim activate sg-admins:o", "pim activate sg-admins : o", ["owner"]),
        (r"pim activate Key\ V", r"pim activate 'Key\ V'", [r"Key\ Vault\ Administrator@kv"]),
        ("pim activate --red", "pim activate --red", ["--reduce"]),
        ("pim extend Owner@pr", "pim extend Owner @ pr", ["prod"]),
        ("pim renew --elig", "pim renew --elig", ["--eligible"]),
    ],
)
def test_completion_in_bash(pim, line, words, found):
    script = pim("completion", "bash").out + _TRY.format(line=line, words=words)
    ran = subprocess.run(["bash"], input=script, text=True, capture_output=True, check=False)
    assert ran.stdout.splitlines() == found, ran


def test_completion_of_role_names_never_asks(signed_in):
    signed_in.fake.make_eligible("Teams Administrator")
    signed_in.fake.make_eligible("evil\nname")
    assert signed_in("completion", "names", "activate").out == "Teams Administrator\n"
    signed_in.fake.make_active("Exchange Administrator")
    assert signed_in("completion", "names", "extend").out == "Exchange Administrator\nTeams Administrator\n"
    signed_in("logout")
    assert signed_in("completion", "names", "activate", tty=True).out == ""


def test_serve_hands_over(pim, monkeypatch):
    import sys
    import types

    given = []
    app = types.ModuleType("openpim.app")
    app.serve = given.append
    monkeypatch.setitem(sys.modules, "openpim.app", app)
    assert pim("serve", "--demo", "--port", "0").code == 0
    assert given == [["--demo", "--port", "0"]]


def test_overview_help_and_mistakes(pim):
    assert "activate" in pim().out
    assert pim("--version").out.startswith("pim ")
    assert "Sign-in needed" in pim("--exit-codes").out
    assert "usage: pim activate" in pim("activate", "--help").out
    assert "usage: pim activate" in pim("help", "activate").out
    ran = pim("activat")
    assert ran.code == 2
    assert "pim activate" in ran.err
    assert pim("--nonsense").code == 2
    assert pim("-o", "json", "profile").code == 0
    assert pim("list", "-o", "xml").code == 2
