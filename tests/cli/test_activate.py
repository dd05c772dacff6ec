"""`pim activate`: one command from a name to a role in force."""

from __future__ import annotations

from datetime import timedelta

from tests.cli import fake as f


def test_a_role_without_demands_is_active_at_once(signed_in):
    signed_in.fake.make_eligible("Teams Administrator")
    ran = signed_in("activate", "teams administrator")
    assert ran.code == 0, ran
    assert "Teams Administrator is active until" in ran.out
    _, body = signed_in.fake.bodies[-1]
    assert body["principalId"] == f.ANNA
    assert body["scheduleInfo"] == {"expiration": {"type": "afterDuration", "duration": "PT8H"}}
    # one round trip for the lists, which say what the policy demands, and one for the request
    assert [path for _, path in signed_in.fake.seen if "ScheduleInstances" not in path and "filterBy" not in path] == [
        "/$batch", "/openPim/eligibilities", "/roleManagement/directory/roleAssignmentScheduleRequests",
    ]  # fmt: skip


def test_where_the_server_has_no_list_of_everything_the_policy_is_read(signed_in):
    signed_in.fake.ours = False
    signed_in.fake.make_eligible("Teams Administrator")
    ran = signed_in("activate", "teams administrator", "-d", "9h", "-o", "json")
    assert ran.code == 0, ran
    assert "allows at most 8 h" in ran.err
    assert "/policies/roleManagementPolicyAssignments" in [path for _, path in signed_in.fake.seen]


def test_already_active_is_success_with_the_time_left(signed_in):
    signed_in.fake.make_eligible("Teams Administrator")
    signed_in.fake.make_active("Teams Administrator", minutes=90)
    ran = signed_in("activate", "Teams Administrator")
    assert ran.code == 0
    assert "already active" in ran.out
    assert "1 h 30 min left" in ran.out
    assert not any(method == "POST" and "Requests" in path for method, path in signed_in.fake.seen)


def test_two_that_fit_are_never_guessed_between(signed_in):
    signed_in.fake.make_eligible("Teams Administrator")
    signed_in.fake.make_eligible("Teams Communications Administrator")
    ran = signed_in("activate", "teams")
    assert ran.code == 7
    assert "Teams Administrator" in ran.err
    assert "Teams Communications Administrator" in ran.err
    assert not signed_in.fake.requests


def test_initials(signed_in):
    signed_in.fake.make_eligible("Global Administrator")
    assert signed_in("activate", "ga").code == 0


def test_unknown_role_names_what_comes_close(signed_in):
    signed_in.fake.make_eligible("Teams Administrator")
    ran = signed_in("activate", "Teems Administrator")
    assert ran.code == 6
    assert "did you mean: Teams Administrator" in ran.err


def test_what_the_policy_demands_is_named_before_sending(signed_in):
    signed_in.fake.make_eligible("Teams Administrator")
    signed_in.fake.demand("Teams Administrator", "Justification", "Ticketing")
    ran = signed_in("activate", "teams")
    assert ran.code == 8
    assert "-j TEXT" in ran.err
    assert "-t SYSTEM:NUMBER" in ran.err
    assert not signed_in.fake.requests


def test_asks_a_person_for_exactly_what_is_missing(signed_in):
    signed_in.fake.make_eligible("Teams Administrator")
    signed_in.fake.demand("Teams Administrator", "Justification", "Ticketing")
    ran = signed_in("activate", "teams", "-j", "outage", answers=["JIRA:OPS-1"])
    assert ran.code == 0, ran
    assert "Ticket for Teams Administrator" in ran.err
    assert "Justification" not in ran.err
    body = signed_in.fake.bodies[-1][1]
    assert body["ticketInfo"] == {"ticketSystem": "JIRA", "ticketNumber": "OPS-1"}
    assert body["justification"] == "outage"


def test_duration_is_clamped_with_a_note(signed_in):
    signed_in.fake.make_eligible("Teams Administrator")
    ran = signed_in("activate", "teams", "-d", "12h")
    assert ran.code == 0
    assert "at most 8 h" in ran.err
    assert signed_in.fake.bodies[-1][1]["scheduleInfo"]["expiration"]["duration"] == "PT8H"


def test_clamped_to_the_end_of_the_eligibility(signed_in):
    signed_in.fake.make_eligible("Teams Administrator", ends=timedelta(hours=2))
    ran = signed_in("activate", "teams")
    assert ran.code == 0
    assert "eligibility ends" in ran.err
    assert signed_in.fake.bodies[-1][1]["scheduleInfo"]["expiration"]["type"] == "afterDateTime"


def test_approval_without_waiting(signed_in):
    signed_in.fake.make_eligible("Exchange Administrator")
    signed_in.fake.approval("Exchange Administrator", f.BEN)
    ran = signed_in("activate", "exchange", "--no-wait")
    assert ran.code == 3
    assert "Ben Brandt" in ran.out
    again = signed_in("activate", "exchange", "--no-wait")
    assert again.code == 3
    assert len(signed_in.fake.requests) == 1


def test_approval_is_waited_for(signed_in):
    signed_in.fake.make_eligible("Exchange Administrator")
    signed_in.fake.approval("Exchange Administrator")
    signed_in.fake.approve_after = 3
    ran = signed_in("activate", "exchange")
    assert ran.code == 0, ran
    assert "Privileged Role Administrator or Global Administrator" in ran.err
    assert "is active until" in ran.out


def test_nobody_approves(signed_in):
    signed_in.fake.make_eligible("Exchange Administrator")
    signed_in.fake.approval("Exchange Administrator", f.BEN)
    ran = signed_in("activate", "exchange", "--timeout", "1m")
    assert ran.code == 9
    assert "pim requests" in ran.err


def test_denied_while_waiting(signed_in, monkeypatch):
    signed_in.fake.make_eligible("Exchange Administrator")
    signed_in.fake.approval("Exchange Administrator", f.BEN)
    original = signed_in.fake._one_request

    def denied(*args):
        for row in signed_in.fake.requests.values():
            row["status"] = "Denied"
        return original(*args)

    signed_in.fake._one_request = denied
    ran = signed_in("activate", "exchange")
    assert ran.code == 4
    assert "denied" in ran.err


def test_provisioning_is_waited_for(signed_in):
    signed_in.fake.make_eligible("Teams Administrator")
    signed_in.fake.provision_after = 2
    ran = signed_in("activate", "teams")
    assert ran.code == 0
    assert "is active until" in ran.out


def test_mfa_is_stepped_up_to_and_the_request_repeated(signed_in):
    signed_in.fake.make_eligible("Teams Administrator")
    signed_in.fake.demand("Teams Administrator", "MultiFactorAuthentication")
    ran = signed_in("activate", "teams", tty=True)
    assert ran.code == 0, ran
    assert "multi-factor" in ran.err
    assert len(signed_in.opened) == 2


def test_mfa_without_a_person(signed_in):
    signed_in.fake.make_eligible("Teams Administrator")
    signed_in.fake.demand("Teams Administrator", "MultiFactorAuthentication")
    ran = signed_in("activate", "teams")
    assert ran.code == 5
    assert "pim login --mfa" in ran.err


def test_authentication_context_by_message_and_by_challenge(signed_in):
    for role, cae in (("Teams Administrator", False), ("Exchange Administrator", True)):
        signed_in.fake.make_eligible(role)
        signed_in.fake.context(role, "c1" if not cae else "c2")
        signed_in.fake.cae = cae
        ran = signed_in("activate", role, tty=True)
        assert ran.code == 0, ran


def test_several_at_once_and_some_fail(signed_in):
    for role in ("Teams Administrator", "Exchange Administrator", "User Administrator"):
        signed_in.fake.make_eligible(role)
    signed_in.fake.demand("Exchange Administrator", "Ticketing")
    ran = signed_in("activate", "teams", "exchange", "user", "nonsense", "-o", "json")
    assert ran.code == 10
    assert [row["state"] for row in ran.json] == ["active", "failed", "active", "failed"]
    assert [row["exitCode"] for row in ran.json] == [0, 8, 0, 6]
    posts = [path for method, path in signed_in.fake.seen if path == "/$batch"]
    assert len(posts) == 2  # the lists; the requests


def test_several_step_up_once(signed_in):
    for role in ("Teams Administrator", "Exchange Administrator"):
        signed_in.fake.make_eligible(role)
        signed_in.fake.demand(role, "MultiFactorAuthentication")
    ran = signed_in("activate", "teams", "exchange", tty=True)
    assert ran.code == 0, ran
    assert len(signed_in.opened) == 2


def test_dry_run_changes_nothing(signed_in):
    signed_in.fake.make_eligible("Teams Administrator")
    ran = signed_in("activate", "teams", "--dry-run")
    assert ran.code == 0
    assert "nothing was changed" in ran.out
    assert not signed_in.fake.requests
    signed_in.fake.demand("Teams Administrator", "MultiFactorAuthentication")
    ran = signed_in("activate", "teams", "--dry-run", tty=True)
    assert ran.code == 8
    assert "pim login --mfa" in ran.err


def test_dry_run_tells_who_would_have_to_agree(signed_in):
    signed_in.fake.make_eligible("Exchange Administrator")
    signed_in.fake.approval("Exchange Administrator", f.BEN)
    ran = signed_in("activate", "exchange", "-j", "x", "--dry-run")
    assert ran.code == 0
    assert "would wait for approval by Ben" in ran.out
    assert not signed_in.fake.requests


def test_scope_chooses_between_two(signed_in):
    signed_in.fake.make_eligible("User Administrator")
    signed_in.fake.make_eligible("User Administrator", scope=f.BERLIN)
    ran = signed_in("activate", "user administrator")
    assert ran.code == 7
    assert "--scope" in ran.err
    ran = signed_in("activate", "user administrator", "--au", "berlin")
    assert ran.code == 0, ran
    assert "User Administrator in Berlin is active" in ran.out
    assert signed_in.fake.bodies[-1][1]["directoryScopeId"] == f.BERLIN


def test_a_wider_eligibility_is_activated_for_a_part(signed_in):
    signed_in.fake.make_eligible("User Administrator")
    ran = signed_in("activate", "user administrator", "--au", "Berlin")
    assert ran.code == 0, ran
    assert signed_in.fake.bodies[-1][1]["directoryScopeId"] == f.BERLIN


def test_through_a_group_is_activated_as_oneself(signed_in):
    signed_in.fake.make_eligible("Security Administrator", via=f.HELPDESK)
    assert "Helpdesk" in signed_in("list").out
    assert signed_in("activate", "security").code == 0
    assert signed_in.fake.bodies[-1][1]["principalId"] == f.ANNA


def test_usage(signed_in):
    for argv in (
        ["-d", "2"],
        ["-d", "2h", "--until", "18:00"],
        ["-t", "123"],
        ["--until", "soon"],
        ["--colour"],
    ):
        ran = signed_in("activate", "teams", *argv)
        assert ran.code == 2, ran
        assert ran.err.startswith("pim: ")


def test_policy_that_may_not_be_read(signed_in):
    signed_in.fake.make_eligible("Teams Administrator")
    signed_in.fake.denied_paths.add("roleManagementPolicyAssignments")
    assert signed_in("activate", "teams").code == 0


def test_asked_for_by_another_command_a_moment_before(signed_in):
    fake = signed_in.fake
    fake.make_eligible("Teams Administrator")
    fake.make_eligible("Exchange Administrator")
    activate = fake._activate

    def raced(body, claims):
        if body["roleDefinitionId"] == f.ROLES["Teams Administrator"]:
            fake.make_active("Teams Administrator", minutes=45)
        elif not fake.requests:
            fake.ask("Exchange Administrator", who=f.ANNA)
            raise f.Refused(400, "PendingRoleAssignmentRequest", "There is already a pending request.")
        return activate(body, claims)

    fake._activate = raced
    ran = signed_in("activate", "teams")
    assert (ran.code, ran.out[-14:]) == (0, "45 min left).\n")
    assert signed_in("activate", "exchange", "--no-wait").code == 3
    assert len(fake.requests) == 1


def test_waiting_is_left_with_ctrl_c(signed_in, monkeypatch):
    signed_in.fake.make_eligible("Exchange Administrator")
    signed_in.fake.approval("Exchange Administrator", f.BEN)

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("openpim.client.clock.sleep", interrupted)
    ran = signed_in("activate", "exchange", tty=True)
    assert ran.code == 3, ran
    assert "the request goes on" in ran.err
    assert len(signed_in.fake.requests) == 1
