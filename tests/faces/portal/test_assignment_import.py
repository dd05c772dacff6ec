"""Assignments in bulk in the portal: a preview that does nothing, every row's fault, and exactly what was previewed."""

from __future__ import annotations

import pytest

from openpim.core.grants import Provider
from openpim.core.policy import Requirement
from tests.faces.portal.client import Browser, Shown, Site
from tests.world import ASSIGNMENT, ELIGIBILITY

IMPORT = "/portal/assignments/import"
HEAD = "action,provider,role,scope,member,type,start,end,justification,ticket_number,ticket_system"


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser(site.world.pra)


def preview(admin: Browser, *rows: str, head: str = HEAD) -> Shown:
    return admin.post(IMPORT, csv="\r\n".join([head, *rows]))


def sealed(page: Shown) -> str:
    return next(attrs["value"] for _, attrs in page.tags if attrs.get("name") == "sealed")


def held(site: Site, person: str) -> list[object]:
    return [one for one in site.world.everything("schedules") if one.principal_id == person]


def test_a_preview_does_nothing_and_then_what_it_showed_is_done(site: Site, admin: Browser) -> None:
    world = site.world
    group = world.group("Anchors")
    before = world.snapshot()
    page = preview(
        admin,
        "assign,directory,Teams Administrator,/,ann,eligible,,2027-03-01T12:00+01:00,New team,INC1,Desk",
        ",,Helpdesk Administrator,,bob,active,,permanent,Night shift,,",
        f",group,Member,Anchors,{world.cyd},eligible,2026-12-01T00:00Z,2027-01-01T00:00Z,,,",
    )
    assert page.status == 200, page.text
    assert "Nothing is done yet" in page.text
    assert world.snapshot() == before
    page = admin.post(IMPORT, sealed=sealed(page))
    assert "3 rows are carried out" in page.text
    (one,) = held(site, world.ann)
    assert one.kind is ELIGIBILITY
    assert one.ends_at.isoformat() == "2027-03-01T11:00:00+00:00"
    request = world.request(one.request_id)
    assert (request.justification, request.ticket.number, request.created_by) == (
        "New team",
        "INC1",
        world.pra,
    )
    (one,) = held(site, world.bob)
    assert (one.kind, one.ends_at) == (ASSIGNMENT, None)
    (one,) = held(site, world.cyd)
    assert (one.provider, one.scope, one.starts_at.month) == (Provider.GROUP, group, 12)


def test_sent_twice_is_done_once(site: Site, admin: Browser) -> None:
    proof = sealed(preview(admin, ",,Teams Administrator,,ann,eligible,,permanent,,,"))
    admin.post(IMPORT, sealed=proof)
    before = site.world.snapshot()
    page = admin.post(IMPORT, sealed=proof)
    assert "1 row is carried out" in page.text
    assert site.world.snapshot() == before


def test_every_fault_is_shown(site: Site, admin: Browser) -> None:
    site.world.eligible(site.world.bob)
    page = preview(
        admin,
        ",,Teams Administrator,,ann,eligible,,permanent,,,",
        ",,Teams Administrator,,ann,eligible,,permanent,,,",
        ",,Teams Administrator,,bob,eligible,,permanent,,,",
        ",,Emperor,,ann,eligible,,permanent,,,",
        ",,Teams Administrator,/administrativeUnits/x,ann,eligible,,permanent,,,",
        ",,Teams Administrator,,nobody here,eligible,,permanent,,,",
        ",,Teams Administrator,,ann,sometimes,,permanent,,,",
        ",,Teams Administrator,,ann,eligible,,soon,,,",
        ",,Teams Administrator,,ann,eligible,tomorrow,permanent,,,",
        "explode,,Teams Administrator,,ann,eligible,,permanent,,,",
        ",fish,Teams Administrator,,ann,eligible,,permanent,,,",
        ",,Teams Administrator,,cyd,active,,permanent,,,",
        ",resource,Owner,/subscriptions/none,ann,eligible,,permanent,,,",
    )
    assert page.status == 400
    assert "12 rows cannot be done" in page.text
    for words in (
        "This is row 2 again", "exists already", "no role Emperor", "Nobody has this name", "eligible or active",
        "The end is no moment", "The start is no moment", "The action is assign, update", "directory, group or resource",
        "a justification is required", "no such place", "Carry out 1 row, leave out 12",
    ):  # fmt: skip
        assert words in page.text, words
    page = admin.post(IMPORT, sealed=sealed(page))
    assert len(held(site, site.world.ann)) == 1


def test_removal(site: Site, admin: Browser) -> None:
    world = site.world
    world.eligible(world.ann)
    page = preview(admin, "remove,,Teams Administrator,,ann,eligible,,,Left,,")
    assert page.status == 200, page.text
    assert held(site, world.ann)[0].live(world.now)
    admin.post(IMPORT, sealed=sealed(page))
    assert not held(site, world.ann)[0].live(world.now)


def test_what_is_confirmed_is_what_was_shown(site: Site, admin: Browser) -> None:
    world = site.world
    proof = sealed(preview(admin, ",,Teams Administrator,,ann,eligible,,permanent,,,"))
    other = site.browser(world.ga)
    before = world.snapshot()
    for browser, given in ((other, proof), (admin, proof[:-4] + "AAAA"), (admin, "x"), (admin, "💥" * 50)):
        page = browser.post(IMPORT, sealed=given)
        assert page.status == 400
        assert "Look at a new one" in page.text
    assert world.snapshot() == before
    for _ in range(7):
        world.forward(minutes=9)
        assert admin.get(IMPORT).status == 200
    assert "more than an hour old" in admin.post(IMPORT, sealed=proof).text
    assert held(site, world.ann) == []


def test_it_is_decided_again_when_it_is_confirmed(site: Site, admin: Browser) -> None:
    world = site.world
    proof = sealed(preview(admin, ",,Teams Administrator,,ann,eligible,,permanent,,,"))
    world.policy(eligibility_requires=frozenset({Requirement.JUSTIFICATION}))
    page = admin.post(IMPORT, sealed=proof)
    assert page.status == 400
    assert "a justification is required" in page.text
    assert held(site, world.ann) == []


def test_who_may_not_learns_nothing(site: Site) -> None:
    world = site.world
    secret = world.group("Secret plans")
    ann = site.browser(world.ann)
    answers = [
        preview(ann, f",group,member,{scope},{who},eligible,,2027-01-01T00:00Z,,,").text.count(
            "no such place"
        )
        for scope in ("Secret plans", secret, "No such plans")
        for who in ("bob", "nobody at all")
    ]
    assert answers == [1] * 6
    page = preview(ann, ",,Teams Administrator,,bob,eligible,,permanent,,,")
    assert page.status == 400
    assert "Carry out" not in page.text


def test_our_own_download_can_be_sent_again(site: Site, admin: Browser) -> None:
    world = site.world
    world.eligible(world.ann, days=20)
    text = admin.get("/portal/assignments/csv").answer.content.decode("utf-8")
    page = admin.post(IMPORT, csv=text)
    assert "exists already" in page.text
    assert "Teams Administrator" in page.text
    semicolons = text.replace(",", ";")
    assert "exists already" in admin.post(IMPORT, csv=semicolons).text


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", "role", "role,member,type,end", "role,role,member,type,end\na,b,c,d,e", "\x00", '"', 'a,b\n"c',
     "role,member,type,end\n" + "x,y,eligible,permanent\n" * 5001, "role,member,type,end\n" + "'=1" * 5000,
     "role,member,type,end\n<script>,<script>,<script>,<script>", "role,member,type,end\n,,,\n,,,", "\ufeff" * 10,
     "role,member,type,end\n💥,💥,eligible,9999-12-31T23:59-14:00", "role,member,type,end\na,b,active,0001-01-01+14:00"],
)  # fmt: skip
def test_hostile_text(site: Site, admin: Browser, text: str) -> None:
    before = site.world.snapshot()
    page = admin.post(IMPORT, csv=text)
    assert page.status == 400
    assert "<script>" not in page.html.replace('<script type="module"', "")
    assert "Carry out" not in page.text
    assert site.world.snapshot() == before
