"""What the how-to pages tell an operator to do is done: a real organisation, back-up and restore, a lost key file."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sqlite3
import ssl
import time
import urllib.request
from datetime import UTC, datetime

import pyotp
import pytest

from openpim.tls import ensure_certificates
from tests.cli.person import Person
from tests.docs import pages
from tests.docs.demo_server import ROOT, DemoServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MIRA = "mira.solbergen@tidewater.example"
EMERGENCY = "emergency1@tidewater.example"
BACKUP = "docs/how-to/back-up-and-restore.md"


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return [one.body for one in pages.blocks(page) if one.language == language and not one.why]


@pytest.fixture
def demo(tmp_path):
    server = DemoServer(tmp_path / "one")
    server.folder.mkdir()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def restored(tmp_path):
    """Another machine: an empty folder, where a back-up is put in place before the start."""
    server = DemoServer(tmp_path / "two")
    (server.folder / "openpim-data").mkdir(parents=True, mode=0o700)
    yield server
    server.stop()


def login(server: DemoServer, user: str, profile: str = "demo") -> None:
    server.run(["profile", "add", profile, "--server", server.origin, "--ca", server.env["PERSON_CA"]], user)
    code, printed = server.run(["login", "--profile", profile, "--user", user], user)
    assert code == 0, printed
    assert f"Signed in as {user}" in printed


def back_up(server: DemoServer, folder) -> None:
    """The commands of the page, while the server runs."""
    (command,) = re.findall(r'sqlite3 (\S+) "(VACUUM INTO .*)"', text(BACKUP))
    with sqlite3.connect(server.folder / command[0]) as database:
        database.execute(command[1].replace("/backup/", f"{folder}/"))
    database.close()
    shutil.copy(server.folder / "openpim-data/key", folder / "key")
    os.chmod(folder / "key", 0o600)


def call(server: DemoServer, user: str, method: str, path: str, body: str | None = None) -> dict:
    """Graph as this person, who is signed in."""
    token = server.run(["token"], user)[1].strip()
    request = urllib.request.Request(f"{server.origin}{path}", body.encode() if body else None, method=method)
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/json")
    context = ssl.create_default_context(cafile=server.env["PERSON_CA"])
    with urllib.request.urlopen(request, context=context) as answer:
        return json.loads(answer.read() or b"{}")


def run_sql(server: DemoServer, statements: str) -> None:
    with sqlite3.connect(server.folder / "openpim-data/openpim.db") as database:
        database.executescript(statements)
    database.close()


def test_back_up_and_restore(demo, restored, tmp_path):
    login(demo, MIRA)
    assert demo.run(["activate", "sharepoint", "-j", "before the back-up"], MIRA)[0] == 0
    back_up(demo, tmp_path)
    accounts = demo.folder / "openpim-data/demo-accounts.toml"
    shutil.copy(accounts, restored.folder / "openpim-data/demo-accounts.toml")
    shutil.move(tmp_path / "openpim.db", restored.folder / "openpim-data/openpim.db")
    shutil.move(tmp_path / "key", restored.folder / "openpim-data/key")
    end_all, _ = blocks(BACKUP, "sql")
    run_sql(restored, end_all)
    restored.start()
    login(restored, MIRA)
    code, printed = restored.run(["list", "active", "-o", "json"], MIRA)
    assert code == 0
    assert [row["role"] for row in json.loads(printed)] == ["SharePoint Administrator"]
    login(restored, EMERGENCY, "emergency")  # the second factor came along
    assert restored.errors() == ""


def test_the_key_file_is_lost(demo):
    login(demo, EMERGENCY)
    demo.stop()
    (demo.folder / "openpim-data/key").unlink()
    with pytest.raises(AssertionError, match="does not fit the database"):
        demo.start()
    assert "does not fit the database" in text("docs/how-to/troubleshoot.md")
    demo.stop()
    _, remedy = blocks(BACKUP, "sql")
    run_sql(demo, remedy)
    demo.start()
    login(demo, EMERGENCY)
    code, printed = demo.run(["login", "--mfa"], EMERGENCY)
    assert code == 0, printed
    assert "mfa" in demo.run(["whoami"], EMERGENCY)[1]


def test_the_approval_rule_of_the_page(demo):
    login(demo, EMERGENCY)

    def graph(method: str, path: str, body: str | None = None) -> dict:
        return call(demo, EMERGENCY, method, path, body)

    (block,) = blocks("docs/how-to/approvals.md", "http")
    head, _, body = block.partition("\n\n")
    method, path = head.split()[0], head.partition(" ")[2]
    users = graph("GET", "/v1.0/users?$filter=startswith(displayName,'Jonas')")["value"]
    groups = graph("GET", "/v1.0/groups?$filter=displayName%20eq%20'Identity%20Team'")["value"]
    policy = json.loads(demo.run(["policy", "show", "Reports Reader", "-o", "json"], EMERGENCY)[1])
    policy = policy[0] if isinstance(policy, list) else policy
    body = body.replace("{user id}", users[0]["id"]).replace("{group id}", groups[0]["id"])
    graph(method, path.replace("{policy id}", policy["id"]), body)
    printed = demo.run(["policy", "show", "Reports Reader"], EMERGENCY)[1]
    assert re.search(r"approval +yes", printed)
    assert "2 of Jonas Weberling" in printed
    rule = graph("GET", path.replace("{policy id}", policy["id"]))
    stage = rule["setting"]["approvalStages"][0]
    assert stage["openPim"] == {"quorum": 2, "timeOutInMinutes": 720}
    assert stage["escalationTimeInMinutes"] == 120
    assert len(stage["escalationApprovers"]) == 1


class Newcomer(Person):
    """Types the code of half a minute ago, which still counts, so that the next one is good a moment later."""

    def code(self) -> str:
        return pyotp.TOTP(self.seed).at(int(time.time()) - 30) if self.seed else ""


def test_a_real_organisation(tmp_path):
    server = DemoServer(tmp_path)
    name = "docs/how-to/run-a-real-organisation.md"
    page, (config,) = text(name), blocks(name, "toml")
    install, serve, first, look, give = blocks(name, "text")
    assert install == "pip install 'openpim[server]'\n"
    tls = ensure_certificates(tmp_path / "tls", ["localhost", "127.0.0.1"], datetime.now(UTC))
    server.env |= dict.fromkeys(("PERSON_CA", "SSL_CERT_FILE"), str(tls.authority))  # whom the machine trusts
    config = config.replace("/etc/openpim/fullchain.pem", str(tls.certificate))
    config = config.replace("/etc/openpim/privkey.pem", str(tls.key))
    port = server.origin.rpartition(":")[2]
    config = config.replace("https://pim.example.com", server.origin).replace("port = 443", f"port = {port}")
    config = config.replace("0.0.0.0", "127.0.0.1").replace("/var/lib/openpim", "openpim-data")
    (tmp_path / "openpim.toml").write_text(config, encoding="utf-8")
    try:
        options = shlex.split(serve)[2:]
        lines = server.start(options)
        shown = first.splitlines()[0]
        assert shown in lines
        link = lines[lines.index(shown) + 1].strip()
        assert link.startswith(f"{server.origin}/setup/")
        name = "anna@example.com"
        anna = Newcomer(name, "correct horse battery", ca=server.env["PERSON_CA"])
        assert "Ready" in anna.visit(link, username=name, display_name="Anna")
        server.env |= {"PERSON_NAME": name, "PERSON_PASSWORD": anna.password, "PERSON_SEED": anna.seed}
        said = ""
        for line in (look + give).replace("https://pim.example.com", server.origin).splitlines():
            code, printed = server.run(shlex.split(line)[1:])
            assert code == 0, f"$ {line}\n{printed}"
            said += printed
        assert f"Signed in as {name}" in said
        (new_person,) = re.findall(r"-d '(.*?)'", page)
        (link_path,) = re.findall(r"https://pim.example.com(/v1.0/users/\S+/createSetupLink)", page)
        call(server, "", "POST", "/v1.0/users", new_person)
        link = call(server, "", "POST", link_path)["value"]
        ben = Newcomer(link_path.split("/")[3], "another horse battery", ca=server.env["PERSON_CA"])
        assert "Ready" in ben.visit(link)
        server.env |= {"PERSON_NAME": ben.name, "PERSON_PASSWORD": ben.password, "PERSON_SEED": ben.seed}
        code, printed = server.run(["login", "--user", ben.name])
        assert (code, f"Signed in as {ben.name}" in printed) == (0, True), printed
        server.stop()
        assert shown not in server.start(options)
    finally:
        server.stop()
