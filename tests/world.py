"""A simulated world for the life of a grant: one tenant in a given database, a clock that is moved by hand, ids that
count, people of every power, short ways to ask, and targets in memory that fail before or after they did their work.

    world = World(database_url)
    world.eligible(world.ann)
    request = world.activate(world.ann, hours=1)
    world.forward(hours=1)
    assert not world.holds(world.ann)

Several worlds may share a database: each has a tenant of its own. Nothing here decides anything; the acts do.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Collection, Iterable
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from openpim.core.approval import Approval, Verdict
from openpim.core.ask import Ask
from openpim.core.audit import AuditEvent
from openpim.core.caller import Caller, CallerKind, system
from openpim.core.directory import (
    AdministrativeUnit,
    Group,
    RoleDefinition,
    ServicePrincipal,
    Tenant,
    User,
    UserType,
)
from openpim.core.grants import (
    NO_TICKET,
    Action,
    Duration,
    ExpirationType,
    Kind,
    Provider,
    Request,
    Schedule,
    Ticket,
    Window,
)
from openpim.core.policy import ApprovalSettings, Policy, Reviewers, Stage
from openpim.core.query import Query
from openpim.core.refusals import Code, Refusal
from openpim.core.roles import GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR
from openpim.core.settings import Settings
from openpim.ports.deps import Deps
from openpim.services import (
    audit_log,
    authority,
    checkpoints,
    due,
    policies,
    review,
    submit,
    timeouts,
)
from openpim.services import cancel as cancelling
from openpim.services.channels import asking, tickets
from openpim.services.connecting import manage as targets
from openpim.services.connecting.checking import Desired
from openpim.services.connecting.reconcile import Held, Looked, look
from openpim.store.database import Database
from tests.connectors.twin import Twins, TwinServer
from tests.signin_helper import CHAT, OUTBOUND, SEALER

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TEAMS = "69091246-20e8-4a56-aa4d-066075b2a7a8"  # Teams Administrator: the role of most stories
HELPDESK = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"  # Global Reader
GA, PRA = GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR
DIRECTORY = Provider.DIRECTORY
ELIGIBILITY, ASSIGNMENT = Kind.ELIGIBILITY, Kind.ASSIGNMENT
APPROVE, DENY = Verdict.APPROVE, Verdict.DENY
MICROSECOND = timedelta(microseconds=1)

T = TypeVar("T")
_worlds = itertools.count(1)


def ok(outcome: T | Refusal) -> T:
    """The value, or a failure of the test that shows the refusal."""
    assert not isinstance(outcome, Refusal), outcome
    return outcome


def refused(outcome: object, code: Code) -> Refusal:
    """The refusal, which must be this one."""
    assert isinstance(outcome, Refusal), f"expected {code}, but it was done: {outcome}"
    assert outcome.code is code, outcome
    return outcome


def lasting(seconds: float) -> Duration:
    return Duration(f"PT{int(seconds)}S", 0, int(seconds))


def window(
    *,
    start: datetime | None = None,
    until: datetime | None = None,
    permanent: bool = False,
    hours: float | None = None,
    minutes: float | None = None,
    days: float | None = None,
) -> Window:
    """When: a start, and at most one way to say the end."""
    if until is not None:
        return Window(start, ExpirationType.AFTER_DATE_TIME, end=until)
    if permanent:
        return Window(start, ExpirationType.NO_EXPIRATION)
    if hours is minutes is days is None:
        return Window(start)
    seconds = timedelta(hours=hours or 0, minutes=minutes or 0, days=days or 0).total_seconds()
    return Window(start, ExpirationType.AFTER_DURATION, duration=lasting(seconds))


class World:
    """See the module. `ga` and `ga2` are Global Administrators for good, `pra` a Privileged Role Administrator;
    `ann`, `bob`, `cyd` and `dan` are people without any role."""

    def __init__(
        self,
        database: Database | str,
        *,
        settings: Settings | None = None,
        start: datetime = START,
        people: Iterable[str] = ("ann", "bob", "cyd", "dan"),
        number: int | None = None,
        tenant_id: str | None = None,
    ) -> None:
        self.owns_database = isinstance(database, str)
        self.database = Database(database) if isinstance(database, str) else database
        self.now = start
        self._number = next(_worlds) if number is None else number
        self._ids = itertools.count(1)
        self.twins = Twins()
        self._held: dict[str, Held] = {}
        self.deps = Deps(
            clock=lambda: self.now,
            new_id=self.new_id,
            secret=lambda size: "s" * size,
            store=self.database,
            sealer=SEALER,
            outbound=OUTBOUND,
            chat=CHAT,
            settings=settings or Settings(),
            connectors=self.twins,
        )
        self.tenant_id = tenant_id or self.new_id()
        self.system = system(self.tenant_id)
        if tenant_id is not None:
            return  # an existing one
        domain = f"world{self._number}.test"
        self.write(lambda tx: tx.tenants.add(Tenant(self.tenant_id, domain, domain, self.now)))
        self.ga, self.ga2, self.pra = self.users("Gala", "Gustav", "Petra")
        for person, role in ((self.ga, GA), (self.ga2, GA), (self.pra, PRA)):
            ok(self.give(person, role, ASSIGNMENT, permanent=True, by=self.system))
        named = tuple(people)
        self.people = dict(zip(named, self.users(*named), strict=True))
        self.forward(minutes=10)  # nothing of the above is younger than the five-minute minimum

    def again(self, database: Database) -> World:
        """The same world, in a copy of its database."""
        other = World(database, start=self.now, number=self._number, tenant_id=self.tenant_id)
        other.ga, other.ga2, other.pra, other.people = self.ga, self.ga2, self.pra, self.people
        other._ids = copy(self._ids)
        return other

    def __getattr__(self, name: str) -> str:
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None

    def close(self) -> None:
        if self.owns_database:
            self.database.close()

    # -- time and ids
    def new_id(self) -> str:
        return str(uuid.UUID(int=(self._number << 96) | 0x4000_8000_0000_0000_0000 | next(self._ids)))

    def forward(self, **amount: float) -> datetime:
        self.now += timedelta(**amount)
        return self.now

    def at(self, moment: datetime) -> datetime:
        self.now = moment
        return moment

    # -- real systems
    def target(
        self, host: str = "payroll", managed: Collection[str] = ("payroll_admin",), **more: Any
    ) -> tuple[str, TwinServer]:
        """A twin: its id, and itself. more: of Desired, and settings of the twin (end, each)."""
        settings = {"host": host} | {name: more.pop(name) for name in ("end", "each") if name in more}
        values = {"name": host, "subject": "{localPart}", "managed": tuple(managed), "settings": settings}
        desired = Desired(**(values | more))
        made = ok(targets.create(self.deps, self.caller(self.ga), "twin", desired))
        return made.target.id, self.twins.at(host)

    def rule(
        self,
        target_id: str,
        role: str = TEAMS,
        scope: str = "/",
        *,
        provider: Provider = DIRECTORY,
        entitlement: str = "payroll_admin",
    ) -> str:
        added = targets.add_rule(
            self.deps, self.caller(self.ga), target_id, provider, role, scope, entitlement
        )
        return ok(added).id

    def name_in_target(self, person: str) -> str:
        """What a person is called in a twin."""
        return str(self.read(lambda tx: tx.users.get(person)).user_principal_name.partition("@")[0])

    def look(self, target_id: str, *, now_in_full: bool = True) -> Looked | None:
        """One look at a target, by a worker that goes on from look to look."""
        held = self._held.setdefault(target_id, Held())
        return look(self.deps, held, self.tenant_id, target_id, now_in_full=now_in_full)

    # -- the store
    def write(self, work: Any) -> Any:
        return self.database.write(self.tenant_id, work)

    def read(self, work: Any) -> Any:
        return self.database.read(self.tenant_id, work)

    # -- people and things
    def user(self, name: str, **more: Any) -> str:
        return self.users(name, **more)[0]

    def users(self, *names: str, **more: Any) -> list[str]:
        """Several at once."""
        made = []
        for name in names:
            user_id = self.new_id()
            values = {
                "id": user_id,
                "display_name": name,
                "user_principal_name": f"{name.lower()}.{user_id[-6:]}@world{self._number}.test",
                "user_type": UserType.MEMBER,
                "enabled": True,
                "created_at": self.now,
            } | more
            made.append(User(**values))

        def work(tx: Any) -> None:
            for user in made:
                tx.users.add(user)

        self.write(work)
        return [user.id for user in made]

    def guest(self, name: str) -> str:
        return self.user(name, user_type=UserType.GUEST)

    def group(
        self, name: str, members: Collection[str] = (), *, role_assignable: bool = True, **more: Any
    ) -> str:
        group = Group(self.new_id(), name, self.now, role_assignable=role_assignable, **more)

        def work(tx: Any) -> None:
            tx.groups.add(group)
            for member in members:
                tx.groups.add_member(group.id, tx.principals.get(member))

        self.write(work)
        return group.id

    def leave(self, group_id: str, member_id: str) -> None:
        """The bare fact, without the act that would draw conclusions."""
        self.write(lambda tx: tx.groups.remove_member(group_id, member_id))

    def unit(self, name: str) -> str:
        """Its scope."""
        unit = AdministrativeUnit(self.new_id(), name, self.now)
        self.write(lambda tx: tx.administrative_units.add(unit))
        return f"/administrativeUnits/{unit.id}"

    def app(self, name: str, *permissions: str) -> str:
        app = ServicePrincipal(
            self.new_id(), self.new_id(), name, enabled=True, created_at=self.now, permissions=permissions
        )
        self.write(lambda tx: tx.service_principals.add(app))
        return app.id

    def custom_role(self, name: str, **more: Any) -> str:
        role = RoleDefinition(
            self.new_id(),
            name,
            ("microsoft.directory/groups/create",),
            built_in=False,
            created_at=self.now,
            **more,
        )
        self.write(lambda tx: tx.roles.add(role))
        return role.id

    def change_user(self, user_id: str, **changes: Any) -> None:
        """The bare fact, without the act."""
        self.write(lambda tx: tx.users.save(replace(tx.users.get(user_id), **changes)))

    def disable(self, user_id: str) -> None:
        self.change_user(user_id, enabled=False)

    def delete(self, user_id: str) -> None:
        self.write(lambda tx: tx.users.remove(user_id, self.now))

    # -- who asks
    def caller(self, who: str | Caller, *, mfa: bool = True, acrs: Iterable[str] = (), **more: Any) -> Caller:
        if isinstance(who, Caller):
            return who
        return Caller(
            self.tenant_id,
            who,
            CallerKind.USER,
            display_name="someone",
            amr=frozenset({"pwd", "mfa"} if mfa else {"pwd"}),
            acrs=frozenset(acrs),
            **more,
        )

    # -- role settings
    def policy(self, role: str = TEAMS, **changes: Any) -> Policy:
        """Change a role's settings through the act."""
        present = ok(policies.get(self.deps, self.system, DIRECTORY, role))
        return ok(
            policies.update(
                self.deps, self.caller(self.pra), present.id, lambda policy: replace(policy, **changes)
            )
        )

    def approval(
        self, *users: str, role: str = TEAMS, groups: Collection[str] = (), stages: Any = (), **stage: Any
    ) -> Policy:
        """Activations of the role need an approval: of these users (one stage), or in these stages."""
        one = Stage(primary=Reviewers(tuple(users), tuple(groups)), **stage)
        return self.policy(role, approval=ApprovalSettings(required=True, stages=tuple(stages) or (one,)))

    # -- asking
    def ask(
        self,
        action: Action,
        principal: str,
        role: str = TEAMS,
        scope: str = "/",
        *,
        kind: Kind = ASSIGNMENT,
        justification: str | None = "because",
        ticket: Ticket = NO_TICKET,
        validation_only: bool = False,
        schedule_id: str | None = None,
        request_id: str | None = None,
        **when: Any,
    ) -> Ask:
        return Ask(
            kind=kind,
            provider=DIRECTORY,
            action=action,
            principal_id=principal,
            role_id=role,
            scope=scope,
            justification=justification,
            ticket=ticket,
            window=window(**when),
            validation_only=validation_only,
            schedule_id=schedule_id,
            request_id=request_id,
        )

    def submit(self, ask: Ask, by: str | Caller) -> Request | Refusal:
        return submit.submit(self.deps, self.caller(by), ask)

    def give(
        self,
        principal: str,
        role: str = TEAMS,
        kind: Kind = ELIGIBILITY,
        scope: str = "/",
        *,
        by: str | Caller | None = None,
        action: Action = Action.ADMIN_ASSIGN,
        **more: Any,
    ) -> Request | Refusal:
        return self.submit(self.ask(action, principal, role, scope, kind=kind, **more), by or self.pra)

    def eligible(self, principal: str, role: str = TEAMS, scope: str = "/", **when: Any) -> Request:
        """An administrator made it so; for good unless `when` says otherwise."""
        return ok(self.give(principal, role, ELIGIBILITY, scope, **(when or {"permanent": True})))

    def assigned(self, principal: str, role: str = TEAMS, scope: str = "/", **when: Any) -> Request:
        return ok(self.give(principal, role, ASSIGNMENT, scope, **(when or {"permanent": True})))

    def take(
        self, principal: str, role: str = TEAMS, kind: Kind = ELIGIBILITY, scope: str = "/", **more: Any
    ) -> Request | Refusal:
        return self.give(principal, role, kind, scope, action=Action.ADMIN_REMOVE, **more)

    def activate(
        self, user: str, role: str = TEAMS, scope: str = "/", *, by: Caller | None = None, **more: Any
    ) -> Request | Refusal:
        return self.submit(self.ask(Action.SELF_ACTIVATE, user, role, scope, **more), by or user)

    def deactivate(self, user: str, role: str = TEAMS, scope: str = "/", **more: Any) -> Request | Refusal:
        return self.submit(self.ask(Action.SELF_DEACTIVATE, user, role, scope, **more), user)

    def extend(
        self, user: str, role: str = TEAMS, scope: str = "/", kind: Kind = ASSIGNMENT, **more: Any
    ) -> Request | Refusal:
        return self.submit(self.ask(Action.SELF_EXTEND, user, role, scope, kind=kind, **more), user)

    def renew(
        self, user: str, role: str = TEAMS, scope: str = "/", kind: Kind = ELIGIBILITY, **more: Any
    ) -> Request | Refusal:
        return self.submit(self.ask(Action.SELF_RENEW, user, role, scope, kind=kind, **more), user)

    def cancel(self, request: Request, by: str | Caller) -> Request | Refusal:
        return cancelling.cancel(self.deps, self.caller(by), request.provider, request.kind, request.id)

    def review(
        self,
        request: Request,
        by: str | Caller,
        verdict: Verdict = APPROVE,
        *,
        stage: str | None = None,
        justification: str = "fine",
    ) -> Approval | Refusal:
        return review.review(self.deps, self.caller(by), request.id, stage, verdict, justification)

    # -- workers
    def work(self) -> None:
        """Every worker, once, as far as there is something to do."""
        while due.expire(self.deps, self.tenant_id):
            pass
        due.start(self.deps, self.tenant_id)
        timeouts.settle_approvals(self.deps, self.tenant_id)
        timeouts.check_reviewers(self.deps, self.tenant_id)
        asking.ask_due(self.deps, self.tenant_id)
        tickets.sweep(self.deps, self.tenant_id)
        for target in self.read(lambda tx: tx.targets.all()):
            self.look(target.id, now_in_full=False)
        self.grow()

    def sign(self) -> Any:
        """The next checkpoint of the audit log, None when it is not time for one."""
        self.grow()
        return checkpoints.sign_due(self.deps, self.tenant_id)

    def grow(self) -> int:
        """The tenant's audit log takes in all that waits; its size."""
        while audit_log.grow(self.deps, self.tenant_id):
            pass
        return self.read(lambda tx: tx.audit_log.size())

    # -- what is so
    def holds(self, principal: str, role: str = TEAMS, scope: str = "/", at: datetime | None = None) -> bool:
        """Whether the role is in force for this person now, at this scope or above it, however it came about."""
        moment = at or self.now
        found = self.read(lambda tx: authority.roles_at(tx, self.caller(principal), scope, moment))
        return role in found

    def request(self, request_id: str) -> Request:
        found = self.read(lambda tx: tx.requests.get(request_id))
        assert found is not None
        return found

    def approval_of(self, request: Request) -> Approval:
        found = self.read(lambda tx: tx.approvals.get(request.id))
        assert found is not None
        return found

    def schedule(self, request: Request) -> Schedule:
        """The schedule a request made or changed."""
        found = self.read(lambda tx: tx.schedules.get(self.request(request.id).schedule_id))
        assert found is not None
        return found

    def schedules(self, kind: Kind = ASSIGNMENT) -> list[Schedule]:
        return list(self.read(lambda tx: tx.schedules.page(DIRECTORY, kind, Query(limit=10_000))).items)

    def requests(self) -> list[Request]:
        return [
            request
            for kind in Kind
            for request in self.read(
                lambda tx, kind=kind: tx.requests.page(DIRECTORY, kind, Query(limit=10_000))
            ).items
        ]

    def everything(self, noun: str) -> list[Any]:
        """All "schedules" or "requests", of every provider and kind."""
        return [
            one
            for provider in Provider
            for kind in Kind
            for one in self.read(
                lambda tx, provider=provider, kind=kind: getattr(tx, noun).page(
                    provider, kind, Query(limit=10_000)
                )
            ).items
        ]

    def events(self, activity: str | None = None) -> list[AuditEvent]:
        """The history, oldest first."""
        events = self.read(lambda tx: tx.audit.page(Query(limit=100_000))).items
        return sorted(
            (event for event in events if activity is None or event.activity == activity),
            key=lambda event: event.sequence,
        )

    def snapshot(self) -> tuple[Any, ...]:
        """Everything a refused or validated request must leave as it was."""
        return (
            sorted(repr(one) for one in self.everything("schedules") if one.kind is ELIGIBILITY),
            sorted(repr(one) for one in self.everything("schedules") if one.kind is ASSIGNMENT),
            sorted(map(repr, self.everything("requests"))),
            len(self.events()),
            self.outbox(),
        )

    def outbox(self) -> list[tuple[str, int, bool]]:
        """(schedule, attempts, done) of every entry of this tenant."""
        from openpim.store.outbox import outbox

        def work(tx: Any) -> list[tuple[str, int, bool]]:
            rows = tx.connection.execute(
                outbox.select().where(outbox.c.tenant_id == self.tenant_id)
            ).mappings()
            return sorted((row["key"], row["attempt"], row["done_at"] is not None) for row in rows)

        return self.read(work)
