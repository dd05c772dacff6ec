"""The demo's resources and groups: what the README, the how-to pages and other tests count on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from openpim.core.ask import Ask
from openpim.core.caller import Caller, CallerKind
from openpim.core.grants import Action, Kind, Provider, Ticket
from openpim.core.lifecycle import RequestStatus
from openpim.core.permissions import CONTRIBUTOR, OWNER
from openpim.core.query import Query
from openpim.core.refusals import Refusal
from openpim.core.resources import ResourceKind
from openpim.demo.organisation import create
from openpim.demo.people import DOMAIN
from openpim.demo.resources import FLEET_OPERATOR, at
from openpim.services.resource_access import allowed
from openpim.services.submit import submit
from tests.demo.test_organisation import NOW, Demo

# That it can be made on both databases is tested beside this; what follows is the same on each.
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

ALL = Query(limit=999)
TICKET = Ticket("7", "Changes")
STRONG = frozenset({"pwd", "otp", "mfa"})


@pytest.fixture
def demo(database_url: str) -> Iterator[Demo]:
    demo = Demo(database_url)
    demo.accounts = create(demo.signin)
    yield demo
    demo.database.close()


class Person:
    def __init__(self, demo: Demo, name: str) -> None:
        self.demo = demo
        self.id = demo.user(name).id
        self.caller = Caller(demo.accounts.tenant_id, self.id, CallerKind.USER, name, amr=STRONG)

    def activate(self, provider: Provider, role_id: str, scope: str, ticket: Ticket = TICKET):
        ask = Ask(
            Kind.ASSIGNMENT,
            provider,
            Action.SELF_ACTIVATE,
            self.id,
            role_id,
            scope,
            justification="why",
            ticket=ticket,
        )
        return submit(self.demo.deps, self.caller, ask)

    def may(self, action: str, place: str) -> bool:
        return self.demo.read(lambda tx: allowed(tx, self.caller, action, at(place), NOW))

    def eligible(self) -> set[tuple[Provider, str, str]]:
        def look(tx):
            who = {self.id} | tx.groups.groups_of(self.id, NOW)
            found = tx.schedules.of(who, kind=Kind.ELIGIBILITY, live_at=NOW)
            return {(one.provider, one.role_id, one.scope) for one in found}

        return self.demo.read(look)


@pytest.fixture
def mira(demo):
    return Person(demo, "mira.solbergen")


def group(demo, name: str) -> str:
    return next(one.id for one in demo.read(lambda tx: tx.groups.page(ALL)).items if one.display_name == name)


def test_the_tree(demo):
    places = demo.read(lambda tx: tx.resources.page(ALL)).items
    kinds = [one.kind for one in places]
    assert kinds.count(ResourceKind.MANAGEMENT_GROUP) == 6
    assert kinds.count(ResourceKind.SUBSCRIPTION) == 8
    assert kinds.count(ResourceKind.RESOURCE_GROUP) == 10
    assert kinds.count(ResourceKind.RESOURCE) >= 15
    chain = demo.read(lambda tx: tx.resources.chain(at("identity/rg-secrets")))
    assert list(chain[1:4]) == [at("identity"), at("mg:Platform"), at("mg:IT")]


def test_mira_has_something_of_every_kind(demo, mira):
    mine = mira.eligible()
    admins = group(demo, "sg-admins")
    assert {
        (Provider.RESOURCE, OWNER, at("prod")),
        (Provider.RESOURCE, OWNER, at("mg:IT")),
        (Provider.GROUP, "member", admins),
        (Provider.GROUP, "owner", admins),
    } <= mine
    operator = demo.read(lambda tx: tx.resource_roles.by_name(FLEET_OPERATOR)).id
    assert (Provider.RESOURCE, operator, at("prod/rg-fleet")) in mine  # through On-Call Engineers


def test_owner_of_prod_needs_a_ticket_and_works_at_once(mira):
    refused = mira.activate(Provider.RESOURCE, OWNER, at("prod"), Ticket())
    assert isinstance(refused, Refusal)
    assert not mira.may("Microsoft.Web/sites/write", "prod/rg-payments/payments-api")
    assert mira.activate(Provider.RESOURCE, OWNER, at("prod")).status is RequestStatus.PROVISIONED
    assert mira.may("Microsoft.Web/sites/write", "prod/rg-payments/payments-api")
    assert not mira.may("Microsoft.KeyVault/vaults/delete", "prod/rg-payments/kv-payments")  # denied to all


def test_a_narrower_place_may_be_stricter(mira):
    asked = mira.activate(Provider.RESOURCE, OWNER, at("prod/rg-payments"))
    assert asked.status is RequestStatus.PENDING_APPROVAL
    assert mira.activate(Provider.RESOURCE, OWNER, at("prod/rg-fleet")).status is RequestStatus.PROVISIONED
    assert not mira.may("Microsoft.Web/sites/write", "prod/rg-payments/payments-api")


def test_owner_of_it_waits_for_approval(mira):
    assert mira.activate(Provider.RESOURCE, OWNER, at("mg:IT")).status is RequestStatus.PENDING_APPROVAL


def test_a_role_comes_through_a_membership(demo, mira):
    assert not mira.may("Microsoft.Network/virtualNetworks/write", "connectivity/rg-hub/vnet-hub")
    admins = group(demo, "sg-admins")
    assert mira.activate(Provider.GROUP, "member", admins).status is RequestStatus.PROVISIONED
    assert mira.may("Microsoft.Network/virtualNetworks/write", "connectivity/rg-hub/vnet-hub")
    assert mira.activate(Provider.GROUP, "owner", admins).status is RequestStatus.PENDING_APPROVAL


def test_there_is_something_running_and_something_waiting(demo):
    def requests(tx, provider):
        return [one.status for one in tx.requests.page(provider, Kind.ASSIGNMENT, ALL).items]

    for provider in (Provider.RESOURCE, Provider.GROUP):
        found = demo.read(lambda tx, provider=provider: requests(tx, provider))
        assert RequestStatus.PENDING_APPROVAL in found
        assert RequestStatus.PROVISIONED in found
    held = demo.read(lambda tx: tx.schedules.page(Provider.RESOURCE, Kind.ASSIGNMENT, ALL, live_at=NOW)).items
    assert any(one.role_id == CONTRIBUTOR and one.scope == at("mg:Platform") for one in held)
    assert demo.user("callum.brodrick").user_principal_name.endswith(DOMAIN)
