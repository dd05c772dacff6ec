"""Audit streams in the portal: adding one, seeing what is wrong with it, and never its secret."""

from __future__ import annotations

import pytest

from openpim.core.roles import SECURITY_ADMINISTRATOR
from openpim.core.streams import StreamKind
from openpim.ports.streams import NotTakenError
from openpim.services.streams import manage, send
from tests.faces.portal.client import Browser, Site
from tests.world import ASSIGNMENT, READER, ok

HERE = "/portal/streams"
NEW = {"kind": "otlp", "name": "siem", "address": "https://siem.example.com/v1/logs", "header": "Authorization", "secret-value": "Bearer sesame", "gzip": "on", "start": "beginning"}  # fmt: skip


@pytest.fixture
def admin(site: Site) -> Browser:
    person = site.world.user("Sec")
    ok(site.world.give(person, SECURITY_ADMINISTRATOR, ASSIGNMENT, permanent=True, by=site.world.ga))
    return site.browser(person)


def stream(site: Site) -> manage.View:
    return ok(manage.all_of(site.world.deps, site.world.caller(site.world.ga)))[0]


def test_from_adding_to_removing(site: Site, admin: Browser) -> None:
    admin.get(f"{HERE}/new?kind=otlp")
    assert admin.post(f"{HERE}/new", **NEW).status == 303
    site.world.grow()
    view = stream(site)
    page = admin.get(HERE)
    assert "siem" in page.text
    assert f"{view.lag.events} events" in page.text
    one = admin.get(f"{HERE}/{view.stream.id}")
    assert "sesame" not in one.html
    assert "One is set" in one.text

    class Down:
        def send(self, *_: object) -> str:
            raise NotTakenError("It is <b>down</b>.")

    send.send(site.world.deps, dict.fromkeys(StreamKind, Down()), site.world.tenant_id, view.stream.id)
    assert "It is <b>down</b>." in admin.get(f"{HERE}/{view.stream.id}").text
    assert "Failing" in admin.get(HERE).text
    admin.get(f"{HERE}/{view.stream.id}")
    admin.post(f"{HERE}/{view.stream.id}/pause")
    assert stream(site).stream.paused
    assert "Paused" in admin.get(HERE).text
    admin.get(f"{HERE}/{view.stream.id}")
    admin.post(f"{HERE}/{view.stream.id}/pause")
    assert not stream(site).stream.paused
    admin.get(f"{HERE}/{view.stream.id}/remove")
    assert admin.post(f"{HERE}/{view.stream.id}/remove").status == 303
    assert ok(manage.all_of(site.world.deps, site.world.caller(site.world.ga))) == []


def test_what_is_wrong_is_said_where_it_was_typed(site: Site, admin: Browser) -> None:
    for change, said in (
        ({"address": "https://10.0.0.1/"}, "not on the internet"),
        ({"address": "nonsense"}, "https://"),
        ({"name": ""}, "a name"),
        ({"header": "Host"}, "HTTP header"),
        ({"kind": "syslog", "address": "siem"}, "tls://host:6514"),
    ):
        admin.get(f"{HERE}/new")
        page = admin.post(f"{HERE}/new", **(NEW | change))
        assert page.status == 400, change
        assert said in page.text
        assert "sesame" not in page.html


def test_an_address_is_not_changed_without_the_secret(site: Site, admin: Browser) -> None:
    admin.get(f"{HERE}/new")
    admin.post(f"{HERE}/new", **NEW)
    key = stream(site).stream.id
    changed = {"name": "siem", "address": "https://evil.example.com/", "header": "Authorization", "secret-value": ""}  # fmt: skip
    admin.get(f"{HERE}/{key}")
    assert "Give the secret again" in admin.post(f"{HERE}/{key}", **changed).text
    admin.get(f"{HERE}/{key}")
    assert admin.post(f"{HERE}/{key}", **changed, no_secret="on").status == 303
    assert stream(site).stream.secret == ""


def test_a_reader_looks_and_does_not_touch(site: Site, admin: Browser) -> None:
    admin.get(f"{HERE}/new")
    admin.post(f"{HERE}/new", **NEW)
    person = site.world.user("Rhea")
    ok(site.world.give(person, READER, ASSIGNMENT, permanent=True))
    reader = site.browser(person)
    page = reader.get(HERE)
    assert "siem" in page.text
    assert "Add syslog" not in page.text
    key = stream(site).stream.id
    reader.get(f"{HERE}/{key}")
    assert reader.post(f"{HERE}/{key}/pause").status == 403
    assert site.browser(site.world.bob).get(HERE).status == 403
