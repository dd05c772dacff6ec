"""The files that sshd reads on a host whose agent brings them: what is put in place, what never is, and when trust runs out."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from datetime import timedelta

import pytest

from openpim.agent.configuration import ConfigurationError, Fleet, parse
from openpim.agent.lists import Lists
from openpim.connectors.ssh.krl import write_krl
from openpim.connectors.ssh.register import Register
from tests.agent.host import CI, NOW, HandClock
from tests.connectors.opening import DictMemory

FLEET = "00000000-0000-4000-8000-0000000000f1"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0Vd2JqM0q5cO1Gm5vVxk2o0rNqzJrYb2sQ8e7pV0aL"
AUTHORITY = f"{KEY} openpim:{FLEET}\n"


@pytest.fixture
def folder(tmp_path):
    if shutil.which("ssh-keygen") is None:
        (pytest.fail if CI else pytest.skip)("no OpenSSH on this machine (Debian: openssh-client)")
    made = tmp_path / "openpim"
    made.mkdir(mode=0o755)
    return made


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def lists(folder, clock):
    return Lists(Fleet(FLEET, str(folder), 600), clock)


def said(*serials, minutes=0, mark="m1", keys=AUTHORITY):
    krl = write_krl({KEY: set(serials)}, NOW + timedelta(minutes=minutes), "test")
    return {"mark": mark, "keys": keys, "krl": base64.b64encode(krl).decode()}


def revoked(folder):
    listed = subprocess.run(
        ["ssh-keygen", "-Q", "-l", "-f", folder / "krl"], capture_output=True, text=True, check=True
    )
    return {line.split()[1] for line in listed.stdout.splitlines() if line.startswith("serial:")}


def test_it_keeps_what_the_server_said(folder, lists):
    assert lists.question() == {"target": FLEET, "mark": ""}
    lists.take(said(7))
    assert not lists.fault
    assert (folder / "ca.pub").read_text() == AUTHORITY
    assert revoked(folder) == {"7"}
    assert {one.name: one.stat().st_mode & 0o777 for one in folder.iterdir()} == {
        "ca.pub": 0o644,
        "krl": 0o644,
        ".fetched": 0o644,
    }
    assert lists.question()["mark"] == "m1"
    lists.take({"mark": "m1"})
    assert not lists.fault
    lists.take(said(7, 9, minutes=1, mark="m2"))
    assert revoked(folder) == {"7", "9"}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        7,
        {"mark": "m9"},
        said(keys="ssh-ed25519 x\ncommand=... y\n", minutes=1),
        said(keys=f'cert-authority,command="x" {KEY}\n', minutes=1),
        said(7, minutes=-1),
        said() | {"krl": "ÿ"},
        said() | {"krl": ""},
        said() | {"krl": base64.b64encode(b"SSHKRL\n\0" + b"\0\0\0\1" + b"\xff" * 8).decode()},
        said() | {"krl": base64.b64encode(b"x" * 100).decode()},
        said() | {"krl": "A" * 2_000_000},
    ],
)
def test_what_is_wrong_is_never_put_in_place(folder, lists, answer):
    lists.take(said(7))
    before = {name: (folder / name).read_bytes() for name in ("krl", "ca.pub")}
    lists.take(answer)
    assert lists.fault
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert sorted(os.listdir(folder)) == [".fetched", "ca.pub", "krl"]
    assert lists.question()["mark"] == "", "all of it is asked for again"
    lists.take(said(7, 9, minutes=2, mark="m3"))
    assert not lists.fault
    assert revoked(folder) == {"7", "9"}


def test_a_folder_that_others_may_write_is_not_used(folder, lists):
    folder.chmod(0o777)
    lists.take(said(7))
    assert "nobody else may write" in lists.fault
    assert os.listdir(folder) == []


def test_trust_runs_out_when_the_server_is_silent(folder, lists, clock):
    lists.take(said(7))
    clock.pass_(590)
    lists.take({"mark": "m1"})
    clock.pass_(590)
    lists.look()
    assert (folder / "ca.pub").read_text() == AUTHORITY
    clock.pass_(20)
    lists.take(None)  # heard, but not of them
    lists.look()
    assert (folder / "ca.pub").read_text() == ""
    assert revoked(folder) == {"7"}
    assert lists.question()["mark"] == ""
    lists.take(said(7))
    assert (folder / "ca.pub").read_text() == AUTHORITY


def test_an_agent_that_was_away_goes_on_counting(folder, lists, clock):
    lists.take(said(7))
    os.utime(folder / ".fetched", (clock.wall().timestamp(),) * 2)
    clock.pass_(700)
    again = Lists(lists.fleet, clock)
    again.look()
    assert (folder / "ca.pub").read_text() == ""


def test_the_host_says_whose_certificates_it_takes():
    assert parse({"certificates": {"target": FLEET}}).certificates == Fleet(FLEET, "/etc/ssh/openpim", 0)
    assert parse({}).certificates is None
    for wrong in (
        7,
        {},
        {"target": "x"},
        {"target": FLEET, "folder": "x"},
        {"target": FLEET, "longest": -1},
        {"target": FLEET, "longest": True},
        {"target": FLEET, "more": 1},
    ):
        with pytest.raises(ConfigurationError):
            parse({"certificates": wrong})


def test_an_empty_file_is_no_list(folder, lists):
    (folder / "krl").write_bytes(b"")
    lists.take(said(7))
    assert not lists.fault
    assert revoked(folder) == {"7"}


def test_the_list_of_another_fleet_is_not_older(folder, lists):
    lists.take(said(7, minutes=60))
    krl = write_krl({KEY: {9}}, NOW, "another")
    lists.take({"mark": "m2", "keys": AUTHORITY, "krl": base64.b64encode(krl).decode()})
    assert not lists.fault
    assert revoked(folder) == {"9"}


def test_what_is_revoked_after_a_clock_was_put_back_is_taken(folder, lists):
    register = Register(DictMemory())

    def listed(minutes, *serials):
        register.changed(NOW + timedelta(minutes=minutes))
        krl = write_krl({KEY: set(serials)}, register.changed_at(), "test")
        return {"mark": str(serials), "keys": AUTHORITY, "krl": base64.b64encode(krl).decode()}

    lists.take(listed(60, 7))
    lists.take(listed(0, 7, 9))
    assert not lists.fault
    assert revoked(folder) == {"7", "9"}
