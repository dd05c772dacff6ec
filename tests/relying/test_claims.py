"""What applications are told of people: live in userinfo, bounded in tokens, where each application wants it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openpim.core.relying import AppRole, Named
from tests.relying_world import Relying
from tests.services.groups import GroupWorld
from tests.world import TEAMS, ok

FOUR = ("roles", "wids", "groups", "group_names")


def named(*names: str, by_name: bool = False) -> tuple[Named, ...]:
    return tuple(Named(one, ("cloud_displayname",) if by_name and one == "groups" else ()) for one in names)


def carried(claims: dict[str, Any]) -> set[str]:
    return {one for one in FOUR if one in claims}


def test_a_group_that_is_activated_gives_an_application_role(place: Relying, groups: GroupWorld) -> None:
    ok(groups.give(place.admins, place.ann))
    signed = place.sign_in()
    before = signed.userinfo().json()
    assert (before["roles"], before["groups"], before["group_names"], before["wids"]) == ([], [], [], [])
    ok(groups.activate(place.admins, place.ann, hours=1))
    during = signed.userinfo().json()
    assert during["roles"] == ["Payroll.Write"]
    assert (during["groups"], during["group_names"]) == ([place.admins], ["Payroll admins"])
    place.world.forward(minutes=59, seconds=59)
    assert signed.userinfo().json()["roles"] == ["Payroll.Write"]
    place.world.forward(seconds=1)  # no worker has run
    assert signed.refresh().userinfo().json()["roles"] == []


def test_an_application_without_roles_of_its_own_hears_the_directory_roles(place: Relying) -> None:
    other, _ = place.register("Intranet")
    place.world.eligible(place.ann)
    signed = place.sign_in(app=other)
    ok(place.world.activate(place.ann, hours=1))
    told = signed.userinfo().json()
    assert (told["roles"], told["wids"]) == (["Teams Administrator"], [TEAMS])
    # One that has roles is never told that a directory role is one of them.
    assert place.sign_in().userinfo().json()["roles"] == []


def test_tokens_carry_by_default_the_applications_roles_alone(place: Relying) -> None:
    place.assign(place.ann)
    place.world.group("Team", [place.ann])
    signed = place.sign_in(scope=f"openid offline_access {place.app.app_id}/.default")
    assert carried(signed.identity) == {"roles"}
    assert (signed.identity["roles"], signed.access["roles"]) == (["Payroll.Write"], ["Payroll.Write"])
    assert carried(signed.access) == {"roles"}
    plain, _ = place.register("Plain")
    assert carried(place.sign_in(app=plain).identity) == set()


@pytest.mark.parametrize("where", ["id_token", "access_token", "userinfo"])
def test_each_claim_goes_where_the_application_wants_it(place: Relying, where: str) -> None:
    place.assign(place.ann)
    team = place.world.group("Team", [place.ann])
    place.world.assigned(place.ann)
    settings: dict[str, Any] = {"only_named": True, "userinfo": (), where: named(*FOUR)}
    place.settings(**settings)
    signed = place.sign_in(scope=f"openid offline_access {place.app.app_id}/.default")
    found = {
        "id_token": signed.identity,
        "access_token": signed.access,
        "userinfo": signed.userinfo().json(),
    }
    for name, claims in found.items():
        assert carried(claims) == (set(FOUR) if name == where else set()), name
    told = found[where]
    assert [told[one] for one in FOUR] == [["Payroll.Write"], [TEAMS], [team], ["Team"]]


def test_groups_by_name_instead_of_by_id(place: Relying) -> None:
    place.world.group("Team", [place.ann])
    place.settings(group_claims="SecurityGroup", id_token=named("groups", by_name=True))
    signed = place.sign_in()
    assert signed.identity["groups"] == ["Team"]
    assert carried(place.sign_in(scope=f"openid {place.app.app_id}/.default").access) == {"roles"}


@pytest.mark.parametrize(
    ("source", "told"),
    [("All", {"Secure", "Mail", "Payroll admins"}), ("SecurityGroup", {"Secure", "Payroll admins"}),
     ("ApplicationGroup", {"Payroll admins"}), ("None", None), ("DirectoryRole", None)],
)  # fmt: skip
def test_which_groups_are_told(place: Relying, source: str, told: set[str] | None) -> None:
    place.world.group("Secure", [place.ann])
    place.world.group("Mail", [place.ann], role_assignable=False, security_enabled=False)
    place.world.write(
        lambda tx: tx.groups.add_member(place.admins, tx.principals.many([place.ann])[place.ann])
    )
    place.settings(group_claims=source)
    signed = place.sign_in()
    names = place.world.read(lambda tx: tx.groups.many(signed.identity.get("groups", ())))
    assert ({one.display_name for one in names.values()} or None) == told
    if source == "None":
        assert "groups" not in signed.userinfo().json()


def test_a_role_that_is_switched_off_or_for_applications_is_nobodys(place: Relying) -> None:
    off = AppRole(place.world.new_id(), "Off", "Off", enabled=False)
    robots = AppRole(place.world.new_id(), "Robots", "Robots", members=("Application",))
    app, face = place.register("Roles", app_roles=(off, robots))
    for one in (off, robots):
        place.assign(place.ann, one, face)
    assert place.sign_in(app=app).userinfo().json()["roles"] == []


def test_an_application_acting_as_itself_has_roles_at_another(place: Relying) -> None:
    write = AppRole(place.world.new_id(), "Ledger.Write", "Write", members=("Application",))
    api, face = place.register("Ledger", app_roles=(write,), identifier_uris=("api://ledger",))
    assignment = place.assign(place.face.id, write, face)

    def ask() -> dict[str, Any]:
        answer = place.token(place.app, grant_type="client_credentials", scope="api://ledger/.default")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    token = ask()["access_token"]
    assert place.introspect(token, api)["roles"] == ["Ledger.Write"]
    place.world.write(lambda tx: tx.app_role_assignments.remove(assignment))
    assert place.introspect(token, api) == {"active": False}
    assert "roles" in (told := place.introspect(ask()["access_token"], api))
    assert told["roles"] == []


def test_what_does_not_fit_is_told_by_userinfo(place: Relying) -> None:
    for number in range(210):
        place.world.group(f"Group {number}", [place.ann], role_assignable=False)
    place.settings(group_claims="All", id_token=named("groups", "roles"))
    signed = place.sign_in()
    assert "groups" not in signed.identity
    assert signed.identity["roles"] == []
    assert signed.identity["_claim_names"] == {"groups": "src1"}
    assert signed.identity["_claim_sources"]["src1"]["endpoint"].endswith("/oidc/userinfo")
    assert len(signed.userinfo().json()["groups"]) == 210


# ---------------------------------------------------------------- no token outlives what it says


@pytest.fixture
def elevated(place: Relying, groups: GroupWorld) -> Relying:
    """Ann is in the group for the next half hour, and has its role; her tokens would last an hour."""
    ok(groups.give(place.admins, place.ann))
    ok(groups.activate(place.admins, place.ann, minutes=30))
    place.settings(group_claims="All")
    return place


def _lives(claims: dict[str, Any]) -> int:
    return int(claims["exp"] - claims["iat"])


def test_by_code_and_by_refresh(elevated: Relying, groups: GroupWorld) -> None:
    scope = f"openid offline_access {elevated.app.app_id}/.default"
    signed = elevated.sign_in(scope=scope)
    assert signed.access["roles"] == ["Payroll.Write"]
    assert _lives(signed.access) == _lives(signed.identity) == 30 * 60
    assert signed.answer["expires_in"] == 30 * 60
    elevated.world.forward(minutes=10)
    again = signed.refresh()
    assert _lives(again.access) == _lives(again.identity) == 20 * 60
    elevated.world.forward(minutes=20)
    assert elevated.introspect(again.answer["access_token"]) == {"active": False}
    anew = again.refresh()
    assert (anew.access["roles"], anew.access["groups"]) == ([], [])
    assert _lives(anew.access) == 60 * 60


def test_by_device_code(elevated: Relying) -> None:
    public, face = elevated.register("Tool", public=True)
    elevated.allow(face, elevated.face, "user_impersonation")
    base = f"/{elevated.tenant}/oauth2/v2.0"
    asked = elevated.http.post(
        f"{base}/devicecode",
        client_id=public.app_id,
        scope=f"openid {elevated.app.app_id}/.default",
    )
    assert asked.status_code == 200, asked.text
    browser = elevated.browser()
    browser.get("/devicelogin")
    browser.submit("user_code", user_code=asked.json()["user_code"])
    browser.sign_in(elevated.upn(elevated.ann))
    browser.submit("confirm_device", choice="yes")
    made = elevated.http.post(
        f"{base}/token",
        client_id=public.app_id,
        grant_type="urn:ietf:params:oauth:grant-type:device_code",
        device_code=asked.json()["device_code"],
    )
    assert made.status_code == 200, made.text
    assert made.json()["expires_in"] == 30 * 60


def test_introspection_says_no_the_moment_the_activation_ends(elevated: Relying, groups: GroupWorld) -> None:
    signed = elevated.sign_in(scope=f"openid offline_access {elevated.app.app_id}/.default")
    told = signed.introspect()
    assert told["active"] is True
    assert (told["roles"], told["groups"]) == (["Payroll.Write"], [elevated.admins])
    assert (told["acr"], told["sid"]) == ("1", signed.access["sid"])
    elevated.world.forward(minutes=6)
    ok(groups.deactivate(elevated.admins, elevated.ann))
    assert signed.introspect() == {"active": False}


def test_a_union_ends_with_its_last_part(elevated: Relying) -> None:
    elevated.assign(elevated.ann)  # the role for good, besides
    elevated.settings(only_named=True, access_token=named("roles"))
    signed = elevated.sign_in(scope=f"openid offline_access {elevated.app.app_id}/.default")
    assert _lives(signed.access) == 60 * 60
    elevated.world.forward(minutes=31)
    assert signed.introspect()["active"] is True


def test_introspection_says_no_when_the_person_is_disabled(elevated: Relying) -> None:
    signed = elevated.sign_in()
    assert signed.introspect()["active"] is True
    elevated.world.disable(elevated.ann)
    assert signed.introspect() == {"active": False}
    assert signed.userinfo().status_code == 401


def test_sids_are_of_the_session(place: Relying) -> None:
    browser = place.browser()
    one = place.sign_in(browser=browser)
    other, _ = place.register("Other")
    two = place.sign_in(app=other, browser=browser)
    elsewhere = place.sign_in()
    assert one.identity["sid"] == two.identity["sid"] != elsewhere.identity["sid"]
    assert (one.identity["acr"], one.identity["auth_time"]) == ("1", int(place.world.now.timestamp()))


def test_userinfo_is_json_that_a_proxy_can_read(place: Relying) -> None:
    assert isinstance(json.loads(place.sign_in().userinfo().text)["roles"], list)
