"""The demo's way in: a link that works once, on loopback names only, and nowhere but in the demo."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from openpim.core.settings import at_the_door
from openpim.core.signin.values import Account
from openpim.faces import portal
from openpim.faces.portal import demo
from openpim.faces.shared.paths import TidyPaths
from openpim.services.signin.demo import DemoPerson, Door
from tests.faces.portal.client import ORIGIN, Shown, Site, TestClient
from tests.world import World


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


class Demo:
    def __init__(self, world: World) -> None:
        count = itertools.count(1)
        self.world = world
        self.site = Site(world)
        deps = self.site.signin.deps
        self.clients = "https://pim.example.com"
        known = at_the_door(replace(deps.settings, origin=self.clients), deps.settings.origin)
        signin = replace(
            self.site.signin,
            deps=replace(deps, secret=lambda _size: f"secret-{next(count):040}", settings=known),
        )
        people = [
            DemoPerson(Account(world.tenant_id, world.ann), "Ann", "Engineer", "World", "does things"),
            DemoPerson(Account(world.tenant_id, world.bob), "Bob <b>", "", "World"),
        ]
        self.door = Door(signin, people)
        self.app = TidyPaths(demo.application(signin, self.door, portal.routes(signin)))

    def browser(self, origin: str = ORIGIN) -> Any:
        return TestClient(self.app, base_url=origin, follow_redirects=False)


@pytest.fixture
def demo_site(database_url: str) -> Iterator[Demo]:
    world = World(database_url)
    yield Demo(world)
    world.close()


def test_a_link_lets_one_browser_be_anybody(demo_site: Demo) -> None:
    link = f"/demo/{demo_site.door.link()}"
    browser = demo_site.browser()
    assert browser.get("/demo").status_code == 403
    assert browser.get(link).status_code == 200
    page = Shown(browser.get("/demo"))
    assert "Ann" in page.text
    assert "<b>" not in page.html
    form = {"token": page.form("/demo")["token"], "mfa": "on"}
    assert browser.post("/demo", data={**form, "person": demo_site.world.ann}).status_code == 303
    assert "ann" in browser.get("/portal/roles").text
    assert f"pim login --server {demo_site.clients} " in browser.get("/portal/organisation").text
    assert browser.post("/demo", data={**form, "person": demo_site.world.bob}).status_code == 303
    assert "bob" in browser.get("/portal/roles").text
    assert browser.post("/demo", data={**form, "person": demo_site.world.ga}).status_code == 403, (
        "not offered"
    )


def test_a_link_works_once(demo_site: Demo) -> None:
    link = f"/demo/{demo_site.door.link()}"
    first, second = demo_site.browser(), demo_site.browser()
    assert first.get(link).status_code == 200
    answer = second.get(link)
    assert answer.status_code == 403
    assert "has been used" in answer.text
    assert second.get("/demo").status_code == 403
    assert second.get("/demo/wrong").status_code == 403
    another = Shown(first.post("/demo", data={**Shown(first.get("/demo")).form("/demo"), "do": "link"}))
    secret = another.text.partition("/demo/")[2].split()[0]
    assert second.get(f"/demo/{secret}").status_code == 200


def test_a_browser_that_keeps_no_secure_cookie_from_plain_http_is_let_in(demo_site: Demo) -> None:
    """Safari is one, and so is httpx."""
    browser = demo_site.browser("http://localhost:8442")
    world = demo_site.world
    set_there = list(browser.get(f"/demo/{demo_site.door.link()}").headers.get_list("set-cookie"))
    form = {"token": Shown(browser.get("/demo")).form("/demo")["token"], "person": world.ann, "mfa": "on"}
    set_there += browser.post("/demo", data=form).headers.get_list("set-cookie")
    page = Shown(browser.get("/portal/me/notifications"))
    assert page.status == 200, page.text
    saved = browser.post("/portal/me/notifications", data=page.form("/portal/me/notifications"))
    set_there += saved.headers.get_list("set-cookie")
    assert Shown(browser.get(saved.headers["location"])).text.count("Your choice is kept") == 1, (
        "what is said once"
    )
    assert len(set_there) >= 3
    for cookie in set_there:
        words = [part.strip().lower() for part in cookie.split(";")]
        assert cookie.startswith("openpim-")
        assert "httponly" in words
        assert words[-1].startswith("samesite=")
        assert not any("secure" in word or word.startswith("domain") for word in words[1:])
    left = browser.post("/portal/sign-out", data={"token": Shown(browser.get("/portal/roles")).form("/portal/sign-out")["token"]})  # fmt: skip
    assert left.status_code == 303
    assert browser.get("/portal/roles").status_code == 401


def test_cookies_of_other_listeners_are_not_heard(demo_site: Demo) -> None:
    """They come along, because a browser keeps them by the name of the machine, whatever the port."""
    session = demo_site.site.browser().open_session(demo_site.world.ann)
    for name, status in (("__Host-openpim-session", 401), ("openpim-session", 200)):
        cookies = {"cookie": f"{name}={session}; x=1"}
        assert demo_site.browser().get("/portal/roles", headers=cookies).status_code == status, name


def test_no_other_site_sends_its_forms_or_reads_it(demo_site: Demo) -> None:
    browser = demo_site.browser()
    browser.get(f"/demo/{demo_site.door.link()}")
    token = Shown(browser.get("/demo")).form("/demo")["token"]
    form = {"token": token, "person": demo_site.world.ann}
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert browser.post("/demo", data=form, headers=headers).status_code == 403
    assert browser.post("/demo", data={**form, "token": "x"}).status_code == 403
    for host in ("evil.example", "evil.example:8443", "localhost.evil.example", ""):
        assert browser.get("/demo", headers={"host": host}).status_code == 421


def test_the_plain_listener_has_no_apis(demo_site: Demo) -> None:
    browser = demo_site.browser()
    for path in (
        "/v1.0/me",
        "/common/oauth2/v2.0/token",
        "/common/v2.0/.well-known/openid-configuration",
        "/subscriptions",
    ):
        assert browser.get(path).status_code == 404


def test_without_the_demo_there_is_no_door(demo_site: Demo) -> None:
    site = Site(demo_site.world)
    assert site.browser().get("/demo").status == 404
    assert site.browser().get("/demo/anything").status == 404
