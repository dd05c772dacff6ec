"""The whole life with `pim` alone, against a real OpenPIM with its demo organisation, over HTTPS."""

from __future__ import annotations

import re
import threading

import pytest

from openpim.client import clock
from openpim.client.profiles import load_config
from openpim.client.tokens import TokenCache
from tests.cli.organisation import Desk
from tests.cli.person import Person

pytestmark = pytest.mark.slow


def test_server_writes_a_profile_that_works(demo, monkeypatch, capsys, tmp_path):
    """The next command a newcomer types just works."""
    mira = Desk(demo, "mira", monkeypatch, capsys, tmp_path)
    mira.home = demo.folder / "server-config"
    assert mira("login").code == 0
    assert mira("list").code == 0
    assert mira("doctor").code == 0
    assert mira("logout").code == 0


def test_from_eligible_to_active_with_approval(desk):
    mira = desk("mira")
    assert "eligible" in mira("list").out
    ran = mira("activate", "reports reader", "-d", "30m")
    assert ran.code == 0, ran
    assert "30 min left" in ran.out
    assert "already active" in mira("activate", "reports reader").out
    assert mira("deactivate", "reports reader").code == 8  # five minutes
    ran = mira("activate", "teams", tty=False)
    assert ran.code == 8
    assert "-j TEXT" in ran.err
    assert "-t SYSTEM:NUMBER" in ran.err
    ran = mira("activate", "teams", "--no-wait", answers=["mail outage", "JIRA:OPS-12"])
    assert ran.code == 3, ran
    assert "Jonas" in ran.out
    request = mira("requests", "--pending", "-o", "json").json[0]
    assert (request["ticket"], request["justification"]) == ("JIRA:OPS-12", "mail outage")
    jonas = desk("jonas")
    assert request["id"] in jonas("inbox").out
    ran = jonas("approve", request["id"][:13], "-j", "agreed")
    assert ran.code == 0, ran
    ran = mira("activate", "teams")
    assert ran.code == 0, ran
    assert "Teams Administrator is already active" in ran.out
    history = mira("history", "-o", "json").json
    assert any("approved" in event["activity"] or "completed" in event["activity"] for event in history)


def test_several_and_what_is_missing(desk):
    mira = desk("mira")
    ran = mira(
        "activate",
        "billing",
        "global reader",
        "no such role",
        "-j",
        "x",
        "-t",
        "A:1",
        "--dry-run",
        "-o",
        "json",
    )
    assert ran.code == 10, ran
    assert [row["exitCode"] for row in ran.json] == [0, 0, 6]
    ran = mira("activate", "billing", "global reader", "-j", "x", "-t", "A:1", "-o", "json")
    assert ran.code == 0, ran
    assert {row["state"] for row in ran.json} <= {"active", "already active"}


def test_future_start_and_cancel(desk):
    mira = desk("mira")
    ran = mira("activate", "app registration", "--start", "+1h", "-j", "x")
    assert ran.code == 0, ran
    assert "will be active from" in ran.out
    assert mira("cancel", "app registration").code == 0
    assert mira("list", "pending", "-o", "json").json == []


def test_stronger_sign_in_by_itself(desk, monkeypatch):
    """An authentication context that wants a second factor: the person enrols one, and the request goes on."""
    mira = desk("mira")
    assert "mfa" not in mira("whoami", "-o", "json").json["methods"]
    ran = mira("activate", "security administrator", "-j", "x", "-t", "A:1")
    assert ran.code == 0, ran
    assert "authentication context" in ran.err
    assert "mfa" in mira("whoami", "-o", "json").json["methods"]


def test_administrators(desk):
    dana = desk("dana")
    ran = dana("policy", "set", "reports reader", "--max-duration", "1h")
    assert ran.code == 4, ran
    ran = dana("activate", "privileged role administrator", "-j", "x", "-t", "A:1", "--no-wait")
    assert ran.code == 0, ran
    ran = dana("policy", "set", "reports reader", "--max-duration", "1h", "--ticket", "-o", "json")
    assert ran.code == 0, ran
    assert (ran.json["maximumDuration"], "ticket" in ran.json["requires"]) == ("PT1H", True)
    assert dana("assign", "teams reader", "jonas.weberling", "-d", "10d", "-j", "x").code == 0
    assert "already" in dana("assign", "teams reader", "jonas.weberling", "-j", "x").out
    assert dana("unassign", "teams reader", "jonas.weberling").code == 0
    assert "not there" in dana("unassign", "teams reader", "jonas.weberling", "--eligible").out
    assert dana("history", "--everyone", "-n", "5").code == 0
    assert "extend eligibility" in dana("inbox").out
    ran = dana("approve", "wen", "-j", "the audit goes on")
    assert (ran.code, ran.out.rpartition("(")[2]) == (0, "extend eligibility): approved.\n")
    assert "extend eligibility" not in dana("inbox").out


def test_an_approver_on_leave(desk):
    jonas = desk("jonas")
    assert "Nobody stands in" in jonas("delegate").out
    ran = jonas("delegate", "ines", "--until", "+14d")
    assert ran.code == 0, ran
    ines = desk("ines")
    row = ines("delegate", "-o", "json").json[0]
    assert (row["approver"].partition(".")[0], row["delegate"].partition(".")[0]) == ("jonas", "ines")
    assert "Teams Administrator" in ines("inbox").out
    ran = ines("approve", "priya", "-j", "Jonas is away")
    assert ran.code == 0, ran
    assert "no longer decides" in jonas("delegate", "--stop", "ines").out
    ran = jonas("delegate", "--stop", "ines")
    assert (ran.code, "does not decide" in ran.out) == (0, True)
    assert jonas("delegate", "jonas").code == 2
    assert jonas("delegate", "--until", "+3d").code == 2
    assert jonas("delegate", "ines", "--from", "+3d", "--until", "+2d").code == 2


def test_guest_of_another_tenant(demo, monkeypatch, capsys, tmp_path):
    bea = Desk(demo, "bea", monkeypatch, capsys, tmp_path)
    bea.sign_in("--tenant", demo.domain)
    assert bea("list", "eligible", "-o", "json").json


def test_device_code(demo, monkeypatch, capsys, tmp_path):
    jonas = Desk(demo, "jonas", monkeypatch, capsys, tmp_path)
    monkeypatch.setattr(clock, "sleep", lambda _: threading.Event().wait(0.2))

    def elsewhere(_: object, text: str) -> None:
        code = re.search(r"enter the code\s+(\S+)", text)
        if code:
            person = Person(demo.accounts["jonas"]["user"], demo.accounts["jonas"]["password"], "", demo.ca)
            person.visit(f"{demo.origin}/devicelogin", user_code=code[1], code=code[1])

    monkeypatch.setattr("openpim.cli.context.Terminal.say", elsewhere)
    jonas.sign_in("--device")
    assert jonas("whoami", "-o", "json").json["user"].startswith("jonas.")


def test_refresh_rotates_and_logout_ends(desk, monkeypatch):
    jonas = desk("jonas")
    profile = load_config(str(jonas.home)).choose()
    cache = TokenCache(
        str(jonas.home), profile.name, f"{profile.authority} {profile.graph} {profile.client_id}"
    )
    first = cache.load()
    first.expires = 0.0
    cache.save(first)
    assert jonas("list").code == 0
    second = cache.load()
    assert second.refresh != first.refresh
    assert jonas("logout").code == 0
    second.expires = 0.0
    cache.save(second)
    assert jonas("list").code == 5


def test_application(demo, monkeypatch, desk):
    if not demo.client:
        pytest.skip("the demo has no application")
    jonas = desk("jonas")
    monkeypatch.setenv("PIM_CLIENT_ID", demo.client["client_id"])
    monkeypatch.setenv("PIM_CLIENT_SECRET", demo.client["client_secret"])
    assert jonas("whoami").code == 2
    monkeypatch.setenv("PIM_TENANT", demo.domain)
    ran = jonas("whoami", "-o", "json")
    assert ran.code == 0, ran
    ran = jonas("requests", "--everyone", "-o", "json")
    assert ran.code == 0, ran
    assert jonas("activate", "reports reader").code == 6


def test_groups(desk):
    """The same verbs for groups: settings, assigning, activating, approving, giving back, taking away."""
    dana = desk("dana")
    ran = dana("activate", "privileged role administrator", "-j", "x", "-t", "A:1", "--no-wait")
    assert ran.code == 0, ran
    ran = dana("policy", "set", "robotics:owner", "--max-duration", "2h", "--no-mfa", "-o", "json")
    assert ran.code == 0, ran
    assert (ran.json["provider"], ran.json["role"]) == ("group", "Robotics Research:owner")
    assert ran.json["maximumDuration"] == "PT2H"
    assert dana("policy", "set", "robotics research", "--no-mfa", "--no-justification").code == 0
    mira = desk("mira")
    upn = mira("whoami", "-o", "json").json["user"]
    for name in ("robotics research", "robotics:owner"):
        ran = dana("assign", name, upn, "-d", "30d", "-j", "prototype")
        assert ran.code == 0, ran
        assert "is eligible for Robotics Research" in ran.out
    assert "already" in dana("assign", "Robotics Research", upn, "-d", "30d", "-j", "prototype").out

    listed = mira("list", "-o", "json").json
    assert {row["needs"] for row in listed if row["role"] == "Robotics Research:owner"} == {"justification"}
    groups = {row["role"]: row["state"] for row in listed if row["provider"] == "group"}
    assert groups.items() >= {"Robotics Research": "eligible", "Robotics Research:owner": "eligible"}.items()
    ran = mira("activate", "robotics", "-d", "1h")
    assert ran.code == 0, ran
    assert "Robotics Research is active until" in ran.out
    ran = mira("activate", "robo:owner", "-d", "5h", "-j", "hand over", "-o", "json")
    assert ran.code == 0, ran
    assert ran.json[0]["role"] == "Robotics Research:owner"
    assert "already active" in mira("activate", "Robotics Research:member").out
    assert "Robotics Research" in mira("status").out
    assert mira("deactivate", "robotics").code == 8  # five minutes

    assert dana("policy", "set", "Field Service", "--no-mfa", "--approver", "jonas").code == 0
    assert dana("assign", "Field Service", upn, "-d", "9d", "-j", "trip").code == 0
    ran = mira("activate", "field service", "--no-wait", "-j", "trip")
    assert ran.code == 3, ran
    assert "Jonas" in ran.out
    jonas = desk("jonas")
    assert "Field Service" in jonas("inbox").out
    assert jonas("approve", "field service", "-j", "agreed").code == 0
    assert "already active" in mira("activate", "field service").out
    assert any(row["role"] == "Field Service" for row in mira("requests", "-o", "json").json)
    ran = dana("unassign", "robotics:owner", upn, "--eligible")
    assert ran.code in {0, 8}, ran
    assert dana("unassign", "no such group:member", upn).code == 6


def test_how_one_is_told(desk):
    mira = desk("mira")
    assert "Quiet hours  none" in mira("notifications").out
    ran = mira("notifications", "--quiet", "20:00-07:00", "--zone", "Europe/Oslo", "-o", "json")
    assert ran.json["quietHours"] == {"begins": "20:00", "ends": "07:00", "timeZone": "Europe/Oslo"}
    assert "20:00 to 07:00, Europe/Oslo" in mira("notifications").out
    assert "none (what is critical" in mira("notifications", "--channels", "none", "--quiet", "off").out
    assert mira("notifications", "--quiet", "8").code == 2
    assert mira("notifications", "--zone", "Nowhere").code != 0
    assert mira("notifications", "--list").code == 4
    assert mira("notifications", "--list", "--test").code == 2
