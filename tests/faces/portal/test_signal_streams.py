"""Signal streams in the portal: what an administrator sees of a receiver's stream, and how he stops it; the receiver is
told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openpim.core.roles import SECURITY_ADMINISTRATOR
from openpim.core.signals import STREAM_UPDATED, Method, Signal, SignalStream, Status
from tests.faces.portal.client import Browser, Site
from tests.world import ASSIGNMENT, READER, ok

HERE = "/portal/signals"


@pytest.fixture
def admin(site: Site) -> Browser:
    person = site.world.user("Sec")
    ok(site.world.give(person, SECURITY_ADMINISTRATOR, ASSIGNMENT, permanent=True, by=site.world.ga))
    return site.browser(person)


@pytest.fixture
def stream(site: Site) -> SignalStream:
    """A failing push stream of an application, in which an event waits."""
    world = site.world
    app = world.read(lambda tx: tx.service_principals.get(world.app("Wiki <b>")))
    made = SignalStream(
        world.new_id(),
        app.id,
        app.app_id,
        world.now,
        world.now,
        method=Method.PUSH,
        endpoint_url="https://wiki.example.com/in",
        secret="sealed-secret",
        failures=3,
        error="The receiver is <b>away</b>.",
    )

    def work(tx: Any) -> None:
        tx.signal_streams.put(made)
        tx.signal_streams.queue(made.id, [Signal(made.id, 0, world.new_id(), "{}", world.now)])

    world.write(work)
    return made


def present(site: Site, stream: SignalStream) -> SignalStream | None:
    found: SignalStream | None = site.world.read(lambda tx: tx.signal_streams.get(stream.id))
    return found


def waiting(site: Site, stream: SignalStream, *, all_of_it: bool = True) -> list[Any]:
    found = site.world.read(lambda tx: tx.signal_streams.waiting(stream.id, 10, all_of_it=all_of_it))
    return [json.loads(one.body).get("events") for one in found]


def test_what_is_seen(site: Site, admin: Browser, stream: SignalStream) -> None:
    page = admin.get(HERE)
    assert f"/.well-known/ssf-configuration/{site.world.tenant_id}/v2.0" in page.text
    assert "Wiki <b>" in page.text
    assert "The receiver is <b>away</b>." in page.text
    assert "Not permitted" in page.text
    one = admin.get(f"{HERE}/{stream.id}")
    for text in (
        "https://wiki.example.com/in",
        "1 events",
        "none that we have",
        "kept sealed",
        "neither ssf.manage",
    ):
        assert text in one.text
    assert "sealed-secret" not in one.html


def test_stopping_one_and_letting_it_go_on(site: Site, admin: Browser, stream: SignalStream) -> None:
    def press(status: str) -> None:
        admin.get(f"{HERE}/{stream.id}")
        assert admin.post(f"{HERE}/{stream.id}", status=status).status == 303

    press("paused")
    told = {"status": "paused", "reason": "An administrator changed it."}
    assert waiting(site, stream) == [None, {STREAM_UPDATED: told}]
    assert waiting(site, stream, all_of_it=False) == [{STREAM_UPDATED: told}], "it goes out all the same"
    press("disabled")
    assert len(waiting(site, stream)) == 2, "what was held is gone, what tells of it is not"
    press("disabled")
    assert len(waiting(site, stream)) == 2
    press("enabled")
    found = present(site, stream)
    assert found is not None
    assert found.status is Status.ENABLED
    assert [next(iter(one.values()))["status"] for one in waiting(site, stream)] == [
        "paused",
        "disabled",
        "enabled",
    ]
    admin.get(f"{HERE}/{stream.id}")
    assert admin.post(f"{HERE}/{stream.id}", status="exploded").status == 400
    admin.get(f"{HERE}/{stream.id}")
    assert admin.post(f"{HERE}/{stream.id}/retry").status == 303
    admin.get(f"{HERE}/{stream.id}/remove")
    assert admin.post(f"{HERE}/{stream.id}/remove").status == 303
    assert present(site, stream) is None
    assert admin.get(f"{HERE}/{stream.id}").status == 404
    changes = [one.activity for one in site.world.events() if "signal stream" in one.activity]
    assert changes == ["Update signal stream"] * 3 + ["Delete signal stream"]


def test_a_reader_looks_and_does_not_touch(site: Site, stream: SignalStream) -> None:
    person = site.world.user("Rhea")
    ok(site.world.give(person, READER, ASSIGNMENT, permanent=True))
    reader = site.browser(person)
    assert "Wiki" in reader.get(HERE).text
    assert "Pause" not in reader.get(f"{HERE}/{stream.id}").text
    assert reader.post(f"{HERE}/{stream.id}", status="paused").status == 403
    assert site.browser(site.world.bob).get(HERE).status == 403
