"""The forms of the kinds of systems that there really are, and the agent of a Linux host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from openpim.connectors import KINDS
from openpim.services.connecting import agents
from tests.faces.portal.client import Browser, Site
from tests.world import World, ok

NEW = "/portal/targets/new"
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def site(database_url: str) -> Iterator[Site]:
    world = World(database_url)
    world.deps = replace(world.deps, connectors=KINDS)
    yield Site(world)
    world.close()


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser(site.world.ga)


def test_every_kind_has_a_form_that_says_what_is_missing(site: Site, admin: Browser) -> None:
    links = [link for link in admin.get(NEW).links if "?kind=" in link]
    assert len(links) == len(KINDS.names())
    for link in links:
        kind = KINDS.load(link.partition("=")[2])
        assert kind is not None
        page = admin.get(link)
        fields = {attrs.get("name"): attrs for _, attrs in page.tags}
        for one in kind.settings:
            field = fields[f"secret-{one.name}" if one.secret else f"setting-{one.name}"]
            assert not one.secret or (field["type"], field["value"]) == ("password", "")
            assert not one.required or "required" in field
        page = admin.send(NEW, name="")
        assert page.status == 400
        assert 'id="name-error"' in page.html
        required = [one for one in kind.settings if one.required and not one.secret and not one.default]
        if required:
            admin.get(link)
            page = admin.send(NEW, name="x")
            assert f'id="setting-{required[0].name}-error"' in page.html, link
    assert admin.get(f"{NEW}?kind=nothing").status == 404


def test_a_kind_that_makes_its_own_keys(site: Site, admin: Browser) -> None:
    admin.get(f"{NEW}?kind=ssh")
    assert admin.send(NEW, name="Bastion", managed="deploy", subject="{localPart}").status == 303
    (target,) = site.world.read(lambda tx: tx.targets.all())
    here = f"/portal/targets/{target.id}"
    page = admin.get(f"{here}/secrets")
    assert "Make new ones" in page.text
    admin.send(f"{here}/rotate")
    assert "has new secrets" in admin.follow().text
    (after,) = site.world.read(lambda tx: tx.targets.all())
    assert after.sealed != target.sealed
    assert f"{here}/agent" not in admin.get(here).links
    assert admin.get(f"{here}/agent").status == 404


def test_a_host_is_let_in_and_shut_out(site: Site, admin: Browser) -> None:
    world = site.world
    admin.get(f"{NEW}?kind=linux")
    assert admin.send(NEW, name="db1", managed="group:docker", subject="{localPart}").status == 303
    (target,) = world.read(lambda tx: tx.targets.all())
    agent = f"/portal/targets/{target.id}/agent"
    assert agent in admin.get(f"/portal/targets/{target.id}").links
    assert "None yet" in admin.get(agent).text
    page = admin.send(agent)
    assert page.status == 200
    (token,) = re.findall(rf"{world.tenant_id}\.{target.id}\.(\w+)", page.text)
    assert token not in admin.get(agent).html
    secret = ok(agents.enrol(world.deps, world.tenant_id, target.id, token, "db1.<b>example"))
    page = admin.get(agent)
    assert ("Not heard of" in page.text, "<b>" in page.html, "db1.<b>example" in page.text) == (
        True,
        False,
        True,
    )
    assert secret not in page.html
    admin.send(f"{agent}/withdraw")
    assert "heard no longer" in admin.follow().text
    assert "None yet" in admin.get(agent).text
