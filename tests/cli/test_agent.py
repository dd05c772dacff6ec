"""`pim agent`: a host is let in by what `pim` prints, over real TLS; an activation takes effect there and ends."""

from __future__ import annotations

import os
import threading

import pytest

from openpim.agent import configuration, link, setup
from openpim.agent.clock import Clock
from openpim.agent.link import HttpsLink, LinkError
from openpim.agent.running import Agent
from tests.agent.host import FakeHost
from tests.connectors.ssh.host import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def host(demo, tmp_path):
    made = FakeHost(tmp_path / "host", people={"mira": 61001})
    made.toml = tmp_path / "agent.toml"
    made.toml.write_text(
        f'server = "{demo.origin}"\nca_file = "{demo.ca}"\nstate = "{made.state}"\ngroups = ["docker"]\n'
        '[sudo.payroll]\ncommands = ["/usr/bin/id -u"]\n'
    )
    made.toml.chmod(0o644)
    made.configuration = configuration.load(str(made.toml))
    return made


def test_a_host_from_the_first_day(demo, desk, host):
    dana, mira = desk("dana"), desk("mira")
    assert "not enrolled" in mira("agent", "status", "--config", str(host.toml)).err
    assert dana("activate", "privileged role administrator", "-j", "x", "-t", "A:1").code == 0
    ran = dana(
        "connector", "add", "db1", "--kind", "linux", "--manage", "sudo:payroll", "--manage", "group:docker"
    )
    assert ran.code == 0, ran
    ran = dana("connector", "map", "db1", "Reports Reader", "sudo:payroll")
    assert ran.code == 0, ran
    user = demo.accounts["mira"]["user"]
    assert dana("connector", "name", "db1", user, "mira").code == 0
    token = dana("agent", "token", "db1").out.strip()
    assert mira("agent", "token", "db1").code != 0
    ran = mira("agent", "enroll", "--config", str(host.toml), answers=[token])
    assert ran.code == 0, ran
    again = mira("agent", "enroll", "--config", str(host.toml), answers=[token])
    assert (again.code, "no longer, good" in again.err) == (2, True), again

    known = link.load(str(host.state))
    assert os.stat(host.state / "credential.json").st_mode & 0o777 == 0o600
    with pytest.raises(LinkError, match="CERTIFICATE_VERIFY_FAILED"):
        HttpsLink(demo.origin, known.tenant, known.target, "").ask("sync", {}, known.secret, 5)
    clock = Clock()
    way = HttpsLink(demo.origin, known.tenant, known.target, demo.ca)
    agent = Agent(host.configuration, host.enforcer(clock), way, known.secret, clock, "test")
    running = threading.Thread(target=agent.run, daemon=True)
    running.start()
    try:
        until(lambda: dana("connector", "probe", "db1", "-o", "json").json.get("isFit"), "no report")
        ran = mira("activate", "reports reader", "-d", "30m")
        assert ran.code == 0, ran
        until(lambda: host.has("mira", "sudo:payroll"), "it does not take effect")
        until(lambda: "effective" in dana("connector", "effects", "db1").out, "it is not proved")
        status = setup.status(str(host.toml))
        assert [one["entitlement"] for one in status["privileges"]] == ["sudo:payroll"]
        ran = dana("unassign", "reports reader", "On-Call Engineers", "--eligible")
        assert "not there" not in ran.out, ran
        until(lambda: not host.has("mira", "sudo:payroll"), "it does not end")
    finally:
        agent.stop()
        running.join(60)
        way.close()
