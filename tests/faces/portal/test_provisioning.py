"""Provisioning in the portal: a token that is shown once, and what becomes of the memberships that are written."""

from __future__ import annotations

import re

import pytest

from openpim.core.provisioning import PROVISION, Mode, digest_of
from tests.faces.portal.client import Browser, Shown, Site

HERE = "/portal/provisioning"
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser(site.world.ga)


def add(admin: Browser, **typed: str) -> Shown:
    admin.get(f"{HERE}/new")
    return admin.send(f"{HERE}/new", **{"application": "Entra ID", "name": "contoso <b>", **typed})


def test_a_token_is_shown_once_and_revoked(site: Site, admin: Browser) -> None:
    world = site.world
    world.app("Entra ID", PROVISION)
    page = add(admin)
    assert page.status == 200
    assert page.answer.headers["cache-control"] == "no-store"
    (secret,) = set(re.findall(r"pimscim_\w+", page.text))
    (token,) = world.read(lambda tx: tx.provisioning.tokens())
    assert token.digest == digest_of(secret)
    assert "https://localhost:8443/scim/v2" in page.text
    for path in (HERE, f"{HERE}/{token.id}/remove", "/portal/audit/all"):
        page = admin.get(path)
        assert (page.status, secret in page.html, "<b>" in page.html) == (200, False, False), path
    remove = f"{HERE}/{token.id}/remove"
    assert remove in admin.get(HERE).links
    admin.get(remove)
    admin.send(remove)
    assert "opens nothing any more" in admin.follow().text
    assert world.read(lambda tx: tx.provisioning.tokens()) == []
    assert admin.get(remove).status == 404


def test_the_form_sent_twice_makes_one_token(site: Site, admin: Browser) -> None:
    """A double click, or a page that is loaded anew."""
    world = site.world
    world.app("Entra ID", PROVISION)
    admin.get(f"{HERE}/new")
    page = admin.send(f"{HERE}/new", application="Entra ID", name="contoso")
    (secret,) = set(re.findall(r"pimscim_\w+", page.text))
    fields = {"application": "Entra ID", "name": "contoso", "days": "365"}
    (token,) = world.read(lambda tx: tx.provisioning.tokens())
    admin.get(f"{HERE}/new")
    form = admin.page.form(f"{HERE}/new") | fields  # type: ignore[union-attr]
    assert admin.post(f"{HERE}/new", **form).status == 200, "another form makes another one"
    again = admin.post(f"{HERE}/new", **form)
    assert (again.status, "shown only once" in again.text, "pimscim_" in again.text) == (409, True, False)
    assert len(world.read(lambda tx: tx.provisioning.tokens())) == 2
    assert digest_of(secret) == token.digest
    without = admin.post(f"{HERE}/new", **fields)
    assert (without.status, "open it again" in without.text) == (400, True)
    assert len(world.read(lambda tx: tx.provisioning.tokens())) == 2


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"application": "Weak"}, "application"),
        ({"application": "nothing of the kind"}, "application"),
        ({"application": "Anna Admin"}, "application"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"days": "9999"}, "days"),
        ({"days": ""}, "days"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(
    site: Site, admin: Browser, typed: dict[str, str], field: str
) -> None:
    world = site.world
    world.app("Entra ID", PROVISION)
    world.app("Weak")
    world.user("Anna Admin")
    page = add(admin, **typed)
    assert page.status == 400
    assert f'id="{field}-error"' in page.html
    assert world.read(lambda tx: tx.provisioning.tokens()) == []


def test_what_members_become(site: Site, admin: Browser) -> None:
    world = site.world
    group = world.group("Wiki readers")
    modes = lambda: world.read(lambda tx: tx.provisioning.modes())  # noqa: E731
    admin.get(HERE)
    admin.send(f"{HERE}/groups", group="Wiki readers", mode="member")
    assert "Wiki readers: Is a member at once" in admin.follow().text
    assert modes() == {group: Mode.MEMBER}
    admin.send(f"{HERE}/groups")
    assert modes() == {}, "the button beside it"
    page = admin.post(f"{HERE}/groups", group="No such group", mode="member")
    assert (page.status, 'id="group-error"' in page.html) == (400, True)
    assert admin.post(f"{HERE}/groups", group="Wiki readers", mode="owner").status == 400
    assert modes() == {}
