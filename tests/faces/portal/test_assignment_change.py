"""One assignment in the portal: changed, extended, renewed, removed; with what was typed kept when it is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openpim.core.grants import Action, Kind, Schedule
from openpim.core.policy import Requirement
from tests.faces.portal.client import Browser, Site
from tests.world import ASSIGNMENT, ELIGIBILITY, GA, TEAMS, ok

HERE = "/portal/assignments"


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser(site.world.pra)


def an_eligibility(site: Site, **when: float) -> Schedule:
    return site.world.schedule(site.world.eligible(site.world.ann, **(when or {"days": 30})))


def now(site: Site, schedule: Schedule) -> Schedule:
    return site.world.read(lambda tx: tx.schedules.get(schedule.id))


def last(site: Site, kind: Kind = ELIGIBILITY):
    return max(
        (one for one in site.world.requests() if one.kind is kind), key=lambda one: (one.created_at, one.id)
    )


def test_update(site: Site, admin: Browser) -> None:
    one = an_eligibility(site)
    path = f"{HERE}/{one.id}/update"
    page = admin.get(path)
    assert "It may be permanent" in page.text
    admin.send(path)
    assert "is changed" in admin.follow().text
    assert now(site, one).ends_at == one.ends_at, "what is sent unchanged stays what it was"
    admin.get(path)
    admin.send(path, how="until", until="2027-01-05T10:00", reason="Longer", until_offset="60")
    admin.follow()
    assert now(site, one).ends_at.isoformat() == "2027-01-05T09:00:00+00:00"
    assert last(site).action is Action.ADMIN_UPDATE
    assert last(site).justification == "Longer"
    admin.get(path)
    admin.send(path, how="permanent")
    admin.follow()
    assert now(site, one).ends_at is None


def test_extend(site: Site, admin: Browser) -> None:
    one = an_eligibility(site, days=3)
    assert f"{HERE}/{one.id}/extend" in admin.get(HERE).links
    path = f"{HERE}/{one.id}/extend"
    admin.get(path)
    page = admin.send(path, how="until", until="2026-11-03T10:00", reason="<b>why</b>")
    assert page.status == 400
    assert "not later than the present one" in page.text
    assert "2026-11-03T10:00" in page.html
    assert "&lt;b&gt;why&lt;/b&gt;" in page.html
    admin.send(path, how="until", until="2026-12-03T10:00")
    assert "is extended" in admin.follow().text
    assert now(site, one).ends_at.month == 12
    assert f"{HERE}/{one.id}/extend" not in admin.get(HERE).links


def test_renew(site: Site, admin: Browser) -> None:
    one = an_eligibility(site, hours=1)
    site.world.forward(hours=2)
    path = f"{HERE}/{one.id}/renew"
    assert path in admin.get(f"{HERE}?tab=expired").links
    admin.get(path)
    admin.send(path, how="permanent")
    assert "is renewed" in admin.follow().text
    assert site.world.schedules(ELIGIBILITY)[-1].ends_at is None or any(
        each.ends_at is None for each in site.world.schedules(ELIGIBILITY)
    )
    assert admin.get(f"{HERE}/{one.id}/extend").status == 400
    assert admin.get(f"{HERE}/{one.id}/remove").status == 400


def test_remove_asks_first(site: Site, admin: Browser) -> None:
    one = an_eligibility(site)
    path = f"{HERE}/{one.id}/remove"
    page = admin.get(path)
    assert "Remove this assignment?" in page.text
    assert now(site, one).live(site.world.now)
    admin.send(path, reason="Left the team")
    assert "is removed" in admin.follow().text
    assert not now(site, one).live(site.world.now)
    assert last(site).justification == "Left the team"
    assert admin.get(path).status == 400


def test_the_last_administrator_stays(site: Site) -> None:
    world = site.world
    one = next(each for each in world.schedules(ASSIGNMENT) if each.principal_id == world.pra)
    browser = site.browser(world.ga)
    path = f"{HERE}/{one.id}/remove"
    browser.get(path)
    page = browser.send(path, reason="x")
    assert page.status == 409
    assert now(site, one).live(world.now)


def test_the_policy_is_kept_and_a_second_factor_is_asked_for(site: Site, admin: Browser) -> None:
    world = site.world
    world.policy(eligibility_requires=frozenset({Requirement.TICKETING}))
    one = an_eligibility_of_system(site)
    path = f"{HERE}/{one.id}/update"
    page = admin.get(path)
    assert "It needs a ticket" in page.text
    page = admin.send(path, how="permanent")
    assert page.status == 400
    assert "a ticket number and system are required" in page.text
    admin.send(path, how="permanent", ticket_number="INC1", ticket_system="Desk")
    assert "is changed" in admin.follow().text
    world.policy(eligibility_requires=frozenset({Requirement.MFA}))
    weak = site.browser(world.pra, mfa=False)
    weak.get(path)
    page = weak.send(path, how="until", until="2027-01-05T10:00")
    assert "second factor" in page.text
    assert now(site, one).ends_at is None


def an_eligibility_of_system(site: Site) -> Schedule:
    world = site.world
    return world.schedule(ok(world.give(world.ann, TEAMS, ELIGIBILITY, by=world.system, days=30)))


def test_who_may_only_read(site: Site) -> None:
    world = site.world
    rhea = world.user("Rhea")
    world.assigned(rhea, "f2ef992c-3afb-46b9-b7cf-a126ee74c451")
    one = an_eligibility(site)
    eyes = site.browser(rhea)
    before = world.everything("schedules")
    for verb in ("update", "remove"):
        path = f"{HERE}/{one.id}/{verb}"
        assert "but not" in eyes.get(path).text
        page = eyes.send(path, how="permanent")
        assert page.status == 403
        assert "Privileged Role Administrator" in page.text
    assert world.everything("schedules") == before


@pytest.mark.parametrize(
    "typed",
    [
        {"how": "until", "until": "tomorrow"},
        {"how": "until", "until": ""},
        {"how": "until", "until": "9999-12-31T23:59", "until_offset": "-840"},
        {"how": "x" * 5000, "until": "0001-01-01T00:00", "until_offset": "840"},
        {"how": "until", "until": "2027-01-05T10:00", "reason": "y" * 20_000},
        {"how": "until", "until": "2020-01-05T10:00"},
    ],
)
def test_hostile_fields(site: Site, admin: Browser, typed: dict[str, str]) -> None:
    one = an_eligibility(site)
    path = f"{HERE}/{one.id}/update"
    admin.get(path)
    page = admin.send(path, **typed)
    assert page.status in {303, 400}
    if page.status == 303:
        assert len(typed["reason"]) > 10_000, "a reason is cut, nothing else passes"
    else:
        assert now(site, one) == one
    for wrong in (f"{HERE}/{one.id}/explode", f"{HERE}/%3Cscript%3E/update", f"{HERE}/{'x' * 3000}/remove"):
        assert admin.get(wrong).status == 404


def test_an_activation_can_be_ended_but_not_prolonged(site: Site, admin: Browser) -> None:
    world = site.world
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=2))
    (one,) = [each for each in world.schedules() if each.principal_id == world.ann]
    world.at(world.now + timedelta(minutes=10))
    assert admin.get(f"{HERE}/{one.id}/update").status == 400
    admin.get(f"{HERE}/{one.id}/remove")
    admin.send(f"{HERE}/{one.id}/remove", reason="Enough")
    assert "is removed" in admin.follow().text
    assert not world.holds(world.ann)
    assert world.holds(world.ga, GA)
