"""The authority as every connector is tested; what it says is looked at with ssh-keygen."""

from __future__ import annotations

import subprocess

import pytest

from openpim.connectors.ssh import KIND
from openpim.connectors.ssh.authority import make_secrets
from openpim.core.connecting import Edge
from openpim.ports.connector import TargetError
from tests.connectors.contract import ConnectorContract, fence, now
from tests.connectors.opening import DictMemory, opening
from tests.connectors.ssh.host import missing, skip_or_fail


class Rig:
    kind = KIND
    managed = ("role:payroll-admin", "role:auditor")
    unmanaged = "root"
    people = ("ann@example.com", "bob@example.com")
    ours_alone = True

    def __init__(self, folder):
        self.settings = {"longest_hours": "24"}
        self.memory = DictMemory()
        self.secrets = make_secrets({}, {}, now())
        self.key = folder / "id"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)

    def open(self):
        return KIND.open(opening(KIND, self.managed, self.settings, self.secrets, memory=self.memory))

    def edge(self, person, entitlement, until):
        return Edge(person, entitlement, until, f"schedule-of-{person}")

    def has(self, person, entitlement):
        public = self.key.with_suffix(".pub").read_text()
        try:
            got = self.open().issue(self.edge(person, entitlement, None), {"publicKey": public}, fence())
        except TargetError:
            return False
        shown = subprocess.run(
            ["ssh-keygen", "-L", "-f", "-"],
            input=got["certificate"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert f'Key ID: "{person}/act-schedule-of-{person}"' in shown
        return f" {entitlement}\n" in shown


class TestContract(ConnectorContract):
    @pytest.fixture
    def rig(self, tmp_path):
        skip_or_fail(missing())
        return Rig(tmp_path)

    def test_a_target_that_is_away_is_told_in_time_and_used_again_when_it_is_back(self):
        """Its state is in our own database: it is never away."""
