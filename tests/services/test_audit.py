"""Nothing is granted, and nothing is refused, that is not on record; without the record nothing is granted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from openpim.core.grants import Action, Ticket
from openpim.core.policy import Requirement
from openpim.core.query import Compare, Query
from openpim.core.refusals import Code, Refusal
from openpim.services import audits, due, policies, role_assignments, timeouts
from openpim.store.audit import Audit
from tests.world import ASSIGNMENT, DENY, ELIGIBILITY, GA, READER, TEAMS, World, ok, refused


def test_who_what_whom_and_why(world: World) -> None:
    world.policy(activation_requires=frozenset({Requirement.TICKETING}))
    world.eligible(world.ann)
    caller = world.caller(world.ann, ip="192.0.2.7", client="pim/1", app_id="app-1", request_id="r-1")
    request = ok(
        world.activate(world.ann, by=caller, hours=1, justification="mend it", ticket=Ticket("INC1", "SNOW"))
    )
    event = world.events("Add member to role completed (PIM activation)")[-1]
    assert (event.actor_id, event.actor_kind, event.ip, event.client) == (
        world.ann,
        "user",
        "192.0.2.7",
        "pim/1",
    )
    assert (event.at, event.result, event.category) == (world.now, "success", "RoleManagement")
    assert (event.reason, event.amr, event.correlation_id) == ("mend it", ("mfa", "pwd"), request.id)
    assert [(target.kind, target.id) for target in event.targets] == [
        ("Role", TEAMS),
        ("Request", request.id),
        ("User", world.ann),
        ("Directory", world.tenant_id),
    ]
    assert event.targets[0].name == "Teams Administrator"
    details = dict(event.details)
    assert details["TicketNumber"] == "INC1"
    assert details["ExpirationTime"] == (world.now + timedelta(hours=1)).isoformat()


def grown(world: World, act: Callable[[], object]) -> list:
    before = len(world.events())
    act()
    return world.events()[before:]


def test_every_grant_and_every_end(world: World) -> None:
    """Each act leaves at least one event that says it succeeded, and a decision names who decided."""
    ann, bob = world.ann, world.bob
    later = world.now + timedelta(hours=1)
    acts: list[tuple[str, Callable[[], object]]] = [
        ("assign", lambda: ok(world.give(ann, days=9))),
        ("update", lambda: ok(world.give(ann, action=Action.ADMIN_UPDATE, days=8))),
        ("extend", lambda: ok(world.give(ann, action=Action.ADMIN_EXTEND, days=10))),
        ("activate", lambda: ok(world.activate(ann, hours=1))),
        ("longer", lambda: ok(world.extend(ann, hours=2))),
        ("deactivate", lambda: (world.forward(minutes=6), ok(world.deactivate(ann)))),
        ("ask", lambda: ok(world.extend(ann, kind=ELIGIBILITY, days=20))),
        ("later", lambda: ok(world.activate(ann, start=later, hours=1))),
        ("remove", lambda: ok(world.take(ann))),
        (
            "outside",
            lambda: ok(role_assignments.create(world.deps, world.caller(world.ga), READER, bob, "/")),
        ),
        (
            "removed",
            lambda: ok(role_assignments.delete(world.deps, world.caller(world.ga), READER, bob, "/")),
        ),
        ("policy", lambda: world.approval(bob)),
    ]
    for name, act in acts:
        events = grown(world, act)
        assert events, name
        assert all(event.result == "success" for event in events), name
        assert events[-1].actor_id, name


def test_expiry_is_on_record_once(world: World) -> None:
    world.eligible(world.ann, hours=2)
    ok(world.give(world.bob, kind=ASSIGNMENT, hours=2))
    ok(world.activate(world.ann, hours=1))
    world.forward(hours=2)
    events = grown(world, world.work)
    assert sorted(event.activity for event in events) == [
        "Remove eligible member from role in PIM completed (timebound)",
        "Remove member from role (PIM activation expired)",
        "Remove member from role in PIM completed (timebound)",
    ]
    assert {event.actor_kind for event in events} == {"system"}
    assert grown(world, world.work) == []


def test_every_refusal(world: World) -> None:
    world.approval(world.bob)
    world.eligible(world.ann)
    request = ok(world.activate(world.ann, hours=1))
    acts: list[Callable[[], object]] = [
        lambda: world.activate(world.dan, hours=1),
        lambda: world.activate(world.ann, hours=1),
        lambda: world.activate(world.ann, hours=99),
        lambda: world.give(world.ann, by=world.bob, permanent=True),
        lambda: world.take(world.ann, by=world.bob),
        lambda: world.give(world.new_id(), permanent=True),
        lambda: world.give(world.ann, world.new_id(), permanent=True),
        lambda: world.give("\x00", permanent=True),
        lambda: world.deactivate(world.ann),
        lambda: world.renew(world.dan),
        lambda: world.review(request, world.ann),
        lambda: world.review(request, world.dan, DENY),
        lambda: world.cancel(request, world.dan),
        lambda: role_assignments.create(world.deps, world.caller(world.dan), GA, world.dan, "/"),
        lambda: policies.update(
            world.deps,
            world.caller(world.dan),
            ok(policies.get(world.deps, world.system, request.provider, TEAMS)).id,
            lambda policy: policy,
        ),
    ]
    for number, act in enumerate(acts):
        outcomes: list[object] = []
        events = grown(world, lambda act=act, outcomes=outcomes: outcomes.append(act()))
        assert isinstance(outcomes[0], Refusal), number
        assert [event.result for event in events] == ["failure"], number
        assert events[0].reason == outcomes[0].message
        assert ("Refusal", outcomes[0].code.value) in events[0].details


def test_failed_rules_are_on_record(world: World) -> None:
    world.eligible(world.ann)
    world.activate(world.ann, by=world.caller(world.ann, mfa=False), hours=99, justification=None)
    details = dict(world.events()[-1].details)
    assert details["FailedRules"] == "ExpirationRule,JustificationRule,MfaRule"


# ---------------------------------------------------------------- without the record


class BrokenAuditError(Exception):
    pass


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Audit, *events: object) -> None:
        raise BrokenAuditError

    def arm() -> None:
        monkeypatch.setattr(Audit, "add", fail)

    return arm


@pytest.mark.parametrize(
    "act",
    [
        lambda world: world.activate(world.ann, hours=1),
        lambda world: world.give(world.bob, permanent=True),
        lambda world: world.give(world.bob, kind=ASSIGNMENT, permanent=True),
        lambda world: world.give(world.cyd, action=Action.ADMIN_UPDATE, permanent=True),
        lambda world: world.take(world.cyd),
        lambda world: world.deactivate(world.dan),
        lambda world: world.extend(world.dan, hours=8),
        lambda world: world.review(world.pending, world.bob),
        lambda world: world.review(world.pending, world.bob, DENY),
        lambda world: world.cancel(world.pending, world.gus),
        lambda world: role_assignments.create(world.deps, world.caller(world.ga), READER, world.bob, "/"),
        lambda world: world.policy(activation_requires=frozenset()),
        lambda world: world.activate(world.bob, hours=1),  # even a refusal
        lambda world: (world.forward(hours=9), due.expire(world.deps, world.tenant_id)),
        lambda world: (world.forward(hours=30), timeouts.settle_approvals(world.deps, world.tenant_id)),
    ],
)
def test_without_the_record_nothing_happens(shared_database, broken, act) -> None:
    world = World(shared_database, people=("ann", "bob", "cyd", "dan", "gus"))
    for person in (world.ann, world.dan, world.gus):
        world.eligible(person)
    world.eligible(world.cyd, days=2)
    ok(world.activate(world.dan, hours=2))
    world.approval(world.bob)
    world.pending = ok(world.activate(world.gus, hours=1))
    world.policy(approval=replace(world.policy().approval, required=False))
    world.forward(minutes=6)
    before = world.snapshot()
    broken()
    with pytest.raises(BrokenAuditError):
        act(world)
    assert world.snapshot() == before


# ---------------------------------------------------------------- reading the history


def test_readers_read_all_and_everybody_his_own(world: World) -> None:
    world.eligible(world.ann)
    ok(world.activate(world.ann, hours=1))
    ok(world.give(world.bob, READER, ASSIGNMENT, permanent=True))
    everything = audits.page(world.deps, world.caller(world.bob), Query(limit=1000)).items
    assert len(everything) == len(world.events())
    mine = audits.page(world.deps, world.caller(world.ann), Query(limit=1000)).items
    assert 0 < len(mine) < len(everything)
    assert all(
        event.actor_id == world.ann or any(target.id == world.ann for target in event.targets)
        for event in mine
    )
    narrowed = audits.page(
        world.deps, world.caller(world.ann), Query(Compare("actor_id", "eq", world.pra), limit=1000)
    ).items
    assert narrowed
    assert {event.id for event in narrowed} < {event.id for event in mine}
    assert audits.page(world.deps, world.caller(world.dan), Query()).items == ()
    theirs = next(event for event in everything if event not in mine)
    refused(audits.get(world.deps, world.caller(world.ann), theirs.id), Code.NOT_FOUND)
    assert ok(audits.get(world.deps, world.caller(world.ann), mine[0].id)) == mine[0]
    assert ok(audits.get(world.deps, world.caller(world.bob), theirs.id)) == theirs
    refused(audits.get(world.deps, world.caller(world.bob), world.new_id()), Code.NOT_FOUND)


def test_an_application_reads_with_the_permission(world: World) -> None:
    from openpim.core.caller import Caller, CallerKind

    app = world.app("collector")
    caller = Caller(
        world.tenant_id, app, CallerKind.SERVICE_PRINCIPAL, permissions=frozenset({"AuditLog.Read.All"})
    )
    assert audits.page(world.deps, caller, Query(limit=1000)).items
    assert audits.page(world.deps, replace(caller, permissions=frozenset()), Query()).items == ()
