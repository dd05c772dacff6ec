"""Other systems in the portal: making and trying them, a secret that is shown once, and what role settings ask of them."""

from __future__ import annotations

import re

import pytest

from openpim.core.grants import Provider
from openpim.core.policy import AskFirst, Policy, Stage, WhenDown
from openpim.core.tickets import TicketRules, TicketsDown
from tests.faces.portal.client import Browser, Site
from tests.notify.hostile import answers, replies, serve
from tests.services.channels.helper import ask_first, channel
from tests.world import TEAMS, ok

HERE = "/portal/channels"
EDIT = f"/portal/policies/directory/{TEAMS}/edit"
SHOWN = f"/portal/policies/directory/{TEAMS}"


@pytest.fixture
def admin(site: Site) -> Browser:
    return site.browser(site.world.ga)


def stored(site: Site) -> Policy:
    found = site.world.read(lambda tx: tx.policies.get(Provider.DIRECTORY, TEAMS, "/"))
    assert found is not None
    return found


def test_a_webhook_is_added_tried_and_removed(site: Site, admin: Browser) -> None:
    with serve(answers(b"", "204 No Content")) as server:
        admin.get(f"{HERE}/new?kind=webhook")
        page = admin.send(
            f"{HERE}/new",
            kind="webhook",
            name="Desk hook",
            enabled="on",
            **{"secret-address": server.url(), "pick-*": "on"},
        )
        (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", page.text)[:1]
        listing = admin.get(HERE).text
        assert "Desk hook" in listing
        (found,) = site.world.read(lambda tx: tx.channels.all())
        one = f"{HERE}/{found.id}"
        assert secret not in admin.get(one).text
        admin.send(f"{one}/test")
        assert "The test was taken" in admin.follow().text
    admin.get(one)
    admin.send(f"{one}/test")
    assert "The test was not taken" in admin.follow().text
    admin.get(one)
    again = re.findall(r"whsec_[A-Za-z0-9+/=]+", admin.send(f"{one}/secret").text)
    assert again
    admin.get(one)
    admin.send(one, kind="webhook", name="Desk", enabled="", **{"pick-activated": "on", "pick-*": ""})
    assert "Desk is changed" in admin.follow().text
    (found,) = site.world.read(lambda tx: tx.channels.all())
    assert (found.notices, found.enabled, found.address) == (("activated",), False, server.url())
    admin.get(f"{one}/remove")
    admin.send(f"{one}/remove")
    assert "Desk is removed" in admin.follow().text


def test_the_form_sent_twice_makes_one_signing_secret(site: Site, admin: Browser) -> None:
    """Of two the other side would know neither: the one it has counts beside the newest only."""
    key = channel(site.world, "https://example.com/x", name="Service desk").channel.id
    before = site.world.read(lambda tx: tx.channels.get(key))
    form = admin.get(f"{HERE}/{key}").form(f"{HERE}/{key}/secret")
    page = admin.post(f"{HERE}/{key}/secret", **form)
    assert (page.status, "whsec_" in page.text) == (200, True)
    again = admin.post(f"{HERE}/{key}/secret", **form)
    assert (again.status, "whsec_" in again.text) == (409, False)
    after = site.world.read(lambda tx: tx.channels.get(key))
    assert (after.sealed_previous, after.sealed_secret != before.sealed_secret) == (
        before.sealed_secret,
        True,
    )
    assert admin.post(f"{HERE}/{key}/secret", token=form["token"]).status == 400, "nor without its word"
    assert site.world.read(lambda tx: tx.channels.get(key)) == after


def test_a_chats_address_is_never_shown_again(site: Site, admin: Browser) -> None:
    address = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    admin.get(f"{HERE}/new?kind=chat")
    admin.send(f"{HERE}/new", kind="chat", name="Chat", enabled="on", **{"secret-address": address})
    shown = admin.follow().text + admin.get(HERE).text
    assert "A1BRTD4JD" not in shown


def test_what_is_wrong_stands_where_it_belongs(site: Site, admin: Browser) -> None:
    admin.get(f"{HERE}/new?kind=webhook")
    wrong = {"secret-address": "https://169.254.169.254/"}
    page = admin.send(f"{HERE}/new", kind="webhook", name="Hook", **wrong)
    assert page.status == 400
    assert "not on the internet" in page.text
    assert 'id="secret-address-error"' in page.answer.text
    assert site.world.read(lambda tx: tx.channels.all()) == ()


def test_role_settings_ask_another_system(site: Site, admin: Browser) -> None:
    desk = channel(site.world, "https://example.com/x", name="Service desk").channel.id
    page = admin.get(f"{EDIT}?tab=activation")
    assert "Service desk" in page.text
    bob = site.world.read(lambda tx: tx.users.get(site.world.bob))
    admin.send(
        EDIT, tab="activation", maximum="120", approval="on", stage1_who=bob.user_principal_name,
        ask_system=desk, ask_down="people", ask_auto="on", ask_minutes="15", ask_then="people",
        ticket_patterns="INC#######, CHG#+", ticket_system=desk, ticket_down="accept", ticket_ends="on",
    )  # fmt: skip
    shown = admin.follow().text
    assert "Service desk" in shown
    assert "INC#######" in shown
    policy = stored(site)
    first, second = policy.approval.stages
    assert first == Stage(timeout_minutes=15, callout=AskFirst(desk, WhenDown.PEOPLE, may_auto_approve=True))
    assert second.primary.users == (site.world.bob,)
    assert policy.tickets == TicketRules(
        ("INC#######", "CHG#+"), desk, TicketsDown.ACCEPT, ends_with_ticket=True
    )
    # the form shows what is set, and saving it as it stands changes nothing
    again = admin.get(f"{EDIT}?tab=activation")
    assert f'value="{desk}" selected' in again.answer.text
    admin.send(EDIT, tab="activation", stage1_who=bob.user_principal_name)
    after = stored(site)
    assert (after.approval, after.tickets) == (policy.approval, policy.tickets)


def test_a_system_alone_decides_where_that_is_chosen(site: Site, admin: Browser) -> None:
    desk = channel(site.world, "https://example.com/x", name="Service desk").channel.id
    admin.get(f"{EDIT}?tab=activation")
    admin.send(
        EDIT,
        tab="activation",
        maximum="120",
        approval="on",
        ask_system=desk,
        ask_down="refuse",
        ask_then="alone",
    )
    (only,) = stored(site).approval.stages
    assert only.callout == AskFirst(desk)
    assert "Service desk" in admin.get(f"{SHOWN}?tab=activation").text


def test_settings_that_the_form_cannot_show_are_left_alone(site: Site, admin: Browser) -> None:
    from openpim.core.policy import ApprovalSettings, Reviewers

    desk = channel(site.world, "https://example.com/x").channel.id
    stages = (Stage(primary=Reviewers((site.world.bob,))), Stage(callout=AskFirst(desk)))
    before = site.world.policy(TEAMS, approval=ApprovalSettings(required=True, stages=stages))
    admin.get(f"{EDIT}?tab=activation")
    page = admin.send(EDIT, tab="activation", maximum="60")
    assert page.status == 400
    assert "pim or the API" in page.text
    assert stored(site).approval == before.approval


def test_requests_that_a_system_decides_can_be_looked_at(site: Site, admin: Browser) -> None:
    world = site.world
    with serve(replies(lambda _: (200, {"evaluationOutcome": "Approved", "reason": ["On call"]}))) as server:
        desk = channel(world, server.url(), name="On-call plan").channel.id
        ask_first(world, desk, world.bob)
        world.eligible(world.ann)
        request = ok(world.activate(world.ann, hours=1))
        mine = site.browser(world.ann)
        assert mine.get(f"/portal/requests/{request.id}").status == 200
        world.work()
    assert mine.get(f"/portal/requests/{request.id}").status == 200
    theirs = site.browser(world.bob)
    assert theirs.get("/portal/approvals").status == 200
    page = theirs.get(f"/portal/approvals/{request.id}")
    assert page.status == 200
    assert "On-call plan" in mine.get(f"/portal/requests/{request.id}").text
    assert admin.get("/portal/audit").status == 200
