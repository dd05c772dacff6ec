"""Passkeys: made, used alone and as the second factor, removed; and every answer that must not count."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from openpim.core.signin.values import Account, Passkey, Session
from openpim.services.credentials import put_totp, remove_totp, set_password
from tests.authenticator import Authenticator
from tests.faces.portal.client import ORIGIN, Browser, Shown, Site
from tests.faces.portal.test_me import PASSWORD, SEED, code, events, typed

NEW = "/portal/me/passkeys/new"


@pytest.fixture
def ann(site: Site) -> Browser:
    world = site.world
    world.write(lambda tx: set_password(tx, site.signin, world.ann, PASSWORD))
    world.write(lambda tx: put_totp(tx, site.signin, world.ann, SEED))
    return site.browser(world.ann)


def options(page: Shown) -> str:
    found = re.search(r'data-options="([^"]*)"', page.html)
    assert found is not None, f"no passkey is asked for: {page.status} {page.text}"
    return unescape(found.group(1))


def kept(site: Site, who: str = "") -> list[Passkey]:
    account = Account(site.world.tenant_id, who or site.world.ann)
    return site.world.read(lambda tx: tx.passkeys.of(account))


def enrol(site: Site, browser: Browser, device: Authenticator, **more: str) -> Shown:
    asked = options(browser.get(NEW))
    fields = {
        "name": "laptop",
        "assertion": device.create(asked),
        **typed(password=PASSWORD, code=code(site)),
    }
    return browser.send(NEW, **{**fields, **more})


def assertion_form(page: Shown) -> dict[str, str]:
    form = next(
        one for one in re.findall(r"<form\b.*?</form>", page.html, re.DOTALL) if "data-passkey" in one
    )
    return {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form)}


def sign_in(site: Site, device: Authenticator, browser: Browser | None = None) -> tuple[Browser, Shown]:
    """By the passkey alone."""
    browser = browser or site.browser()
    page = browser.get("/portal/roles")
    fields = {**assertion_form(page), "assertion": device.get(options(page))}
    return browser, browser.post("/signin/step", **fields)


def session_of(site: Site, who: str) -> Session:
    return site.world.read(lambda tx: tx.sessions.of(Account(site.world.tenant_id, who)))[0]


def test_a_passkey_is_the_whole_sign_in(site: Site, ann: Browser) -> None:
    device = Authenticator(ORIGIN)
    assert enrol(site, ann, device).to == "/portal/me/methods", ann.page
    assert "laptop" in ann.get("/portal/me/methods").text
    browser, answer = sign_in(site, device)
    assert answer.to == "/portal/roles", answer.text
    assert browser.get("/portal/roles").status == 200
    newest = session_of(site, site.world.ann)
    assert newest.amr == ("fido", "mfa")
    assert newest.mfa_at == site.world.now
    assert ("fido", "mfa") in [one.amr for one in events(site, "Sign in")]
    assert len(events(site, "Add passkey")) == 1
    assert "Passkey" in browser.get("/portal/me").text


def test_a_passkey_is_the_second_factor(site: Site, ann: Browser) -> None:
    device = Authenticator(ORIGIN)
    enrol(site, ann, device)
    browser = site.browser()
    page = browser.get("/portal/roles")
    user = site.world.read(lambda tx: tx.users.get(site.world.ann))
    assert user is not None
    typed = {"username": user.user_principal_name, "password": PASSWORD}
    page = browser.post("/signin/step", **{**page.form("/signin/step"), **typed})
    asked = json.loads(options(page))
    assert [one["id"] for one in asked["allowCredentials"]] == [kept(site)[0].handle]
    done = browser.post("/signin/step", **{**assertion_form(page), "assertion": device.get(options(page))})
    assert done.to == "/portal/roles", done.text
    assert session_of(site, site.world.ann).amr == ("pwd", "fido", "mfa")


def test_another_persons_passkey_is_not_the_second_factor(site: Site, ann: Browser) -> None:
    world = site.world
    world.write(lambda tx: set_password(tx, site.signin, world.bob, PASSWORD))
    world.write(lambda tx: put_totp(tx, site.signin, world.bob, SEED))
    anns, bobs = Authenticator(ORIGIN), Authenticator(ORIGIN, handle=b"of bob")
    enrol(site, ann, anns)
    enrol(site, site.browser(world.bob), bobs)
    assert len(kept(site, world.bob)) == 1
    browser = site.browser()
    page = browser.get("/portal/roles")
    user = world.read(lambda tx: tx.users.get(world.ann))
    assert user is not None
    typed = {"username": user.user_principal_name, "password": PASSWORD}
    page = browser.post("/signin/step", **{**page.form("/signin/step"), **typed})
    answer = bobs.get(options(page))
    refused = browser.post("/signin/step", **{**assertion_form(page), "assertion": answer})
    assert refused.status == 400
    assert browser.get("/portal/roles").status == 401


@pytest.mark.parametrize(
    "fault", ["origin", "host", "unverified", "other key", "challenge", "nothing", "rubbish"]
)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_an_answer_that_is_not_right_does_not_count(site: Site, ann: Browser, fault: str) -> None:
    device = Authenticator(ORIGIN)
    enrol(site, ann, device)
    browser = site.browser()
    page = browser.get("/portal/roles")
    asked = options(page)
    other = Authenticator(ORIGIN, count=5)
    if fault == "unverified":
        device.verified = False
    if fault == "origin":
        device.origin = "https://localhost.evil.example"
    answer = {
        "host": lambda: device.get(asked, rpId="evil.example"),
        "other key": lambda: other.get(asked),
        "challenge": lambda: device.get(asked, challenge="AAAA"),
        "nothing": lambda: "",
        "rubbish": lambda: json.dumps({"id": kept(site)[0].handle, "response": [1, {"a": None}]}),
    }.get(fault, lambda: device.get(asked))()
    refused = browser.post("/signin/step", **{**assertion_form(page), "assertion": answer})
    assert refused.status == 400, refused.text
    assert "passkey" in refused.text
    assert browser.get("/portal/roles").status == 401
    # All else being equal, the right answer does.
    right = Authenticator(ORIGIN, key=device.key, count=9)
    assert sign_in(site, right)[1].to == "/portal/roles"


def test_an_answer_counts_once_and_in_its_own_browser(site: Site, ann: Browser) -> None:
    device = Authenticator(ORIGIN, step=0)
    enrol(site, ann, device)
    browser = site.browser()
    page = browser.get("/portal/roles")
    form = {**assertion_form(page), "assertion": device.get(options(page))}
    thief = site.browser()
    thief.get("/portal/roles")
    assert thief.post("/signin/step", **form).status == 400
    assert thief.get("/portal/roles").status == 401
    assert browser.post("/signin/step", **form).status == 303
    browser.post("/portal/sign-out")
    assert browser.post("/signin/step", **form).status == 400
    assert browser.get("/portal/roles").status == 401


def test_a_copy_is_noticed_and_stopped(site: Site, ann: Browser) -> None:
    device = Authenticator(ORIGIN)
    enrol(site, ann, device)
    copy = Authenticator(ORIGIN, key=device.key, count=device.count)
    assert sign_in(site, device)[1].status == 303
    refused = sign_in(site, copy)[1]  # the same number again
    assert refused.status == 400
    assert "copy" in refused.text
    assert kept(site)[0].stopped_at == site.world.now
    assert "passkey may be a copy" in [one.reason for one in events(site, "Sign in")]
    assert sign_in(site, device)[1].status == 400
    assert "Stopped" in ann.get("/portal/me/methods").text


def test_a_disabled_person_has_no_way_in(site: Site, ann: Browser) -> None:
    device = Authenticator(ORIGIN)
    enrol(site, ann, device)
    site.world.disable(site.world.ann)
    browser, answer = sign_in(site, device)
    assert answer.status == 400
    assert browser.get("/portal/roles").status == 401


@pytest.mark.parametrize(
    "wrong",
    [typed(password="wrong"), typed(code="000000"), {"offer": "x"}, {"assertion": "{}"}, {"assertion": ""}],
)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_none_is_made_without_proof(site: Site, ann: Browser, wrong: dict[str, str]) -> None:
    assert enrol(site, ann, Authenticator(ORIGIN), **wrong).status in {400, 401, 409}
    assert kept(site) == []


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_none_is_made_that_does_not_ask_for_the_person(site: Site, ann: Browser) -> None:
    enrol(site, ann, Authenticator(ORIGIN, verified=False))
    enrol(site, ann, Authenticator("https://localhost.evil.example"))
    bob = site.browser(site.world.bob)
    assert bob.get(NEW).status == 409, "not without an authenticator"
    assert kept(site) == []


def test_one_is_made_once(site: Site, ann: Browser) -> None:
    device = Authenticator(ORIGIN)
    ann.get(NEW)
    assert ann.page is not None
    made = device.create(options(ann.page))
    form = {**ann.page.form(NEW), **typed(password=PASSWORD), "name": "key", "assertion": made}
    assert ann.post(NEW, **{**form, **typed(code=code(site))}).status == 303
    assert ann.post(NEW, **{**form, **typed(code=code(site))}).status == 409
    assert len(kept(site)) == 1


def test_it_is_removed_by_its_person_alone(site: Site, ann: Browser) -> None:
    device = Authenticator(ORIGIN)
    enrol(site, ann, device)
    path = f"/portal/me/passkeys/{kept(site)[0].id}/remove"
    bob = site.browser(site.world.bob)
    assert bob.get(path).status == 404
    assert bob.post(path, **typed(password=PASSWORD, code=code(site))).status == 404
    ann.get(path)
    assert ann.send(path, **typed(password="wrong", code=code(site))).status == 401 or len(kept(site)) == 1
    assert len(kept(site)) == 1
    ann.get(path)
    assert ann.send(path, **typed(password=PASSWORD, code=code(site))).to == "/portal/me/methods"
    assert kept(site) == []
    assert sign_in(site, device)[1].status == 400
    assert len(events(site, "Remove passkey")) == 1


def test_a_lost_device_takes_the_passkeys_with_it(site: Site, ann: Browser) -> None:
    """The administrator's answer to a lost device."""
    device = Authenticator(ORIGIN)
    enrol(site, ann, device)
    site.world.write(lambda tx: remove_totp(tx, site.signin, site.world.ann))
    assert kept(site) == []
    assert sign_in(site, device)[1].status == 400
