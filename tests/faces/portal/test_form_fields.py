"""No secret that somebody types leaves the form for the pages of a sign-in, where a form waits that was sent too late.

fields.txt beside this file names every field of every form, and what becomes of it then: `waits` with the form, or is
`left` behind, because its name begins with `secret-`. A field that is new makes this fail: give it such a name if it takes
a secret (a password, a key, an address with one in it), and write the table anew with

    FORM_FIELDS=write .venv/bin/pytest tests/faces/portal/test_form_fields.py
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from openpim.faces import portal
from openpim.faces.portal import PAGES
from openpim.services.credentials import put_totp, set_password
from openpim.services.signin.portal import SECRET
from tests.faces.portal.client import Browser, Shown, Site
from tests.faces.portal.test_me import PASSWORD, SEED, code
from tests.faces.portal.test_table import request_of

sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
TABLE = Path(__file__).with_name("fields.txt")
TEMPLATES = Path(portal.__file__).with_name("templates")
SESAME = "open-sesame-7f3a"
_TAG = re.compile(r"<(?:input|textarea|select|button)\b(?:\{\{.*?\}\}|\{%.*?%\}|[^>])*>", re.DOTALL)
_NAME = re.compile(r'\bname="((?:\{\{.*?\}\}|[^"{])+)"')
_MACRO = re.compile(r'\bm\.text\(\s*((?:"[^"]*"|[\w.]+)(?:\s*~\s*(?:"[^"]*"|[\w.]+))*)\s*,')


def fields_of(template: str) -> set[str]:
    """The names of its fields, as they are written in it; "…" stands for what is worked out."""
    found = {name for tag in _TAG.findall(template) for name in _NAME.findall(tag)}
    for name in _MACRO.findall(template):
        found.add(name.strip('"') if re.fullmatch(r'"[^"]*"', name) else f"{{{{ {name} }}}}")
    return {re.sub(r"\{\{.*?\}\}", "…", name) for name in found}


def test_each_field_is_in_the_table() -> None:
    lines = []
    for path in sorted(TEMPLATES.glob("*.html")):
        for name in sorted(fields_of(path.read_text(encoding="utf-8"))):
            fate = "left" if name.startswith(SECRET) else "own" if name == "token" else "waits"
            lines.append(f"{path.stem:<28} {name:<52} {fate}")
    text = "\n".join(lines) + "\n"
    if os.environ.get("FORM_FIELDS") == "write":
        TABLE.write_text(text, encoding="utf-8")
    assert text == TABLE.read_text(encoding="utf-8"), "a form has other fields: see the top"


@sqlite
def test_whatever_hides_what_is_typed_is_a_secret(site: Site) -> None:
    """On the pages as they come, where names are worked out."""
    admin = site.browser(site.world.ga)
    paths = [request_of(page, site)[0] for page in PAGES if page.method == "GET"]
    paths += admin.get("/portal/targets/new").links
    paths += [f"/portal/streams/new?kind={kind}" for kind in ("syslog", "otlp", "ocsf")]
    hidden = set()
    for path in dict.fromkeys(paths):
        if not path.startswith("/portal/") or path.endswith(("/csv", "/json")):
            continue
        for tag, attrs in admin.get(path).tags:
            if tag == "input" and (
                attrs.get("type") == "password"
                or attrs.get("autocomplete", "").endswith(("password", "one-time-code"))
            ):
                assert attrs["name"].startswith(SECRET), f"{attrs['name']} of {path}"
                hidden.add(attrs["name"])
    assert {"secret-value", "secret-password"} <= hidden, "of audit streams, and of real systems"


# ---------------------------------------------------------------- a form that comes too late

STREAM = {"kind": "otlp", "name": "siem", "address": "https://siem.example.com/v1/logs", "header": "Authorization", "secret-value": SESAME, "gzip": "on", "start": "now"}  # fmt: skip
CHAT = {"kind": "chat", "name": "siem", "secret-address": f"https://hooks.slack.com/services/T1/B1/{SESAME}", "enabled": "on"}  # fmt: skip
HOOK = {"kind": "webhook", "name": "siem", "secret-address": f"https://example.com/x?key={SESAME}", "enabled": "on"}  # fmt: skip


@pytest.fixture
def admin(site: Site) -> Browser:
    """The Global Administrator, with a password and an authenticator."""
    world = site.world
    world.write(lambda tx: set_password(tx, site.signin, world.ga, PASSWORD))
    world.write(lambda tx: put_totp(tx, site.signin, world.ga, SEED))
    return site.browser(world.ga)


def sent_too_late(site: Site, admin: Browser, path: str, fields: dict[str, str]) -> list[Shown]:
    """The form of a session that has ended meanwhile, and every page until the form is sent again."""
    fields = {"token": admin.token, **fields}
    site.browser(site.world.ga).post("/portal/me/sessions/end-others")
    pages = [admin.post(path, **fields)]
    assert pages[0].status == 401
    user = site.world.read(lambda tx: tx.users.get(site.world.ga))
    again = {"username": user.user_principal_name, "password": PASSWORD}
    pages.append(admin.post("/signin/step", **{**pages[-1].form("/signin/step"), **again}))
    pages.append(admin.post("/signin/step", **{**pages[-1].form("/signin/step"), "code": code(site)}))
    return pages


@pytest.mark.parametrize(
    ("path", "typed"),
    [("/portal/streams/new", STREAM), ("/portal/channels/new", CHAT), ("/portal/channels/new", HOOK)],
    ids=["stream", "chat", "webhook"],
)
@sqlite
def test_its_secret_is_left_behind_and_asked_for(
    site: Site, admin: Browser, path: str, typed: dict[str, str]
) -> None:
    pages = sent_too_late(site, admin, path, typed)
    assert all(SESAME not in page.html for page in pages)
    form = pages[-1].form(path)
    assert form == {name: value for name, value in typed.items() if not name.startswith(SECRET)} | {
        "token": form["token"]
    }
    page = admin.post(path, **form)
    assert (page.status, "not kept while you signed in" in page.text) == (400, True)
    assert page.form(path)["name"] == "siem", "what else was typed is there"
    assert site.world.read(lambda tx: tx.channels.all()) == ()
    assert site.world.read(lambda tx: tx.streams.all()) == []


@sqlite
def test_a_form_with_a_private_key_in_it_does_not_wait(site: Site, admin: Browser) -> None:
    """Pasted where a certificate or a reason belongs."""
    key = f"-----BEGIN PRIVATE KEY-----\n{SESAME}\n-----END PRIVATE KEY-----"
    path = "/portal/applications/new"
    pages = sent_too_late(site, admin, path, {"name": "Orders", "redirects": key})
    assert all(SESAME not in page.html for page in pages)
    assert pages[-1].to == "/portal/roles", "nothing is sent again"
