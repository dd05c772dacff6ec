"""The demo organisation can be made on both databases, once, and shows what the README promises."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from openpim.core import roles as r
from openpim.core.caller import Caller, CallerKind
from openpim.core.grants import Kind, Provider
from openpim.core.lifecycle import RequestStatus, ScheduleStatus
from openpim.core.query import Order, Query
from openpim.core.settings import Settings
from openpim.demo.organisation import create
from openpim.demo.people import DOMAIN, PEOPLE, STUDIO_DOMAIN
from openpim.ports.deps import Deps
from openpim.services.last_administrator import lasting_holders
from openpim.services.providers.directory import DirectoryRoles
from openpim.store.database import Database
from tests.signin_helper import CHAT, OUTBOUND, SEALER, fast_sign_in

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
ALL = Query(limit=999)


class Demo:
    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.count = 0
        self.now = NOW
        self.deps = Deps(
            lambda: self.now, self.new_id, self.secret, self.database, SEALER, OUTBOUND, CHAT, Settings()
        )
        self.signin = fast_sign_in(self.deps)

    def new_id(self) -> str:
        self.count += 1
        return str(uuid.UUID(int=0x40008000 << 32 | self.count))

    def secret(self, size: int) -> str:
        self.count += 1
        return f"{self.count:0{size}d}"

    def read(self, work):
        return self.database.read(self.accounts.tenant_id, work)

    def user(self, name: str):
        return self.read(lambda tx: tx.users.by_upn(f"{name}@{DOMAIN}"))


@pytest.fixture
def demo(database_url: str) -> Iterator[Demo]:
    demo = Demo(database_url)
    demo.accounts = create(demo.signin)
    yield demo
    demo.database.close()


def test_it_is_made_once(demo):
    count = demo.count
    assert create(demo.signin) is None
    assert demo.count == count


def test_it_is_a_realistic_organisation(demo):
    people = demo.read(lambda tx: tx.users.page(ALL)).items
    assert len(people) == len(PEOPLE) + 4
    assert sum(person.user_type.value == "Guest" for person in people) == 2
    assert [person.display_name for person in people if not person.enabled] == ["Ebba Rosenlund"]
    assert sum(person.manager_id is None for person in people) == 5  # the chief, emergency accounts, guests
    groups = demo.read(lambda tx: tx.groups.page(ALL)).items
    assert len(groups) == 16
    assert sum(group.role_assignable for group in groups) == 8
    assert sum(group.dynamic for group in groups) == 1
    assert len(demo.read(lambda tx: tx.administrative_units.page(ALL)).items) == 3
    assert len(demo.read(lambda tx: tx.service_principals.page(ALL)).items) == 3
    assert len(demo.read(lambda tx: tx.roles.custom())) == 1
    assert len(demo.read(lambda tx: tx.policies.at_scope(Provider.DIRECTORY, "/"))) >= 15


def test_nobody_but_the_emergency_accounts_holds_a_protected_role(demo):
    holders = demo.read(lambda tx: lasting_holders(tx, r.GLOBAL_ADMINISTRATOR, NOW))
    assert len(holders) == 2
    assert demo.read(lambda tx: lasting_holders(tx, r.PRIVILEGED_ROLE_ADMINISTRATOR, NOW)) == frozenset()


def test_the_first_account_is_eligible_for_roles_with_different_demands(demo):
    mira = demo.accounts.accounts[0]
    assert mira.user_principal_name == f"mira.solbergen@{DOMAIN}"

    def look(tx):
        mine = {mira.user_id} | tx.groups.groups_of(mira.user_id, NOW)
        found = tx.schedules.of(mine, provider=Provider.DIRECTORY, kind=Kind.ELIGIBILITY, live_at=NOW)
        rules = DirectoryRoles()
        return {
            rules.role_name(tx, each.role_id, "/"): rules.policy(tx, demo.deps, each.role_id, "/")
            for each in found
        }

    policies = demo.read(look)
    assert len(policies) == 10
    assert policies["Teams Administrator"].approval.required
    assert policies["Security Administrator"].context == "c1"
    assert policies["Security Administrator"].context_enabled
    assert policies["Billing Administrator"].activation.maximum.iso == "PT30M"
    assert policies["Reports Reader"].activation_requires == frozenset()
    stages = demo.read(
        lambda tx: DirectoryRoles().policy(tx, demo.deps, r.GLOBAL_ADMINISTRATOR, "/")
    ).approval.stages
    assert [stage.quorum for stage in stages] == [2, 1]


def test_there_is_something_of_every_sort_to_see(demo):
    def requests(tx):
        return [request for kind in Kind for request in tx.requests.page(Provider.DIRECTORY, kind, ALL).items]

    statuses = {request.status for request in demo.read(requests)}
    assert statuses >= {
        RequestStatus.PROVISIONED,
        RequestStatus.PENDING_APPROVAL,
        RequestStatus.PENDING_ADMIN_DECISION,
        RequestStatus.DENIED,
        RequestStatus.CANCELED,
        RequestStatus.GRANTED,
    }

    def schedules(tx):
        return [
            schedule for kind in Kind for schedule in tx.schedules.page(Provider.DIRECTORY, kind, ALL).items
        ]

    found = demo.read(schedules)
    assert {schedule.status for schedule in found} >= {ScheduleStatus.PROVISIONED, ScheduleStatus.EXPIRED}
    activated = [each for each in found if each.assignment_type == "Activated" and each.in_force(NOW)]
    assert len(activated) >= 4
    soon = NOW + timedelta(days=4)
    assert any(
        each.in_force(NOW) and each.ends_at and each.ends_at < soon
        for each in found
        if each.kind == "eligibility"
    )
    assert any(each.ends_at and NOW < each.ends_at < NOW + timedelta(minutes=30) for each in activated)
    assert any(each.scope.startswith("/administrativeUnits/") for each in found)


def test_the_history_is_told_in_order(demo):
    order = (Order("at"), Order("id"))
    events = demo.read(lambda tx: tx.audit.page(Query(order=order, limit=999))).items
    assert len(events) > 100
    by_sequence = sorted(events, key=lambda event: event.sequence)
    assert [event.at for event in by_sequence] == [event.at for event in events]
    assert all(event.result == "success" for event in events)
    assert events[-1].at <= NOW


def test_the_approver_finds_a_request_in_his_inbox(demo):
    jonas = demo.user("jonas.weberling")

    def look(tx):
        return [
            tx.roles.get(request.role_id).display_name
            for request in tx.requests.page(Provider.DIRECTORY, Kind.ASSIGNMENT, ALL).items
            if request.status is RequestStatus.PENDING_APPROVAL
            and jonas.id in tx.approvals.get(request.approval_id).current.keys
        ]

    assert demo.read(look) == ["Teams Administrator"]


def test_the_guest_is_at_home_in_the_other_tenant(demo):
    other = demo.accounts.other_tenant_id
    home = demo.database.read(other, lambda tx: tx.users.by_upn(f"bea.hollisand@{STUDIO_DOMAIN}"))
    found = demo.database.read("", lambda tx: tx.users.accounts_of(other, home.id))
    assert [tenant for tenant, _ in found] == [demo.accounts.tenant_id]


def test_credentials_are_new_each_time_and_work(demo):
    accounts = demo.accounts.accounts
    assert len({account.password for account in accounts}) == len(accounts) == 8
    assert all(len(account.password) == 19 for account in accounts)
    for account in accounts:
        tenant = demo.accounts.tenant_id
        if account.user_principal_name.endswith(STUDIO_DOMAIN):
            tenant = demo.accounts.other_tenant_id
        known = demo.database.read(tenant, lambda tx, account=account: tx.credentials.get(account.user_id))
        assert demo.signin.hasher.verify(known.password, account.password)
        assert (known.totp is None) is (account.totp_secret is None)
    assert len(demo.accounts.client.secret) >= 24


def test_mira_can_go_through_the_story_of_the_readme(demo):
    from openpim.core.approval import Verdict
    from openpim.core.ask import Ask
    from openpim.core.grants import Action, Ticket
    from openpim.services.review import review
    from openpim.services.submit import submit

    mira, jonas = demo.accounts.accounts[:2]
    role = demo.read(lambda tx: tx.roles.find_by_name("Teams Administrator")).id

    def caller(account):
        return Caller(demo.accounts.tenant_id, account.user_id, CallerKind.USER, account.display_name)

    ask = Ask(
        Kind.ASSIGNMENT,
        Provider.DIRECTORY,
        Action.SELF_ACTIVATE,
        mira.user_id,
        role,
        "/",
        justification="Rooms",
        ticket=Ticket("1", "x"),
    )
    request = submit(demo.deps, caller(mira), ask)
    assert request.status is RequestStatus.PENDING_APPROVAL
    approval = review(demo.deps, caller(jonas), request.id, None, Verdict.APPROVE, "Go ahead")
    assert approval.status == "Approved"
    held = demo.read(lambda tx: tx.schedules.of([mira.user_id], kind=Kind.ASSIGNMENT, live_at=NOW))
    assert [each.ends_at for each in held] == [NOW + timedelta(hours=4)]
