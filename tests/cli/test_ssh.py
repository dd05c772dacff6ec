"""`pim ssh` from end to end: a real OpenPIM, a real sshd, the real client; can't, activate, can, taken away, can't."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import urllib.request

import pytest

from tests.connectors.ssh.host import DATA, ME, Host, missing, skip_or_fail, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

REPORTS_READER = "4a5d8f65-41da-4de4-8968-e035b65339cf"
PRINCIPAL = "role:payroll-admin"


def call(demo, token, method, path, body=None):
    request = urllib.request.Request(
        f"{demo.origin}/v1.0/openPim/{path}",
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=demo.ca)) as answer:
        return json.loads(answer.read() or b"null")


def pim(desk, *words, **more):
    """In a process of its own, for ssh writes past Python."""
    run = desk.home / "run"
    run.mkdir(exist_ok=True)
    env = {**os.environ, "PIM_CONFIG_HOME": str(desk.home), "PIM_NO_INPUT": "1", "XDG_RUNTIME_DIR": str(run)}
    return subprocess.run(
        [sys.executable, "-m", "openpim.cli", *words],
        env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=90, check=False, **more,
    )  # fmt: skip


@pytest.fixture
def host(tmp_path):
    made = Host(tmp_path / "host")
    yield made
    made.stop()


def test_a_host_that_trusts_openpim(demo, desk, host, tmp_path):
    skip_or_fail(missing())
    dana, mira = desk("dana"), desk("mira")
    assert dana("activate", "privileged role administrator", "-j", "x", "-t", "A:1").code == 0
    token = dana("token").out.strip()
    made = call(
        demo, token, "POST", "targets", {"kind": "ssh", "displayName": "Hosts", "managed": [PRINCIPAL]}
    )
    assert "PRIVATE" not in json.dumps(made)
    rule = {
        "provider": "directory",
        "roleDefinitionId": REPORTS_READER,
        "scopeId": "/",
        "entitlement": PRINCIPAL,
    }
    call(demo, token, "POST", f"targets/{made['id']}/mappings", rule)

    # The host, set up with what pim prints.
    told = dana("ssh", "ca", "--target", "hosts", "-o", "json").json
    env = {**os.environ, "CURL_CA_BUNDLE": demo.ca, "OPENPIM_FOLDER": str(host.folder)}

    def refresh():
        ran = subprocess.run(
            ["/bin/sh", str(DATA / "refresh.sh"), told["address"]],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran
        assert host.ca.read_text().split() == f"{told['keys'][0]}".split()

    if subprocess.run(["which", "curl"], capture_output=True, check=False).returncode:
        skip_or_fail("no curl on this machine (Debian: curl)")
    refresh()
    assert dana("ssh", "guard").out == (DATA / "guard.sh").read_text()

    there = [f"{ME}@127.0.0.1", "-p", str(host.port), "-F", "none", "-o", "StrictHostKeyChecking=no",
             "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "IdentityAgent=none"]  # fmt: skip
    cannot = pim(mira, "ssh", *there, "echo in")
    assert (cannot.returncode, cannot.stdout) == (6, ""), cannot
    assert "pim ssh -a 'Reports Reader'" in cannot.stderr, "what would, is told and not done"

    can = pim(mira, "ssh", "-d", "30m", *there, "echo in; exit 3")
    assert (can.returncode, can.stdout) == (3, "in\n"), can
    again = pim(mira, "ssh", "-a", "reports reader", "--target", "Hosts", *there, "echo in")
    assert (again.returncode, again.stdout) == (0, "in\n"), again
    assert not list((mira.home / "run").iterdir())  # the key is gone

    host.key()
    written = pim(mira, "ssh", "--certificate-only", "--key", str(host.folder / "id"), "-o", "json")
    assert written.returncode == 0, written
    certificate = (host.folder / "id-cert.pub").read_text().strip()
    assert json.loads(written.stdout)["keyId"].startswith("mira.")
    assert host.can(certificate)

    # A host that asks at each login.
    asking = Host(tmp_path / "asking", more=asks(demo, told["address"], tmp_path))
    try:
        asking.ca.write_text(host.ca.read_text())
        assert asking.can(certificate, name="../host/id"), asking.said()
        (tmp_path / "known" / "principals" / ME).write_text("role:other\n")
        assert not asking.can(certificate, name="../host/id")
        (tmp_path / "known" / "principals" / ME).write_text(f"{PRINCIPAL}\n")

        took_away(demo, dana, mira, host, there)
        assert not asking.can(certificate, name="../host/id"), "it knows at once"
    finally:
        asking.stop()
    assert host.can(certificate), "a host that has not asked yet does not know"
    refresh()
    assert not host.can(certificate)
    assert "revoked" in host.said()


def asks(demo, address, folder):
    known = folder / "known" / "principals"
    known.mkdir(parents=True)
    (known / ME).write_text(f"{PRINCIPAL}\n")
    command = f"/usr/bin/env CURL_CA_BUNDLE={demo.ca} OPENPIM_FOLDER={known.parent} /bin/sh {DATA / 'principals.sh'}"
    return f"AuthorizedPrincipalsCommand {command} {address} %u %s\nAuthorizedPrincipalsCommandUser {ME}"


def took_away(demo, dana, mira, host, there):
    # Somebody takes it away before its time.
    ran = dana("unassign", "reports reader", "On-Call Engineers", "--eligible")
    assert "not there" not in ran.out, ran
    until(
        lambda: mira("ssh", "--certificate-only", "--key", str(host.folder / "id")).code != 0,
        "it does not end",
    )
    assert pim(mira, "ssh", *there, "echo in").returncode == 6
