"""The how-to pages about databases, hosts and applications that privileges take effect in are followed, with real ones."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from openpim.agent import configuration
from tests.connectors.contract import SECRET
from tests.connectors.http_server import HttpServer
from tests.connectors.postgresql.cluster import PASSWORD
from tests.connectors.postgresql.conftest import statements
from tests.connectors.scim.rigs import OtherRig
from tests.connectors.ssh.host import ME, SBIN, Host, missing, skip_or_fail
from tests.connectors.webhook.rigs import KEY
from tests.connectors.webhook.service import Service
from tests.docs.pages import reading, replaced
from tests.docs.place import GROUP, MIRA, ROLE, Place
from tests.faces.scim.client import GROUP as SCIM_GROUP
from tests.faces.scim.client import USER as SCIM_USER

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_database(place: Place) -> None:
    cluster = place.cluster
    said = statements(cluster.major)
    cluster.sql(said["once"].replace("choose one", PASSWORD))
    cluster.sql(said["role"] + said["admin"])
    cluster.sql(said["person"].replace("alice@example.com", MIRA))
    (place.folder / "pg.pem").write_text(cluster.authority)
    tls = "--set ca=@pg.pem" if cluster.tls else "--set sslmode=disable"
    here = {"host=db.example.com": f"host=localhost --set port={cluster.port} {tls}"}
    with reading("docs/how-to/connect-real-systems.md") as page:
        *_, probed, _, _ = place.walk(
            page.block("console"), given=PASSWORD, **here, **{"database=payroll": "database=postgres"}
        )
        assert "It has the rights that it needs, and no more." in probed
    place.type(f'pim activate "{GROUP}" -d 1h -j "of this test"', MIRA)
    member = "SELECT 1 FROM pg_auth_members WHERE roleid = 'payroll_admin'::regrole AND member = %s::regrole"
    place.until(lambda: cluster.sql(member, f'"{MIRA}"'), "the role is not given")
    place.until(lambda: "effective" in place.type("pim connector effects payroll-db"), "it is not proved")


def test_applications(place: Place) -> None:
    wiki = OtherRig()
    doors = HttpServer(Service(KEY, ["server-room"], ends=True))
    try:
        wiki.users[MIRA] = wiki.make("Users", {"schemas": [SCIM_USER], "userName": MIRA})
        wiki.groups["Wiki admins"] = wiki.make(
            "Groups", {"schemas": [SCIM_GROUP], "displayName": "Wiki admins"}
        )
        place.role("Wiki Administrator")
        with reading("docs/how-to/connect-an-application.md") as page:
            here = {"https://wiki.example.com/scim/v2": wiki.server.address}
            place.walk(page.block("console"), given=SECRET, **here)
            place.type('pim activate "Wiki Administrator" -j "of this test"', MIRA)
            place.until(lambda: wiki.has(MIRA, "Wiki admins"), "nobody is put into the group")
            here = {"https://doors.example.com/openpim": f"{doors.address}/openpim"}
            place.walk(page.block("console"), given=KEY, **here)
            assert "It has the rights that it needs" in place.type("pim connector probe badge-doors")
    finally:
        wiki.close()
        doors.down()


def test_a_linux_host(place: Place) -> None:
    place.role(ROLE)
    host = place.folder / "host"
    host.mkdir()
    here = {"/etc/systemd/system": str(host), "/etc/openpim/ca.pem": place.authority}
    here |= {"python3 -m venv": "true", "/opt/openpim/bin/pip": "pip", "ln -s": "true"}  # `pim` is there
    here["pim agent enroll"] = f"pim agent enroll --config {host}/agent.toml"
    here["pim agent status"] = f"pim agent status --config {host}/agent.toml"
    with reading("docs/how-to/linux-hosts.md") as page:
        text = replaced(page.block("text").body, {**here, **place.places})
        (host / "agent.toml").write_text(f'state = "{host}/state"\n{text}')
        (host / "agent.toml").chmod(0o644)
        allowed = configuration.load(str(host / "agent.toml")).entitlements
        assert allowed == ("sudo:payroll", "group:adm", "group:docker"), "as the page says below it"
        place.script(page.block("sh"))
        shown = place.script(page.block("sh"), **here)
        assert all(one in shown for one in allowed)
    assert "pim agent run" in (host / "openpim-agent.service").read_text()


def test_hosts_by_certificates(place: Place) -> None:
    skip_or_fail(missing())
    place.role(ROLE)
    folder = place.folder / "hosts"
    folder.mkdir()
    (folder / "cron.d").mkdir()
    where = {
        "/etc/ssh/openpim": str(folder / "openpim"),
        "/usr/local/libexec": str(folder),
        "/etc/cron.d": str(folder / "cron.d"),
    }
    with reading("docs/how-to/ssh-certificates.md") as page:
        address = place.script(page.block("sh")).partition("# ")[2].split()[0]
        where["ADDRESS"] = address
        env = {"OPENPIM_FOLDER": str(folder / "openpim")}
        place.script(page.block("sh"), env=env, **where)
        assert (folder / "cron.d/openpim").read_text().split()[6:] == [
            f"{folder}/openpim-refresh",
            address,
            "86400",
        ]
        rules = replaced(page.block("text").body, where)
        place.script(page.block("sh"), **where, **{"principals/payroll": f"principals/{ME}"})
        certificates = page.block("text")
        known = replaced(certificates.body.replace("0b6c…", address.rpartition("/")[2]), where)
        (folder / "agent.toml").write_text(known)
        (folder / "agent.toml").chmod(0o644)
        fleet = configuration.load(str(folder / "agent.toml")).certificates
        assert fleet is not None
        assert (fleet.folder, fleet.longest) == (str(folder / "openpim"), 86400)
        place.script(page.block("sh"), **where)
        asking = replaced(page.block("text").body, where)
        assert (
            subprocess.run(
                [shutil.which("sshd", path=SBIN) or "sshd", "-T", "-f", write(folder / "asking", asking)],
                check=False,
            ).returncode
            == 0
        )
        host = Host(folder / "sshd", rules=rules)
        try:
            log_in(place, page.block("sh").body, host)
        finally:
            host.stop()
        place.script(page.block("sh"))
        assert len(place.type("pim ssh ca --target 'Database hosts' -o json")) > 0


def log_in(place: Place, lines: str, host: Host) -> None:
    """The four ways of the page, the second first: nothing is active yet."""
    options = (
        "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentityAgent=none -o LogLevel=ERROR"
    )
    here = {
        "payroll@db1.example.com -p 2222": "payroll@db1.example.com",
        "systemctl status payroll": "echo in",
    }
    here |= {"payroll@db1.example.com": f"{ME}@127.0.0.1 -p {host.port} -F none {options}"}
    key = host.folder / "id_ed25519"
    host.key(key.name)
    here["~/.ssh/id_ed25519"] = str(key)
    plain, activated, command, only = replaced(lines, here).splitlines()
    place.type(activated, MIRA)
    place.type(plain, MIRA)
    assert place.type(command, MIRA) == "in\n", host.said()
    place.type(only, MIRA)
    assert key.with_name("id_ed25519-cert.pub").exists()


def write(file, text):
    file.write_text(text)
    return file
