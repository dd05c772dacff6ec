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
- a target in which somebody keeps what has ended, or does not get what he holds, whatever failed
- a worker that records no end
- the last-administrator check left out of an update, or blind to disabled people
- a role over the whole tenant that does not reach into its units
- a group left with what it carried still active; one that ends later than the membership it comes through
- a group that leaves another one; a membership that ends in time, or earlier than was said
- a place that is moved, deleted or denied with what was active, asked for or given in it
- the milder of two settings where a role is activated below its eligibility
- the last owner of a group taken away, shortened, disabled
"""

from __future__ import annotations

import itertools
from datetime import timedelta

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

from openpim.core.grants import Action, Provider, Schedule
from openpim.core.lifecycle import REQUEST_MOVES, SCHEDULE_MOVES, RequestStatus, ScheduleStatus
from openpim.core.permissions import CONTRIBUTOR, READER, DenyAssignment, Permission
from openpim.core.refusals import Code, Refusal
from openpim.services.directory.group_members import add_member, remove_member
from openpim.services.directory.update_user import set_enabled
from openpim.services.last_administrator import lasting_holders, lasting_owners
from openpim.services.resources import denials, shaping
from openpim.store.database import Database
from tests.conftest import _Databases
from tests.machine.acts import Acts
from tests.machine.model import MEMBER, OWNER, Grant, Pending
from tests.world import (
    ASSIGNMENT,
    DENY,
    ELIGIBILITY,
    GA,
    HELPDESK,
    MICROSECOND,
    PRA,
    TEAMS,
    ok,
)

KINDS = {"eligible": ELIGIBILITY, "assigned": ASSIGNMENT}
PERSON = st.sampled_from(["ann", "bob"])
PRINCIPAL = st.sampled_from(["ann", "bob", "team", "crew"])
WHAT = st.sampled_from(
    [
        *("teams", "teams north", "helpdesk", "helpdesk north"),
        *("member team", "member crew", "owner team"),
        *("reader a", "reader sub", "reader web", "contributor a", "contributor sub", "contributor web"),
    ]
)
MINUTES = st.sampled_from([1, 4.99, 5, 30, 60, 60, 120, 240, 480, 481, 6000])
DELAY = st.sampled_from([0, 0, 0, 10, 60, 120])
ENDED = {ScheduleStatus.REVOKED, ScheduleStatus.EXPIRED}


class Life(RuleBasedStateMachine):
    database: Database  # set by the test

    @initialize()
    def begin(self) -> None:
        self.acts = acts = Acts(self.database)
        self.world, self.model = acts.world, acts.model
        self.team, self.crew = acts.team, acts.crew
        self.target, self.server = self.world.target(managed=("teams", "team", "sub"))
        for what, (provider, role, scope) in self.mapped().items():
            self.world.rule(self.target, role, scope, provider=provider, entitlement=what)
        self.ended: dict[str, object] = {}
        self.owned = False
        # Something to begin with: who may for good and for half a day, alone and through groups, one in the other.
        self.join_or_leave("bob", "team")
        self.assign("assigned", "crew", "member team", None, 0)
        self.assign("eligible", "bob", "member crew", 600, 0)
        self.assign("assigned", "ann", "member crew", 300, 0)
        self.assign("eligible", "ann", "teams", None, 0)
        self.assign("eligible", "bob", "helpdesk", 720, 0)
        self.assign("eligible", "team", "teams", 240, 0)
        self.assign("eligible", "team", "helpdesk north", None, 0)
        self.assign("eligible", "team", "contributor sub", None, 0)
        self.assign("eligible", "crew", "reader a", 1000, 0)
        self.assign("eligible", "bob", "reader web", None, 0)
        self.assign("eligible", "ann", "owner team", 1000, 0)
        self.assign("assigned", "bob", "owner team", None, 0)
        self.assign("eligible", "ann", "contributor a", 900, 0)
        self.assign("eligible", "ann", "reader a", None, 0)

    def id(self, name: str) -> str:
        return self.acts.id(name)

    def mapped(self) -> dict[str, tuple[Provider, str, str]]:
        """What the target gives for what: a role, being in a group, a role on a place or above it."""
        acts = self.acts
        return {
            "teams": (Provider.DIRECTORY, TEAMS, "/"),
            "team": (Provider.GROUP, "member", self.team),
            "sub": (Provider.RESOURCE, READER, acts.subscription),
        }

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
        what=WHAT,
        minutes=st.one_of(st.none(), MINUTES),
        delay=DELAY,
    )
    def assign(self, kind: str, name: str, what: str, minutes: float | None, delay: int) -> None:
        now = self.world.now
        if name == "team" and what == "member crew":
            return  # a circle
        start = now + timedelta(minutes=delay)
        end = None if minutes is None else start + timedelta(seconds=int(minutes * 60))
        principal, (role, scope) = self.id(name), self.acts.what(what)
        allowed = self.model.may_give(kind, principal, role, scope, start, end, now)
        when = {"permanent": True} if end is None else {"minutes": minutes}
        outcome = self.acts.submit(
            Action.ADMIN_ASSIGN, principal, role, scope, kind=KINDS[kind], start=start, **when
        )
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

    @rule(kind=st.sampled_from(list(KINDS)), name=PRINCIPAL, what=WHAT)
    def remove_at_random(self, kind: str, name: str, what: str) -> None:
        self.remove(kind, self.id(name), *self.acts.what(what))

    @rule(kind=st.sampled_from([*KINDS, "active"]), which=st.integers(0, 20))
    def remove_well(self, kind: str, which: int) -> None:
        found = [
            grant for grant in self.model.grants.values() if grant.kind == kind and grant.on(self.world.now)
        ]
        if found:
            grant = found[which % len(found)]
            self.remove(
                "eligible" if kind == "eligible" else "assigned", grant.principal, grant.role, grant.scope
            )

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
        outcome = self.acts.submit(Action.ADMIN_REMOVE, principal, role, scope, kind=KINDS[kind])
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
        allowed = self.model.may_give(
            grant.kind, grant.principal, grant.role, grant.scope, start, end, now, but=grant
        )
        when = {"permanent": True} if end is None else {"minutes": minutes}
        outcome = self.acts.submit(
            Action.ADMIN_UPDATE,
            grant.principal,
            grant.role,
            grant.scope,
            kind=KINDS[grant.kind],
            schedule_id=grant.id,
            **when,
        )
        assert allowed is not isinstance(outcome, Refusal), outcome
        if allowed:
            grant.start, grant.end = start, end
            self.model.look_again(now)

    @rule(name=PERSON, group=st.sampled_from(["team", "crew"]), really=st.integers(0, 2))
    def join_or_leave_now_and_then(self, name: str, group: str, really: int) -> None:
        if really == 0:
            self.join_or_leave(name, group)

    def join_or_leave(self, name: str, group: str) -> None:
        world, pair = self.world, (self.id(name), self.id(group))
        if pair in self.model.standing:
            ok(remove_member(world.deps, world.system, pair[1], pair[0]))
            self.model.standing.discard(pair)
            self.model.look_again(world.now)
        else:
            ok(add_member(world.deps, world.system, pair[1], pair[0]))
            self.model.standing.add(pair)

    @rule(name=PERSON, really=st.integers(0, 5))
    def disable_or_enable(self, name: str, really: int) -> None:
        world, model, person = self.world, self.model, self.id(name)
        if person in model.disabled:
            ok(set_enabled(world.deps, world.system, person, enabled=True))
            model.disabled.discard(person)
        elif really == 0:
            outcome = set_enabled(world.deps, world.system, person, enabled=False)
            assert model.may_disable(person, world.now) is not isinstance(outcome, Refusal), outcome
            if not isinstance(outcome, Refusal):
                model.disabled.add(person)

    def through_groups(self) -> list[Grant]:
        """What is active, or will be, because its holder is in a group."""
        found = self.active() + self.waiting()
        return [one for one in found if self.model.grants[one.link].principal in self.model.groups]

    @precondition(lambda self: self.through_groups())
    @rule(which=st.integers(0, 5), way=st.integers(0, 5), minutes=st.sampled_from([None, None, 5, 30]))
    def cut_the_way(self, which: int, way: int, minutes: int | None) -> None:
        """Its holder leaves the group, or the group leaves the other one, at once or earlier than was said."""
        model, now, found = self.model, self.world.now, self.through_groups()
        ids = model.ids(found[which % len(found)].principal, now)
        ways = [
            one
            for one in model.grants.values()
            if one.role == MEMBER and one.principal in ids and one.on(now)
        ]
        ways = [one for one in ways if one.kind != "eligible"]
        standing = sorted(pair for pair in model.standing if pair[0] in ids)
        if standing and (not ways or way == 0):
            person, group = standing[0]
            ok(remove_member(self.world.deps, self.world.system, group, person))
            model.standing.discard((person, group))
            model.look_again(now)
        elif ways:
            grant = ways[way % len(ways)]
            if minutes is None or grant.kind == "active":
                self.remove("assigned", grant.principal, grant.role, grant.scope)
            else:
                self.change(grant, minutes)

    @precondition(lambda self: self.chances())
    @rule(which=st.integers(0, 30), way=st.integers(0, 5), minutes=st.sampled_from([None, None, 5, 30]))
    def ask_through_a_group_and_cut_the_way(self, which: int, way: int, minutes: int | None) -> None:
        model, now = self.model, self.world.now
        found = [one for one in self.chances() if model.best(*one, now, now)[0].principal in model.groups]
        if found:
            self.ask(*found[which % len(found)], 480 if which % 2 else 60, 0)
        if self.through_groups():
            self.cut_the_way(which, way, minutes)

    # ---------------------------------------------------------------- the tree
    def inside(self) -> list[Grant | Pending]:
        """What was activated, or asked for, in the tree."""
        found = [*self.active(), *self.waiting(), *self.model.pending.values()]
        return [one for one in found if one.role in self.model.tree_roles]

    @rule(really=st.integers(0, 3))
    def move_the_subscription(self, really: int) -> None:
        if really and not self.inside():
            return
        acts, world = self.acts, self.world
        parent = acts.b if self.model.parents[acts.subscription] == acts.a else acts.a
        ok(shaping.move(world.deps, world.caller(world.olga), acts.subscription, parent))
        self.model.move(acts.subscription, parent, world.now)

    @rule(really=st.integers(0, 5))
    def remove_or_make_a_place(self, really: int) -> None:
        acts, world = self.acts, self.world
        if acts.web not in self.model.parents:
            acts.make_web()
            self.model.parents[acts.web] = acts.subscription
        elif not really or (really < 4 and any(one.scope == acts.web for one in self.inside())):
            ok(shaping.delete(world.deps, world.caller(world.olga), acts.web))
            self.model.remove_place(acts.web)

    def tree_chances(self) -> list[tuple[str, str, str]]:
        return [one for one in self.chances() if one[1] in self.model.tree_roles]

    @precondition(lambda self: self.tree_chances())
    @rule(
        which=st.integers(0, 30), minutes=st.sampled_from([60, 120, 480]), delay=st.sampled_from([0, 0, 60])
    )
    def ask_in_the_tree(self, which: int, minutes: int, delay: int) -> None:
        self.ask(*self.tree_chances()[which % len(self.tree_chances())], minutes, delay)

    @precondition(lambda self: self.tree_chances())
    @rule(which=st.integers(0, 30), how=st.sampled_from(["move", "move", "remove", "deny"]))
    def ask_and_pull_away(self, which: int, how: str) -> None:
        """The place goes, or comes to lie elsewhere, while somebody is active there or waits for a decision."""
        self.ask_in_the_tree(which, 60, 0)
        if how == "move":
            self.move_the_subscription(0)
        elif how == "remove":
            self.remove_or_make_a_place(0)
        else:
            self.deny_or_allow("ann", "web", 0)

    @rule(name=PRINCIPAL, place=st.sampled_from(["sub", "web", "a"]), really=st.integers(0, 2))
    def deny_or_allow(self, name: str, place: str, really: int) -> None:
        world, model = self.world, self.model
        olga = world.caller(world.olga)
        if model.denials and really:
            key = next(iter(model.denials))
            ok(denials.delete(world.deps, olga, key))
            del model.denials[key]
            return
        key, scope = world.new_id(), self.acts.what(f"reader {place}")[1]
        denied = (Permission(actions=("*/write",)),)
        wanted = DenyAssignment(key, "no writing", scope, denied, (self.id(name),))
        outcome = denials.put(world.deps, olga, wanted)
        there = bool(model.chain(READER, scope))
        assert there is not isinstance(outcome, Refusal), outcome
        if there:
            model.denials[key] = (scope, self.id(name))

    # ---------------------------------------------------------------- the holder
    def ask(self, person: str, role: str, scope: str, minutes: float, delay: int) -> None:
        model, now = self.model, self.world.now
        start = now + timedelta(minutes=delay) if delay else None
        length = timedelta(seconds=int(minutes * 60))
        found = model.window(person, role, scope, start, length, now)
        allowed = found is not None and not model.waits(person, role, scope, now)
        outcome = self.acts.submit(Action.SELF_ACTIVATE, person, role, scope, start=start, minutes=minutes)
        assert allowed is not isinstance(outcome, Refusal), outcome
        if not allowed:
            return
        if model.demands(role, scope, found[2]).approval:
            deadline = now + timedelta(hours=24)
            deadline = deadline if start is None else min(deadline, start)
            self.drop_late(person, role, scope)
            model.pending[outcome.id] = Pending(outcome.id, person, role, scope, start, length, deadline)
        else:
            model.apply(found, person, role, scope, now, None, outcome.id, approved=False)

    def drop_late(self, person: str, role: str, scope: str) -> None:
        """A new request closes an old one whose time is over."""
        for one in list(self.model.pending.values()):
            if (one.person, one.role, one.scope) == (person, role, scope):
                assert one.deadline <= self.world.now
                del self.model.pending[one.id]

    @rule(name=PERSON, what=WHAT, minutes=MINUTES, delay=DELAY)
    def ask_at_random(self, name: str, what: str, minutes: float, delay: int) -> None:
        self.ask(self.id(name), *self.acts.what(what), minutes, delay)

    def chances(self) -> list[tuple[str, str, str]]:
        """Who could activate what now, and does not hold it that way yet."""
        now, model, acts = self.world.now, self.model, self.acts
        narrower = {"/": (acts.unit,), acts.a: (acts.subscription, acts.web), acts.subscription: (acts.web,)}
        found = {
            (person, grant.role, scope)
            for person in (self.world.ann, self.world.bob)
            for ids in [model.ids(person, now)]
            for grant in model.grants.values()
            if grant.kind == "eligible" and grant.on(now) and grant.principal in ids
            for scope in {grant.scope, *narrower.get(grant.scope, ())}
            if grant.scope in model.chain(grant.role, scope)
        }
        return sorted(one for one in found if model.running(*one, now) is None)

    @precondition(lambda self: self.chances())
    @rule(which=st.integers(0, 30), minutes=st.sampled_from([60, 5, 30, 480]), delay=DELAY)
    def ask_well(self, which: int, minutes: int, delay: int) -> None:
        self.ask(*self.chances()[which % len(self.chances())], minutes, delay)

    @precondition(lambda self: self.chances())
    @rule(which=st.integers(0, 30), minutes=st.sampled_from([60, 5, 30, 480]))
    def ask_well_at_once(self, which: int, minutes: int) -> None:
        self.ask(*self.chances()[which % len(self.chances())], minutes, 0)

    @precondition(lambda self: self.chances())
    @rule(which=st.integers(0, 30), minutes=st.sampled_from([60, 480]))
    def ask_and_approve(self, which: int, minutes: int) -> None:
        self.ask(*self.chances()[which % len(self.chances())], minutes, 0)
        if self.model.pending:
            self.decide(newest=True, deny=False)

    @precondition(lambda self: self.active())
    @rule(which=st.integers(0, 5), minutes=st.sampled_from([480, 470, 240, 60, 481]))
    def extend_well(self, which: int, minutes: int) -> None:
        model, now = self.model, self.world.now
        grant = self.active()[which % len(self.active())]
        length = timedelta(minutes=minutes)
        named = (grant.principal, grant.role, grant.scope)
        found = model.window(*named, None, length, now, grant)
        allowed = found is not None and not model.waits(*named, now)
        outcome = self.acts.submit(Action.SELF_EXTEND, *named, minutes=minutes)
        assert allowed is not isinstance(outcome, Refusal), outcome
        if not allowed:
            return
        if model.demands(grant.role, grant.scope, found[2]).approval:
            self.drop_late(*named)
            deadline = now + timedelta(hours=24)
            model.pending[outcome.id] = Pending(
                outcome.id, *named, None, length, deadline, extension=grant.id
            )
        else:
            model.apply(found, *named, now, grant, outcome.id, approved=False)

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
        outcome = self.acts.submit(Action.SELF_DEACTIVATE, grant.principal, grant.role, grant.scope)
        assert allowed is not isinstance(outcome, Refusal), outcome
        if allowed:
            grant.over = True
            self.model.look_again(now)

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
            self.model.look_again(self.world.now)

    # ---------------------------------------------------------------- approvers
    @precondition(lambda self: self.model.pending)
    @rule(newest=st.booleans(), deny=st.sampled_from([False, False, True]))
    def decide(self, newest: bool, deny: bool) -> None:
        world, now = self.world, self.world.now
        one = list(self.model.pending.values())[-1 if newest else 0]
        request = world.request(one.id)
        for stranger in (one.person, world.ga):
            assert world.review(request, stranger).code is Code.NOT_APPROVER
        if now >= one.deadline:
            del self.model.pending[one.id]
            for late in (world.dan, world.olga):
                assert isinstance(world.review(request, late), Refusal)
            return
        # By the settings of today: where they ask for no approval any more, those who administer the place decide.
        who = world.dan if self.model.approval_today(one, now) else world.olga
        if deny:
            ok(world.review(request, who, DENY))
            del self.model.pending[one.id]
            return
        self.model.approve(one, now)
        ok(world.review(request, who))
        assert world.review(request, who).code is Code.ALREADY_DECIDED

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
        self.server.failures = [one for one in failures if one]
        self.world.work()
        if not failures:
            self.world.look(self.target)  # whatever pause it is in
            self.target_as_the_store_says()
        self.server.failures = []
        self.model.work(self.world.now)

    # ---------------------------------------------------------------- invariants only look
    @invariant()
    def in_force_as_the_model_says(self) -> None:
        """At this instant and at the boundaries to come, as each act that decides or tells says it."""
        if not hasattr(self, "model"):
            return
        world, model, acts = self.world, self.model, self.acts
        later = {now for grant in model.grants.values() for now in (grant.start, grant.end) if now}
        instants = {world.now, world.now + timedelta(minutes=17)}
        instants |= {
            moment + beside
            for moment in sorted(moment for moment in later if moment > world.now)[:1]
            for beside in (-MICROSECOND, timedelta(0))
        }
        for at, person in itertools.product(sorted(instants), (world.ann, world.bob)):
            told, held = acts.told(person, at), model.held(person, at)
            inside = model.ids(person, at)
            for role, scope in ((TEAMS, "/"), (TEAMS, acts.unit), (HELPDESK, "/"), (HELPDESK, acts.unit)):
                assert ((role, scope) in told) is model.holds(person, role, scope, at), (at, role, scope)
            for group in (self.team, self.crew):
                assert ((MEMBER, group) in told) is (group in inside), (at, group)
            assert ((OWNER, self.team) in told) is ((OWNER, self.team) in held), at
            for place in (acts.subscription, acts.web) if at == world.now else (acts.web,):
                may_write = model.holds(person, CONTRIBUTOR, place, at)
                may_read = may_write or model.holds(person, READER, place, at)
                may_write = may_write and not model.denied(person, place, at)
                assert acts.can(person, CONTRIBUTOR, place, at) is may_write, (at, place)
                assert acts.can(person, READER, place, at) is may_read, (at, place)

    @invariant()
    def the_index_decides_as_the_acts_do(self) -> None:
        if not hasattr(self, "model"):
            return
        world, acts, model = self.world, self.acts, self.model
        web = {acts.web} if acts.web in model.parents else set()
        for at, person in itertools.product(
            (world.now, world.now + timedelta(minutes=17)), (world.ann, world.bob)
        ):
            able = person not in model.disabled
            told = acts.told(person, at) if able else set()
            places = {acts.subscription, *web}
            can = {
                (role, place)
                for role in (READER, CONTRIBUTOR)
                for place in places
                if acts.can(person, role, place, at)
            }
            for decided, allowed in acts.decided(person, at):
                assert decided == told, (at, person)
                assert {one for one in allowed if one[1] in places} == can, (at, person)

    @invariant()
    def everybody_is_told_what_he_may_activate(self) -> None:
        self.steps = getattr(self, "steps", 0) + 1
        if not hasattr(self, "model") or self.steps % 3:
            return
        model, now = self.model, self.world.now
        for person in (self.world.ann, self.world.bob):
            ids, held = model.ids(person, now), model.held(person, now)
            may = {
                (grant.role, grant.scope)
                for grant in model.grants.values()
                if grant.kind == "eligible" and grant.on(now) and grant.principal in ids
            }
            told = self.acts.mine(person)
            assert told.keys() == may
            assert {one for one, state in told.items() if state == "active"} == may & held

    @invariant()
    def what_is_stored_is_right(self) -> None:
        if not hasattr(self, "model"):
            return
        stored = list(self.acts.schedules())
        self.no_activation_beyond_what_carries_it(stored)
        self.from_when_until_when_as_the_model_says(stored)
        self.terminal_states_never_return(stored)
        self.all_is_on_record(stored)

    def no_activation_beyond_what_carries_it(self, stored: list[Schedule]) -> None:
        now = self.world.now
        current = [one for one in stored if one.in_force(now)]
        for held in current:
            if held.kind is not ASSIGNMENT or held.linked_id is None:
                continue
            ids = self.model.ids(held.principal_id, now)
            chain = self.model.chain(held.role_id, held.scope)
            assert any(
                one.kind is ELIGIBILITY
                and one.principal_id in ids
                and one.role_id == held.role_id
                and one.scope in chain
                and (one.ends_at is None or held.ends_at <= one.ends_at)
                for one in current
            ), held
            assert held.ends_at is not None

    def from_when_until_when_as_the_model_says(self, stored: list[Schedule]) -> None:
        by_id = {one.id: one for one in stored}
        for grant in self.model.grants.values():
            if grant.live(self.world.now):
                one = by_id[grant.id]
                assert (one.starts_at, one.ends_at) == (grant.start, grant.end)
                assert (one.status is ScheduleStatus.GRANTED) is grant.waiting
                if grant.kind == "active":
                    assert one.linked_id == grant.link

    def terminal_states_never_return(self, stored: list[Schedule]) -> None:
        for one in stored:
            if not SCHEDULE_MOVES[one.status]:
                assert self.ended.setdefault(one.id, one) == one
            else:
                assert one.id not in self.ended
        for request in self.acts.requests():
            if not REQUEST_MOVES[request.status]:
                assert self.ended.setdefault(f"r{request.id}", request) == request
            else:
                assert f"r{request.id}" not in self.ended

    def all_is_on_record(self, stored: list[Schedule]) -> None:
        """No privilege without an event, no end without one."""
        told: set[str] = set()
        ended: set[str] = set()
        for event in self.world.events():
            if event.result == "success":
                ids = {target.id for target in event.targets}
                told |= ids
                ended |= ids if event.activity.startswith("Remove") else set()
        for one in stored:
            assert one.request_id in told, one
            assert one.status not in ENDED or one.request_id in ended, one

    @invariant()
    def an_administrator_is_left(self) -> None:
        if not hasattr(self, "model"):
            return
        for role in (GA, PRA):
            assert self.world.read(lambda tx, role=role: lasting_holders(tx, role, self.world.now)), role

    @invariant()
    def the_last_owner_is_left(self) -> None:
        """Who owned the group for good is there, unless nobody ever did."""
        if not hasattr(self, "model"):
            return
        owners = self.world.read(lambda tx: lasting_owners(tx, self.team, self.world.now))
        assert owners == self.model.lasting_owners(self.team, self.world.now)
        assert owners or not self.owned
        self.owned = self.owned or bool(owners)

    def target_as_the_store_says(self) -> None:
        """In the target people can do what they hold here, by whatever way, and nothing else."""
        world, model, acts = self.world, self.model, self.acts
        for person in (world.ann, world.bob):
            name, now = world.name_in_target(person), world.now
            assert self.server.may(name, "teams") is model.holds(person, TEAMS, "/", now)
            inside = person not in model.disabled and self.team in model.ids(person, now)
            assert self.server.may(name, "team") is inside
            assert self.server.may(name, "sub") is model.holds(person, READER, acts.subscription, now)

    def teardown(self) -> None:
        """In the end the workers catch up, and the target agrees with the store."""
        if not hasattr(self, "model"):
            return
        world = self.world
        world.forward(hours=30)
        for _ in range(3):
            world.work()
            world.forward(minutes=6)
        world.work()
        self.model.work(world.now)
        self.in_force_as_the_model_says()
        self.what_is_stored_is_right()
        self.target_as_the_store_says()
        for one in self.acts.schedules():
            if one.ends_at is not None and one.ends_at <= world.now:
                assert one.status is not ScheduleStatus.PROVISIONED
        waiting = {RequestStatus.PENDING_APPROVAL, RequestStatus.PENDING_APPROVAL_PROVISIONING}
        assert not [request for request in self.acts.requests() if request.status in waiting]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_life(database_kind: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("postgres_server") if database_kind == "postgresql" else None
    databases = _Databases(server)
    database = Database(databases.make())
    share = 8 if server is None else 20
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
