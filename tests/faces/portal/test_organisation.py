"""The organisation in the portal: who sees what of it, whether what it says is so, and the way to one's other ones."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from openpim.config import SETTINGS
from openpim.core.directory import UserType
from openpim.faces.portal.organisation import security
from tests.faces.portal.client import Browser, Site
from tests.signin_helper import access_token
from tests.world import ASSIGNMENT, READER, World, ok

HERE = "/portal/organisation"


@pytest.fixture
def reader(site: Site) -> Browser:
    person = site.world.user("Rhea")
    ok(site.world.give(person, READER, ASSIGNMENT, permanent=True))
    return site.browser(person)


def numbers(page_text: str) -> list[str]:
    found = re.search(r"([\d,+]+) members? ([\d,+]+) guests? ([\d,+]+) disabled", page_text)
    return list(found.groups()) if found else []


def test_everybody_sees_how_clients_find_it(site: Site) -> None:
    world = site.world
    tenant = world.read(lambda tx: tx.tenants.current())
    page = site.browser(world.ann).get(HERE)
    assert page.status == 200
    for said in (
        tenant.name,
        world.tenant_id,
        f"https://localhost:8443/{world.tenant_id}/v2.0/.well-known/openid-configuration",
        "https://localhost:8443/v1.0",
        f"pim login --server https://localhost:8443 --tenant {tenant.domain}",
        "az cloud register --name OpenPIM --endpoint-resource-manager https://localhost:8444",
    ):
        assert said in page.text
    assert "Signing keys" not in re.sub("Signing keys \\(JWKS\\)", "", page.text)
    assert "sign_in.mfa" not in page.text


def test_the_addresses_are_there(site: Site) -> None:
    """Those that the sign-in answers; the configuration it names agrees."""
    browser = site.browser(site.world.ann)
    texts = re.findall(r"<code>(https://localhost:8443[^<]*)</code>", browser.get(HERE).html)
    configuration = next(one for one in texts if one.endswith("openid-configuration"))
    keys = next(one for one in texts if one.endswith("/keys"))
    answer = browser.client.get(configuration.removeprefix("https://localhost:8443")).json()
    assert answer["jwks_uri"] == keys
    assert browser.client.get(keys.removeprefix("https://localhost:8443")).json()["keys"]
    assert browser.client.get("/devicelogin").status_code == 200


def test_people_are_counted(site: Site, reader: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    world = site.world
    before = [int(one) for one in numbers(reader.get(HERE).text)]
    world.guest("Gus")
    world.disable(world.user("Gone"))
    world.delete(world.user("Deleted"))
    after = [int(one) for one in numbers(reader.get(HERE).text)]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1]
    other = World(world.database)
    other.guest("Theirs")
    assert [int(one) for one in numbers(reader.get(HERE).text)] == after
    monkeypatch.setattr("openpim.services.directory.organisation.MOST", 3)
    assert all(one.endswith("+") for one in numbers(reader.get(HERE).text)), "at least so many"


def test_keys_are_shown_as_they_turn(site: Site, reader: Browser) -> None:
    world = site.world
    page = reader.get(HERE)
    assert "None yet" in page.text
    access_token(site.signin, world.tenant_id, world.ann)
    page = reader.get(HERE)
    (first,) = {key["kid"] for key in reader.client.get("/common/discovery/v2.0/keys").json()["keys"]}
    assert first in page.text
    assert page.text.count("Signs now") == 1
    turning = re.search(r"The next key signs from <time datetime=\"([^\"]+)\"", page.html)
    assert turning is not None
    world.forward(days=89)
    reader.sign_in_again()
    access_token(site.signin, world.tenant_id, world.ann)
    page = reader.get(HERE)
    assert page.text.count("Next") >= 1
    assert f'The next key signs from <time datetime="{turning[1]}"' in page.html, "as it was said"
    world.forward(days=1)
    reader.sign_in_again()
    page = reader.get(HERE)
    assert re.search("Still counts.*", page.text)
    signs = re.search(r"<code>([^<]+)</code></td>\s*<td[^>]*><span class=\"badge good\">Signs now", page.html)
    assert signs is not None
    assert signs[1] != first
    private = world.database.read("", lambda tx: [one.sealed for one in tx.signing_keys.all()])
    assert not any(one in page.html for one in private)


def test_settings_are_those_in_force(site: Site, reader: Browser) -> None:
    page = reader.get(HERE)
    rows = {setting: value for _, several in security(site.signin.settings) for _, value, setting in several}
    assert rows["sign_in.mfa"] == "of everybody who has one"
    assert rows["sign_in.session_max_hours"] == "7 d"
    for setting, value in rows.items():
        assert re.search(
            rf"<code class=\"muted\">{setting}</code></span><strong>{re.escape(value)}</strong>", page.html
        )
    assert rows.keys() <= {one.path for one in SETTINGS}
    assert "argon2" not in page.html


@pytest.mark.parametrize("setting", [one for one in SETTINGS if one.in_settings], ids=lambda one: one.path)
def test_a_setting_that_is_shown_is_read(site: Site, setting: object) -> None:
    """Another value is another text."""
    name, path = setting.name, setting.path  # type: ignore[attr-defined]
    shown = {words: value for _, several in security(site.signin.settings) for _, value, words in several}
    if path not in shown:
        return
    present = getattr(site.signin.settings, name)
    others = {"mfa_at_sign_in": "always", "work_hours": "06:00-09:00"}
    changed = others.get(name, not present if isinstance(present, bool) else present * 2)
    values = security(replace(site.signin.settings, **{name: changed}))
    after = {words: value for _, several in values for _, value, words in several}
    assert after[path] != shown[path]
    assert {one for one in after if after[one] != shown[one]} == {path}


def test_a_guest_sees_the_way_and_no_numbers_and_switches(site: Site) -> None:
    world = site.world
    other = World(world.database)
    other.now = world.now
    other.user("Ann abroad", user_type=UserType.GUEST, home_tenant_id=world.tenant_id, home_user_id=world.ann)
    there = other.read(lambda tx: tx.tenants.current()).name
    ann = site.browser(world.ann)
    page = ann.get(HERE)
    assert there in page.text
    assert numbers(page.text)
    forms = re.findall(
        r'<form method="post" action="/portal/tenant">.*?value="([^"]+)"><button', page.html, re.DOTALL
    )
    assert forms == [other.tenant_id]
    ann.post("/portal/tenant", tenant=other.tenant_id)
    page = ann.get(HERE)
    assert f"<h1>{there}</h1>" in page.html
    assert numbers(page.text) == []
    assert other.tenant_id in page.text
