"""News for open pages: whom an event concerns, and who may listen."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from openpim.faces.portal import live
from openpim.faces.portal.live import Hub
from openpim.services import news
from openpim.services.signin.events import Origin
from openpim.services.signin.portal import enter
from tests.faces.portal.client import ORIGIN, Site
from tests.world import READER, ok


def concerned(site: Site, look: news.Look, *people: str) -> tuple[news.Look, frozenset[str]]:
    return news.concerned(site.world.deps, site.world.tenant_id, look, people)


def test_news_reach_those_whom_they_concern(site: Site) -> None:
    world = site.world
    everybody = (world.ann, world.bob, world.cyd, world.dan)
    world.approval(world.dan)
    world.eligible(world.ann)
    world.forward(minutes=1)
    look = news.first_look(world.deps)
    assert concerned(site, look, *everybody)[1] == frozenset()
    request = ok(world.activate(world.ann))
    look, found = concerned(site, look, *everybody)
    assert found == {world.ann, world.dan}
    look, found = concerned(site, look, *everybody)
    assert found == frozenset(), "it is said once"
    world.forward(seconds=3)
    ok(world.review(request, world.dan))
    look, found = concerned(site, look, *everybody)
    assert found == {world.ann, world.dan}
    group = world.group("Team", [world.bob, world.cyd])
    world.eligible(group, READER)
    look, found = concerned(site, look, *everybody)
    assert found == {world.bob, world.cyd}


def test_an_event_that_is_committed_late_is_found(site: Site) -> None:
    """Its moment lies before the last look, as when another node's clock, or its commit, was slow."""
    world = site.world
    world.eligible(world.ann)
    world.forward(minutes=1)
    look = news.first_look(world.deps)
    world.forward(seconds=5)
    look, _ = concerned(site, look, world.ann)
    world.forward(seconds=-4)
    ok(world.activate(world.ann))
    world.forward(seconds=5)
    assert concerned(site, look, world.ann)[1] == {world.ann}


def test_another_tenant_hears_nothing(site: Site) -> None:
    from tests.world import World

    other = World(site.world.database)
    other.now = site.world.now
    look = news.first_look(other.deps)
    site.world.eligible(site.world.ann)
    found = news.concerned(other.deps, other.tenant_id, look, [other.ann, site.world.ann])[1]
    assert found == frozenset()


def test_nobody_listens_without_a_session(site: Site) -> None:
    assert site.browser().get("/portal/live").status == 401
    ann = site.browser(site.world.ann)
    assert ann.get("/portal/live", **{"sec-fetch-site": "cross-site"}).status == 401


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_stream_says_news_and_ends_with_its_session(site: Site, monkeypatch: Any) -> None:
    world = site.world
    world.eligible(world.ann)
    monkeypatch.setattr(live, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(live, "CHECK_EVERY", 0.1)
    browser = site.browser()
    cookie = browser.open_session(world.ann)
    presence = enter(site.signin, cookie, "", Origin(ORIGIN))
    assert presence is not None

    request: Any = SimpleNamespace(cookies={live.SESSION: cookie}, headers={}, client=None, scope={})

    async def listen() -> list[bytes]:
        hub = Hub(site.signin)
        streams = [hub.open(presence) for _ in range(live.MOST_OF_A_SESSION)]
        assert all(streams)
        assert hub.open(presence) is None, "a session has a few, not as many as it likes"
        said: list[bytes] = []
        async for word in hub.words(request, streams[0]):
            said.append(word)
            if word == live._STILL_HERE and live._NEWS not in said:
                world.forward(seconds=1)
                await asyncio.to_thread(world.activate, world.ann)
            elif word == live._NEWS:
                await asyncio.to_thread(world.disable, world.ann)
        assert streams[0] not in hub.streams
        hub.close()
        return said

    # In a thread of its own: where browser tests ran before, their driver's loop is still there in this one.
    with ThreadPoolExecutor(1) as apart:
        said = apart.submit(lambda: asyncio.run(asyncio.wait_for(listen(), 20))).result()
    assert said[0].startswith(b"retry:")
    assert live._NEWS in said
    assert said[-1] == live._ENDED
