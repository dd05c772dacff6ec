"""The timeline in the portal: who held what when, of a person, a role and a place; nearer and farther; who sees it."""

from __future__ import annotations

import pytest

from openpim.faces.portal import timeline
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


def test_by_what_is_typed(site: Site) -> None:
    """Names, as one types them; of several fitting one chooses. No script is needed."""
    world = site.world
    world.assigned(world.bob, HELPDESK, days=3)
    reader = site.browser(world.pra)
    page = reader.get("/portal/timeline?person=bob&role=&scope=&provider=directory")
    assert page.status == 200
    assert len(bars(page)) == 1
    typed = page.form("/portal/timeline")
    assert typed["person"].startswith("bob."), (
        "the form says whose it is, so that other days can be asked for"
    )
    assert reader.get(f"/portal/timeline?person={typed['person']}").status == 200
    page = reader.get("/portal/timeline?role=helpdesk administrator&provider=directory")
    assert len(bars(page)) == 1
    assert page.form("/portal/timeline")["role"] == "Helpdesk Administrator"
    page = reader.get("/portal/timeline?role=administrator&provider=directory&zoom=1m")
    assert page.status == 400
    assert "Which do you mean?" in page.text
    chosen = next(link for link in page.links if "role=directory" in link)
    assert reader.get(chosen).status == 200
    for nothing in ("person=nobody", "role=nothing", "scope=nowhere", "scope=nowhere&provider=group"):
        page = reader.get(f"/portal/timeline?{nothing}")
        assert page.status == 400
        assert "Nothing fits" in page.text
    unit = world.unit("Lisbon")
    assert "Lisbon" in reader.get("/portal/timeline?scope=lisbon&provider=directory").text
    assert reader.page is not None
    assert reader.page.form("/portal/timeline")["scope"] == unit
    twins = [world.group("Twins"), world.group("Twins")]
    page = reader.get("/portal/timeline?scope=twins&provider=group")
    assert "Which do you mean?" in page.text
    assert {f"/portal/timeline?scope=group%3A{one}" for one in twins} == {
        link.partition("&")[0] for link in page.links if "scope=group" in link
    }


def test_from_one_day_until_another(site: Site) -> None:
    world = site.world
    world.assigned(world.bob, HELPDESK, days=3)
    begin = next(one for one in world.schedules() if one.principal_id == world.bob).starts_at
    reader = site.browser(world.pra)
    who = f"/portal/timeline?person={world.bob}"
    ((left, width),) = bars(reader.get(f"{who}&from={begin:%Y-%m-%d}&until={begin:%Y-%m-%d}"))
    part = 100 * (begin.hour + begin.minute / 60) / 24
    assert (left, width) == pytest.approx((part, 100 - part), abs=0.1), "until the end of that day"
    page = reader.get(f"{who}&from=2026-11-02&until=2026-11-11")
    assert "2 Nov 2026, 00:00 UTC" in page.text
    assert "12 Nov 2026, 00:00 UTC" in page.text
    ((left, width),) = bars(page)
    assert (left, width) == pytest.approx((part / 10, 30), abs=0.1)
    later = next(link for link in page.links if "from=2026-11-07" in link)
    assert "until=2026-11-17" in later
    assert not bars(reader.get(later))
    assert len(bars(reader.get(f"{who}&from=2022-01-01&until=2026-12-01"))) == 1
    for wrong in ("from=2026-11-05&until=2026-11-03", "from=1990-01-01&until=2026-01-01", "from=soon"):
        page = reader.get(f"{who}&{wrong}")
        assert page.status == 400
        assert "error" in page.html
    assert "2026-11-05" in reader.get(f"{who}&from=2026-11-05&until=2026-11-03").html, "what was typed stays"


def test_the_newest_few_and_then_more(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    world = site.world
    monkeypatch.setattr(timeline, "FEW", 2)
    for who in (world.ann, world.bob, world.dan):
        world.assigned(who, HELPDESK, days=3)
        world.forward(hours=1)
    reader = site.browser(world.pra)
    for about in (f"role=directory:{HELPDESK}", "scope=directory:/"):
        page = reader.get(f"/portal/timeline?{about}")
        assert "The newest 2 are shown." in page.text
        assert f"/portal/people/{world.dan}" in page.links
        assert f"/portal/people/{world.ann}" not in page.links
        page = reader.get(next(link for link in page.links if "show=more" in link))
        assert f"/portal/people/{world.ann}" in page.links
        assert "are shown" not in page.text
    person = reader.get(f"/portal/timeline?person={world.ann}")
    assert "are shown" not in person.text
