"""A small organisation with people of every power, a hand-moved clock, and short ways to ask."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from openpim.core import roles as r
from openpim.core.caller import Caller, CallerKind, system
from openpim.core.directory import Group, Tenant, User, UserType
from openpim.core.grants import AssignmentType, Kind, Provider, Schedule
from openpim.core.lifecycle import ScheduleStatus
from openpim.core.query import Query
from openpim.core.settings import Settings
from openpim.ports.deps import Deps
from openpim.store.database import Database
from tests.signin_helper import CHAT, OUTBOUND, SEALER

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
HOME = "aaaaaaaa-0000-4000-8000-000000000001"
ELSEWHERE = "aaaaaaaa-0000-4000-8000-000000000002"


@dataclass
class World:
    database: Database
    now: datetime = START
    count: int = 0
    people: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.deps = Deps(
            lambda: self.now,
            self.new_id,
            lambda size: "x" * size,
            self.database,
            SEALER,
            OUTBOUND,
            CHAT,
            Settings(),
        )

    def new_id(self) -> str:
        self.count += 1
        return str(uuid.UUID(int=0x40008000 << 32 | self.count))

    def write(self, work, tenant=HOME):
        return self.database.write(tenant, work)

    def read(self, work, tenant=HOME):
        return self.database.read(tenant, work)

    # -- things that are there before the story begins
    def user(self, name: str, tenant: str = HOME, **more: object) -> str:
        user_id = self.new_id()
        values = {
            "id": user_id,
            "display_name": name,
            "user_principal_name": f"{name.lower()}@{'home' if tenant == HOME else 'elsewhere'}.test",
            "user_type": UserType.MEMBER,
            "enabled": True,
            "created_at": self.now,
        } | more
        self.write(lambda tx: tx.users.add(User(**values)), tenant)
        return user_id

    def group(self, name: str, members=(), owners=(), **more: object) -> str:
        group_id = self.new_id()

        def work(tx):
            tx.groups.add(Group(id=group_id, display_name=name, created_at=self.now, **more))
            for member in members:
                tx.groups.add_member(group_id, tx.principals.get(member))
            for owner in owners:
                tx.groups.add_owner(group_id, owner)

        self.write(work)
        return group_id

    def grant(
        self,
        principal: str,
        role: str,
        scope: str = "/",
        kind: Kind = Kind.ASSIGNMENT,
        assignment_type: AssignmentType = AssignmentType.ASSIGNED,
        hours: int | None = None,
        linked: str | None = None,
        provider: Provider = Provider.DIRECTORY,
    ) -> str:
        schedule_id = self.new_id()
        schedule = Schedule(
            id=schedule_id,
            kind=kind,
            provider=provider,
            principal_id=principal,
            role_id=role,
            scope=scope,
            starts_at=self.now,
            ends_at=None if hours is None else self.now + timedelta(hours=hours),
            status=ScheduleStatus.PROVISIONED,
            assignment_type=assignment_type if kind is Kind.ASSIGNMENT else None,
            created_at=self.now,
            linked_id=linked,
        )
        self.write(lambda tx: tx.schedules.add(schedule))
        return schedule_id

    def eligible(self, principal: str, role: str, scope: str = "/") -> str:
        return self.grant(principal, role, scope, Kind.ELIGIBILITY)

    # -- who asks
    def as_user(self, user_id: str) -> Caller:
        return Caller(HOME, user_id, CallerKind.USER, "someone")

    def as_app(self, *permissions: str, principal: str = "app") -> Caller:
        return Caller(
            HOME, principal, CallerKind.SERVICE_PRINCIPAL, "app", permissions=frozenset(permissions)
        )

    @property
    def system(self) -> Caller:
        return system(HOME)

    def events(self):
        return self.read(lambda tx: tx.audit.page(Query(limit=500))).items

    def last_event(self):
        return max(self.events(), key=lambda event: event.sequence)


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    database = Database(database_url)
    world = World(database)
    for tenant, domain in ((HOME, "home.test"), (ELSEWHERE, "elsewhere.test")):
        made = Tenant(tenant, domain, domain, START)
        database.write(tenant, lambda tx, made=made: tx.tenants.add(made))
    world.ga, world.ga2 = world.user("Gala"), world.user("Gustav")
    world.pra = world.user("Petra")
    world.useradmin = world.user("Ulf")
    world.groupsadmin = world.user("Gro")
    world.appadmin = world.user("Apu")
    world.nobody = world.user("Nora")
    for person, role in (
        (world.ga, r.GLOBAL_ADMINISTRATOR),
        (world.ga2, r.GLOBAL_ADMINISTRATOR),
        (world.pra, r.PRIVILEGED_ROLE_ADMINISTRATOR),
        (world.useradmin, r.USER_ADMINISTRATOR),
        (world.groupsadmin, r.GROUPS_ADMINISTRATOR),
        (world.appadmin, r.APPLICATION_ADMINISTRATOR),
    ):
        world.grant(person, role)
    yield world
    database.close()
