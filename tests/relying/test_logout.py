"""Back-channel logout: told at the end and the start of what changes a claim, at sign-out, and when a person is shut out;
durably, each application for itself."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from openpim.core.directory import Application
from openpim.core.relying import LogoutWhen, Named
from openpim.core.signin.values import Account
from openpim.services.relying import logout
from openpim.services.signin.events import Origin
from openpim.services.signin.revoke_sessions import revoke_sessions
from openpim.services.signin.sessions import end_own_session
from openpim.workers.relying import Following, telling
from tests.relying_world import Receiver, Relying
from tests.services.groups import GroupWorld
from tests.world import World, ok

EVENT = "http://schemas.openid.net/event/backchannel-logout"
ORIGIN = Origin("https://localhost:8443")


def test_a_logout_token_is_as_the_standard_says(place: Relying) -> None:
    signed = place.sign_in()
    place.world.disable(place.ann)
    place.work()
    raw = place.receiver.tokens[0]
    head = place.signin.tokens.verify(raw, "logout+jwt")
    assert head is not None
    (told,) = place.told()
    assert (told["iss"], told["aud"]) == (signed.identity["iss"], signed.identity["aud"])
    assert (told["sub"], told["sid"]) == (signed.identity["sub"], signed.identity["sid"])
    assert told["events"] == {EVENT: {}}
    assert told["exp"] - told["iat"] == 120
    assert "nonce" not in told
    assert told["jti"]


def test_no_token_is_taken_for_another_kind(place: Relying) -> None:
    signed = place.sign_in()
    place.world.disable(place.ann)
    place.work()
    (raw,) = place.receiver.tokens
    tokens = place.signin.tokens
    assert tokens.verify(raw) is None
    assert tokens.verify(raw, "JWT") is None
    assert tokens.verify(signed.answer["access_token"], "logout+jwt") is None
    assert tokens.verify(signed.answer["id_token"], "logout+jwt") is None
    answer = place.http.client.get("/oidc/userinfo", headers={"Authorization": f"Bearer {raw}"})
    assert answer.status_code == 401
    assert place.introspect(raw) == {"active": False}


def test_at_the_start_and_at_the_end_of_an_activation(place: Relying, groups: GroupWorld) -> None:
    ok(groups.give(place.admins, place.ann))
    first = place.sign_in()
    place.work()
    assert place.told() == []
    ok(groups.activate(place.admins, place.ann, hours=1))
    place.work()
    assert [one["sid"] for one in place.told()] == [first.identity["sid"]]
    place.work()
    assert place.told() == []  # once
    second = place.sign_in()
    place.world.forward(minutes=59, seconds=59)
    place.work()
    assert place.told() == []
    place.world.forward(seconds=1)
    place._following()  # no event is there yet: the boundary alone tells
    place._telling()
    place._telling.join(20)
    assert [one["sid"] for one in place.told()] == [second.identity["sid"]]
    place.work()
    assert place.told() == []


def test_at_an_early_end_and_for_every_session_of_the_person(place: Relying, groups: GroupWorld) -> None:
    ok(groups.give(place.admins, place.ann))
    ok(groups.activate(place.admins, place.ann, hours=1))
    mine = {place.sign_in().identity["sid"] for _ in range(2)}
    place.sign_in(place.world.bob)
    place.world.forward(minutes=10)
    ok(groups.deactivate(place.admins, place.ann))
    place.work()
    assert {one["sid"] for one in place.told()} == mine


def test_only_applications_that_are_told_of_it(place: Relying) -> None:
    """A directory role is no business of an application that gets its own roles alone."""
    place.settings(userinfo=(Named("roles"),))
    other, _ = place.register("Intranet", _more(place).url)
    place.world.eligible(place.ann)
    browser = place.browser()
    place.sign_in(browser=browser)
    place.sign_in(app=other, browser=browser)
    ok(place.world.activate(place.ann, hours=1))
    place.work()
    assert place.told() == []
    assert [one["aud"] for one in place.told(place.others[0])] == [other.app_id]


@pytest.mark.parametrize(
    ("when", "at_start", "at_end"),
    [(LogoutWhen.CHANGE, 1, 1), (LogoutWhen.LOSS, 0, 1), (LogoutWhen.SIGN_OUT, 0, 0)],
)
def test_the_application_says_when(
    place: Relying, groups: GroupWorld, when: LogoutWhen, at_start: int, at_end: int
) -> None:
    place.settings(logout_when=when)
    ok(groups.give(place.admins, place.ann))
    place.sign_in()
    ok(groups.activate(place.admins, place.ann, hours=1))
    place.work()
    assert len(place.told()) == at_start
    if at_start:
        place.sign_in()
    place.world.forward(hours=1)
    place.work()
    assert len(place.told()) == at_end


def test_what_a_group_has_changes_for_all_who_are_in_it(place: Relying) -> None:
    place.world.write(
        lambda tx: tx.groups.add_member(place.admins, tx.principals.many([place.ann])[place.ann])
    )
    outer = place.world.group("Outer", role_assignable=False)
    signed = place.sign_in()
    from openpim.services.directory.group_members import add_member

    ok(add_member(place.world.deps, place.world.caller(place.world.ga), outer, place.admins))
    place.work()
    assert [one["sid"] for one in place.told()] == [signed.identity["sid"]]


def test_a_group_that_is_deleted_takes_its_role_with_it(place: Relying) -> None:
    from openpim.services.directory.delete_group import delete_group

    place.world.write(
        lambda tx: tx.groups.add_member(place.admins, tx.principals.many([place.ann])[place.ann])
    )
    signed = place.sign_in()
    assert delete_group(place.world.deps, place.world.caller(place.world.ga), place.admins) is None
    place.work()
    assert [one["sid"] for one in place.told()] == [signed.identity["sid"]]


def test_a_role_that_is_taken_back_or_switched_off(place: Relying) -> None:
    from openpim.services.directory import app_roles
    from openpim.services.directory.applications import update_application

    assignment = place.assign(place.ann)
    place.sign_in()
    assert app_roles.unassign(place.world.deps, place.world.system, assignment) is None
    place.work()
    assert len(place.told()) == 1
    place.assign(place.ann)
    place.sign_in()
    off = replace(place.role, enabled=False)
    ok(update_application(place.world.deps, place.world.system, place.app.id, {"app_roles": (off,)}))
    place.work()
    assert len(place.told()) == 1


def test_what_nothing_tells_of_is_found_in_time(place: Relying) -> None:
    """A row that somebody wrote past the acts, or a road that nobody thought of."""
    assignment = place.assign(place.ann)
    place.sign_in()
    place.work()
    place.world.write(lambda tx: tx.app_role_assignments.remove(assignment))
    place.world.forward(minutes=14)
    place.work()
    assert place.told() == []
    place.world.forward(minutes=1)
    place.work()
    assert len(place.told()) == 1


def test_a_change_of_the_settings_signs_nobody_out(place: Relying) -> None:
    place.world.group("Team", [place.ann])
    place.settings(userinfo=(Named("roles"),))
    place.sign_in()
    place.settings(userinfo=(Named("roles"), Named("groups")))
    place.world.forward(minutes=20)
    place.work()
    assert place.told() == []


# ---------------------------------------------------------------- sign-out and being shut out


def _signed_out(place: Relying) -> None:
    signed = place.sign_in()
    answer = signed.browser.get(
        f"/{place.tenant}/oauth2/v2.0/logout", id_token_hint=signed.answer["id_token"]
    )
    assert answer.status_code == 200


def _own_session(place: Relying) -> None:
    sid = place.sign_in().identity["sid"]
    assert end_own_session(place.signin.deps, Account(place.tenant, place.ann), sid, ORIGIN) is None


def _revoked(place: Relying) -> None:
    place.sign_in()
    assert revoke_sessions(place.signin.deps, place.world.caller(place.world.ga), place.ann) is None


def _disabled(place: Relying) -> None:
    from openpim.services.directory.update_user import update_user

    place.sign_in()
    ok(update_user(place.signin.deps, place.world.caller(place.world.ga), place.ann, {"enabled": False}))


def _deleted(place: Relying) -> None:
    from openpim.services.directory.delete_user import delete_user

    place.sign_in()
    assert delete_user(place.signin.deps, place.world.caller(place.world.ga), place.ann) is None


def _somebody_else(place: Relying) -> None:
    signed = place.sign_in()
    browser = signed.browser
    browser.authorize(place.tenant, prompt="login", client_id=place.app.app_id, redirect_uri="https://payroll.example/cb",
                      scope="openid")  # fmt: skip
    browser.sign_in(place.upn(place.world.bob))


@pytest.mark.parametrize("road", [_signed_out, _own_session, _revoked, _disabled, _deleted, _somebody_else])
def test_every_road_out_is_told(place: Relying, road: Any) -> None:
    road(place)
    place.work()
    (told,) = place.told()
    assert told["sub"] == place.ann
    place.work()
    assert place.told() == []


def test_signing_in_again_as_oneself_is_no_sign_out(place: Relying) -> None:
    browser = place.browser()
    place.sign_in(browser=browser)
    place.sign_in(browser=browser, prompt="login")
    place.work()
    assert place.told() == []


def test_who_gives_its_token_back_is_not_told_what_it_knows(place: Relying) -> None:
    signed = place.sign_in()
    answer = place.http.post(
        f"/{place.tenant}/oauth2/v2.0/revoke",
        client_id=place.app.app_id,
        client_secret="payroll-secret-payroll-secret-pay",
        token=signed.answer["refresh_token"],
    )
    assert answer.status_code == 200
    place.work()
    assert place.told() == []


def test_a_refresh_does_not_hide_what_was_lost(place: Relying, groups: GroupWorld) -> None:
    """The application may go on with what it was told at the sign-in."""
    ok(groups.give(place.admins, place.ann))
    ok(groups.activate(place.admins, place.ann, hours=1))
    signed = place.sign_in()
    place.world.forward(hours=1)
    signed.refresh()
    place.work()
    assert [one["sid"] for one in place.told()] == [signed.identity["sid"]]


def test_another_tenants_people_and_applications_are_left_alone(place: Relying) -> None:
    other = World(place.world.database)
    place.sign_in()
    other.disable(other.ann)
    other.group("Theirs", [other.ann])
    other.work()
    place.work()
    assert place.told() == []


# ---------------------------------------------------------------- the queue


def _more(place: Relying) -> Receiver:
    made = Receiver()
    place.others.append(made)
    return made


def test_an_application_that_is_down_is_told_when_it_is_back(place: Relying) -> None:
    signed = place.sign_in()
    place.receiver.status = 503
    place.world.disable(place.ann)
    for seconds in (0, 1, 2, 4, 8):
        place.world.forward(seconds=seconds)
        place.work()
    refused = place.told()
    assert len(refused) == 5
    assert len({one["jti"] for one in refused}) == 5
    said = place.world.events("Sign-out of application failed")
    assert [(one.result, dict(one.details)["GivenUp"]) for one in said] == [("failure", "no")]
    place.receiver.status = 200
    place.world.forward(minutes=5)
    place.work()
    assert [one["sid"] for one in place.told()] == [signed.identity["sid"]]
    place.world.forward(minutes=5)
    place.work()
    assert place.told() == []


def test_who_says_no_is_believed_after_some_tries(place: Relying) -> None:
    place.sign_in()
    place.receiver.status = 400
    place.world.disable(place.ann)
    for _ in range(10):
        place.work()
        place.world.forward(minutes=5)
    assert len(place.told()) == 5
    said = place.world.events("Sign-out of application failed")
    assert {dict(one.details)["GivenUp"] for one in said} == {"no", "yes"}


def test_a_slow_application_holds_up_no_other(place: Relying) -> None:
    other, _ = place.register("Quick", _more(place).url)
    browser = place.browser()
    place.sign_in(browser=browser)
    place.sign_in(app=other, browser=browser)
    place.receiver.gate.clear()
    place.world.disable(place.ann)
    place.world.work()
    place._following()
    place._telling()
    quick = place._telling._busy.get(other.app_id)
    if quick is not None:
        quick[1].join(10)
    assert len(place.told(place.others[0])) == 1
    assert place.told() == []
    assert place.app.app_id in place._telling._busy
    place.receiver.gate.set()


def test_a_server_killed_between_claim_and_sending_loses_nothing(place: Relying) -> None:
    place.sign_in()
    place.world.disable(place.ann)
    place.world.work()
    Following(place.signin.deps)()
    assert logout.claim(place.signin.deps, place.tenant, place.app.app_id)  # and here it dies
    place.work()
    assert place.told() == []  # somebody else has it, as far as anybody knows
    place.world.forward(seconds=61)
    telling(place.signin).join(0)
    place.work()
    assert len(place.told()) == 1


def test_a_sender_that_was_away_too_long_does_not_send(place: Relying) -> None:
    place.sign_in()
    place.world.disable(place.ann)
    place.world.work()
    Following(place.signin.deps)()
    entries = logout.claim(place.signin.deps, place.tenant, place.app.app_id)
    leased = place.world.now + timedelta(seconds=45)
    place.world.forward(seconds=61)
    assert logout.send(place.signin, entries, leased) == 0
    assert place.told() == []


def test_only_allowed_addresses_are_called(place: Relying) -> None:
    """A private address that the configuration does not name is never called, whoever wrote it."""
    place.sign_in()

    def elsewhere(tx: Any) -> None:
        known: Application = tx.applications.get(place.app.id)
        tx.applications.save(replace(known, logout_uri="https://10.11.12.13/logout"))

    place.world.write(elsewhere)
    place.world.disable(place.ann)
    place.work()
    assert place.told() == []
    rests, later = (
        bool(place.world.read(lambda tx, at=at: tx.outbox.due_keys("logout", at, 10)))
        for at in (place.world.now, place.world.now + timedelta(seconds=10))
    )
    assert (rests, later) == (False, True)


def test_nothing_is_kept_for_applications_that_are_not_told(place: Relying) -> None:
    plain, _ = place.register("Plain")
    place.sign_in(app=plain)
    rows = place.world.read(lambda tx: tx.client_sessions.any_in(place.tenant))
    assert rows is False


def test_the_history_is_followed_from_where_it_stood(place: Relying) -> None:
    """Nobody signed in: nothing is read, and the cursor goes to the end."""
    place.work()
    assert place.world.read(lambda tx: tx.cursors.position("relying")) == place.world.grow()


def test_the_words_of_the_queue_hold_no_secret(place: Relying) -> None:
    place.sign_in()
    place.world.disable(place.ann)
    place.world.work()
    Following(place.signin.deps)()
    entries = logout.claim(place.signin.deps, place.tenant, place.app.app_id)
    assert json.loads(entries[0].payload).keys() == {"sid", "sub", "iss", "reason"}
