"""The whole life of grants against a simple model, on both databases.

Rules act, aimed ones ("ask well", "approve the newest", "to the next boundary") beside random ones; workers run or do
not; effects fail before or after they did their work. Invariants only look.

Planted faults it was seen to catch (each was put in by hand, found, and taken out again):
- a grant that is in force at its end, or not yet at its start
- an activation that is not clamped to its eligibility
- the end of an eligibility that leaves activations running; that ends one which another eligibility carries
- an extension that begins anew (a gap); that ignores the policy's maximum
- an approval that is accepted after its deadline; of one's own request
- two activations that overlap; the five minutes off by one, at the beginning and before an end
- an end that keeps its old instant; one that is not on record
- a grant, an expiry that leaves no outbox entry; an entry that is done though its effect failed
- a worker that records no end
- the last-administrator check left out of an update, or blind to disabled people
- a role over the whole tenant that does not reach into its units
- a group left with what it carried still active
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from openpim.core.grants import Action
from openpim.core.lifecycle import REQUEST_MOVES, SCHEDULE_MOVES, RequestStatus, ScheduleStatus
from openpim.core.refusals import Code, Refusal
from openpim.services.directory.group_members import add_member, remove_member
from openpim.services.directory.update_user import set_enabled
from openpim.services.last_administrator import lasting_holders
from openpim.store.database import Database
from tests.conftest import _Databases
from tests.machine.model import Grant, Model, Pending
from tests.world import (
    ASSIGNMENT,
    DENY,
    ELIGIBILITY,
    GA,
    HELPDESK,
    MICROSECOND,
    PRA,
    TEAMS,
    TargetSystem,
    World,
    ok,
)

KINDS = {"eligible": ELIGIBILITY, "assigned": ASSIGNMENT}
ROLES = st.sampled_from([TEAMS, TEAMS, HELPDESK])
PERSON = st.sampled_from(["ann", "bob"])
PRINCIPAL = st.sampled_from(["ann", "bob", "team"])
SCOPE = st.sampled_from(["/", "/", "unit"])
MINUTES = st.sampled_from([1, 4.99, 5, 30, 60, 60, 120, 240, 480, 481, 6000])
DELAY = st.sampled_from([0, 0, 0, 10, 60, 120])
ENDED = {ScheduleStatus.REVOKED, ScheduleStatus.EXPIRED}


class Life(RuleBasedStateMachine):
    database: Database  # set by the test

    @initialize()
    def begin(self) -> None:
        self.world = world = World(self.database, people=("ann", "bob", "dan"))
        world.policy(TEAMS, activation_requires=frozenset())
        world.policy(HELPDESK, activation_requires=frozenset())
        world.approval(world.dan, role=HELPDESK)
        self.unit = world.unit("north")
        self.team = world.group("team")
        self.model = Model(self.team, HELPDESK)
        self.target = TargetSystem()
        self.ended: dict[str, object] = {}
        # Something to begin with: one who may for good, one for half a day, and both through a group.
        self.join_or_leave("bob")
        self.assign("eligible", "ann", TEAMS, "/", None, 0)
        self.assign("eligible", "bob", HELPDESK, "/", 720, 0)
        self.assign("eligible", "team", TEAMS, "/", 240, 0)
        self.assign("eligible", "team", HELPDESK, "unit", None, 0)

    # ---------------------------------------------------------------- names
    def id(self, name: str) -> str:
        return self.team if name == "team" else getattr(self.world, name)

    def scope(self, name: str) -> str:
        return self.unit if name == "unit" else "/"

    # ---------------------------------------------------------------- time
    @rule(minutes=st.sampled_from([5, 1, 4, 10, 30, 60, 180]))
    def time_goes_by(self, minutes: int) -> None:
        self.world.forward(minutes=minutes)

    @precondition(lambda self: self.model.pending or self.active() or self.waiting())
    @rule(which=st.sampled_from([0, 0, 0, 1, 2]), beside=st.sampled_from([0, -1, 1]))
    def to_the_next_boundary(self, which: int, beside: int) -> None:
        moments = {one.deadline for one in self.model.pending.values()}
        for grant in self.model.grants.values():
            moments |= {grant.start, grant.end}
        coming = sorted(moment for moment in moments - {None} if moment > self.world.now + MICROSECOND)
        if coming:
            self.world.at(coming[which % len(coming)] + beside * MICROSECOND)

    # ---------------------------------------------------------------- administrators
    @rule(
        kind=st.sampled_from(["eligible", "eligible", "assigned"]),
        name=PRINCIPAL,
        role=ROLES,
        scope=SCOPE,
        minutes=st.one_of(st.none(), MINUTES),
        delay=DELAY,
    )
    def assign(self, kind: str, name: str, role: str, scope: str, minutes: float | None, delay: int) -> None:
        world, now = self.world, self.world.now
        start = now + timedelta(minutes=delay)
        end = None if minutes is None else start + timedelta(seconds=int(minutes * 60))
        principal, scope = self.id(name), self.scope(scope)
        allowed = (end is None or end - start >= timedelta(minutes=5)) and self.model.may_give(
            kind, principal, role, scope, start, end, now
        )
        when = {"permanent": True} if end is None else {"minutes": minutes}
        outcome = world.give(principal, role, KINDS[kind], scope, start=start, **when)
        assert allowed is not isinstance(outcome, Refusal), outcome
        if allowed:
            id = outcome.schedule_id
            self.model.grants[id] = Grant(id, kind, principal, role, scope, start, end)

    def live(self, kind: str, principal: str, role: str, scope: str) -> list[Grant]:
        found = [
            grant
            for grant in self.model.grants.values()
            if grant.live(self.world.now)
            and (grant.principal, grant.role, grant.scope) == (principal, role, scope)
            and ((grant.kind == "eligible") is (kind == "eligible"))
        ]
        return sorted(found, key=lambda grant: (grant.start, grant.id))

    @rule(kind=st.sampled_from(list(KINDS)), name=PRINCIPAL, role=ROLES, scope=SCOPE)
    def remove_at_random(self, kind: str, name: str, role: str, scope: str) -> None:
        self.remove(kind, self.id(name), role, self.scope(scope))

    @precondition(lambda self: self.active() or self.waiting())
    @rule(which=st.integers(0, 5))
    def remove_what_carries_one(self, which: int) -> None:
        found = self.active() + self.waiting()
        grant = self.model.grants[found[which % len(found)].link]
        if grant.live(self.world.now):
            self.remove("eligible", grant.principal, grant.role, grant.scope)

    @precondition(lambda self: self.active())
    @rule(which=st.integers(0, 5), minutes=st.sampled_from([30, 5, 120, 600]))
    def shorten_what_carries_one(self, which: int, minutes: int) -> None:
        grant = self.model.grants[self.active()[which % len(self.active())].link]
        if grant.live(self.world.now):
            self.change(grant, minutes)

    def remove(self, kind: str, principal: str, role: str, scope: str) -> None:
        held = self.live(kind, principal, role, scope)
        allowed = self.model.may_end(held, self.world.now)
        outcome = self.world.take(principal, role, KINDS[kind], scope)
        assert allowed is not isinstance(outcome, Refusal), outcome
        if allowed:
            for grant in held:
                grant.over = True
            self.model.look_again(self.world.now)

    @rule(
        kind=st.sampled_from(["eligible", "eligible", "assigned"]),
        which=st.integers(0, 5),
        minutes=st.one_of(st.none(), MINUTES),
    )
    def update(self, kind: str, which: int, minutes: float | None) -> None:
        now = self.world.now
        grants = [g for g in self.model.grants.values() if g.kind == kind and g.live(now)]
        if not grants:
            return
        self.change(grants[which % len(grants)], minutes)

    def change(self, grant: Grant, minutes: float | None) -> None:
        now = self.world.now
        start = min(grant.start, now)
        end = None if minutes is None else now + timedelta(seconds=int(minutes * 60))
        allowed = (end is None or end - now >= timedelta(minutes=5)) and self.model.may_give(
            grant.kind, grant.principal, grant.role, grant.scope, start, end, now, but=grant
        )
        when = {"permanent": True} if end is None else {"minutes": minutes}
        outcome = self.world.give(
            grant.principal,
            grant.role,
            KINDS[grant.kind],
            grant.scope,
            action=Action.ADMIN_UPDATE,
            schedule_id=grant.id,
            **when,
        )
        assert allowed is not isinstance(outcome, Refusal), outcome
        if allowed:
            grant.start, grant.end = start, end
            self.model.look_again(now)

    @rule(name=PERSON, really=st.integers(0, 2))
    def join_or_leave_now_and_then(self, name: str, really: int) -> None:
        if really == 0:
            self.join_or_leave(name)

    def join_or_leave(self, name: str) -> None:
        world, person = self.world, self.id(name)
        if person in self.model.members:
            ok(remove_member(world.deps, world.system, self.team, person))
            self.model.members.discard(person)
            self.model.look_again(world.now)
        else:
            ok(add_member(world.deps, world.system, self.team, person))
            self.model.members.add(person)

    @rule(name=PERSON, really=st.integers(0, 5))
    def disable_or_enable(self, name: str, really: int) -> None:
        person = self.id(name)
        if person in self.model.disabled:
            ok(set_enabled(self.world.deps, self.world.system, person, enabled=True))
            self.model.disabled.discard(person)
        elif really == 0:
            ok(set_enabled(self.world.deps, self.world.system, person, enabled=False))
            self.model.disabled.add(person)

    # ---------------------------------------------------------------- the holder
    def ask(self, person: str, role: str, scope: str, minutes: float, delay: int) -> None:
        world, model, now = self.world, self.model, self.world.now
        start = now + timedelta(minutes=delay) if delay else None
        length = timedelta(seconds=int(minutes * 60))
        found = model.window(person, role, scope, start, length, now)
        allowed = found is not None and not model.waits(person, role, scope, now)
        outcome = world.activate(person, role, scope, start=start, minutes=minutes)
        assert allowed is not isinstance(outcome, Refusal), outcome
        if not allowed:
            return
        if role == model.with_approval:
            deadline = now + timedelta(hours=24)
            deadline = deadline if start is None else min(deadline, start)
            self.drop_late(person, role, scope)
            model.pending[outcome.id] = Pending(outcome.id, person, role, scope, start, length, deadline)
        else:
            model.apply(found, person, role, scope, now, None, outcome.id)

    def drop_late(self, person: str, role: str, scope: str) -> None:
        """A new request closes an old one whose time is over."""
        for one in list(self.model.pending.values()):
            if (one.person, one.role, one.scope) == (person, role, scope):
                assert one.deadline <= self.world.now
                del self.model.pending[one.id]

    @rule(name=PERSON, role=ROLES, scope=SCOPE, minutes=MINUTES, delay=DELAY)
    def ask_at_random(self, name: str, role: str, scope: str, minutes: float, delay: int) -> None:
        self.ask(self.id(name), role, self.scope(scope), minutes, delay)

    def chances(self) -> list[tuple[str, str, str]]:
        """Who could activate what now, and does not hold it that way yet."""
        found = {
            (person, grant.role, scope)
            for grant in self.model.grants.values()
            if grant.kind == "eligible" and grant.on(self.world.now)
            for person in (self.world.ann, self.world.bob)
            if grant.principal in self.model.ids(person)
            for scope in {grant.scope, self.unit}
        }
        return sorted(one for one in found if self.model.running(*one, self.world.now) is None)

    @precondition(lambda self: self.chances())
    @rule(which=st.integers(0, 9), minutes=st.sampled_from([60, 5, 30, 480]), delay=DELAY)
    def ask_well(self, which: int, minutes: int, delay: int) -> None:
        self.ask(*self.chances()[which % len(self.chances())], minutes, delay)

    @precondition(lambda self: self.chances())
    @rule(which=st.integers(0, 9), minutes=st.sampled_from([60, 5, 30, 480]))
    def ask_well_at_once(self, which: int, minutes: int) -> None:
        self.ask(*self.chances()[which % len(self.chances())], minutes, 0)

    @precondition(lambda self: self.chances())
    @rule(which=st.integers(0, 9), minutes=st.sampled_from([60, 480]))
    def ask_and_approve(self, which: int, minutes: int) -> None:
        self.ask(*self.chances()[which % len(self.chances())], minutes, 0)
        if self.model.pending:
            self.decide(newest=True, deny=False)

    @precondition(lambda self: self.active())
    @rule(which=st.integers(0, 5), minutes=st.sampled_from([480, 470, 240, 60, 481]))
    def extend_well(self, which: int, minutes: int) -> None:
        world, model, now = self.world, self.model, self.world.now
        grant = self.active()[which % len(self.active())]
        length = timedelta(minutes=minutes)
        named = (grant.principal, grant.role, grant.scope)
        found = model.window(*named, None, length, now, grant)
        allowed = found is not None and not model.waits(*named, now)
        outcome = world.extend(*named, minutes=minutes)
        assert allowed is not isinstance(outcome, Refusal), outcome
        if not allowed:
            return
        if grant.role == model.with_approval:
            self.drop_late(*named)
            deadline = now + timedelta(hours=24)
            model.pending[outcome.id] = Pending(outcome.id, *named, None, length, deadline, extension=True)
        else:
            model.apply(found, *named, now, grant, outcome.id)

    def active(self) -> list[Grant]:
        return [g for g in self.model.grants.values() if g.kind == "active" and g.on(self.world.now)]

    def waiting(self) -> list[Grant]:
        return [g for g in self.model.grants.values() if g.waiting and g.live(self.world.now)]

    @precondition(lambda self: self.active())
    @rule(which=st.integers(0, 5), after=st.sampled_from([5, 5, 4, 0]))
    def deactivate(self, which: int, after: int) -> None:
        self.world.forward(minutes=after)
        active = self.active()
        if not active:
            return
        grant = active[which % len(active)]
        now = self.world.now
        allowed = self.model.may_end([grant], now) and grant.principal not in self.model.disabled
        outcome = self.world.deactivate(grant.principal, grant.role, grant.scope)
        assert allowed is not isinstance(outcome, Refusal), outcome
        grant.over = grant.over or allowed

    @precondition(lambda self: self.model.pending or self.waiting())
    @rule(which=st.integers(0, 5))
    def call_off(self, which: int) -> None:
        """A request that waits for a decision, or an activation that waits for its start."""
        waiting = [one.id for one in self.model.pending.values()]
        waiting += [grant.id for grant in self.waiting()]
        id = waiting[which % len(waiting)]
        request = self.world.request(id)
        ok(self.world.cancel(request, request.principal_id))
        self.model.pending.pop(id, None)
        if id in self.model.grants:
            self.model.grants[id].over = True

    # ---------------------------------------------------------------- approvers
    @precondition(lambda self: self.model.pending)
    @rule(newest=st.booleans(), deny=st.sampled_from([False, False, True]))
    def decide(self, newest: bool, deny: bool) -> None:
        world, now = self.world, self.world.now
        one = list(self.model.pending.values())[-1 if newest else 0]
        request = world.request(one.id)
        for stranger in (one.person, world.ga):
            assert world.review(request, stranger).code is Code.NOT_APPROVER
        if deny:
            outcome = world.review(request, world.dan, DENY)
            assert (now < one.deadline) is not isinstance(outcome, Refusal)
            del self.model.pending[one.id]
            return
        allowed = self.model.approve(one, now)
        outcome = world.review(request, world.dan)
        assert allowed is not isinstance(outcome, Refusal), outcome
        assert world.review(request, world.dan).code is Code.ALREADY_DECIDED

    # ---------------------------------------------------------------- administrators of administrators
    @rule(
        role=st.sampled_from([GA, PRA]),
        how=st.sampled_from(["give", "remove", "until", "disable", "enable"]),
        who=st.sampled_from(["ga", "ga2", "pra"]),
    )
    def shuffle_administrators(self, role: str, how: str, who: str) -> None:
        world, person = self.world, getattr(self.world, who)
        system = world.system
        if how == "give":
            held = world.read(lambda tx: tx.schedules.of([person], role_id=role, live_at=world.now))
            if not held:
                ok(world.give(person, role, ASSIGNMENT, permanent=True, by=system))
        elif how == "remove":
            outcome = world.take(person, role, ASSIGNMENT, by=system)
            assert getattr(outcome, "code", None) in {
                None,
                Code.ASSIGNMENT_MISSING,
                Code.TOO_SHORT,
                Code.LAST_ADMINISTRATOR,
            }
        elif how == "until":
            world.give(person, role, ASSIGNMENT, action=Action.ADMIN_UPDATE, hours=1, by=system)
        elif who != "pra":  # who carries out the acts above
            set_enabled(world.deps, system, person, enabled=how == "enable")
        if not world.holds(world.pra, PRA) and not world.holds(world.pra, GA):
            ok(world.give(world.pra, PRA, ASSIGNMENT, permanent=True, by=system))

    # ---------------------------------------------------------------- workers
    @rule(failures=st.lists(st.sampled_from(["", "before", "after"]), max_size=4))
    def workers_run(self, failures: list[str]) -> None:
        self.target.failures = list(failures)
        self.world.work(self.target)
        self.target.failures = []
        self.model.work(self.world.now)

    # ---------------------------------------------------------------- invariants only look
    @invariant()
    def in_force_as_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        world, model = self.world, self.model
        later = {now for grant in model.grants.values() for now in (grant.start, grant.end) if now}
        instants = {world.now, world.now + timedelta(minutes=17)}
        instants |= {
            moment + beside
            for moment in sorted(moment for moment in later if moment >= world.now)[:2]
            for beside in (-MICROSECOND, timedelta(0))
        }
        for at, name, role, scope in itertools.product(
            sorted(at for at in instants if at >= world.now),
            ("ann", "bob"),
            (TEAMS, HELPDESK),
            ("/", self.unit),
        ):
            person = self.id(name)
            assert world.holds(person, role, scope, at) is model.holds(person, role, scope, at), (
                at,
                name,
                role,
            )

    @invariant()
    def no_activation_beyond_what_carries_it(self) -> None:
        if not hasattr(self, "model"):
            return
        now = self.world.now
        eligible = [one for one in self.world.schedules(ELIGIBILITY) if one.in_force(now)]
        for held in self.world.schedules(ASSIGNMENT):
            if held.linked_id is None or not held.in_force(now):
                continue
            ids = self.model.ids(held.principal_id)
            assert any(
                one.principal_id in ids
                and one.role_id == held.role_id
                and one.scope in {"/", held.scope}
                and (one.ends_at is None or held.ends_at <= one.ends_at)
                for one in eligible
            ), held
            assert held.ends_at is not None

    @invariant()
    def from_when_until_when_as_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        stored = {one.id: one for kind in KINDS.values() for one in self.world.schedules(kind)}
        for grant in self.model.grants.values():
            if grant.live(self.world.now):
                one = stored[grant.id]
                assert (one.starts_at, one.ends_at) == (grant.start, grant.end)
                assert (one.status is ScheduleStatus.GRANTED) is grant.waiting
                if grant.kind == "active":
                    assert one.linked_id == grant.link

    @invariant()
    def terminal_states_never_return(self) -> None:
        if not hasattr(self, "model"):
            return
        for one in (*self.world.schedules(ELIGIBILITY), *self.world.schedules(ASSIGNMENT)):
            if not SCHEDULE_MOVES[one.status]:
                assert self.ended.setdefault(one.id, one) == one
            else:
                assert one.id not in self.ended
        for request in self.world.requests():
            if not REQUEST_MOVES[request.status]:
                assert self.ended.setdefault(f"r{request.id}", request) == request
            else:
                assert f"r{request.id}" not in self.ended

    @invariant()
    def all_is_on_record(self) -> None:
        """No privilege without an event, no end without one, and an outbox entry for each."""
        if not hasattr(self, "model"):
            return
        told: set[str] = set()
        ended: set[str] = set()
        for event in self.world.events():
            if event.result == "success":
                ids = {target.id for target in event.targets}
                told |= ids
                ended |= ids if event.activity.startswith("Remove") else set()
        left: dict[str, int] = {}
        for key, _, _ in self.world.outbox():
            left[key] = left.get(key, 0) + 1
        for one in (*self.world.schedules(ELIGIBILITY), *self.world.schedules(ASSIGNMENT)):
            assert one.request_id in told, one
            assert one.status not in ENDED or one.request_id in ended, one
            assert left.get(one.id, 0) >= 1 + (one.status in ENDED), one

    @invariant()
    def an_administrator_is_left(self) -> None:
        if not hasattr(self, "model"):
            return
        for role in (GA, PRA):
            assert self.world.read(lambda tx, role=role: lasting_holders(tx, role, self.world.now)), role

    def teardown(self) -> None:
        """In the end the workers catch up, and the target agrees with the store."""
        if not hasattr(self, "model"):
            return
        world = self.world
        world.forward(hours=30)
        for _ in range(3):
            world.work(self.target)
            world.forward(minutes=6)
        world.work(self.target)
        self.model.work(world.now)
        self.in_force_as_the_model_says()
        self.all_is_on_record()
        to_come = any(one.starts_at > world.now for kind in KINDS.values() for one in world.schedules(kind))
        assert to_come or all(done for _, _, done in world.outbox())
        for one in (*world.schedules(ELIGIBILITY), *world.schedules(ASSIGNMENT)):
            assert self.target.state.get(one.id, False) is one.in_force(world.now), one
            if one.ends_at is not None and one.ends_at <= world.now:
                assert one.status is not ScheduleStatus.PROVISIONED
        waiting = {RequestStatus.PENDING_APPROVAL, RequestStatus.PENDING_APPROVAL_PROVISIONING}
        assert not [request for request in world.requests() if request.status in waiting]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_life(database_kind: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("postgres_server") if database_kind == "postgresql" else None
    memory = Path("/dev/shm")  # nothing here has to outlive the machine
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        databases = _Databases(database_kind, Path(folder), server)
        database = Database(databases.make())
        share = 2 if server is None else 6
        wanted = settings(
            max_examples=max(4, settings.default.max_examples // share),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        try:
            run_state_machine_as_test(type("OneLife", (Life,), {"database": database}), settings=wanted)
        finally:
            database.close()
            databases.remove()
