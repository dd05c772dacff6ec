"""One decision, and many: what the words mean, who may ask, and that an end is an end."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from openpim.core.caller import Caller, CallerKind
from openpim.core.grants import Action, Provider
from openpim.core.permissions import OWNER as RESOURCE_OWNER
from openpim.core.permissions import READER as RESOURCE_READER
from openpim.core.permissions import DenyAssignment, Permission
from openpim.ports.store import StoreUnavailableError
from openpim.services.decisions.following import LATEST
from openpim.services.directory.group_members import add_member, remove_member
from openpim.services.directory.update_user import set_enabled
from openpim.services.resources import denials, shaping
from openpim.services.resources.shaping import Wanted
from tests.faces.authzen.conftest import ALL, EVALUATION, SELF, Site, question
from tests.world import ASSIGNMENT, MICROSECOND, TEAMS, World, ok

EVALUATIONS = "/access/v1/evaluations"


@pytest.fixture
def tree(world: World) -> tuple[str, str]:
    """A subscription and a resource group in it; bob owns the root group."""

    def place(path: str, **more: Any) -> str:
        return ok(shaping.put(world.deps, world.system, path, Wanted(**more))).resource.id

    top = place(f"/subscriptions/{world.new_id()}")
    group = place(f"{top}/resourceGroups/web", location="x")
    root = shaping.root_group(world.tenant_id)
    ask = world.ask(Action.ADMIN_ASSIGN, world.bob, RESOURCE_OWNER, root, kind=ASSIGNMENT, permanent=True)
    ask = replace(ask, provider=Provider.RESOURCE)
    ok(world.submit(ask, world.system))
    return top, group


def test_can_t_activate_can_end_can_t(site: Site, world: World) -> None:
    world.policy(activation_requires=frozenset())
    world.eligible(world.ann)
    assert not site.may(world.ann, "use", "role", TEAMS)
    assert site.may(world.ann, "activate", "role", TEAMS)
    ok(world.activate(world.ann, hours=1))
    assert site.may(world.ann, "use", "role", TEAMS)
    assert site.may(world.ann, "use", "role", "teams administrator"), "roles go by their names too"
    world.forward(hours=1)
    world.now -= MICROSECOND
    assert site.may(world.ann, "use", "role", TEAMS)
    world.now += MICROSECOND
    assert not site.may(world.ann, "use", "role", TEAMS), "no worker ran"
    ok(world.activate(world.ann, hours=1))
    world.forward(minutes=6)
    assert site.may(world.ann, "use", "role", TEAMS)
    ok(world.deactivate(world.ann))
    assert not site.may(world.ann, "use", "role", TEAMS), "at once, in this process"


def test_people_go_by_their_sign_in_names(site: Site, world: World) -> None:
    ok(world.assigned(world.ann))
    name = world.read(lambda tx: tx.users.get(world.ann)).user_principal_name
    for known in (name, name.upper(), name.split("@")[0], world.ann.upper()):
        assert site.may(known, "use", "role", TEAMS), known
    assert not site.may("nobody@world.test", "use", "role", TEAMS)
    from openpim.services.directory.update_user import update_user

    ok(update_user(world.deps, world.system, world.ann, {"user_principal_name": "new." + name}))
    assert not site.may(name, "use", "role", TEAMS), "the old name is nobody's"
    assert site.may("new." + name, "use", "role", TEAMS)


def test_groups_and_disabled_people(site: Site, world: World) -> None:
    group, inner = world.group("team"), world.group("inner")
    world.assigned(group)
    ok(add_member(world.deps, world.system, group, inner))
    ok(add_member(world.deps, world.system, inner, world.ann))
    assert site.may(world.ann, "use", "role", TEAMS)
    assert site.may(world.ann, "use", "group", group)
    assert not site.may(world.ann, "owner", "group", group)
    ok(set_enabled(world.deps, world.system, world.ann, enabled=False))
    assert not site.may(world.ann, "use", "role", TEAMS)
    assert not site.may(world.ann, "use", "group", group)
    ok(set_enabled(world.deps, world.system, world.ann, enabled=True))
    assert site.may(world.ann, "use", "role", TEAMS)
    ok(remove_member(world.deps, world.system, group, inner))
    assert not site.may(world.ann, "use", "role", TEAMS)


def test_a_role_over_the_tenant_reaches_into_its_units_and_not_back(site: Site, world: World) -> None:
    from openpim.services.directory.administrative_units import add_unit_member

    unit = world.unit("north")
    world.assigned(world.ann, scope=unit)
    world.assigned(world.bob)
    assert site.may(world.ann, "use", "role", TEAMS, scope=unit)
    assert not site.may(world.ann, "use", "role", TEAMS)
    assert site.may(world.bob, "use", "role", TEAMS, scope=unit)
    assert not site.may(world.ann, "use", "role", TEAMS, scope=f"/{world.cyd}")
    ok(add_unit_member(world.deps, world.system, unit.rpartition("/")[2], world.cyd))
    assert site.may(world.ann, "use", "role", TEAMS, scope=f"/{world.cyd}"), "cyd is in the unit"


def test_actions_of_resource_roles(site: Site, world: World, tree: tuple[str, str]) -> None:
    top, group = tree
    machine = f"{group}/providers/Microsoft.Compute/virtualMachines/one"  # never registered here
    start, denied = "Microsoft.Compute/virtualMachines/start/action", "*/start/action"
    assert site.may(world.bob, start, "scope", group)
    assert site.may(world.bob, start.upper(), "scope", machine.upper())
    assert not site.may(world.ann, start, "scope", group)
    assert not site.may(world.bob, start, "scope", "/subscriptions/none")
    assert site.may(world.bob, "use", "role", RESOURCE_OWNER, scope=top)
    assert site.may(world.bob, "read", "Contoso.Records", "7", scope=top), "of one's own types"
    assert site.may(world.bob, "read", "Contoso.Records", top)
    assert site.may(world.bob, "read", "Contoso.Records", "7"), "at the root group, where nothing is said"
    assert not site.may(world.ann, "read", "Contoso.Records", "7")
    deny = DenyAssignment(world.new_id(), "no", top, (Permission(actions=(denied,)),), (world.bob,))
    ok(denials.put(world.deps, world.caller(world.bob), deny))
    assert not site.may(world.bob, start, "scope", group)
    assert site.may(world.bob, "Microsoft.Compute/virtualMachines/read", "scope", group)
    ok(denials.delete(world.deps, world.caller(world.bob), deny.id))
    assert site.may(world.bob, start, "scope", group)


def test_a_directory_role_s_id_means_nothing_in_the_tree(site: Site, world: World) -> None:
    world.assigned(world.ann)
    assert not site.may(world.ann, "use", "role", TEAMS, provider="resource")
    assert site.may(world.ann, "use", "role", TEAMS, provider="directory")
    assert not site.may(world.ann, "use", "role", RESOURCE_READER)


def test_who_may_ask(site: Site, world: World) -> None:
    world.assigned(world.ann)
    mine = question(world.ann, "use", "role", TEAMS)
    assert site.post(EVALUATION, mine, None).status_code == 401
    assert "Bearer" in site.post(EVALUATION, mine, None).headers["www-authenticate"]
    assert site.post(EVALUATION, mine, "nonsense").status_code == 401
    assert site.post(EVALUATION, mine, site.person(world.ann)).json() == {"decision": True}
    other = site.post(EVALUATION, mine, site.person(world.bob)).json()
    assert other["decision"] is False
    assert other["context"]["error"]["status"] == 403
    assert site.post(EVALUATION, mine, site.person(world.ann, "User.Read")).status_code == 403
    app = Caller(world.tenant_id, world.new_id(), CallerKind.SERVICE_PRINCIPAL, permissions=frozenset({"User.Read.All"}))  # fmt: skip
    assert site.post(EVALUATION, mine, site.token("other-app", app)).status_code == 403
    delegated = Caller(world.tenant_id, world.bob, CallerKind.USER, scopes=frozenset({ALL, SELF}))
    said = site.post(EVALUATION, mine, site.token("delegated", delegated)).json()
    assert said["decision"] is False, "a scope never speaks for others"


def test_other_tenants_are_unheard_of(site: Site, world: World) -> None:
    there = World(world.database, number=77)
    there.assigned(there.ann)
    away = Caller(there.tenant_id, there.new_id(), CallerKind.SERVICE_PRINCIPAL, permissions=frozenset({ALL}))
    name = there.read(lambda tx: tx.users.get(there.ann)).user_principal_name
    for subject in (there.ann, name):
        assert not site.may(subject, "use", "role", TEAMS)
        assert site.may(subject, "use", "role", TEAMS, token=site.token("there", away))
    unit = there.unit("theirs")
    assert not site.may(world.ann, "use", "role", TEAMS, scope=unit)


def test_a_guest_is_as_able_as_his_account_at_home(site: Site, world: World) -> None:
    home = World(world.database, number=78)
    guest = world.user("Guest", home_tenant_id=home.tenant_id, home_user_id=home.ann)
    world.assigned(guest)
    assert site.may(guest, "use", "role", TEAMS)
    ok(set_enabled(home.deps, home.system, home.ann, enabled=False))
    assert not site.may(guest, "use", "role", TEAMS)
    ok(set_enabled(home.deps, home.system, home.ann, enabled=True))
    assert site.may(guest, "use", "role", TEAMS)


def test_when_the_store_is_gone_nothing_is_decided(site: Site, world: World, monkeypatch: Any) -> None:
    world.assigned(world.ann)
    asked = question(world.ann, "use", "role", TEAMS)
    assert site.post(EVALUATION, asked).json() == {"decision": True}

    def gone(*_: Any) -> Any:
        raise StoreUnavailableError("gone")

    monkeypatch.setattr(world.database, "snapshot", gone)
    monkeypatch.setattr(world.database, "read", gone)
    assert site.post(EVALUATION, asked).json() == {"decision": True}, "seen this very instant"
    world.now += LATEST + MICROSECOND
    answer = site.post(EVALUATION, asked)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert site.get(f"/access/v1/check?group={world.new_id()}&subject={world.ann}").status_code == 503
    monkeypatch.undo()
    assert site.post(EVALUATION, asked).json() == {"decision": True}


def test_another_process_is_heard_of_within_a_second(site: Site, world: World) -> None:
    """The other one commits without telling this one."""
    world.assigned(world.ann)
    assert site.may(world.ann, "use", "role", TEAMS)
    world.database.observers.clear()
    world.forward(minutes=6)
    ok(world.take(world.ann, kind=ASSIGNMENT))
    world.now += timedelta(milliseconds=251)
    assert not site.may(world.ann, "use", "role", TEAMS)


def test_a_clock_that_is_put_back_is_no_way_to_old_knowledge(site: Site, world: World) -> None:
    world.assigned(world.ann)
    assert site.may(world.ann, "use", "role", TEAMS)
    world.database.observers.clear()
    world.forward(minutes=6)
    ok(world.take(world.ann, kind=ASSIGNMENT))
    world.forward(minutes=-6.001)
    assert not site.may(world.ann, "use", "role", TEAMS)


def test_step_up(site: Site, world: World) -> None:
    world.eligible(world.ann)  # the settings ask for MFA
    weak = site.person(world.ann, mfa=False)
    said = site.ask(world.ann, "activate", "role", TEAMS, token=weak)
    assert said == {"decision": False, "context": {"reason": "step_up_required", "amr_values": "mfa"}}
    assert site.may(world.ann, "activate", "role", TEAMS, token=site.person(world.ann))
    world.policy(activation_requires=frozenset(), context_enabled=True, context="c1")
    said = site.ask(world.ann, "activate", "role", TEAMS, token=site.person(world.ann))
    assert said["context"]["acr_values"] == "c1"
    assert site.may(world.ann, "activate", "role", TEAMS, token=site.person(world.ann, acrs=("c1",)))


# ---------------------------------------------------------------- many


def test_many_in_order_with_defaults(site: Site, world: World) -> None:
    world.assigned(world.ann)
    batch = {
        **question(world.ann, "use", "role", TEAMS),
        "evaluations": [
            {},
            {"subject": {"type": "user", "id": world.bob}},
            {"resource": {"type": "role", "id": "nonsense"}},
            {"resource": {"type": "role"}},
            {"action": {"name": "activate"}},
        ],
    }
    found = site.post(EVALUATIONS, batch).json()["evaluations"]
    assert [one["decision"] for one in found] == [True, False, False, False, False]
    assert [one.get("context", {}).get("error", {}).get("status") for one in found] == [None, None, 404, 400, None]  # fmt: skip


@pytest.mark.parametrize(
    ("semantic", "asked", "expected"),
    [
        ("execute_all", "yny", [True, False, True]),
        ("deny_on_first_deny", "yny", [True, False]),
        ("deny_on_first_deny", "yyy", [True, True, True]),
        ("deny_on_first_deny", "y?y", [True, False]),
        ("permit_on_first_permit", "nyn", [False, True]),
        ("permit_on_first_permit", "nnn", [False, False, False]),
        ("permit_on_first_permit", "?yn", [False, True]),
    ],
)
def test_semantics(site: Site, world: World, semantic: str, asked: str, expected: list[bool]) -> None:
    world.assigned(world.ann)
    items: dict[str, dict[str, Any]] = {
        "y": {"subject": {"type": "user", "id": world.ann}},
        "n": {"subject": {"type": "user", "id": world.bob}},
        "?": {},
    }
    batch = {
        "action": {"name": "use"},
        "resource": {"type": "role", "id": TEAMS},
        "evaluations": [items[one] for one in asked],
        "options": {"evaluations_semantic": semantic, "more": 1},
    }
    found = site.post(EVALUATIONS, batch).json()["evaluations"]
    assert [one["decision"] for one in found] == expected


def test_no_evaluations_are_one(site: Site, world: World) -> None:
    world.assigned(world.ann)
    one = question(world.ann, "use", "role", TEAMS)
    assert site.post(EVALUATIONS, one).json() == {"decision": True}
    assert site.post(EVALUATIONS, {**one, "evaluations": []}).json() == {"decision": True}
    assert site.post(EVALUATIONS, {"evaluations": []}).status_code == 400
    wrong = {**one, "evaluations": [{}], "options": {"evaluations_semantic": "any"}}
    assert site.post(EVALUATIONS, wrong).status_code == 400


def test_a_token_s_bearer_is_looked_up_once_a_second_at_most(site: Site, world: World) -> None:
    world.assigned(world.ann)
    for _ in range(5):
        assert site.may(world.ann, "use", "role", TEAMS)
    assert site.reads == 1
    world.now += LATEST + MICROSECOND
    assert site.may(world.ann, "use", "role", TEAMS)
    assert site.reads == 2
    ok(set_enabled(world.deps, world.system, world.dan, enabled=False))
    assert site.may(world.ann, "use", "role", TEAMS)
    assert site.reads == 3, "he might have been the one"


def test_the_short_way_knows_what_it_knows(site: Site, world: World) -> None:
    """What it says is compared with the long way's answer wherever these tests ask for an evaluation."""
    world.assigned(world.ann)
    group = world.group("team", [world.ann])
    name = world.read(lambda tx: tx.users.get(world.ann)).user_principal_name
    mine = site.person(world.ann)
    plain = question(world.ann, "use", "role", TEAMS)

    def short(body: Any, token: str = "app", **headers: str) -> bool:
        before = site.shortly
        assert site.post(EVALUATION, body, token, **headers).status_code in {200, 401, 403}
        return site.shortly > before

    for body in (
        plain,
        question(world.bob, "use", "role", TEAMS),
        question(name, "use", "role", TEAMS, scope="/"),
        question(world.ann, "use", "group", group),
        question(world.ann, "read", "Contoso", "7"),
    ):
        assert short(body), body
    assert short(plain, mine)
    world.eligible(world.bob)
    for body in (
        question(world.bob, "use", "role", TEAMS),  # a denial that says how to ask
        question(world.ann, "activate", "role", TEAMS),  # a step up may be missing
        question(world.ann, "use", "role", "nonsense"),
        question(world.ann, "use", "role", TEAMS, scope=7),
        {**plain, "context": {}},
        {**plain, "subject": {"type": "spaceship", "id": world.ann}},
        {**plain, "action": {"name": "use", "properties": {"data": True}}},
    ):
        assert not short(body), body
    assert not short(plain, site.person(world.bob)), "about others"
    assert not short(plain, "nonsense")
    assert not short(plain, **{"x-request-id": "1"})
    assert short(plain)
    world.now += LATEST + MICROSECOND
    headers = [(b"authorization", b"Bearer app"), (b"content-type", b"application/json")]
    body = json.dumps(plain).encode()
    assert site.decisions.short(headers, body) is None, "nothing is known any more"
    assert short(plain)
    assert site.decisions.short([*headers, headers[0]], body) is None
    assert site.decisions.short(headers[:1], body) is None
    ok(set_enabled(world.deps, world.system, world.dan, enabled=False))
    assert site.decisions.short(headers, body) is None, "he might have been the one who asks"


def test_a_log_of_requests_has_a_line_for_each(site: Site, world: World) -> None:
    log = logging.getLogger("openpim.access")
    before = log.level
    log.setLevel(logging.INFO)
    try:
        assert not site.may(world.ann, "use", "role", TEAMS)
        assert not site.shortly
    finally:
        log.setLevel(before)
    assert not site.may(world.ann, "use", "role", TEAMS)
    assert site.shortly
