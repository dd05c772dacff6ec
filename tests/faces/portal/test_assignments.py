"""Assignments in the portal: the lists, who sees what of them, filters, pages, downloads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from openpim.core.grants import Action, Kind, Provider
from openpim.core.permissions import OWNER
from openpim.core.query import Query
from openpim.core.resources import Resource, ResourceKind
from openpim.services.submit import submit
from tests.faces.portal.client import Site
from tests.world import ASSIGNMENT, ELIGIBILITY, HELPDESK, READER, World, ok, window

HERE = "/portal/assignments"
FORMULA = "=cmd|' /C calc'!A0"


@pytest.fixture
def reader(site: Site) -> Iterator[str]:
    rhea = site.world.user("Rhea")
    ok(site.world.give(rhea, READER, ASSIGNMENT, permanent=True))
    return rhea


def group_member(site: Site, group: str, person: str, kind: Kind = ELIGIBILITY):
    """Eligible, or active, as a member of a group."""
    world = site.world
    ask = world.ask(Action.ADMIN_ASSIGN, person, "member", group, kind=kind)
    ask = replace(ask, provider=Provider.GROUP, window=window(days=30))
    return ok(submit(world.deps, world.caller(world.ga), ask))


def test_the_three_lists(site: Site, reader: str) -> None:
    world = site.world
    world.eligible(world.ann, days=30)
    world.eligible(world.bob, hours=1)
    world.assigned(world.cyd, HELPDESK)
    ok(world.activate(world.ann, hours=2))
    world.forward(hours=1, minutes=1)
    eyes = site.browser(reader)
    page = eyes.get(HERE)
    assert page.status == 200
    for words in ("ann", "Teams Administrator", "Eligible", "left"):
        assert words in page.text
    assert "bob" not in page.text
    assert "Update" not in page.text
    page = eyes.get(f"{HERE}?tab=active")
    for words in ("Activated", "Assigned", "cyd", "Helpdesk Administrator", "Permanent"):
        assert words in page.text
    page = eyes.get(f"{HERE}?tab=expired")
    assert "bob" in page.text
    assert "Expired" in page.text
    assert "bob" not in eyes.get(f"{HERE}?tab=expired&kind=assignment").text
    assert "Update" in site.browser(world.ga).get(HERE).text
    world.forward(days=8)
    assert "bob" not in eyes.get(f"{HERE}?tab=expired&days=7").text


def test_filters(site: Site, reader: str) -> None:
    world = site.world
    group = world.group("Night watch", [world.ann])
    unit = world.unit("North")
    world.eligible(group)
    world.eligible(world.bob, HELPDESK, unit)
    eyes = site.browser(reader)
    page = eyes.get(f"{HERE}?who=ann")
    assert "Night watch" in page.text
    assert "through this group" in page.text
    assert "bob" not in page.text
    assert "Night watch" in eyes.get(f"{HERE}?who=night").text
    assert "No assignments" in eyes.get(f"{HERE}?who=nobody+at+all").text
    page = eyes.get(f"{HERE}?role=helpdesk")
    assert "bob" in page.text
    assert "North" in page.text
    assert "Night watch" not in page.text
    assert "No assignments" in eyes.get(f"{HERE}?role=no+such+role").text
    assert "bob" in eyes.get(f"{HERE}?scope={unit}").text
    assert "bob" in eyes.get(f"{HERE}?scope=north").text
    assert "bob" not in eyes.get(f"{HERE}?scope=/").text
    assert "No assignments" in eyes.get(f"{HERE}?scope=south").text


def test_pages(site: Site, reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from openpim.faces.portal import assignments

    monkeypatch.setattr(assignments, "A_PAGE", 2)
    people = [site.world.user(f"Person {number}") for number in range(5)]
    for person in people:
        site.world.eligible(person)
    eyes = site.browser(reader)
    seen, page = [], eyes.get(HERE)
    for _ in range(5):
        seen += [number for number in range(5) if f"Person {number}" in page.text]
        following = [one for one in page.links if "after=" in one]
        if not following:
            break
        page = eyes.get(following[0])
    assert sorted(seen) == [0, 1, 2, 3, 4]
    assert eyes.get(f"{HERE}?after=nonsense").status == 400


def test_who_sees_what(site: Site, reader: str) -> None:
    world = site.world
    mine, other = world.group("Mine", role_assignable=False), world.group("Other", role_assignable=False)
    world.write(lambda tx: tx.groups.add_owner(mine, world.dan))
    for group in (mine, other):
        group_member(site, group, world.ann)
    world.eligible(world.bob)
    ann, dan, eyes = site.browser(world.ann), site.browser(world.dan), site.browser(reader)
    assert ann.get(HERE).status == 403
    assert ann.get(f"{HERE}?provider=group&scope={mine}").status == 403
    assert ann.get(f"{HERE}?provider=resource").status == 403
    dan.get(HERE)
    page = dan.follow()
    assert "Mine" in page.text
    assert "Other" not in page.text
    assert dan.get(f"{HERE}?provider=group&scope={other}").status == 403
    assert "Mine" in dan.get(f"{HERE}?provider=group&scope=mine").text
    assert dan.get(f"{HERE}?provider=group&scope=other").status == 403
    assert dan.get(f"{HERE}?provider=group&scope=no+such+group").status == 403
    assert dan.get(f"{HERE}?provider=directory").status == 403
    page = eyes.get(f"{HERE}?provider=group")
    assert "Mine" in page.text
    assert "Other" in page.text
    stranger = World(world.database)
    stranger.now = world.now
    far = site.browser(stranger.ga, tenant_id=stranger.tenant_id)
    assert "bob" not in far.get(HERE).text
    schedule = world.schedules(ELIGIBILITY)[0]
    for verb in ("update", "remove", "renew"):
        assert far.get(f"{HERE}/{schedule.id}/{verb}").status == 404
        assert ann.get(f"{HERE}/{schedule.id}/{verb}").status == 404


def a_subscription(site: Site, number: int) -> str:
    path = f"/subscriptions/0000000{number}-0000-4000-8000-000000000000"
    one = Resource(
        id=path,
        path=path,
        kind=ResourceKind.SUBSCRIPTION,
        type="Microsoft.Resources/subscriptions",
        name=path[-36:],
        display_name=f"Subscription {number}",
        parent_id="/",
        created_at=site.world.now,
    )
    site.world.write(lambda tx: tx.resources.add(one))
    return path


def test_owners_of_places_see_theirs(site: Site) -> None:
    world = site.world
    mine, other = a_subscription(site, 1), a_subscription(site, 2)
    for who, place, kind in (
        (world.dan, mine, ASSIGNMENT),
        (world.ann, mine, ELIGIBILITY),
        (world.bob, other, ELIGIBILITY),
    ):
        ask = world.ask(Action.ADMIN_ASSIGN, who, OWNER, place, kind=kind, days=30)
        ok(submit(world.deps, world.system, replace(ask, provider=Provider.RESOURCE)))
    dan = site.browser(world.dan)
    dan.get(HERE)
    page = dan.follow()
    assert "ann" in page.text
    assert "Subscription 1" in page.text
    assert "Subscription 2" not in page.text
    assert "Update" in page.text
    assert dan.get(f"{HERE}?provider=resource&scope={other}").status == 403
    assert site.browser(world.ann).get(f"{HERE}?provider=resource&scope={mine}").status == 403
    page = dan.get(f"{HERE}/add?provider=resource")
    assert mine in page.html
    assert other not in page.html
    assert dan.send(f"{HERE}/add", scope=other, role=OWNER, go="members").status == 400
    assert dan.send(f"{HERE}/add", scope=mine, role=OWNER, go="members").status == 200


def test_who_asked_for_more_is_marked(site: Site) -> None:
    world = site.world
    world.eligible(world.ann, days=5)
    request = ok(world.extend(world.ann, kind=ELIGIBILITY, days=30))
    admin = site.browser(world.ga)
    page = admin.get(HERE)
    assert "Extension asked for" in page.text
    assert f"/portal/approvals/{request.id}" in page.links
    admin.get(f"/portal/approvals/{request.id}")
    admin.send(f"/portal/approvals/{request.id}", verdict="approve", reason="Still needed")
    assert "Extension asked for" not in admin.get(HERE).text
    assert world.schedule(request).ends_at > world.now + timedelta(days=20)


def test_downloads(site: Site, reader: str) -> None:
    world = site.world
    world.eligible(world.user(FORMULA), days=3)
    world.eligible(world.bob)
    eyes = site.browser(reader)
    got = eyes.get(f"{HERE}/csv").answer
    assert got.headers["content-disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(got.content.decode("utf-8-sig"))))
    assert all(not value.startswith("=") for row in rows for value in row.values())
    assert {row["end"] == "permanent" for row in rows} == {True, False}
    named = eyes.get(f"{HERE}/json").answer.json()
    assert len(named) == len(rows) == len(world.read(lambda tx: tx.schedules.page(Provider.DIRECTORY, ELIGIBILITY, Query())).items)  # fmt: skip
    assert any(row["member_name"] == FORMULA for row in named)
    assert site.browser(world.ann).get(f"{HERE}/csv").status == 403
    assert len(eyes.get(f"{HERE}/json?role=helpdesk").answer.json()) == 0


@pytest.mark.parametrize(
    "query",
    ["tab=x&provider=y&days=1e9&kind=z", "who=" + "a" * 3000, "scope=%3Cscript%3E&role=%3Cscript%3E",
     "provider=resource&scope=//..//&who=%F0%9F%92%A5", "provider=group&scope=nope", "provider=resource&scope=/subscriptions/none"],
)  # fmt: skip
def test_hostile_addresses(site: Site, query: str) -> None:
    page = site.browser(site.world.ga).get(f"{HERE}?{query}")
    assert page.status in {200, 400, 403}
    assert "<script>" not in page.html.replace('<script type="module"', "")
