"""Every screen that has a picture (tools/pictures.py), of the demo organisation with names as long as they come: nothing
serious for axe-core, light and dark; nothing wider than the window, from a small phone to a wide screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from openpim.core.query import Query
from openpim.demo.organisation import create
from tests.browser.site import LiveSite, serving
from tests.world import World
from tools.pictures import SCREENS, Place, Screen, go

WIDTHS = (320, 360, 768, 1280, 1920)
# What the colours and the size of the window change is looked at again in both.
LOOKS = ((1280, "light", ()), (360, "dark", ("color-contrast", "target-size")))
PARTS = 3
Error = pytest.importorskip("playwright.sync_api").Error
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


def stretched(tx: Any) -> dict[str, str]:
    """Everybody, and some groups and units, get a name that does not fit. Ids of the people by their names before."""
    ids = {}
    for one in tx.users.page(Query(limit=200)).items:
        ids[one.display_name] = one.id
        tx.users.save(replace(one, display_name=f"{one.display_name} {LONG}", job_title=LONG))
    for one in tx.groups.page(Query(limit=200)).items:
        if one.display_name in {"sg-admins", "On-Call Engineers"}:
            tx.groups.save(replace(one, display_name=f"{one.display_name}-{LONG}", description=LONG))
    return ids


@pytest.fixture
def people() -> dict[str, str]:
    return {}


@pytest.fixture
def site(database_url: str, people: dict[str, str]) -> Iterator[LiveSite]:
    world = World(database_url)
    with serving(world, mfa_at_sign_in="enrolled") as live:
        made = create(live.signin)
        assert made is not None
        live.tenant_id = made.tenant_id
        people |= world.database.write(made.tenant_id, lambda tx: stretched(tx.in_tenant(made.tenant_id)))
        live.place = Place(
            live.origin,
            live.origin,
            {
                one.display_name: {"user": one.user_principal_name, "password": one.password}
                for one in made.accounts
            },
        )
        yield live
    world.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
def test_screens(
    site: LiveSite, people: dict[str, str], open_page: Any, check_access: Callable[..., None], part: int
) -> None:
    faults = []
    for screen in SCREENS[part::PARTS]:
        who = next((key for name, key in people.items() if screen.who and name.startswith(screen.who)), "")
        page = open_page(who, mfa=not screen.plain)
        try:
            go(page, screen, site.place)
            faults += looked_at(page, screen, check_access)
        except (AssertionError, Error, RuntimeError) as error:
            faults.append(f"{screen.name}: {error}")
        page.context.close()
    assert not faults, "\n".join(faults)


def looked_at(page: Any, screen: Screen, check_access: Callable[..., None]) -> list[str]:
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{screen.name} is {wide} px wide on a screen of {width}")
    for width, scheme, rules in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        check_access(page, rules)
    return found
