"""`pim channels`, and other systems in `pim policy`, against a real OpenPIM."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

ROLE = "teams administrator"


def test_channels_and_the_policies_that_ask_them(desk):
    admin = desk("dana")
    assert admin("activate", "privileged role administrator", "-j", "x", "-t", "A:1", "--no-wait").code == 0
    ran = admin(
        "channels",
        "add",
        "Desk hook",
        "--webhook",
        "https://desk.example.com/hook",
        "--notice",
        "approvalWanted",
    )
    assert ran.code == 0, ran
    assert "whsec_" in ran.out
    made = admin(
        "channels",
        "add",
        "Snow",
        "--extension",
        "https://snow.example.com/x",
        "--timeout",
        "500",
        "-o",
        "json",
    ).json
    assert made["secret"].startswith("whsec_")
    assert f"/{made['id']}" in made["callbackUrl"]
    listed = admin("channels", "-o", "json").json
    assert {one["displayName"]: one["kind"] for one in listed} == {
        "Desk hook": "webhook",
        "Snow": "extension",
    }
    assert "whsec_" not in admin("channels", "-o", "json").out
    assert admin("channels", "add", "Bad", "--webhook", "https://10.0.0.1/").code != 0
    assert "whsec_" in admin("channels", "rotate", "desk hook").out
    assert admin("channels", "set", "desk hook", "--no-enabled").code == 0
    assert admin("channels", "test", "desk hook").code != 0  # nobody is at that address

    before = admin("policy", "show", ROLE, "-o", "json").json
    ran = admin(
        "policy", "set", ROLE, "--ask-first", "snow", "--ask-when-down", "people", "--ask-auto-approve"
    )
    assert ran.code == 0, ran
    ran = admin(
        "policy", "set", ROLE, "--ticket-pattern", "INC#######", "--ticket-system", "snow", "--ends-with-ticket", "--ticket-when-down", "accept",
    )  # fmt: skip
    assert ran.code == 0, ran
    after = admin("policy", "show", ROLE, "-o", "json").json
    assert made["id"] in after["stages"][0]
    assert "people decide" in after["stages"][0]
    assert after["stages"][1].removeprefix("stage 2") == before["stages"][0].removeprefix("stage 1")
    assert any("INC#######" in one for one in after["tickets"])
    assert after["requires"] == before["requires"]
    # another change of the same rules keeps what is set about other systems
    assert admin("policy", "set", ROLE, "--ticket", "--quorum", "1", "--stage", "2").code == 0
    assert made["id"] in admin("policy", "show", ROLE, "-o", "json").json["stages"][0]
    assert (
        admin(
            "policy",
            "set",
            ROLE,
            "--ask-first",
            "none",
            "--ticket-pattern",
            "none",
            "--ticket-system",
            "none",
            "--no-ends-with-ticket",
        ).code
        == 0
    )
    assert admin("policy", "show", ROLE, "-o", "json").json["stages"] == before["stages"]
    for name in ("desk hook", "snow"):
        assert admin("channels", "remove", name).code == 0
    assert admin("channels", "-o", "json").json == []


def test_who_may_not(desk):
    mira = desk("mira")
    assert mira("channels").code != 0
    assert mira("channels", "add", "X", "--webhook", "https://desk.example.com/hook").code != 0
