"""docs/how-to/register-an-application.md is followed: what the page says to write is written into the portal's forms, and
its commands are typed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.parse
from types import SimpleNamespace

import pytest

from tests.cli.person import Person
from tests.docs.demo_server import ROOT, DemoServer
from tests.faces.portal.client import Shown

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PAGE = (ROOT / "docs/how-to/register-an-application.md").read_text(encoding="utf-8")
ADMIN = "emergency1@tidewater.example"
MIRA = "mira.solbergen@tidewater.example"


class AtThePortal(Person):
    """Reads pages and fills in their forms, by what they are called."""

    page = ""

    def open(self, url, data=None):
        body = urllib.parse.urlencode(data).encode() if data is not None else None
        try:
            with self.opener.open(url, body, timeout=20) as answer:
                where, self.page = answer.url, answer.read().decode()
        except (
            urllib.error.HTTPError
        ) as error:  # the sign-in stands at the address that asks for it, with a 401
            where, self.page = error.url, error.read().decode()
        return where, self.page

    def sign_in(self, origin):
        self.origin = origin
        self.open(f"{origin}/portal/roles")
        for _ in range(4):
            if 'class="side"' in self.page:
                return
            self.fill("/signin/step", username=self.name, password=self.password, code=self.code())
        raise AssertionError(self.page[-1500:])

    def look(self, path):
        return self.open(self.origin + path)[1]

    def fill(self, action, **typed):
        fields = Shown(SimpleNamespace(text=self.page, status_code=200, headers={})).form(action)
        # What the form does not ask for at this step is not sent.
        wanted = {name: value for name, value in typed.items() if name in fields or action != "/signin/step"}
        return self.open(self.origin + action, {**fields, **wanted})[1]

    def link(self, words):
        (found,) = re.findall(rf'<a [^>]*href="([^"]+)"[^>]*>{words}', self.page)
        return found


def field(name, *, place=0):
    """What the page says to write."""
    return re.findall(rf"\| {name} \| `([^`]+)` \|", PAGE)[place]


@pytest.fixture
def server(tmp_path):
    found = DemoServer(tmp_path)
    try:
        found.start()
        yield found
    finally:
        found.stop()


def bash(server, command, **more):
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=server.folder,
        env={**server.as_person(MIRA), "OPENPIM": server.origin, "CA": server.env["PERSON_CA"], **more},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_is_followed(server):
    service, person = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    env = server.as_person(ADMIN)
    admin = AtThePortal(ADMIN, env["PERSON_PASSWORD"], env["PERSON_SEED"], env["PERSON_CA"])
    admin.sign_in(server.origin)
    tenant = server.accounts["tenant_id"]
    assert tenant in admin.look("/portal/organisation")

    admin.look("/portal/applications/new")
    assert field("Type") in admin.page
    admin.fill(
        "/portal/applications/new", name=field("Name"), kind="web", redirects=field("Redirect addresses")
    )
    assert "Powerful" not in admin.page
    permissions = admin.link("Change permissions")
    client = re.search(r"<dt>Client ID</dt><dd>.*?<code>([^<]+)</code>", admin.page)[1]
    admin.look(admin.link("Add a client secret"))
    admin.fill(re.search(r'action="(/portal/applications/[^"]+)"', admin.page)[1], name="Build server")
    secret = re.search(r"data-once>.*?<code>([^<]+)</code>", admin.page)[1]
    admin.look(permissions)
    (ticked,) = re.findall(r"tick `([^`]+)`", PAGE)
    admin.fill(permissions, **{f"may-{ticked}": "on"})
    assert "Powerful" in admin.page
    printed = bash(server, service, TENANT=tenant, CLIENT_ID=client, CLIENT_SECRET=secret)
    assert len(json.loads(printed)["value"]) == 3

    admin.look("/portal/applications/new")
    assert field("Type", place=1) in admin.page
    admin.fill(
        "/portal/applications/new",
        name=field("Name", place=1),
        kind="public",
        redirects=field("Redirect addresses", place=1),
    )
    client = re.search(r"<dt>Client ID</dt><dd>.*?<code>([^<]+)</code>", admin.page)[1]
    assert f"pim login --server {server.origin}" in admin.page
    consent = admin.link("Grant admin consent")
    admin.look(consent)
    admin.fill(consent, **{f"may-{one}": "on" for one in field("Delegated permissions").split()})
    assert "Everybody" in admin.page
    typed = person.replace("pim ", f"{sys.executable} -m openpim.cli ")
    printed = bash(server, typed, TENANT=tenant, CLIENT_ID=client)
    assert f"Signed in as {MIRA}" in printed
    assert "Teams Administrator" in printed
