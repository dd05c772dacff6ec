"""Where the how-to pages are tried: one server, set up with what the pages say to write, on a PostgreSQL that was prepared as
they say, with the demo organisation in it; and a shell, in which the pages' commands are typed.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from openpim.tls import ensure_certificates
from tests.conftest import CI
from tests.connectors.postgresql.cluster import Cluster, releases
from tests.docs.demo_server import PIM, DemoServer
from tests.docs.pages import Block, commands, reading, replaced, settings
from tests.docs.test_readme import missing
from tests.free_ports import two_in_a_row
from tests.notify.smtp_sink import PASSWORD, Sink

ADMIN = "emergency1@tidewater.example"
MIRA = "mira.solbergen@tidewater.example"
GROUP, ROLE = "Payroll admins", "Payroll Administrator"  # of several pages
SECONDS = 20.0  # that only a failure takes
PAGES = [
    f"docs/how-to/{name}.md"
    for name in (
        "certificates",
        "connect-an-application",
        "connect-real-systems",
        "let-people-sign-in",
        "linux-hosts",
        "monitor",
        "prove-the-audit-history",
        "provision-with-scim",
        "send-the-audit-to-a-siem",
        "set-up-mail",
        "ssh-certificates",
        "tell-applications",
        "use-postgresql",
    )
]


class Place(DemoServer):
    """cluster: a PostgreSQL, ours and a target; database: the address of ours. mail: what came. metrics: the listener of its own. places: what stands in the
    pages, and what it is here."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._open = ExitStack()
        self._roles: set[str] = set()
        self._token = ""
        tls = ensure_certificates(folder / "tls", ["localhost", "127.0.0.1"], datetime.now(UTC))
        assert tls.authority is not None
        self.authority = str(tls.authority)
        found = releases()
        if not found:
            (pytest.fail if CI else pytest.skip)("no PostgreSQL on this machine (Debian: postgresql)")
        newest = max(found, key=int)
        self.cluster = Cluster(found[newest])
        self.cluster.major = int(newest)
        self._open.callback(self.cluster.remove)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tls.certificate, tls.key)
        self.mail = self._open.enter_context(Sink(context, "starttls", auth=True))
        self.metrics = f"127.0.0.1:{two_in_a_row()}"
        port = self.origin.rpartition(":")[2]
        self.database = f"postgresql://openpim:choose%20one@localhost:{self.cluster.port}/openpim"
        (folder / "mail-password").write_text(PASSWORD)
        self.places = {
            "https://pim.example.com:8443": self.origin,
            "pim.example.com:8443": f"localhost:{port}",
            "/etc/letsencrypt/live/pim.example.com/fullchain.pem": str(tls.certificate),
            "/etc/letsencrypt/live/pim.example.com/privkey.pem": str(tls.key),
            "/etc/openpim/our-authority.pem": self.authority,
            "/etc/openpim/mail-password": str(folder / "mail-password"),
            "/mnt/elsewhere/openpim-checkpoints": str(folder / "checkpoints"),
            "https://pim.example.com": self.origin,
            "0.0.0.0": "127.0.0.1",
            "port = 443": f"port = {port}",
            "port = 9464": f"port = {self.metrics.rpartition(':')[2]}",
            "port = 587": f"port = {self.mail.port}",
            "smtp.example.com": "localhost",
            "postgresql://openpim:password@db.example.com/openpim": self.database,
            "db.example.com": "localhost",
            "siem.example.com": "127.0.0.1",
        }
        self.env |= {"PERSON_CA": self.authority, "SSL_CERT_FILE": self.authority}
        self.env |= {"CURL_CA_BUNDLE": self.authority, "CA": self.authority, "PIM_NO_INPUT": "1"}
        self._commands()

    def _commands(self) -> None:
        """`pim`, as it is installed; and what a test does not do to its machine."""
        folder = self.folder / "bin"
        folder.mkdir()
        for name, text in (("pim", f'exec {shlex.join(PIM)} "$@"'), ("pip", ":"), ("systemctl", ":")):
            (folder / name).write_text(f"#!/bin/sh\n{text}\n")
            (folder / name).chmod(0o755)
        self.env["PATH"] = f"{folder}:{os.environ['PATH']}"

    def set_up(self) -> None:
        """As use-postgresql.md says, with the settings of all pages."""
        with reading("docs/how-to/use-postgresql.md") as page:
            for statement in page.block("sql").body.splitlines():
                self.cluster.sql(statement)
            command = shlex.split(page.block("text").body)
        assert command[:2] == ["pim", "serve"]
        chosen = settings(PAGES, self.places)
        chosen["mail"]["ca_file"] = self.authority
        chosen["sign_in"] = {"argon2_time_cost": 1, "argon2_memory_kib": 8}  # quick
        chosen["activation"] = {"minimum_minutes": 0}
        lines = [
            line
            for section, values in chosen.items()
            for line in (f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()))
        ]
        (self.folder / "openpim.toml").write_text("\n".join(lines), encoding="utf-8")
        self.start([*command[2:], "--demo"])
        self.sign_in(ADMIN)
        name = "Privileged Role Administrator"
        self.type(f'pim policy set "{name}" --no-ticket --no-approval')
        self.type(f'pim assign "{name}" {ADMIN} -j "of this test"')
        self.sign_in(MIRA)
        self.payroll = self.group(GROUP)
        self.type(f'pim policy set "{GROUP}" --no-mfa')
        self.type(f'pim assign "{GROUP}" {MIRA} -j "of this test"')

    def close(self) -> None:
        with self._open:  # whatever the server does
            self.stop()

    # ------------------------------------------------------------ who types what

    def sign_in(self, user: str) -> None:
        proof = " --mfa" if user == ADMIN else ""  # who has an authenticator from the start
        self.type(f"pim login --server {self.origin}{proof}", user)

    def as_person(self, user: str) -> dict[str, str]:
        """With a configuration of one's own."""
        return super().as_person(user) | {"XDG_CONFIG_HOME": str(self.folder / f"config of {user}")}

    def type(self, line: str, user: str = ADMIN, *, given: str = "", fails: bool = False, **env: str) -> str:
        """What a shell prints at this, without its errors. given: to its standard input."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line],
            cwd=self.folder,
            env={**self.as_person(user), **env},
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode != 0) == fails, f"{line}\n{done.stdout}{done.stderr}\n{self.errors()[-3000:]}"
        return done.stderr if fails else done.stdout

    def walk(self, block: Block, user: str = ADMIN, *, given: str = "", **here: str) -> list[str]:
        """Types a console block, and looks for what it shows; its numbers are others. here: what else stands there, for what. Returns what came."""
        found = []
        for line, shown in commands(block):
            printed = self.type(replaced(line, {**here, **self.places}), user, given=given)
            wanted = [re.sub(r"\d+", "…", one) for one in shown]
            assert missing(wanted, printed) == [], f"$ {line}\n{printed}"
            found.append(printed)
        return found

    def script(
        self,
        block: Block,
        user: str = ADMIN,
        *,
        given: str = "",
        env: dict[str, str] | None = None,
        **here: str,
    ) -> str:
        """Types a whole `sh` block."""
        return self.type(replaced(block.body, {**here, **self.places}), user, given=given, **(env or {}))

    def http(self, block: Block, **here: str) -> Any:
        """Sends an `http` block to Graph."""
        head, _, body = replaced(block.body, here).partition("\n\n")
        method, path = head.split(" ", 1)
        return self.ask(method, path, json.loads(body) if body.strip() else None)

    # ------------------------------------------------------------ what the pages take for granted

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Graph, as the administrator. path: from the version on."""
        self._token = self._token or self.type("pim token").strip()
        request = urllib.request.Request(
            f"{self.origin}{path}", json.dumps(body).encode() if body is not None else None, method=method
        )
        request.add_header("Authorization", f"Bearer {self._token}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, context=self.trust()) as answer:
            return json.loads(answer.read() or b"null")

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)

    def role(self, name: str) -> None:
        """A role of the organisation's own, which Mira may activate; made once."""
        if name not in self._roles:
            self._roles.add(name)
            allowed = [{"allowedResourceActions": ["microsoft.directory/users/standard/read"]}]
            body = {"displayName": name, "isEnabled": True, "rolePermissions": allowed}
            self.ask("POST", "/v1.0/roleManagement/directory/roleDefinitions", body)
            self.type(f'pim policy set "{name}" --no-mfa')
            self.type(f'pim assign "{name}" {MIRA} -j "of this test"')

    def group(self, name: str) -> str:
        body = {
            "displayName": name,
            "mailEnabled": False,
            "mailNickname": name.replace(" ", ""),
            "securityEnabled": True,
        }
        return str(self.ask("POST", "/v1.0/groups", body)["id"])

    def application(self, name: str, *permissions: str, **more: Any) -> dict[str, str]:
        """Its app_id, secret, and the ids of itself and of its service principal."""
        made = self.ask("POST", "/v1.0/applications", {"displayName": name, **more})
        secret = self.ask("POST", f"/v1.0/applications/{made['id']}/addPassword", {})["secretText"]
        face = self.ask("POST", "/v1.0/servicePrincipals", {"appId": made["appId"]})["id"]
        if permissions:
            wanted = {"openPim": {"permissions": list(permissions)}}
            self.ask("PATCH", f"/v1.0/servicePrincipals/{face}", wanted)
        return {"id": made["id"], "app_id": made["appId"], "secret": secret, "face": face}

    def until(self, what: Callable[[], Any], otherwise: str) -> Any:
        """What comes, when it comes."""
        ends = time.monotonic() + SECONDS
        while not (found := what()):
            assert time.monotonic() < ends, f"{otherwise}\n{self.errors()[-3000:]}"
            time.sleep(0.1)
        return found
