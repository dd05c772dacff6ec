"""The audit in the portal: one's own and everybody's, filters, an event in full, downloads."""

from __future__ import annotations

import csv
import io

from tests.faces.portal.client import Site
from tests.world import ASSIGNMENT, READER, ok

FORMULA = "=cmd|' /C calc'!A0"


def activity(site: Site, reason: str = "Rooms") -> None:
    site.world.eligible(site.world.ann)
    ok(site.world.activate(site.world.ann, justification=reason))


def reader(site: Site) -> str:
    rhea = site.world.user("Rhea")
    ok(site.world.give(rhea, READER, ASSIGNMENT, permanent=True))
    return rhea


def test_each_sees_his_own_and_readers_all(site: Site) -> None:
    activity(site)
    asked = "Add member to role requested (PIM activation)"
    assert asked in site.browser(site.world.ann).get("/portal/audit").text
    stranger = site.browser(site.world.user("Zoe"))
    assert asked not in stranger.get("/portal/audit").text
    assert asked not in stranger.get("/portal/audit/all").text
    assert "Resource audit" not in stranger.get("/portal/audit").text
    page = site.browser(reader(site)).get("/portal/audit/all")
    assert asked in page.text
    assert "Resource audit" in page.text


def test_filters(site: Site) -> None:
    activity(site)
    eyes = site.browser(reader(site))
    assert "No events" in eyes.get("/portal/audit/all?q=nobody+of+this+name").text
    assert "No events" not in eyes.get("/portal/audit/all?q=SOME&activity=pim+ACTIVATION&result=success").text
    assert "No events" in eyes.get("/portal/audit/all?result=failure&activity=requested").text
    assert "No events" in eyes.get("/portal/audit/all?until=2001-01-01").text
    page = eyes.get("/portal/audit/all?since=yesterday")
    assert page.status == 400
    assert "This is not a day" in page.text
    assert eyes.get("/portal/audit/all?after=nonsense").status == 400


def test_an_event_in_full(site: Site) -> None:
    activity(site, "Rooms & <b>doors</b>")
    ann = site.browser(site.world.ann)
    links = [one for one in ann.get("/portal/audit?activity=activation").links if one.count("/") == 3]
    page = ann.get(next(one for one in links if len(one) > 40))
    assert page.status == 200
    assert "<b>doors" not in page.html
    assert "Rooms & <b>doors</b>" in page.text
    assert site.browser(site.world.user("Zoe")).get(links[-1]).status == 404


def test_downloads(site: Site) -> None:
    activity(site, FORMULA)
    ann = site.browser(site.world.ann)
    got = ann.get("/portal/audit/csv?activity=activation").answer
    assert got.headers["content-disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(got.content.decode("utf-8-sig"))))
    assert rows
    assert all(not value.startswith("=") for row in rows for value in row.values())
    named = ann.get("/portal/audit/json?activity=activation").answer.json()
    assert len(named) == len(rows)
    assert any(FORMULA in row["details"] + row["reason"] for row in named)


def test_no_cell_is_a_formula() -> None:
    from openpim.faces.portal.downloads import plain_cell

    assert [plain_cell(one) for one in ("=1", "+1", "-1", "@a", "\t=1", "a=1")] == [
        "'=1", "'+1", "'-1", "'@a", "'\t'=1", "a=1",
    ]  # fmt: skip


def test_what_concerns_somebody_by_name(site: Site) -> None:
    """By address, exact name or id; what means nobody is said at the field."""
    world = site.world
    world.eligible(world.bob)
    admin = site.browser(world.ga)
    address = world.read(lambda tx: tx.users.get(world.bob)).user_principal_name
    for about in (world.bob, "bob", address):
        page = admin.get(f"/portal/audit/all?about={about}")
        assert page.status == 200, page.text
        assert "bob" in page.text
        assert "Add eligible member" in page.text
    page = admin.get("/portal/audit/all?about=nobody")
    assert page.status == 400
    assert "Nobody is called so" in page.text
    assert "Add eligible member" not in page.text
    assert "Add eligible member" not in admin.get("/portal/audit/csv?all=1&about=nobody").answer.text
    assert "Add eligible member" in admin.get("/portal/audit/csv?all=1&about=bob").answer.text


def test_words_are_searched_and_events_say_where_they_are_in_the_log(site: Site) -> None:
    activity(site, "an unheard-of giraffe")
    site.world.grow()
    eyes = site.browser(reader(site))
    page = eyes.get("/portal/audit/all?words=giraffe+activation")
    assert "Add member to role requested (PIM activation)" in page.text
    assert "No events" in eyes.get("/portal/audit/all?words=zebra").text
    stranger = site.browser(site.world.user("Zoe"))
    assert "No events" in stranger.get("/portal/audit/all?words=giraffe").text
    event = site.world.events("Add member to role requested (PIM activation)")[-1]
    assert "not proved by a checkpoint yet" in eyes.get(f"/portal/audit/{event.id}").text
    site.world.forward(minutes=10)
    site.world.sign()
    text = eyes.get(f"/portal/audit/{event.id}").text
    assert f"Position {event.position}, proved by checkpoint 0" in text
    assert "giraffe" in eyes.get("/portal/audit/csv?all=1&words=giraffe").text
