"""Stand-ins in the portal: handing over one's approvals for a time, seeing it from both sides, taking it back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from openpim.services import approvals
from tests.faces.portal.client import Site
from tests.world import ok

HERE = "/portal/approvals/stand-ins"


def typed(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M}"


def test_handed_over_seen_from_both_sides_and_taken_back(site: Site) -> None:
    world = site.world
    world.approval(world.dan)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, justification="Now"))
    dan, cyd = site.browser(world.dan), site.browser(world.cyd)
    assert HERE in dan.get("/portal/approvals").links
    dan.get(HERE)
    dan.send(HERE, person="cyd", until=typed(world.now + timedelta(hours=20)))
    assert "cyd decides in your place" in dan.follow().text
    assert "They decide in your place" in dan.page.text  # type: ignore[union-attr]
    page = cyd.get(HERE)
    assert "You decide in the place of" in page.text
    assert "dan" in page.text
    assert "Take back" not in page.text, "only the one who gave it"
    assert "1 request waits for your decision" in page.text
    cyd.get(f"/portal/approvals/{request.id}")
    dan.get(HERE)
    dan.send(f"{HERE}/withdraw")
    assert "It is taken back" in dan.follow().text
    assert approvals.mine(world.deps, world.caller(world.cyd)) == ()
    assert cyd.get(f"/portal/approvals/{request.id}").status == 403


def test_from_later_on_in_the_zone_of_the_form(site: Site) -> None:
    world = site.world
    dan = site.browser(world.dan)
    dan.get(HERE)
    begin, end = world.now + timedelta(days=1), world.now + timedelta(days=2)
    dan.send(HERE, person="bob", start=typed(begin), start_offset="60", until=typed(end), until_offset="60")
    dan.follow()
    (one,) = world.read(lambda tx: tx.approvals.delegations(world.dan, world.now))
    assert abs(one.starts_at - (begin - timedelta(hours=1))) < timedelta(minutes=1)
    assert abs(one.ends_at - (end - timedelta(hours=1))) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("person", "days", "said"),
    [
        ("nobody", 1, "Nobody is called so"),
        ("", 1, "Nobody is called so"),
        ("Twin", 1, "or several"),
        ("Crew", 1, "Nobody is called so"),
        ("dan", 1, "Name somebody else"),
        ("bob", 400, "at most 180 days"),
        ("bob", -1, "It ends after it starts"),
        ("bob", None, "Say until when"),
        ("Gus", 1, "must be an enabled member"),
        ("<script>", 1, "Nobody is called so"),
    ],
)
def test_what_is_wrong_is_said_where_it_was_typed(
    site: Site, person: str, days: int | None, said: str
) -> None:
    world = site.world
    world.user("Twin")
    world.user("Twin")
    world.group("Crew")
    world.guest("Gus")
    dan = site.browser(world.dan)
    dan.get(HERE)
    until = typed(world.now + timedelta(days=days)) if days is not None else ""
    page = dan.send(HERE, person=person, until=until)
    assert page.status == 400
    assert said in page.text
    assert page.form(HERE)["person"] == person, "what was typed stays"
    assert "<script>" not in page.html.replace('<script type="module"', "")
    assert world.read(lambda tx: tx.approvals.delegations(world.dan, world.now)) == []


def test_nobody_takes_back_what_is_anothers(site: Site) -> None:
    world = site.world
    world.write(
        lambda tx: tx.approvals.delegate(world.dan, world.cyd, world.now, world.now + timedelta(days=1))
    )
    for who in (world.cyd, world.ann):
        browser = site.browser(who)
        assert browser.post(f"{HERE}/withdraw", person=world.cyd).status in {400, 404}
        assert browser.post(f"{HERE}/withdraw", person=world.dan).status in {400, 404}
    assert len(world.read(lambda tx: tx.approvals.delegations(world.dan, world.now))) == 1
