"""Certificates of an application in the portal: adding one that proves who it is, and what is not taken for one."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from openpim.core.directory import Application
from openpim.services.directory.applications import NewApplication, create_application
from openpim.services.signin.certificates import LARGEST
from tests.faces.portal.certificates import key_of, made, pem
from tests.faces.portal.client import Browser, Shown, Site
from tests.faces.portal.pages import registered
from tests.world import ok

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def app(site: Site) -> Application:
    return registered(site.world)


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser(site.world.ga)


def path_of(app: Application) -> str:
    return f"/portal/applications/{app.id}/certificates/new"


def paste(browser: Browser, app: Application, text: str, **typed: str) -> Shown:
    browser.get(path_of(app))
    return browser.send(path_of(app), pem=text, **typed)


def kept(site: Site, app: Application) -> list[Any]:
    return list(site.world.read(lambda tx: tx.client_credentials.of(app.app_id)))


@pytest.mark.parametrize("kind", ["p256", "2048"])
def test_pasted_shown_and_removed(site: Site, admin: Browser, app: Application, kind: str) -> None:
    certificate = made(site.world.now, kind)
    assert path_of(app) in admin.get(f"/portal/applications/{app.id}").links
    paste(admin, app, pem(certificate))
    page = admin.follow()
    thumbprint = certificate.fingerprint(SHA256()).hex().upper()
    for words in ("The certificate CN=build server is added.", "Certificate", thumbprint[:16]):
        assert words in page.text
    (one,) = kept(site, app)
    assert (one.kind, one.expires_at) == ("key", certificate.not_valid_after_utc)
    assert [event for event in site.world.events() if event.activity == "Add client certificate"]
    remove = f"/portal/applications/{app.id}/secrets/{one.id}/remove"
    assert thumbprint in admin.get(remove).text
    admin.send(remove)
    assert "is removed." in admin.follow().text
    assert kept(site, app) == []


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_file(site: Site, admin: Browser, app: Application, encoding: Encoding) -> None:
    body = made(site.world.now).public_bytes(encoding)
    page = admin.upload(path_of(app), "file", "cert.cer", body, name="Build <b>server</b>", pem="")
    assert page.status == 303
    assert "<b>" not in admin.follow().html
    assert [one.display_name for one in kept(site, app)] == ["Build <b>server</b>"]


def test_once_only(site: Site, admin: Browser, app: Application) -> None:
    text = pem(made(site.world.now))
    assert paste(admin, app, text).status == 303
    page = paste(admin, app, text)
    assert (page.status, "has this certificate already" in page.text) == (409, True)
    assert len(kept(site, app)) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "1024"}, "2048 to 8192 bits"),
        ({"kind": "p384"}, "P-256"),
        ({"kind": "ed25519"}, "P-256"),
        ({"starts": -9, "ends": -1}, "has ended"),
        ({"starts": 1}, "does not count before"),
    ],
)
def test_what_could_not_be_trusted_is_not_taken(
    site: Site, admin: Browser, app: Application, options: dict[str, Any], said: str
) -> None:
    text = pem(made(site.world.now, **options))
    page = paste(admin, app, text)
    assert page.status == 400
    assert 'id="pem-error"' in page.html
    assert said in page.text
    assert text.splitlines()[3] in page.html, "what was typed is kept"
    assert kept(site, app) == []


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "x" * (LARGEST + 1),
        "",
    ],
)
def test_what_is_no_certificate(site: Site, admin: Browser, app: Application, text: str) -> None:
    page = paste(admin, app, text)
    assert page.status == 400
    assert "-error" in page.html
    assert kept(site, app) == []


def test_a_private_key_is_not_kept_nor_shown(site: Site, admin: Browser, app: Application) -> None:
    key = key_of("p256").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    page = paste(admin, app, pem(made(site.world.now)) + key)
    assert page.status == 400
    assert "must stay with the application" in page.text
    assert key.splitlines()[1] not in page.html
    assert kept(site, app) == []


def test_a_file_and_a_text_are_one_too_many(site: Site, admin: Browser, app: Application) -> None:
    body = made(site.world.now).public_bytes(Encoding.DER)
    assert admin.upload(path_of(app), "file", "a.cer", body, name="", pem="x").status == 400
    assert kept(site, app) == []


def test_a_version_that_there_is_not(site: Site, admin: Browser, app: Application) -> None:
    body = made(site.world.now).public_bytes(Encoding.DER)
    other = body.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05", 1)
    assert other != body
    page = admin.upload(path_of(app), "file", "a.cer", other, name="", pem="")
    assert (page.status, "not a certificate" in page.text) == (400, True)
    assert kept(site, app) == []


def test_a_public_client_gets_none(site: Site, admin: Browser) -> None:
    world = site.world
    public = ok(create_application(world.deps, world.system, NewApplication("Desk", public=True)))
    assert path_of(public) not in admin.get(f"/portal/applications/{public.id}").links
    page = paste(admin, public, pem(made(world.now)))
    assert (page.status, "public client" in page.text) == (400, True)
    assert kept(site, public) == []
