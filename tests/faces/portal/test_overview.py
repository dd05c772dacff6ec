"""The overview in the portal: what is in use, what waits, and what still stands; who may see it."""

from __future__ import annotations

from openpim.services import role_assignments
from tests.faces.portal.client import Site
from tests.world import ASSIGNMENT, HELPDESK, READER, TEAMS, ok


def numbers(text: str, words: str) -> int:
    """The number in front of these words."""
    return int(text.split(words, maxsplit=1)[0].rsplit(maxsplit=1)[-1])


def test_counts(site: Site) -> None:
    world = site.world
    world.approval(world.dan, role=TEAMS)
    world.eligible(world.ann, HELPDESK)
    world.eligible(world.bob, HELPDESK)
    world.eligible(world.cyd, TEAMS)
    ok(world.activate(world.ann, HELPDESK, hours=1))
    world.forward(days=2)
    ok(world.activate(world.ann, HELPDESK, hours=2))
    ok(world.activate(world.cyd))
    ok(role_assignments.create(world.deps, world.caller(world.ga), READER, world.dan, "/"))
    page = site.browser(world.ga).get("/portal/overview")
    assert page.status == 200
    assert numbers(page.text, "activation in force now") == 1
    assert numbers(page.text, "request waits for a decision") == 1
    assert numbers(page.text, "eligible assignments") == 3
    assert numbers(page.text, "active assignments without an end") == 4
    assert "4 active assignments have no end; 1 was made outside PIM" in page.text
    assert "Activations, the last 30 days 2" in page.text
    assert "Eligible but never used 2" in page.text
    bars = [attrs for tag, attrs in page.tags if tag == "rect" and attrs.get("height", "").startswith("120")]
    assert len(bars) == 2, "two days of one activation each"
    assert f"/portal/people/{world.dan}" in page.links


def test_thirty_days(site: Site) -> None:
    world = site.world
    world.eligible(world.ann, HELPDESK)
    ok(world.activate(world.ann, HELPDESK, hours=1))
    world.forward(days=29)
    admin = site.browser(world.ga)
    assert "the last 30 days 1" in admin.get("/portal/overview").text
    world.forward(days=1)
    admin = site.browser(world.ga)
    assert "Nobody has activated anything." in admin.get("/portal/overview").text


def test_who_may_see_it(site: Site) -> None:
    world = site.world
    reader = world.user("Rhea")
    ok(world.give(reader, READER, ASSIGNMENT, permanent=True))
    assert site.browser(reader).get("/portal/overview").status == 200
    assert site.browser(world.ann).get("/portal/overview").status == 403
    assert "/portal/overview" not in site.browser(world.ann).get("/portal/roles").links
