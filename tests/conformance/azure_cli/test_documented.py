"""The commands of the how-to, as they stand, in a shell; only the two addresses are those of this run."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.conformance.azure_cli.az import AZ, NOWHERE
from tests.docs.demo_server import ROOT, DemoServer

PAGE = "docs/how-to/use-microsoft-clients.md"
PERSON = "mira.solbergen@tidewater.example"


def blocks():
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    section = re.search(r"^## Azure CLI\n(.*?)^## ", page, re.MULTILINE | re.DOTALL)[1]
    return re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def demo(tmp_path):
    server = DemoServer(tmp_path)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def test_the_how_to(demo, tmp_path):
    host, _, port = demo.origin.rpartition(":")
    env = demo.as_person(PERSON)
    env |= {
        "AZURE_CONFIG_DIR": str(tmp_path / "azure"),
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "BROWSER": env["BROWSER"] + " &",  # az begins to listen when the browser has been started
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "localhost,127.0.0.1",
        "PATH": f"{AZ.parent}:{env['PATH']}",
        "REQUESTS_CA_BUNDLE": env["PERSON_CA"],
    }

    def run(block):
        code = block.replace("https://localhost:8444", f"{host}:{int(port) + 1}")
        code = code.replace("https://localhost:8443", demo.origin)
        words = ["bash", "-euo", "pipefail", "-c", code]
        done = subprocess.run(
            words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{code}\n{done.stdout}{done.stderr}"
        return done.stdout

    sign_in, role, eligible, activate, decide = blocks()
    assert json.loads(run(sign_in))[0]["user"]["name"] == PERSON
    printed = run(role)
    assert PERSON in printed
    assert "sandbox" in printed
    assert "Contributor\tsandbox" in run(eligible).splitlines()
    printed = run(activate)
    assert '"Provisioned"' in printed
    assert '"Contributor"' in printed
    back = activate.replace("SelfActivate", "SelfDeactivate")
    with pytest.raises(AssertionError, match="ActiveDurationTooShort"):
        run(back)
    assert "Teams Administrator" in run(decide)
