"""Every screen at every width, light and dark: nothing serious for axe-core, nothing wider than the window, and little to
load. A screen that is added here is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from openpim.core.signin.consent import GRAPH_RESOURCE
from openpim.services.directory.applications import NewApplication, create_application
from openpim.services.directory.permission_grants import NewGrant
from openpim.services.directory.permission_grants import create as create_grant
from openpim.services.directory.service_principals import create_service_principal, update_service_principal
from openpim.services.signin.client_secrets import add_secret
from tests.browser.site import LiveSite
from tests.signin_helper import access_token
from tests.world import ELIGIBILITY, GA, HELPDESK, TEAMS, ok

BUDGET = 100_000  # bytes over the wire, without a cache, style and script included


def a_full_life(site: LiveSite) -> dict[str, str]:
    """A little of everything; ids by name."""
    world = site.world
    world.approval(world.dan, role=TEAMS)
    world.eligible(world.ann)
    world.eligible(world.ann, HELPDESK)
    world.eligible(world.ann, GA, days=6)
    world.eligible(world.bob, hours=1)
    ok(world.activate(world.ann, HELPDESK, justification="Morning shift", hours=2))
    waiting = ok(
        world.activate(world.ann, justification="A <b>bold</b> reason & a very long one: " + "word " * 30)
    )
    world.forward(hours=1, minutes=1)
    active = ok(world.activate(world.ann, GA, justification="Tenant-wide", hours=8)).id
    group = world.group("Night watch", [world.ann, world.dan])
    world.eligible(group, HELPDESK)
    unit = world.unit("Lisbon")
    world.eligible(group, TEAMS, unit)
    return {
        "request": waiting.id,
        "active": active,
        "eligible": world.schedules(ELIGIBILITY)[0].id,
        "ann": world.ann,
        "group": group,
        "unit": unit.rsplit("/", 1)[1],
        **an_application(site),
    }


def an_application(site: LiveSite) -> dict[str, str]:
    """With a bit of everything that its page shows."""
    world = site.world
    new = NewApplication(
        "Order desk",
        redirect_uris=("https://orders.example/signed-in/at/a/long/address", "http://localhost/done"),
        logout_uri="https://orders.example/bye",
        identifier_uris=("api://orders.example",),
    )
    made = ok(create_application(world.deps, world.system, new))
    face = ok(create_service_principal(world.deps, world.system, made.app_id)).id
    secret = ok(add_secret(site.signin, world.system, made.id, name="Build server")).id
    for person in (None, world.ann):
        grant = NewGrant(face, GRAPH_RESOURCE, person, ("User.Read", "openid", "Group.Read.All"))
        ok(create_grant(world.deps, world.system, grant))
    ok(update_service_principal(world.deps, world.system, face, {"permissions": ("AuditLog.Read.All",)}))
    access_token(site.signin, world.tenant_id, world.ann)
    return {"application": made.id, "face": face, "secret": secret}


SCREENS: dict[str, Callable[[dict[str, str]], tuple[str, str]]] = {
    "sign in": lambda _ids: ("", "/portal/roles"),
    "eligible": lambda _ids: ("ann", "/portal/roles"),
    "active": lambda _ids: ("ann", "/portal/roles/active"),
    "pending": lambda _ids: ("ann", "/portal/roles/pending"),
    "expired": lambda _ids: ("bob", "/portal/roles/expired"),
    "activate": lambda _ids: ("ann", "/portal/activate?name=Helpdesk"),
    "choose": lambda _ids: ("ann", "/portal/activate?name=administrator"),
    "extend": lambda ids: ("ann", f"/portal/roles/extend/{ids['active']}"),
    "request": lambda ids: ("ann", f"/portal/requests/{ids['request']}"),
    "approvals": lambda _ids: ("dan", "/portal/approvals"),
    "approval": lambda ids: ("dan", f"/portal/approvals/{ids['request']}"),
    "bundles": lambda _ids: ("ann", "/portal/bundles"),
    "assignments": lambda _ids: ("ga", "/portal/assignments"),
    "active assignments": lambda _ids: ("ga", "/portal/assignments?tab=active"),
    "expired assignments": lambda _ids: ("ga", "/portal/assignments?tab=expired"),
    "add assignments": lambda _ids: ("ga", "/portal/assignments/add"),
    "assignments from CSV": lambda _ids: ("ga", "/portal/assignments/import"),
    "update": lambda ids: ("ga", f"/portal/assignments/{ids['eligible']}/update"),
    "remove": lambda ids: ("ga", f"/portal/assignments/{ids['eligible']}/remove"),
    "overview": lambda _ids: ("ga", "/portal/overview"),
    "people": lambda _ids: ("ga", "/portal/people"),
    "person": lambda ids: ("ga", f"/portal/people/{ids['ann']}"),
    "groups": lambda _ids: ("ga", "/portal/groups"),
    "group": lambda ids: ("ga", f"/portal/groups/{ids['group']}"),
    "unit": lambda ids: ("ga", f"/portal/units/{ids['unit']}"),
    "resources": lambda _ids: ("ga", "/portal/resources"),
    "place": lambda _ids: ("ga", "/portal/resources/place?at=/"),
    "timeline": lambda ids: ("ga", f"/portal/timeline?person={ids['ann']}&zoom=1d"),
    "timeline of a place": lambda _ids: ("ga", "/portal/timeline?scope=directory:/&zoom=1y"),
    "applications": lambda _ids: ("ga", "/portal/applications"),
    "enterprise applications": lambda _ids: ("ga", "/portal/enterprise"),
    "register": lambda _ids: ("ga", "/portal/applications/new"),
    "application": lambda ids: ("ga", f"/portal/applications/{ids['application']}"),
    "edit an application": lambda ids: ("ga", f"/portal/applications/{ids['application']}/edit"),
    "delete an application": lambda ids: ("ga", f"/portal/applications/{ids['application']}/delete"),
    "add a secret": lambda ids: ("ga", f"/portal/applications/{ids['application']}/secrets/new"),
    "remove a secret": lambda ids: (
        "ga",
        f"/portal/applications/{ids['application']}/secrets/{ids['secret']}/remove",
    ),
    "enterprise application": lambda ids: ("ga", f"/portal/enterprise/{ids['face']}"),
    "application permissions": lambda ids: ("ga", f"/portal/enterprise/{ids['face']}/permissions"),
    "admin consent": lambda ids: ("ga", f"/portal/enterprise/{ids['face']}/consent"),
    "organisation": lambda _ids: ("ga", "/portal/organisation"),
    "nowhere": lambda _ids: ("ann", "/portal/nowhere"),
}


@pytest.mark.timeout(300)
def test_screens(site: LiveSite, open_page: Any, check_access: Callable[[Any], None]) -> None:
    ids = a_full_life(site)
    world = site.world
    people = {"": "", "ann": world.ann, "bob": world.bob, "dan": world.dan, "ga": world.ga}
    for who, person in people.items():
        for width, dark in ((360, False), (1280, False), (1280, True)):
            page = open_page(person, width=width, dark=dark)
            for name, screen in SCREENS.items():
                actor, path = screen(ids)
                if actor != who:
                    continue
                page.goto(path)
                check_access(page)
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{name} is {wide} px wide on a screen of {width}"


def test_a_page_weighs_little(site: LiveSite, open_page: Any) -> None:
    """With 500 eligibilities too."""
    world = site.world
    for number in range(40):
        world.eligible(world.ann, world.custom_role(f"Role number {number:03}"))
    page = open_page(world.ann)
    loaded: list[int] = []
    page.on("requestfinished", lambda one: loaded.append(one.sizes()["responseBodySize"]))
    page.goto("/portal/roles", wait_until="load")
    page.wait_for_timeout(300)
    assert len(loaded) >= 3, "the page, the style and the script"
    assert sum(loaded) < BUDGET, f"{sum(loaded)} bytes"
