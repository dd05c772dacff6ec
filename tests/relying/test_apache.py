"""A person at a real application, by the real clock: cannot, activates, can, ends, cannot, in the session that is open.

Apache with mod_auth_openidc against the whole server with its loops, over TLS: once with groups from userinfo that it reads
again every second, once with groups in the ID token alone, where only back-channel logout can end what it has.
"""

from __future__ import annotations

import asyncio
import html
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from openpim.app import System, make_system
from openpim.config import Config
from openpim.core.relying import Named
from openpim.core.settings import Settings
from openpim.tls import ensure_certificates
from tests.apache import Apache
from tests.free_ports import two_in_a_row
from tests.relying_world import SECRET, Relying
from tests.services.groups import GroupWorld
from tests.signin_helper import fast
from tests.signin_world import PASSWORD
from tests.world import World, ok

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
NO = 401  # what it says to somebody who is signed in and lacks the group
PATIENCE = 20.0  # seconds that only a failure takes


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


class Now(World):
    """By the real clock."""

    @property
    def now(self) -> datetime:  # type: ignore[override]
        return datetime.now(UTC)

    @now.setter
    def now(self, _moment: datetime) -> None:
        return


class RealRelying(Relying):
    def __init__(self, world: World) -> None:
        self._made = world
        super().__init__(world.database)

    def make_world(self) -> World:
        return self._made


@dataclass
class Site:
    system: System
    place: Relying
    groups: GroupWorld
    apache: Apache
    authority: Path
    people: list[Person] = field(default_factory=list)

    def start_apache(self, more: str = "") -> None:
        self.apache.start(
            metadata=f"{self.system.deps.settings.origin}/{self.place.tenant}/v2.0/.well-known/openid-configuration",
            authority=self.authority,
            client_id=self.place.app.app_id,
            secret=SECRET,
            group=self.place.admins,
            more=more,
        )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    apache = Apache(two_in_a_row())
    port = two_in_a_row()
    origin = f"https://localhost:{port}"
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    key = data / "key"
    key.write_bytes(bytes(range(32)))  # that of the worlds
    key.chmod(0o600)
    settings = fast(replace(Settings(), origin=origin, mfa_at_sign_in="asked", minimum_minutes=0))
    config = Config(settings=settings, port=port, data_dir=data, outbound_allow=("127.0.0.0/8",))
    system = make_system(config)
    tls = ensure_certificates(data / "tls", ["localhost", "127.0.0.1"], datetime.now(UTC))
    assert tls.authority is not None
    server = uvicorn.Server(
        uvicorn.Config(
            system.app,
            host="127.0.0.1",
            port=port,
            log_level="warning",
            ssl_certfile=str(tls.certificate),
            ssl_keyfile=str(tls.key),
            timeout_graceful_shutdown=2,
        )
    )
    world = Now(system.database, settings=settings)
    place = RealRelying(world)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    _until(lambda: server.started, "the server serves")
    made = Site(system, place, GroupWorld(world), apache, tls.authority)
    try:
        yield made
    finally:
        for one in made.people:
            one.http.close()
        apache.stop()
        server.should_exit = True
        thread.join(15)
        place.close()
        system.database.close()


def _until(holds: Callable[[], bool], what: str) -> float:
    """Seconds until it held."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < PATIENCE, f"{what}: not after {PATIENCE} seconds"
        time.sleep(0.05)
    return time.monotonic() - began


class Person:
    """Ann, with a browser."""

    def __init__(self, site: Site) -> None:
        self.site = site
        trust = ssl.create_default_context(cafile=str(site.authority))
        self.http = httpx.Client(verify=trust, follow_redirects=True, timeout=PATIENCE)
        site.people.append(self)

    def sign_in(self) -> None:
        page = self.http.get(f"{self.site.apache.origin}/index.txt")
        assert page.status_code == 200, (page.text, self.site.apache.said())
        fields = {
            name: html.unescape(value)
            for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
        }
        origin = self.site.system.deps.settings.origin
        typed = {"username": self.site.place.upn(self.site.place.ann), "password": PASSWORD}
        done = self.http.post(f"{origin}/signin/step", data={**fields, "step": "password", **typed})
        assert "index.txt is here" in done.text, (done.status_code, done.text, self.site.apache.said())

    def status(self, *, follow: bool = False, page: str = "payroll.txt") -> int:
        """Without following: 302 where the application has no session any more."""
        return self.http.get(f"{self.site.apache.origin}/{page}", follow_redirects=follow).status_code


def save(site: Site, **changes: Any) -> None:
    def work(tx: Any) -> None:
        known = tx.applications.get(site.place.app.id)
        tx.applications.save(replace(known, redirect_uris=(site.apache.redirect,), **changes))

    site.place.world.write(work)


def test_groups_from_userinfo_come_and_go_in_the_open_session(site: Site) -> None:
    live = tuple(Named(name) for name in ("groups", "roles"))
    claims = replace(site.place.app.claims, only_named=True, userinfo=live, id_token=())
    save(site, logout_uri=None, claims=claims)
    site.start_apache("OIDCUserInfoRefreshInterval 1")
    world, groups = site.place.world, site.groups
    ok(groups.give(site.place.admins, site.place.ann))
    ann = Person(site)
    ann.sign_in()
    assert (ann.status(), ann.status(page="roles.txt")) == (NO, NO)
    ok(groups.activate(site.place.admins, site.place.ann, hours=1))
    came = _until(lambda: ann.status() == 200, "the group counts")
    assert ann.status(page="roles.txt") == 200
    ok(groups.deactivate(site.place.admins, site.place.ann))
    went = _until(lambda: ann.status() == NO, "the group counts no more")
    assert ann.status(page="roles.txt") == NO
    assert ann.status(page="index.txt") == 200  # the session itself goes on
    assert max(came, went) < 5
    assert world.read(lambda tx: tx.client_sessions.any_in(site.place.tenant)) is False


def test_groups_in_the_id_token_end_with_back_channel_logout(site: Site) -> None:
    only = {"only_named": True, "userinfo": (), "id_token": (Named("groups"),)}
    claims = replace(site.place.app.claims, **only)
    save(site, logout_uri=site.apache.logout, claims=claims)
    site.start_apache()
    groups = site.groups
    ok(groups.give(site.place.admins, site.place.ann))
    ann = Person(site)
    ann.sign_in()
    assert ann.status() == NO
    assert ann.status() == NO  # and so it would stay: the ID token is frozen
    ok(groups.activate(site.place.admins, site.place.ann, hours=1))
    _until(lambda: ann.status() == 302, "the session ended at the start")
    assert ann.status(follow=True) == 200  # nothing is typed: the sign-in session goes on
    assert ann.status() == 200
    ok(groups.deactivate(site.place.admins, site.place.ann))
    _until(lambda: ann.status() == 302, "the session ended at the end")
    assert ann.status(follow=True) == NO


def test_an_activation_that_runs_out_takes_the_session_with_it(site: Site) -> None:
    claims = replace(site.place.app.claims, only_named=True, userinfo=(), id_token=(Named("groups"),))
    save(site, logout_uri=site.apache.logout, claims=claims)
    site.start_apache()
    groups = site.groups
    ok(groups.give(site.place.admins, site.place.ann))
    asked = ok(groups.activate(site.place.admins, site.place.ann, minutes=0.15))
    ann = Person(site)
    ann.sign_in()
    assert ann.status() == 200
    schedule = site.place.world.read(lambda tx: tx.schedules.get(asked.schedule_id))
    _until(lambda: ann.status() == 302, "the session ended")
    assert datetime.now(UTC) >= schedule.ends_at
    late = (datetime.now(UTC) - schedule.ends_at).total_seconds()
    assert late < 5  # about one second on an idle machine
    assert ann.status(follow=True) == NO


def test_signing_out_here_signs_out_there(site: Site) -> None:
    save(site, logout_uri=site.apache.logout)
    site.start_apache()
    ann = Person(site)
    ann.sign_in()
    origin = site.system.deps.settings.origin
    page = ann.http.get(f"{origin}/{site.place.tenant}/oauth2/v2.0/logout")
    token = re.search(r'name="token" value="([^"]*)"', page.text)
    assert token is not None
    ann.http.post(f"{origin}/signin/signout", data={"token": html.unescape(token[1])})
    _until(lambda: ann.status(page="index.txt") == 302, "the application's session ended")
