"""A host in a folder and an agent with clocks that are moved by hand: what is given, what ends, what is refused."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta

import pytest

from openpim.agent import lease as leases
from openpim.agent.configuration import SudoRule
from openpim.agent.lease import AnswerError, Lease, heard, merged
from tests.agent.host import NOW, FakeHost, HandClock
from tests.connectors.hostile import AWKWARD, REFUSED


class Desk:
    def __init__(self, folder):
        self.host, self.clock = FakeHost(folder), HandClock()
        self.lease = Lease()

    def answer(self, *edges, version=1, absent=(), lease=3600, server=None):
        """edges: (user, entitlement, seconds from now or None)."""
        now = server or self.clock.wall()
        return {
            "version": version,
            "serverTime": now.isoformat(),
            "leaseSeconds": lease,
            "edges": [
                [user, what, (now + timedelta(seconds=left)).isoformat() if left is not None else None]
                for user, what, left in edges
            ],
            "absent": [list(one) for one in absent],
        }

    def say(self, *edges, **more):
        new = heard(self.lease, self.answer(*edges, **more), self.clock.boot(), self.clock.elapsed())
        leases.save(str(self.host.state), new)
        self.lease = new
        return self.enforce()

    def enforce(self):
        self.lease, report = self.host.enforcer(self.clock).enforce(self.lease)
        return report

    def restart(self):
        """The agent's process, not the machine."""
        self.lease = leases.load(str(self.host.state))
        return self.enforce()


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "host")


def pairs(report):
    return {(user, what) for user, what, _ in report.edges}


def test_given_and_ended_by_its_own_clock(desk):
    report = desk.say(("ann", "sudo:payroll", 60), ("ann", "group:docker", 60))
    assert pairs(report) == {("ann", "sudo:payroll"), ("ann", "group:docker")}
    (line,) = desk.host.drop_ins()
    assert line == "ann ALL=(root) NOTAFTER=20261121120059Z TIMEOUT=61 NOPASSWD: /usr/bin/id -u, /bin/sleep"
    (file,) = desk.host.sudoers.iterdir()
    assert file.name.startswith("OpenPIM-")
    assert "." not in file.name
    assert file.stat().st_mode & 0o777 == 0o440
    assert desk.host.members("docker") == desk.host.members("docker", "gshadow") == ["ann"]
    desk.clock.pass_(59.9)
    assert pairs(desk.enforce()) == pairs(report)
    desk.clock.pass_(0.1)
    assert desk.enforce().edges == ()
    assert desk.host.drop_ins() == []
    assert desk.host.members("docker") == []


def test_a_clock_that_is_set_back_prolongs_nothing(desk):
    desk.say(("ann", "sudo:payroll", 60))
    desk.clock.now -= timedelta(days=1)
    desk.clock.seconds += 60
    assert desk.enforce().edges == ()


def test_a_clock_that_is_set_forward_ends_at_once(desk):
    desk.say(("ann", "sudo:payroll", 60))
    desk.clock.now += timedelta(seconds=61)
    assert desk.enforce().edges == ()


def test_the_end_counts_from_the_server_s_time(desk):
    """The host's clock is an hour behind; what ends in a minute ends in a minute."""
    desk.say(("ann", "group:docker", 60), server=NOW + timedelta(hours=1))
    desk.clock.pass_(60)
    assert desk.enforce().edges == ()


def test_after_a_restart_of_the_agent_it_goes_on(desk):
    desk.say(("ann", "group:docker", 60))
    assert pairs(desk.restart()) == {("ann", "group:docker")}
    desk.clock.pass_(60)
    assert desk.restart().edges == ()


def test_after_a_restart_of_the_machine_nothing_counts(desk):
    desk.say(("ann", "group:docker", 3600), ("ann", "sudo:payroll", 3600))
    desk.clock.started, desk.clock.seconds = "boot-2", 5.0
    assert desk.restart().edges == ()
    assert pairs(desk.say(("ann", "group:docker", 3500))) == {("ann", "group:docker")}


def test_the_lease_ends_everything(desk):
    desk.say(("ann", "group:docker", None), ("ann", "sudo:payroll", 7200), lease=600)
    desk.clock.pass_(599)
    assert len(desk.enforce().edges) == 2
    desk.clock.pass_(1)
    assert desk.enforce().edges == ()


def test_what_is_said_later_may_only_end_earlier_or_be_new(desk):
    """The same privilege heard of again, over a slow network, ends when it was to end at first."""
    desk.say(("ann", "group:docker", 60))
    first = desk.lease.grants[0]
    late = desk.answer(("ann", "group:docker", 60), version=2, server=NOW)
    again = heard(desk.lease, late, desk.clock.boot(), desk.clock.elapsed() + 30)
    assert again.grants[0].deadline == first.deadline
    longer = desk.answer(("ann", "group:docker", 120), version=3)
    assert (
        heard(again, longer, desk.clock.boot(), desk.clock.elapsed()).grants[0].deadline
        == first.deadline + 60
    )


def test_a_crash_between_giving_and_remembering(desk, monkeypatch):
    """The membership is written, and then the machine stops: the next one knows that it came from here."""
    enforcer = desk.host.enforcer(desk.clock)
    lease = heard(Lease(), desk.answer(("ann", "group:docker", 60)), desk.clock.boot(), desk.clock.elapsed())
    leases.save(str(desk.host.state), lease)
    monkeypatch.setattr(type(enforcer), "_report", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        enforcer.enforce(lease)
    monkeypatch.undo()
    assert desk.host.members("docker") == ["ann"]
    desk.clock.started = "boot-2"
    assert desk.restart().edges == ()
    assert desk.host.members("docker") == []


# ---------------------------------------------------------------- others


def test_what_others_gave_is_told_and_goes_only_when_told(desk):
    desk.host.give("bob", "docker")
    report = desk.say(("ann", "group:docker", 60))
    assert ("bob", "group:docker", None) in report.edges
    desk.clock.pass_(60)
    assert desk.enforce().edges == (("bob", "group:docker", None),)
    assert desk.say(version=2, absent=[("bob", "group:docker")]).edges == ()


def test_other_files_of_sudo_are_not_touched(desk):
    other = desk.host.sudoers / "admins"
    other.write_text("%admin ALL=(ALL) ALL\n")
    stale = desk.host.sudoers / "OpenPIM-0123456789abcdef01234567"
    stale.write_text("# sudo:payroll for bob, by OpenPIM\nbob ALL=(root) ALL\n")
    half = desk.host.sudoers / ".OpenPIM-0123456789abcdef01234567.tmp~"
    half.write_text("bob ALL=(root) ALL\n")
    desk.enforce()
    assert [one.name for one in desk.host.sudoers.iterdir()] == ["admins"]


def test_a_drop_in_that_was_changed_is_written_anew(desk):
    desk.say(("ann", "sudo:payroll", 60))
    (file,) = desk.host.sudoers.iterdir()
    before = file.read_bytes()
    file.chmod(0o600)
    file.write_text("ann ALL=(ALL) NOPASSWD: ALL\n")
    assert desk.enforce().edges
    assert file.read_bytes() == before


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize(
    "user",
    ["root", "daemon", "nobody", "nobody-here", "ALL", "%docker", "#0", "+net", "!ann", "ann,bob", "-ann"],
)
@pytest.mark.parametrize("what", ["sudo:payroll", "group:docker"])
def test_people_who_get_nothing(desk, user, what):
    report = desk.say((user, what, 60))
    assert report.edges == ()
    assert [(one, two) for one, two, _ in report.errors] == [(user, what)]
    assert desk.host.drop_ins() == []
    assert desk.host.members("docker") == []


@pytest.mark.parametrize(
    "what",
    [
        "sudo:other",
        "group:root",
        "group:daemon",
        "sudo:",
        "sudo:../../x",
        "group:docker\nroot",
        "ALL",
        "shell:x",
    ],
)
def test_what_the_host_does_not_allow(desk, what):
    before = {one.name: one.read_bytes() for one in desk.host.etc.iterdir() if one.is_file()}
    report = desk.say(("ann", what, 60), absent=[("root", what), ("ann", what)])
    assert report.edges == ()
    assert report.errors
    assert {
        one.name: one.read_bytes() for one in desk.host.etc.iterdir() if one.is_file() and one.name in before
    } == before


def test_hostile_names(desk):
    names = [one for one in (*REFUSED, *AWKWARD) if len(one) <= 300]
    edges = [(name, "sudo:payroll", 60) for name in names] + [("ann", name, 60) for name in names]
    answer = desk.answer(*edges)
    lease = heard(Lease(), answer, desk.clock.boot(), desk.clock.elapsed())
    desk.lease = lease
    assert desk.enforce().edges == ()
    assert list(desk.host.sudoers.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"version": 0},
        {"version": -1},
        {"version": True},
        {"version": "2"},
        {"version": 2**60},
        {"serverTime": "yesterday"},
        {"serverTime": "2026-11-21T12:00:00"},
        {"serverTime": None},
        {"leaseSeconds": 0},
        {"leaseSeconds": 10**9},
        {"leaseSeconds": 1.5},
        {"edges": {}},
        {"edges": [["ann", "sudo:payroll"]]},
        {"edges": [["ann", 1, None]]},
        {"edges": [["ann", "sudo:payroll", "never"]]},
        {"edges": [["ann", "sudo:payroll", None]] * 3000},
        {"edges": [["a" * 400, "sudo:payroll", None]]},
        {"absent": [["ann"]]},
        {"absent": None},
    ],
)
def test_answers_that_are_not_followed(desk, change):
    desk.say(("ann", "group:docker", 60))
    answer = desk.answer(("bob", "group:docker", 60), version=2) | change
    with pytest.raises(AnswerError):
        heard(desk.lease, answer, desk.clock.boot(), desk.clock.elapsed())
    for nonsense in (None, [], "x", 1, {}):
        with pytest.raises(AnswerError):
            heard(desk.lease, nonsense, desk.clock.boot(), desk.clock.elapsed())


def test_an_old_answer_brings_nothing_back(desk):
    desk.say(("ann", "group:docker", 3600), version=4)
    desk.say(version=5)
    with pytest.raises(AnswerError):
        heard(desk.lease, desk.answer(("ann", "group:docker", 3600), version=4), "boot-1", 0.0)
    assert desk.restart().edges == ()


def test_a_lease_file_that_makes_no_sense_ends_everything(desk):
    desk.say(("ann", "sudo:payroll", 60))
    for content in ("{", "[]", '{"grants": 1}', '{"boot": "boot-1", "over": "x"}'):
        (desk.host.state / "lease.json").write_text(content)
        assert leases.load(str(desk.host.state)) == Lease()
    assert desk.restart().edges == ()
    assert desk.host.drop_ins() == []


def test_sudo_rules_that_visudo_does_not_take(desk):
    desk.host.configuration = replace(
        desk.host.configuration, sudo={"payroll": SudoRule(("/usr/bin/id, , NOT = right",))}
    )
    report = desk.say(("ann", "sudo:payroll", 60))
    assert report.edges == ()
    assert "visudo" in report.errors[0][2]
    assert list(desk.host.sudoers.iterdir()) == []


# ---------------------------------------------------------------- places that others could write


def test_a_folder_that_others_may_write_is_not_used(desk):
    desk.host.sudoers.chmod(0o777)
    report = desk.say(("ann", "sudo:payroll", 60))
    assert report.edges == ()
    assert list(desk.host.sudoers.iterdir()) == []


def test_links_are_not_followed(desk, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("untouched")
    desk.say(("ann", "sudo:payroll", 60))
    (file,) = desk.host.sudoers.iterdir()
    file.unlink()
    file.symlink_to(secret)
    (desk.host.sudoers / f".{file.name}.tmp~").symlink_to(secret)
    assert desk.enforce().edges
    assert secret.read_text() == "untouched"
    assert not file.is_symlink()
    away = tmp_path / "away"
    away.mkdir()
    os.rename(desk.host.sudoers, tmp_path / "moved")
    desk.host.sudoers.symlink_to(away)
    assert desk.enforce().errors
    assert list(away.iterdir()) == []


def test_what_was_done_is_not_lost_by_what_is_said():
    said, done = Lease(version=3), Lease(version=2, given=(("ann", "group:docker"),))
    assert merged(said, done) == Lease(version=3, given=(("ann", "group:docker"),))
