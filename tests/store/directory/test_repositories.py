from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from openpim.core import query as q
from openpim.core.directory import (
    AdministrativeUnit,
    Application,
    PrincipalKind,
    RoleDefinition,
    ServicePrincipal,
    Tenant,
    UserType,
)
from openpim.core.first_party import AZURE_CLI
from tests.store.directory.conftest import NOW, OTHER, TENANT, group, guid, user


def names(page):
    return [item.display_name for item in page.items]


def test_tenants_are_found_by_any_of_their_domains(database):
    def work(tx):
        assert tx.tenants.current().name == "example.test"
        tx.tenants.save(Tenant(TENANT, "Example", "example.test", NOW, ("Second.Example.test",)))
        assert tx.tenants.by_domain("SECOND.example.TEST").id == TENANT
        assert tx.tenants.by_domain("nobody.test") is None
        assert {tenant.id for tenant in tx.tenants.all()} == {TENANT, OTHER}
        assert set(tx.tenants.get(TENANT).domains) == {"example.test", "Second.Example.test"}
        tx.lock_tenant()

    database.write(TENANT, work)


def test_a_user_comes_back_as_it_was_stored(database):
    stored = user(
        1,
        "Ásta Björk",
        mail="Asta@Example.test",
        given_name="Ásta",
        surname="Björk",
        job_title="Engineer",
        department="Labs",
        office_location="3",
        mobile_phone="+1 555",
        employee_id="7",
        manager_id=guid(9),
        home_tenant_id=OTHER,
        home_user_id=guid(8),
        user_type=UserType.GUEST,
        enabled=False,
    )
    database.write(TENANT, lambda tx: tx.users.add(stored))

    def look(tx):
        assert tx.users.get(guid(1)) == stored
        assert tx.users.by_upn("PERSON0000001@EXAMPLE.TEST") == stored
        assert tx.users.by_mail("asta@example.test") == (stored,)
        assert tx.users.many([guid(1), guid(2)]) == {guid(1): stored}
        assert tx.users.accounts_of(OTHER, guid(8)) == ((TENANT, stored),)
        assert tx.principals.get(guid(1)).kind is PrincipalKind.USER
        assert tx.principals.get(guid(1)).able is False
        tx.lock_principal(guid(1))

    database.write(TENANT, look)
    assert database.read(OTHER, lambda tx: tx.users.get(guid(1))) is None
    assert database.read(OTHER, lambda tx: tx.principals.get(guid(1))) is None
    assert database.read("", lambda tx: tx.users.accounts_of(OTHER, guid(8))) == ((TENANT, stored),)


def test_saving_a_user_changes_every_attribute(database):
    changed = replace(
        user(1), display_name="New", user_principal_name="new@example.test", enabled=False, department="x"
    )

    def work(tx):
        tx.users.add(user(1))
        tx.users.save(changed)
        assert tx.users.get(guid(1)) == changed
        assert tx.users.by_upn("person0000001@example.test") is None
        assert names(tx.users.page(q.Query(q.Compare("display_name", "eq", "nEW")))) == ["New"]

    database.write(TENANT, work)


def test_a_deleted_user_vanishes_and_frees_the_sign_in_name(database):
    def work(tx):
        tx.users.add(user(1))
        tx.users.add(user(2, manager_id=guid(1)))
        tx.groups.add(group(10))
        tx.groups.add_member(guid(10), tx.principals.get(guid(1)))
        tx.groups.add_owner(guid(10), guid(1))
        assert tx.users.remove(guid(1), NOW) is True
        assert tx.users.remove(guid(1), NOW) is False
        assert tx.users.get(guid(1)) is None
        assert tx.users.by_upn("person0000001@example.test") is None
        assert tx.users.many([guid(1)]) == {}
        assert tx.users.many([guid(1)], deleted=True)[guid(1)].user_principal_name.startswith("person")
        assert tx.principals.get(guid(1)) is None
        assert tx.principals.get(guid(1), deleted=True).deleted_at == NOW
        assert [found.id for found in tx.users.page(q.Query()).items] == [guid(2)]
        assert tx.users.get(guid(2)).manager_id is None
        assert tx.groups.groups_of(guid(1), NOW) == frozenset()
        assert tx.groups.owners(guid(10), NOW, q.Query()).items == ()
        tx.users.add(replace(user(3), user_principal_name=user(1).user_principal_name))

    database.write(TENANT, work)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (q.Compare("display_name", "startswith", "ad"), ["Ada", "adam_x"]),
        (q.Compare("display_name", "startswith", "ADAM_"), ["adam_x"]),
        (q.Compare("display_name", "eq", "ADA"), ["Ada"]),
        (q.Compare("display_name", "contains", "OR"), ["Boris"]),
        (q.AnyOf("display_name", ("ada", "BORIS")), ["Ada", "Boris"]),
        (q.Compare("user_principal_name", "startswith", "PERSON0000003"), ["Boris"]),
        (q.Compare("department", "eq", "labs"), ["Ada"]),
        (q.Compare("department", "ne", "labs"), ["adam_x", "Boris", "Zoë"]),
        (q.Compare("mail", "eq", None), ["Ada", "adam_x", "Boris", "Zoë"]),
        (q.Not(q.Compare("enabled", "eq", True)), ["Zoë"]),
        (q.Compare("user_type", "eq", "member"), ["Ada", "adam_x", "Boris", "Zoë"]),
    ],
)
def test_users_can_be_filtered(database, where, found):
    def work(tx):
        tx.users.add(user(1, "Ada", department="Labs"))
        tx.users.add(user(2, "adam_x"))
        tx.users.add(user(3, "Boris"))
        tx.users.add(user(4, "Zoë", enabled=False))

    database.write(TENANT, work)
    query = q.Query(where, order=(q.Order("display_name"),))
    assert names(database.read(TENANT, lambda tx: tx.users.page(query))) == found


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("field", ["id", "display_name", "user_principal_name", "mail", "created_at"])
def test_pages_hold_every_user_once_in_order(database, field, descending):
    def work(tx):
        for number in range(1, 24):
            mail = f"m{number}@x" if number % 3 else None
            tx.users.add(
                user(number, f"Same {number // 4}", mail=mail, created_at=NOW + timedelta(number % 5))
            )

    database.write(TENANT, work)
    order = (q.Order(field, descending),)
    whole = database.read(TENANT, lambda tx: tx.users.page(q.Query(order=order, count=True)))
    assert whole.total == 23
    seen, after = [], None
    while True:
        query = q.Query(order=order, limit=4, after=after)
        part = database.read(TENANT, lambda tx, query=query: tx.users.page(query))
        seen += part.items
        after = part.next
        if after is None:
            break
    assert seen == list(whole.items)
    assert len({found.id for found in seen}) == 23


def test_search_finds_by_display_name_and_sign_in_name(database):
    def work(tx):
        tx.users.add(user(1, "Ada Lind"))
        tx.users.add(user(2, "Person named so"))
        tx.groups.add(group(10, "Admins"))
        assert names_of(tx.users.search("aDa")) == ["Ada Lind"]
        assert names_of(tx.users.search("person")) == ["Ada Lind", "Person named so"]
        assert names_of(tx.principals.search("ad")) == ["Ada Lind", "Admins"]
        assert names_of(tx.principals.search("ad", (PrincipalKind.GROUP,))) == ["Admins"]
        assert names_of(tx.groups.search("AD")) == ["Admins"]
        assert names_of(tx.principals.find_by_name("ADMINS")) == ["Admins"]
        assert tx.principals.find_by_name("admins", PrincipalKind.USER) == ()

    def names_of(found):
        return [each.display_name for each in found]

    database.write(TENANT, work)


def test_direct_reports(database):
    def work(tx):
        tx.users.add(user(1))
        tx.users.add(user(2, manager_id=guid(1)))
        tx.users.add(user(3, manager_id=guid(2)))
        assert [found.id for found in tx.users.direct_reports(guid(1), q.Query()).items] == [guid(2)]

    database.write(TENANT, work)


def test_applications_are_known_by_client_id_in_every_tenant(database):
    made = Application(
        id=guid(50),
        app_id=guid(51),
        display_name="Deployer",
        created_at=NOW,
        redirect_uris=("https://x.test/cb",),
        identifier_uris=("api://x",),
        tenant_id=TENANT,
    )
    database.write(TENANT, lambda tx: tx.applications.add(made))

    def look(tx):
        assert tx.applications.by_app_id(guid(51)) == made
        assert tx.applications.get(guid(50)) is None
        assert tx.applications.by_app_id(AZURE_CLI).public
        assert tx.applications.page(q.Query()).items == ()

    database.read(OTHER, look)
    changed = replace(made, display_name="Other", public=True, logout_uri="https://x.test/out")

    def change(tx):
        tx.applications.save(changed)
        assert tx.applications.get(guid(50)) == changed
        assert tx.applications.remove(guid(50)) is True
        assert tx.applications.remove(guid(50)) is False

    database.write(TENANT, change)


def test_service_principals(database):
    made = ServicePrincipal(guid(60), guid(51), "Deployer", True, NOW, ("User.Read.All",))

    def work(tx):
        tx.service_principals.add(made)
        assert tx.service_principals.get(guid(60)) == made
        assert tx.service_principals.by_app_id(guid(51)) == made
        assert tx.service_principals.many([guid(60)]) == {guid(60): made}
        query = q.Query(q.Compare("app_id", "eq", guid(51)))
        assert tx.service_principals.page(query).items == (made,)
        changed = replace(made, enabled=False, permissions=())
        tx.service_principals.save(changed)
        assert tx.service_principals.get(guid(60)) == changed
        assert tx.service_principals.remove(guid(60), NOW)
        assert tx.service_principals.by_app_id(guid(51)) is None
        tx.service_principals.add(replace(made, id=guid(61)))

    database.write(TENANT, work)


def test_administrative_units(database):
    def work(tx):
        unit = AdministrativeUnit(guid(70), "North", NOW, "Where it is cold")
        tx.administrative_units.add(unit)
        tx.users.add(user(1))
        assert tx.administrative_units.get(guid(70)) == unit
        assert tx.administrative_units.add_member(guid(70), guid(1)) is True
        assert tx.administrative_units.add_member(guid(70), guid(1)) is False
        assert tx.administrative_units.is_member(guid(70), guid(1))
        assert tx.administrative_units.units_of(guid(1)) == {guid(70)}
        assert names(tx.administrative_units.members(guid(70), q.Query())) == ["Person 0000001"]
        assert tx.administrative_units.remove_member(guid(70), guid(1)) is True
        assert tx.administrative_units.remove_member(guid(70), guid(1)) is False
        tx.administrative_units.add_member(guid(70), guid(1))
        tx.administrative_units.save(replace(unit, display_name="South"))
        assert names(tx.administrative_units.page(q.Query())) == ["South"]
        assert tx.administrative_units.remove(guid(70), NOW) is True
        assert tx.administrative_units.remove(guid(70), NOW) is False
        assert tx.administrative_units.get(guid(70)) is None
        assert tx.administrative_units.many([guid(70)]) == {}
        assert tx.administrative_units.units_of(guid(1)) == frozenset()

    database.write(TENANT, work)


def test_role_definitions_of_both_kinds_are_one_list(database):
    custom = RoleDefinition(
        id=guid(80),
        display_name="App Reader",
        actions=("microsoft.directory/applications/standard/read",),
        built_in=False,
        description="Reads",
        template_id=guid(80),
        version="1",
        created_at=NOW,
    )

    def work(tx):
        tx.roles.add(custom)
        assert tx.roles.get(guid(80)) == custom
        assert tx.roles.custom() == (custom,)
        assert len(tx.roles.all()) == 146
        assert tx.roles.find_by_name("app READER") == custom
        assert tx.roles.find_by_name("global administrator").privileged
        assert tx.roles.find_by_name("nothing") is None
        found = tx.roles.page(q.Query(q.Compare("built_in", "eq", False), count=True))
        assert (found.items, found.total) == ((custom,), 1)
        both = tx.roles.many([guid(80), "62e90394-69f5-4237-9190-012177145e10", "nope"])
        assert {role.display_name for role in both.values()} == {"App Reader", "Global Administrator"}
        changed = replace(custom, enabled=False, display_name="App Watcher")
        tx.roles.save(changed)
        assert tx.roles.get(guid(80)) == changed
        assert tx.roles.remove(guid(80)) is True
        assert tx.roles.remove(guid(80)) is False

    database.write(TENANT, work)
    database.read(OTHER, lambda tx: tx.roles.custom() == ())


def test_roles_are_paged_and_sorted(database):
    query = q.Query(order=(q.Order("display_name", descending=True),), limit=50)
    seen = []
    while True:
        part = database.read(TENANT, lambda tx, query=query: tx.roles.page(query))
        seen += names(part)
        if part.next is None:
            break
        query = replace(query, after=part.next)
    assert len(seen) == 145
    assert seen == sorted(seen, key=str.lower, reverse=True)
