"""Approve requests: what an approver is told, one or several at once, and who may not."""

from __future__ import annotations

import pytest

from openpim.config import Config, ConfigError, read
from openpim.core.risk import Risk, WorkingHours, risks
from openpim.core.settings import Settings, working_hours
from tests.faces.portal.client import Site
from tests.world import HELPDESK, ok


def asked(site: Site, *people: str) -> list[str]:
    """Requests of these people for a role that dan and cyd approve."""
    world = site.world
    world.approval(world.dan, world.cyd)
    found = []
    for who in people:
        world.eligible(who)
        found.append(ok(world.activate(who, justification=f"Reason of {who[-3:]}", hours=2)).id)
        world.forward(minutes=1)
    return found


def test_an_approver_is_told_what_matters(site: Site) -> None:
    world = site.world
    ann = world.user("Ann Other", job_title="Engineer", department="Platform")
    (request,) = asked(site, ann)
    dan = site.browser(world.dan)
    page = dan.get("/portal/approvals")
    for text in ("Teams Administrator", "Ann Other", "Engineer, Platform", "Reason of", "for 2 h, until", "First time",
                 "never activated this role here"):  # fmt: skip
        assert text in page.text, text
    page = dan.get(f"/portal/approvals/{request}")
    dan.send(f"/portal/approvals/{request}", verdict="approve", reason="Fine by me")
    page = dan.follow()
    assert "You approved the request." in page.text
    assert "Fine by me" in page.text
    assert world.holds(ann)
    world.forward(hours=3)
    ok(world.activate(ann, justification="Again", hours=4))
    page = dan.get("/portal/approvals")
    assert "First time" not in page.text
    assert "Unusually long" in page.text
    assert "last activated" in page.text


def test_several_at_once(site: Site) -> None:
    world = site.world
    first, second, third = asked(site, world.ann, world.bob, world.user("Eve"))
    dan, cyd = site.browser(world.dan), site.browser(world.cyd)
    dan.get("/portal/approvals")
    picks = {f"pick-{first}": "on", f"pick-{second}": "on"}
    page = dan.send("/portal/approvals", verdict="approve", reason="", **picks)
    assert page.status == 400
    assert page.text.count("The policy asks approvers for a justification") == 2, "beside each"
    assert len([name for tag, attrs in page.tags if "checked" in attrs for name in [tag]]) == 2, (
        "still ticked"
    )
    ok(world.review(world.request(second), world.cyd))
    page = dan.send("/portal/approvals", verdict="approve", reason="fine", **picks)
    assert page.status == 400
    assert "1 request approved." in page.text
    assert "decided already" in page.text, "somebody was faster"
    assert world.holds(world.ann)
    dan.get("/portal/approvals")
    dan.send("/portal/approvals", verdict="deny", reason="Not today", **{f"pick-{third}": "on"})
    assert "1 request denied." in dan.follow().text
    assert world.request(third).status.value == "Denied"
    assert "Nothing waits for you" in cyd.get("/portal/approvals").text
    assert cyd.post("/portal/approvals", verdict="approve").status == 400


def test_nobody_decides_his_own_request_nor_a_strangers(site: Site) -> None:
    world = site.world
    world.eligible(world.dan)
    (request,) = asked(site, world.ann)
    own = ok(world.activate(world.dan, justification="mine")).id
    dan, bob = site.browser(world.dan), site.browser(world.bob)
    assert own not in dan.get("/portal/approvals").html
    page = dan.post(f"/portal/approvals/{own}", verdict="approve", reason="x")
    assert page.status == 403
    assert "Nobody decides his own request" in page.text
    assert bob.get(f"/portal/approvals/{request}").status == 403
    assert bob.post(f"/portal/approvals/{request}", verdict="approve", reason="x").status == 403
    assert "Reason of" not in bob.get("/portal/approvals").text
    ann = site.browser(world.ann)
    assert ann.get(f"/portal/approvals/{request}").status == 200, "he sees his own request, without the form"
    assert "Approve</button>" not in ann.page.html
    assert not world.holds(world.ann)


def test_the_line_tells_stages_and_who_is_waited_for(site: Site) -> None:
    from openpim.core.policy import Reviewers, Stage

    world = site.world
    stages = (
        Stage(primary=Reviewers((world.cyd, world.dan)), quorum=2),
        Stage(primary=Reviewers((world.ga,))),
    )
    world.approval(stages=stages)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, justification="Two stages"))
    ann = site.browser(world.ann)
    text = ann.get(f"/portal/requests/{request.id}").text
    assert "Approval, stage 1 Waits for: cyd, dan Approval, stage 2" in text
    world.forward(seconds=90)
    ok(world.review(request, world.cyd))
    text = ann.get(f"/portal/requests/{request.id}").text
    assert "after 1 min 30 s cyd" in text
    assert "Waits for: dan" in text
    ok(world.review(request, world.dan))
    ok(world.review(request, world.ga))
    text = ann.get(f"/portal/requests/{request.id}").text
    assert "Active" in text
    assert "Waits for" not in text


def test_risk_marks() -> None:
    from datetime import UTC, datetime, time, timedelta

    office = WorkingHours(time(7), time(19), frozenset(range(5)), UTC)
    monday = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    assert office.hold_at(monday)
    assert not office.hold_at(monday - timedelta(days=1))
    assert not office.hold_at(monday.replace(hour=19))
    assert not office.hold_at(monday.replace(hour=6, minute=59))
    assert risks((), office, monday, monday + timedelta(hours=1)) == (Risk.FIRST_TIME,)
    nights = working_hours(Settings(work_hours="08:00-16:00", work_days="Sun-Thu", work_zone="UTC"))
    assert nights.days == frozenset({6, 0, 1, 2, 3})
    assert nights.begins == time(8)
    everything = {"hours": "00:00-24:00", "days": "Mon-Sun", "zone": "UTC"}
    always = working_hours(read({"working_time": everything}, Config()).settings)
    assert risks((), always, monday.replace(day=1, hour=23, minute=59), None) == (Risk.FIRST_TIME,)
    for wrong in ({"hours": "9"}, {"days": "Mo-Fr"}, {"zone": "Nowhere/Land"}, {"zone": "../etc/passwd"}):
        with pytest.raises(ConfigError, match="write it as"):
            read({"working_time": wrong}, Config())


def test_an_unused_role_is_not_the_role_asked_for(site: Site) -> None:
    """What he did elsewhere does not count as having done it here."""
    world = site.world
    world.eligible(world.ann, HELPDESK)
    ok(world.activate(world.ann, HELPDESK, hours=1))
    asked(site, world.ann)
    assert "First time" in site.browser(world.dan).get("/portal/approvals").text


def test_the_menu_says_how_many_wait(site: Site) -> None:
    """On every page, in words too; and alone, for pages that are open."""
    world = site.world
    dan = site.browser(world.dan)
    said = "requests wait for your decision"
    assert said not in dan.get("/portal/people").text
    asked(site, world.ann, world.bob)
    for path in ("/portal/people", "/portal/nowhere", "/portal/approvals/count"):
        page = dan.get(path)
        assert f"2 {said}" in page.text
        assert "( 2 waiting)" in page.text
    assert "<nav" not in page.html
    assert "waiting)" not in site.browser(world.ann).get("/portal/people").text
    asked(site, *(world.user(f"Eve {number}") for number in range(100)))
    page = dan.get("/portal/people")
    assert "99+" in page.text
    assert f"102 {said}" in page.text


def test_who_owns_something_finds_the_way(site: Site) -> None:
    """The menu shows what the acts let one do: who owns a group finds its assignments and settings."""
    world = site.world
    ways = {"/portal/assignments", "/portal/policies"}
    ann = site.browser(world.ann)
    assert not ways & set(ann.get("/portal/people").links)
    group = world.group("Crew", role_assignable=False)
    world.write(lambda tx: tx.groups.add_owner(group, world.ann))
    links = set(ann.get("/portal/people").links)
    assert ways <= links
    assert "/portal/overview" not in links
    for way in ways:
        assert ann.get(way).status in {200, 303}
    assert ways | {"/portal/overview"} <= set(site.browser(world.ga).get("/portal/people").links)


def test_many_that_wait_come_in_pages(site: Site) -> None:
    """What does not fit on the first page is decided on the second; deciding one leaves one there."""
    world = site.world
    roles = [world.custom_role(f"Role {number:02}") for number in range(22)]
    for role in roles:
        world.approval(world.dan, role=role)
        world.eligible(world.ann, role)
        ok(world.activate(world.ann, role))
        world.forward(seconds=1)
    dan = site.browser(world.dan)
    first = dan.get("/portal/approvals")
    assert "Role 00" in first.text
    assert "Role 21" not in first.text
    assert "Page 1 of 2" in first.text
    second = dan.get("/portal/approvals?page=2")
    assert "Role 19" not in second.text
    assert "Role 21" in second.text
    last = next(one for one in world.requests() if one.role_id == roles[21] and one.approval_id)
    wrong = dan.send("/portal/approvals?page=2", verdict="approve", reason="")
    assert "Tick the requests" in wrong.text
    assert "Role 21" in wrong.text, "the page that was there"
    done = dan.post("/portal/approvals?page=2", verdict="approve", reason="fine", **{f"pick-{last.id}": "on"})
    assert done.status == 303, done.text
    left = dan.get("/portal/approvals?page=9").text
    assert "Role 20" in left
    assert "Role 21" not in left
