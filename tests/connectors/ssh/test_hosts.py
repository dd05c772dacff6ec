"""Certificates in front of a real sshd: can't, can, ended, can't; a session that is open when it ends."""

from __future__ import annotations

import subprocess
import time
from datetime import timedelta

import pytest

from openpim.connectors.ssh import KIND
from openpim.connectors.ssh.authority import SECRET, make_secrets
from openpim.core.connecting import Edge, Op, OpKind
from openpim.ports.connector import Fence
from tests.connectors.opening import opening, real_clock
from tests.connectors.ssh.host import Host

PRINCIPAL = "role:payroll-admin"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]


class Fleet:
    """The authority, a host that trusts it, and one person's edge."""

    def __init__(self, folder, **host):
        self.host = Host(folder, **host)
        secrets = make_secrets({}, {}, real_clock() - timedelta(minutes=1))
        self.opening = opening(KIND, (PRINCIPAL, "role:other"), secrets=secrets)
        self.connector = KIND.open(self.opening)
        self.public = self.host.key()
        self.fetch()

    def fence(self):
        return Fence(1, real_clock() + timedelta(minutes=1))

    def apply(self, kind, edge):
        receipts = self.connector.apply([Op(kind, edge)], self.fence())
        assert all(one.ok for one in receipts), receipts

    def grant(self, seconds=3600.0, entitlement=PRINCIPAL, key="s1"):
        edge = Edge("ann@example.com", entitlement, real_clock() + timedelta(seconds=seconds), key)
        self.apply(OpKind.GRANT, edge)
        return edge

    def certificate(self, edge):
        return self.connector.issue(edge, {"publicKey": self.public}, self.fence())["certificate"]

    def fetch(self):
        """What refresh.sh does."""
        for file, name in ((self.host.ca, "ca.pub"), (self.host.krl, "krl")):
            fresh = file.with_suffix(".new")
            fresh.write_bytes(self.connector.publish(name, {}).body)
            fresh.rename(file)


@pytest.fixture
def fleet(tmp_path):
    made = Fleet(tmp_path / "host")
    yield made
    made.host.stop()


def test_in_force_and_revoked(fleet):
    edge = fleet.grant()
    certificate = fleet.certificate(edge)
    assert fleet.host.can(certificate)
    assert f"ID ann@example.com/act-s1 (serial {serial_of(fleet)})" in fleet.host.said()
    fleet.apply(OpKind.REVOKE, edge)
    fleet.fetch()
    assert not fleet.host.can(certificate)
    assert "revoked" in fleet.host.said()


def test_a_certificate_for_another_privilege(fleet):
    assert not fleet.host.can(fleet.certificate(fleet.grant(entitlement="role:other")))


def test_its_end_comes(fleet):
    certificate = fleet.certificate(fleet.grant(seconds=3))
    assert fleet.host.can(certificate)
    time.sleep(3.0)
    assert not fleet.host.can(certificate)
    assert "expired" in fleet.host.said()


def test_an_open_session_ends_with_its_certificate(fleet):
    edge = fleet.grant(seconds=4)
    control = f"ControlPath={fleet.host.folder}/c"
    began = time.monotonic()
    arguments = fleet.host.arguments(
        fleet.certificate(edge), "-o", control, "-o", "ControlMaster=yes", "-o", "ControlPersist=30"
    )
    ran = subprocess.run(
        [*arguments, "echo in; sleep 60; echo after"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert ran.stdout == "in\n"
    assert time.monotonic() - began < 15
    # Another session over the connection that is still open.
    again = fleet.host.ssh("", "echo in", "-o", control)
    assert again.stdout == ""
    assert "has ended" in again.stderr
    subprocess.run([*arguments[:-1], "-O", "exit", arguments[-1]], capture_output=True, check=False)


def test_an_open_session_ends_with_its_revocation(fleet):
    edge = fleet.grant()
    certificate = fleet.certificate(edge)
    with subprocess.Popen(
        [*fleet.host.arguments(certificate, "-tt")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as shell:  # fmt: skip
        shell.stdin.write(b"echo re''ady\n")
        shell.stdin.flush()
        for line in shell.stdout:
            if b"ready" in line:
                break
        fleet.apply(OpKind.REVOKE, edge)
        fleet.fetch()
        said = shell.stdout.read()
        assert shell.wait(30) != 0
    assert b"privilege was ended" in said


def test_exit_codes_and_input_pass_through_the_guard(fleet):
    certificate = fleet.certificate(fleet.grant())
    assert fleet.host.ssh(certificate, "exit 7").returncode == 7
    ran = subprocess.run(
        [*fleet.host.arguments(certificate), "cat"],
        input="hello",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout == "hello"


def serial_of(fleet):
    return next(iter(fleet.opening.memory.all("certificate:"))).removeprefix("certificate:")


def test_rotation(fleet):
    edge = fleet.grant()
    old = fleet.certificate(edge)
    later = real_clock() + timedelta(hours=25)
    secrets = make_secrets(fleet.opening.secrets, {}, real_clock())
    assert secrets[SECRET] != fleet.opening.secrets[SECRET]
    fleet.connector = KIND.open(opening(KIND, (PRINCIPAL,), secrets=secrets, memory=fleet.opening.memory))
    fleet.fetch()
    assert len(fleet.host.ca.read_text().splitlines()) == 2
    assert fleet.host.can(old)
    assert fleet.host.can(fleet.certificate(edge))  # the old one signs still
    fleet.connector = KIND.open(
        opening(KIND, (PRINCIPAL,), secrets=secrets, memory=fleet.opening.memory, clock=lambda: later)
    )
    assert fleet.connector.publish("ca.pub", {}).body.count(b"\n") == 2
    # Stolen: without an overlap nothing of the old one counts.
    secrets = make_secrets(secrets, {"rotation_overlap_hours": "0"}, real_clock())
    fleet.connector = KIND.open(opening(KIND, (PRINCIPAL,), secrets=secrets, memory=fleet.opening.memory))
    fleet.fetch()
    assert not fleet.host.can(old)
    assert fleet.host.can(fleet.certificate(edge))
