"""Adding assignments in the portal: the three steps, what is kept between them, and one answer for each member."""

from __future__ import annotations

import pytest

from openpim.core.grants import Provider
from openpim.core.grants import days as for_days
from openpim.core.policy import Expiry, Requirement
from tests.faces.portal.client import Browser, Shown, Site
from tests.world import ASSIGNMENT, ELIGIBILITY, HELPDESK, TEAMS

ADD = "/portal/assignments/add"


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser(site.world.pra)


def upn(site: Site, person: str) -> str:
    return str(site.world.read(lambda tx: tx.users.get(person)).user_principal_name)


def to_setting(site: Site, admin: Browser, members: str, role: str = TEAMS, **first: str) -> Shown:
    admin.get(ADD)
    page = admin.send(ADD, role=role, go="members", **first)
    assert page.status == 200, page.text
    return admin.send(ADD, members=members, go="setting")


def held(site: Site, person: str) -> list[object]:
    return [one for one in site.world.everything("schedules") if one.principal_id == person]


def test_three_steps(site: Site, admin: Browser) -> None:
    world = site.world
    page = to_setting(site, admin, f"{upn(site, world.ann)}\nbob")
    for words in ("ann, bob", "Teams Administrator", "It may be permanent", "a justification"):
        assert words in page.text
    page = admin.send(
        ADD, kind="eligibility", how="until", until="2027-03-01T12:00", reason="Team", go="assign"
    )
    assert page.status == 200
    assert page.text.count("Eligible") == 2
    for person in (world.ann, world.bob):
        (one,) = held(site, person)
        assert one.kind is ELIGIBILITY
        assert one.ends_at.isoformat() == "2027-03-01T12:00:00+00:00"
        assert world.request(one.request_id).justification == "Team"
        assert world.request(one.request_id).created_by == world.pra


def test_a_form_sent_twice_assigns_once(site: Site, admin: Browser) -> None:
    to_setting(site, admin, "ann")
    fields = {**admin.page.form(ADD), "how": "permanent", "go": "assign"}
    assert admin.post(ADD, **fields).status == 200
    before = site.world.snapshot()
    page = admin.post(ADD, **fields)
    assert page.status == 200
    assert "could not" not in page.text
    assert site.world.snapshot() == before


def test_each_is_told_what_happened(site: Site, admin: Browser) -> None:
    world = site.world
    world.eligible(world.bob)
    to_setting(site, admin, "ann\nbob")
    page = admin.send(ADD, how="permanent", go="assign")
    assert page.status == 200
    assert "1 of 2 could not be assigned" in page.text
    assert "This assignment exists already" in page.text
    assert len(held(site, world.ann)) == 1
    to_setting(site, admin, "bob")
    page = admin.send(ADD, how="permanent", reason="Again & <b>again</b>", go="assign")
    assert page.status == 400
    assert "Again &amp; &lt;b&gt;again&lt;/b&gt;" in page.html


def test_search_and_tick(site: Site, admin: Browser) -> None:
    world = site.world
    group = world.group("Anchors")
    admin.get(ADD)
    admin.send(ADD, role=TEAMS, go="members")
    page = admin.send(ADD, members="bob", find="an", go="find")
    assert "Anchors" in page.text
    assert upn(site, world.ann) in page.text
    page = admin.send(
        ADD, go="setting", members="bob", **{f"pick-{group}": "on", f"pick-{upn(site, world.ann)}": "on"}
    )
    for name in ("bob", "Anchors", "ann"):
        assert name in page.text
    admin.send(ADD, how="permanent", go="assign")
    assert all(len(held(site, one)) == 1 for one in (group, world.ann, world.bob))


def test_steps_back_keep_what_was_typed(site: Site, admin: Browser) -> None:
    to_setting(site, admin, "ann")
    page = admin.send(ADD, go="members")
    assert ">\nann</textarea>" in page.html or "ann</textarea>" in page.html
    page = admin.send(ADD, members="ann\nbob", go="role")
    assert page.form(ADD)["members"] == "ann\nbob"
    assert page.form(ADD)["role"] == TEAMS


def test_the_policy_is_shown_and_kept(site: Site, admin: Browser) -> None:
    site.world.policy(
        eligibility=Expiry(required=True, maximum=for_days(15)),
        assignment_requires=frozenset({Requirement.TICKETING, Requirement.JUSTIFICATION}),
    )
    page = to_setting(site, admin, "ann")
    assert "It must end within 15 d" in page.text
    assert "a ticket" in page.text
    page = admin.send(ADD, how="permanent", go="assign")
    assert page.status == 400
    assert "permanent is not allowed" in page.text
    page = admin.send(
        ADD,
        kind="assignment",
        how="permanent",
        reason="x",
        ticket_number="7",
        ticket_system="Desk",
        go="assign",
    )
    assert page.status == 200
    (one,) = held(site, site.world.ann)
    assert one.kind is ASSIGNMENT
    assert site.world.request(one.request_id).ticket.number == "7"


def test_more_proof_is_asked_for_in_place(site: Site) -> None:
    site.world.policy(assignment_requires=frozenset({Requirement.MFA}))
    weak = site.browser(site.world.pra, mfa=False)
    to_setting(site, weak, "ann")
    page = weak.send(ADD, kind="assignment", how="permanent", go="assign")
    assert "could not" not in page.text
    assert held(site, site.world.ann) == []
    assert "second factor" in page.text


def test_groups_and_their_owners(site: Site) -> None:
    world = site.world
    mine, other = world.group("Mine", role_assignable=False), world.group("Other", role_assignable=False)
    world.write(lambda tx: tx.groups.add_owner(mine, world.dan))
    dan = site.browser(world.dan)
    page = dan.get(f"{ADD}?provider=group")
    assert mine in page.html
    page = dan.send(ADD, scope="Other", role="member", go="members")
    assert page.status == 400
    assert "no such place" in page.text
    assert page.form(ADD)["scope"] == "Other"
    page = dan.send(ADD, scope="Mine", role="member", go="members")
    assert page.status == 200
    dan.send(ADD, members="ann", go="setting")
    page = dan.send(ADD, how="until", go="assign")
    assert page.status == 200, page.text
    (one,) = held(site, world.ann)
    assert (one.provider, one.scope, one.role_id) == (Provider.GROUP, mine, "member")
    assert other not in {each.scope for each in world.everything("schedules")}


def test_who_may_not(site: Site) -> None:
    ann = site.browser(site.world.ann)
    page = ann.get(ADD)
    assert "You may not give roles" in page.text
    before = site.world.everything("schedules")
    page = ann.post(
        ADD,
        provider="directory",
        role=TEAMS,
        scope="/",
        members="ann",
        kind="eligibility",
        how="permanent",
        go="assign",
        nonce=site.world.new_id(),
    )
    assert page.status == 400
    assert site.world.everything("schedules") == before


def test_an_administrative_unit(site: Site, admin: Browser) -> None:
    unit = site.world.unit("North")
    to_setting(site, admin, "ann", HELPDESK, scope=unit)
    admin.send(ADD, how="permanent", go="assign")
    (one,) = held(site, site.world.ann)
    assert one.scope == unit


@pytest.mark.parametrize(
    "typed",
    [
        {"members": "nobody at all"},
        {"members": "x\n" * 5000},
        {"members": "<script>alert(1)</script>"},
        {"members": ""},
        {"nonce": "not a number"},
        {"until": "never", "how": "until"},
        {"start": "2999-01-01T00:00", "how": "permanent"},
        {"role": "../../x"},
        {"scope": "/nowhere/at/all"},
        {"scope": "/administrativeUnits/none"},
        {"provider": "fish", "role": "<script>"},
        {"provider": "resource", "scope": "//../..", "role": "Owner"},
        {"provider": "group", "scope": "💥", "role": "emperor"},
        {"kind": "x", "go": "assign" * 50, "how": "until", "until": ""},
    ],
)
def test_hostile_fields(site: Site, admin: Browser, typed: dict[str, str]) -> None:
    to_setting(site, admin, "ann")
    before = site.world.everything("schedules")
    page = admin.post(ADD, **{**admin.page.form(ADD), "how": "permanent", "go": "assign", **typed})
    assert page.status in {200, 400}
    assert "<script>" not in page.html.replace('<script type="module"', "")
    assert site.world.everything("schedules") == before
