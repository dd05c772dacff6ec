"""News for open pages: whom an event concerns, and who may listen."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from openpim.faces.portal import live
from openpim.faces.portal.live import Hub
from openpim.services import news
from openpim.services.signin.events import Origin
from openpim.services.signin.portal import enter
from tests.faces.portal.client import ORIGIN, Browser, Site
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
            if word == live._STILL_HERE and not any(one.startswith(b"event: news") for one in said):
                world.forward(seconds=1)
                await asyncio.to_thread(world.activate, world.ann)
            elif word.startswith(b"event: news"):
                await asyncio.to_thread(world.disable, world.ann)
        assert streams[0] not in hub.streams
        hub.close()
        return said

    # In a thread of its own: where browser tests ran before, their driver's loop is still there in this one.
    with ThreadPoolExecutor(1) as apart:
        said = apart.submit(lambda: asyncio.run(asyncio.wait_for(listen(), 20))).result()
    assert said[0].startswith(b"retry:")
    assert any(one.startswith(b"event: news") for one in said)
    assert said[-1] == live._ENDED


def made(browser: Browser) -> tuple[int, datetime]:
    """What a page says of when it was made."""
    page = browser.get("/portal/roles")
    body = next(attrs for tag, attrs in page.tags if tag == "body")
    return int(body["data-changes"]), datetime.fromisoformat(body["data-now"])


def test_nothing_is_missed_between_a_page_and_its_stream(site: Site) -> None:
    world = site.world
    world.eligible(world.ann)
    ann = site.browser(world.ann)
    old = made(ann)
    world.forward(minutes=2)
    page = made(ann)
    assert not missed(site, world.ann, page), "nothing has happened"
    assert not missed(site, world.ann, old), "nor, in spite of the time, since the older one"
    ok(world.activate(world.ann))
    assert missed(site, world.ann, page)
    assert not missed(site, world.bob, page), "it is nothing to him"
    assert not missed(site, world.ann, made(ann)), "the next page has it"
    assert missed(site, world.bob, old), "what is too old to tell counts"


def missed(site: Site, who: str, page: tuple[int, datetime]) -> bool:
    return news.missed(site.world.deps, site.world.tenant_id, who, *page)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_stream_begins_where_its_page_ended(site: Site) -> None:
    world = site.world
    world.eligible(world.ann)
    ann = site.browser(world.ann)
    cookie = site.browser().open_session(world.ann)
    page = made(ann)
    ok(world.activate(world.ann))
    presence = enter(site.signin, cookie, "", Origin(ORIGIN))
    assert presence is not None

    async def first_words(since: live.Since | None) -> bytes:
        hub = Hub(site.signin)
        stream = hub.open(presence)
        assert stream is not None
        words = hub.words(REQUEST, stream, since)
        await anext(words)
        hub.close()
        return await anext(words, b"")

    with ThreadPoolExecutor(1) as apart:
        said, now, before = (
            apart.submit(lambda since=since: asyncio.run(first_words(since))).result()
            for since in (page, made(ann), None)
        )
    assert said == b"event: news\ndata: %d\n\n" % presence.changes
    assert presence.changes > page[0]
    assert now == before


REQUEST: Any = SimpleNamespace(cookies={}, headers={}, client=None, scope={})


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"changes": "12"},
        {"changes": "-1", "now": "2026-11-21T10:00:00+00:00"},
        {"changes": "9" * 40, "now": "2026-11-21T10:00:00+00:00"},
        {"changes": "\u0663", "now": "2026-11-21T10:00:00+00:00"},
        {"changes": "12", "now": "2026-11-21T10:00:00"},
        {"changes": "12", "now": "x" * 5000},
    ],
)
def test_a_stream_that_does_not_say_since_when_begins_now(sent: dict[str, str]) -> None:
    request: Any = SimpleNamespace(query_params=sent)
    assert live._since(request) is None
