"""What receivers are told when something happens to people: through acts, the audit log, and a push that is judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from openpim.core.grants import Kind
from openpim.core.relying import AppRole, ClaimSettings
from openpim.services.directory.app_roles import assign, unassign
from openpim.services.directory.delete_user import delete_user
from openpim.services.directory.group_members import add_member, remove_member
from openpim.services.directory.update_user import set_enabled, update_user
from openpim.services.signin import my_methods, my_sessions
from openpim.services.signin.events import record
from openpim.services.signin.my_methods import Proof
from openpim.services.signin.revoke_sessions import revoke_sessions
from openpim.services.signin.sessions import open_session
from tests.faces.signals.judge import set_faults
from tests.faces.signals.stage import EVERYTHING, HERE, PLACE, Receiver, Stage, pushed
from tests.services.groups import GroupWorld
from tests.world import HELPDESK, TEAMS, World, ok

PASSWORD, SEED = "correct horse battery", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def judged(stage: Stage, receiver: Receiver, address: str = PLACE) -> list[str]:
    """All that is wrong with what was pushed there."""
    keys = stage.jwks()
    return [
        fault
        for token in stage.pushed_to(address)
        for fault in set_faults(token, keys, stage.issuer, receiver.face.app_id, EVERYTHING)
    ]


def test_an_activation_and_its_end_by_time(stage: Stage, crm: Receiver) -> None:
    world = stage.world
    crm.everything()
    world.eligible(world.ann)
    assert stage.tell() == 0, "being eligible changes no one's access"
    began = world.now
    ok(world.activate(world.ann, hours=1))
    assert stage.tell() == 1
    ((kind, event),) = stage.events()
    assert kind == "token-claims-change"
    assert event["claims"]["wids"] == [TEAMS]
    assert event["claims"]["roles"] == ["Teams Administrator"]
    assert event["event_timestamp"] == int(began.timestamp())
    assert event["initiating_entity"] == "user"
    ended = world.forward(hours=1)
    world.forward(minutes=3)
    assert stage.tell() == 2
    (_, (kind, event), (last, revoked)) = stage.events()
    assert (kind, last) == ("token-claims-change", "session-revoked")
    assert event["claims"] == {"groups": [], "roles": [], "wids": []}
    assert event["event_timestamp"] == revoked["event_timestamp"] == int(ended.timestamp())
    assert revoked["initiating_entity"] == "policy"
    assert revoked["reason_admin"] == {"en": "A role ended by time."}
    assert stage.claims()[0]["sub_id"] == {"format": "iss_sub", "iss": stage.issuer, "sub": world.ann}
    assert judged(stage, crm) == []


def kinds(stage: Stage, address: str = PLACE) -> list[str]:
    return [kind for kind, _ in stage.events(address)]


def test_a_deactivation_is_told_at_once(stage: Stage, crm: Receiver) -> None:
    world = stage.world
    crm.everything()
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    world.forward(minutes=10)
    ok(world.deactivate(world.ann))
    stage.tell()
    assert kinds(stage) == ["token-claims-change", "token-claims-change", "session-revoked"]
    assert {event["initiating_entity"] for _, event in stage.events()} == {"user"}
    first, second, third = (one["txn"] for one in stage.claims())
    assert first != second == third, "one cause, one transaction"
    assert len({one["jti"] for one in stage.claims()}) == 3


def test_an_administrator_takes_it_away(stage: Stage, crm: Receiver) -> None:
    world = stage.world
    crm.everything()
    world.assigned(world.bob)
    world.forward(minutes=10)
    ok(world.take(world.bob, kind=Kind.ASSIGNMENT))
    stage.tell()
    assert kinds(stage) == ["token-claims-change", "token-claims-change", "session-revoked"]
    last = stage.events()[-1][1]
    assert last["initiating_entity"] == "admin"
    assert last["reason_admin"] == {"en": "A role was taken away."}


def test_who_still_has_it_lost_nothing(stage: Stage, crm: Receiver) -> None:
    """Grants are a union: one that ends beside another that gives the same changes nothing, and neither does a second."""
    world = stage.world
    crm.everything()
    world.assigned(world.bob)
    stage.tell()
    world.forward(minutes=10)
    group = world.group("Team", members=[world.bob])
    world.assigned(group)
    stage.tell()
    world.forward(minutes=10)
    ok(world.take(group, kind=Kind.ASSIGNMENT))
    stage.tell()
    assert kinds(stage) == ["token-claims-change"]


def test_everybody_in_a_group_is_told_of(stage: Stage, crm: Receiver) -> None:
    world = stage.world
    crm.everything()
    group = world.group("Team", members=[world.ann, world.bob])
    world.assigned(group)
    stage.tell()
    told = {one["sub_id"]["sub"]: one for one in stage.claims()}
    assert told.keys() == {world.ann, world.bob}
    claims = told[world.ann]["events"].popitem()[1]["claims"]
    assert claims == {"groups": [group], "roles": ["Teams Administrator"], "wids": [TEAMS]}


def test_being_in_a_group_for_a_time(stage: Stage, crm: Receiver) -> None:
    world, group = stage.world, stage.world.group("Team", role_assignable=False)
    crm.everything()
    ok(GroupWorld(world).give(group, world.ann, kind=Kind.ASSIGNMENT, hours=1))
    stage.tell()
    world.forward(hours=1)
    stage.tell()
    (_, came), (_, went), (last, _) = stage.events()
    assert (came["claims"]["groups"], went["claims"]["groups"], last) == ([group], [], "session-revoked")


def test_standing_members_too(stage: Stage, crm: Receiver) -> None:
    world, group = stage.world, stage.world.group("Team", role_assignable=False)
    crm.everything()
    assert add_member(world.deps, world.caller(world.ga), group, world.ann) is None
    assert stage.tell() == 1
    assert remove_member(world.deps, world.caller(world.ga), group, world.ann) is None
    assert stage.tell() == 2
    assert kinds(stage) == ["token-claims-change", "token-claims-change", "session-revoked"]


def test_what_starts_later_is_told_when_it_starts(stage: Stage, crm: Receiver) -> None:
    world = stage.world
    crm.everything()
    begins = world.now + timedelta(hours=2)
    ok(world.give(world.bob, TEAMS, Kind.ASSIGNMENT, start=begins, until=begins + timedelta(hours=1)))
    assert stage.tell() == 0
    world.at(begins + timedelta(seconds=5))
    assert stage.tell() == 1
    ((_, event),) = stage.events()
    assert event["event_timestamp"] == int(begins.timestamp())
    assert event["claims"]["wids"] == [TEAMS]


def test_a_role_in_one_place_is_in_no_token(stage: Stage, crm: Receiver) -> None:
    """Claims do not tell of it; sessions that were opened with it are told of."""
    world = stage.world
    crm.everything()
    unit = world.unit("Berlin")
    world.eligible(world.ann, HELPDESK, unit)
    ok(world.activate(world.ann, HELPDESK, unit, hours=1))
    assert stage.tell() == 0
    world.forward(hours=1)
    stage.tell()
    assert kinds(stage) == ["session-revoked"]


@pytest.mark.parametrize("way", ["revoke", "disable", "disable with more", "delete"])
def test_an_account_is_shut_out(stage: Stage, crm: Receiver, way: str) -> None:
    world = stage.world
    world.change_user(world.ann, mail="ann@example.com")
    crm.everything(format="email")
    admin = world.caller(world.ga)
    match way:
        case "revoke":
            assert revoke_sessions(world.deps, admin, world.ann) is None
        case "disable":
            ok(set_enabled(world.deps, admin, world.ann, enabled=False))
        case "disable with more":
            ok(update_user(world.deps, admin, world.ann, {"enabled": False, "department": "none"}))
        case _:
            assert delete_user(world.deps, admin, world.ann) is None
    stage.tell()
    assert kinds(stage) == ["session-revoked"]
    assert stage.claims()[0]["sub_id"] == {"format": "email", "email": "ann@example.com"}
    assert stage.events()[0][1]["initiating_entity"] == "admin"
    assert judged(stage, crm) == []
    ok(update_user(world.deps, admin, world.bob, {"department": "more"}))
    if way.startswith("disable"):
        ok(set_enabled(world.deps, admin, world.ann, enabled=True))
    assert stage.tell() == 0


def test_credentials_change(stage: Stage, crm: Receiver) -> None:
    """Each way to sign in, through the acts of a person's own page."""
    world, signin = stage.world, stage.signin
    crm.everything()
    stage.password(world.ann)
    account = stage.account(world.ann)
    session, _ = world.write(lambda tx: open_session(tx, stage.deps, account, ("pwd", "mfa"), HERE))

    def proof(password: str = PASSWORD) -> Proof:
        world.forward(minutes=1)
        return Proof(password, str(pyotp.TOTP(SEED).at(world.now)))

    ok(my_methods.change_password(signin, session, proof(), "another horse battery", HERE))
    ok(my_methods.renew_recovery_codes(signin, session, proof("another horse battery"), HERE))
    my_sessions.end_others(stage.deps, account, session.id, HERE)
    offer = my_methods.offer_totp(signin, session)
    last = proof("another horse battery")
    new = str(pyotp.TOTP(offer.seed).at(world.now))
    ok(my_methods.take_totp(signin, session, last, offer.token, new, HERE))
    stage.tell()
    changes = [
        (kind, event.get("credential_type"), event.get("change_type")) for kind, event in stage.events()
    ]
    assert changes == [
        ("session-revoked", None, None),
        ("credential-change", "password", "update"),
        ("credential-change", "recovery-codes", "update"),
        ("session-revoked", None, None),
        ("credential-change", "app", "update"),
    ]
    assert {event["initiating_entity"] for _, event in stage.events()} == {"user"}
    assert judged(stage, crm) == []


@pytest.mark.parametrize(
    ("activity", "details", "told"),
    [
        ("Add passkey", (("passkey", "My phone"),), [("fido2-roaming", "create", "My phone")]),
        ("Remove passkey", (("passkey", "My phone"),), [("fido2-roaming", "delete", "My phone")]),
        ("Enrol second factor", (), [("app", "create", None)]),
        ("Use recovery code", (), [("recovery-codes", "revoke", None)]),
        (
            "Set up credentials",
            (),
            [("password", "update", None), ("app", "update", None), ("fido2-roaming", "revoke", None)],
        ),
        ("Sign in", (), []),
        ("Sign out", (), []),
    ],
)
def test_of_signing_in(
    stage: Stage, crm: Receiver, activity: str, details: Any, told: list[tuple[str, str, str | None]]
) -> None:
    """What the history says of a sign-in: what each event becomes."""
    crm.everything()
    account = stage.account(stage.world.ann)
    stage.world.write(lambda tx: record(stage.deps, tx, account, activity, HERE, details=details))
    stage.world.write(
        lambda tx: record(stage.deps, tx, account, activity, HERE, reason="no", details=details)
    )
    stage.tell()
    found = [
        (event["credential_type"], event["change_type"], event.get("friendly_name"))
        for kind, event in stage.events()
        if kind == "credential-change"
    ]
    assert found == told
    assert judged(stage, crm) == []


def test_a_second_factor_is_given(stage: Stage, crm: Receiver) -> None:
    crm.everything()
    account = stage.account(stage.world.ann)
    stage.world.write(
        lambda tx: record(stage.deps, tx, account, "Give second factor", HERE, amr=("otp", "mfa"))
    )
    stage.tell()
    ((kind, event),) = stage.events()
    assert kind == "assurance-level-change"
    assert (
        event["namespace"],
        event["previous_level"],
        event["current_level"],
        event["change_direction"],
    ) == (
        "NIST-AAL",
        "nist-aal1",
        "nist-aal2",
        "increase",
    )
    assert judged(stage, crm) == []


def test_only_what_was_asked_for(stage: Stage, crm: Receiver) -> None:
    world = stage.world
    revoked = EVERYTHING[0]
    crm.create(delivery=pushed(), events_requested=[revoked, "urn:x:unknown"])
    crm.create(delivery=pushed("https://nothing.example/"), events_requested=[])
    world.assigned(world.bob)
    world.forward(minutes=10)
    ok(world.take(world.bob, kind=Kind.ASSIGNMENT))
    stage.tell()
    assert kinds(stage) == ["session-revoked"]
    assert stage.pushed_to("https://nothing.example/") == []


def test_nothing_that_only_administrators_may_read(stage: Stage, crm: Receiver) -> None:
    world = stage.world
    crm.everything()
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1, justification="a very secret reason"))
    world.forward(hours=1)
    stage.tell()
    said = repr(stage.claims())
    assert "secret" not in said
    assert HERE.ip not in said


def test_tenants_are_apart(stage: Stage, crm: Receiver) -> None:
    other = World(stage.world.database)
    theirs = stage.receiver("Theirs", world=other)
    theirs.everything("https://theirs.example/")
    crm.everything()
    world = stage.world
    world.assigned(world.bob)
    stage.tell()
    assert len(stage.claims()) == 1
    assert stage.pushed_to("https://theirs.example/") == []


def test_a_stream_knows_nothing_of_before(stage: Stage, crm: Receiver) -> None:
    world = stage.world
    world.assigned(world.bob)
    world.forward(minutes=1)
    crm.everything("https://one.example/")
    stage.tell()
    assert stage.claims("https://one.example/") == []
    world.assigned(world.ann)
    world.forward(minutes=1)
    crm.everything("https://two.example/")  # while the first still waits to be planned
    stage.tell()
    assert len(stage.claims("https://one.example/")) == 1
    assert stage.claims("https://two.example/") == []


def test_claims_are_those_of_the_receivers_own_tokens(stage: Stage) -> None:
    """An application with roles of its own is told of those, one that is told of no groups is told of none."""
    world = stage.world
    own, bare = stage.receiver("Own roles"), stage.receiver("No claims")
    own.everything()
    bare.everything("https://bare.example/")
    nothing = ClaimSettings(userinfo=())

    def work(tx: Any) -> None:
        mine = tx.applications.by_app_id(own.face.app_id)
        roles = (AppRole(world.new_id(), "editor", "Editor"),)
        tx.applications.save(replace(mine, app_roles=roles))
        theirs = tx.applications.by_app_id(bare.face.app_id)
        tx.applications.save(replace(theirs, claims=nothing))

    world.write(work)
    world.assigned(world.bob)
    stage.tell()
    world.forward(minutes=10)
    ok(world.take(world.bob, kind=Kind.ASSIGNMENT))
    stage.tell()
    claims = [event.get("claims") for _, event in stage.events()]
    assert claims == [
        {"groups": [], "roles": [], "wids": [TEAMS]},
        {"groups": [], "roles": [], "wids": []},
        None,
    ]
    assert kinds(stage, "https://bare.example/") == ["session-revoked"]
    assert "Teams" not in repr(stage.claims("https://bare.example/")), "nor by a reason"


def test_a_role_of_an_application_is_its_own_business(stage: Stage, crm: Receiver) -> None:
    world, role = stage.world, AppRole(stage.world.new_id(), "editor", "Editor", members=("User",))
    crm.everything()
    stage.receiver("Other").everything("https://other.example/")

    def work(tx: Any) -> None:
        mine = tx.applications.by_app_id(crm.face.app_id)
        tx.applications.save(replace(mine, app_roles=(role,)))

    world.write(work)
    group = world.group("Editors", members=[world.ann, world.bob])
    admin = world.caller(world.ga)
    made = ok(assign(world.deps, admin, group, crm.face.id, role.id))
    stage.tell()
    assert [event["claims"]["roles"] for _, event in stage.events()] == [["editor"]] * 2
    assert {one["sub_id"]["sub"] for one in stage.claims()} == {world.ann, world.bob}
    assert unassign(world.deps, admin, made.assignment.id) is None
    stage.tell()
    assert kinds(stage)[2:] == ["token-claims-change", "session-revoked"] * 2
    assert stage.events()[2][1]["claims"]["roles"] == []
    assert judged(stage, crm) == []
    assert stage.pushed_to("https://other.example/") == []
