"""The timeline in the portal: who held what when, of a person, a role and a place; nearer and farther; who sees it."""

from __future__ import annotations

import pytest

from tests.faces.portal.client import Shown, Site
from tests.world import HELPDESK, READER, TEAMS, ok


def bars(page: Shown) -> list[tuple[float, float]]:
    """(left, width) of what is drawn, in hundredths."""
    drawn = [
        attrs
        for tag, attrs in page.tags
        if tag == "rect" and attrs["x" if "x" in attrs else "rx"].endswith("%")
    ]
    return [(float(one["x"].rstrip("%")), float(one["width"].rstrip("%"))) for one in drawn]


def test_of_a_person(site: Site) -> None:
    world = site.world
    watch = world.group("Watch", [world.ann])
    world.eligible(world.ann, HELPDESK)
    begin = world.forward(hours=1)
    ok(world.activate(world.ann, HELPDESK, hours=8))
    world.forward(hours=6)
    ok(world.deactivate(world.ann, HELPDESK))
    world.assigned(watch, READER)
    world.forward(hours=6)
    world.work()
    page = site.browser(world.pra).get(
        f"/portal/timeline?person={world.ann}&zoom=1d&until={begin:%Y-%m-%d}T23:59"
    )
    assert page.status == 200
    assert "Helpdesk Administrator Activated" in page.text
    assert "ended early" in page.text
    assert "through Watch" in page.text
    ended, lasting = sorted(bars(page), key=lambda one: one[0])
    assert ended[1] == pytest.approx(25, abs=0.1), "six hours of a day, though it could have lasted eight"
    assert sum(lasting) == pytest.approx(100, abs=0.1), "up to the end of what is shown"
    earlier = site.browser(world.pra).get(
        f"/portal/timeline?person={world.ann}&zoom=1d&until={begin:%Y-%m-%d}T01:00"
    )
    assert not bars(earlier)
    year = site.browser(world.pra).get(next(link for link in page.links if "zoom=1y" in link))
    assert len(bars(year)) == 2


def test_of_a_role_and_a_place(site: Site) -> None:
    world = site.world
    unit = world.unit("Lisbon")
    world.assigned(world.bob, HELPDESK, unit, days=3)
    world.eligible(world.ann, HELPDESK)
    ok(world.activate(world.ann, HELPDESK, hours=1))
    world.forward(days=5)
    world.work()
    reader = site.browser(world.pra)
    page = reader.get(f"/portal/timeline?role=directory:{HELPDESK}&zoom=1m")
    assert "Helpdesk Administrator" in page.text
    assert len(bars(page)) == 2, "both are over"
    assert f"/portal/people/{world.bob}" in page.links
    page = reader.get(f"/portal/timeline?scope=directory:{unit}&zoom=1m")
    assert "Lisbon" in page.text
    assert len(bars(page)) == 1
    assert "bob" in page.text
    tenant = reader.get("/portal/timeline?scope=directory:/&zoom=1m")
    assert f"/portal/people/{world.ann}" in tenant.links
    assert f"/portal/people/{world.bob}" not in tenant.links


def test_who_sees_it(site: Site) -> None:
    world = site.world
    world.assigned(world.bob, TEAMS, days=3)
    world.assigned(world.ann, TEAMS, days=3)
    ann = site.browser(world.ann)
    own = ann.get("/portal/timeline")
    assert len(bars(own)) == 1
    assert not bars(ann.get(f"/portal/timeline?person={world.bob}"))
    for asked in (f"role=directory:{TEAMS}", "scope=directory:/"):
        page = ann.get(f"/portal/timeline?{asked}")
        assert len(bars(page)) == 1
        assert f"/portal/people/{world.bob}" not in page.links
        assert "Only what you may read" in page.text
    guest = site.browser(world.guest("Guy"))
    assert guest.get(f"/portal/timeline?person={world.ann}").status == 403


@pytest.mark.parametrize("value", ["'\"><script>x</script>", "x" * 3000, "directory:", "directory:x", "group:x",
                                   "resource:/x", "resource:x", "fish:1", "directory:/administrativeUnits/", "[]", "%ff",
                                   "9999-12-31", "0001-01-01T00:00+14:00", "2026-11-02T00:00-23:59"])  # fmt: skip
def test_hostile_input(site: Site, value: str) -> None:
    admin = site.browser(site.world.ga)
    for name in ("person", "role", "scope", "zoom", "until"):
        page = admin.get(f"/portal/timeline?{name}={value}")
        assert page.status < 500, name
        assert "<script>x" not in page.html
