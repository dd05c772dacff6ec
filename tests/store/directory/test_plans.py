"""Every question that an endpoint asks is answered through an index: no plan scans or sorts a big table."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event, text

from openpim.core import query as q
from openpim.core.directory import PrincipalKind
from openpim.core.relying import ClaimSettings, settings_json
from openpim.store.applications import application_owners, applications
from openpim.store.memberships import administrative_unit_members, group_members, group_owners
from openpim.store.principals import principals
from openpim.store.users import users
from tests.store.directory.conftest import NOW, TENANT, group, guid, user

PEOPLE = 20_000
BIG = (
    "principals", "users", "group_members", "group_owners", "schedules", "administrative_unit_members",
    "permission_grants", "policy_approvers", "application_uris",
    "application_owners", "applications",
)  # fmt: skip
FIRST = q.Query()
SIGN_IN = q.Query(order=(q.Order("user_principal_name"),))
NAMES = q.Query(order=(q.Order("display_name"),))

QUESTIONS = {
    "user by id": lambda tx: tx.users.get(guid(77)),
    "users by ids": lambda tx: tx.users.many([guid(77), guid(99)]),
    "user by sign-in name": lambda tx: tx.users.by_upn("person0000077@example.test"),
    "user by mail": lambda tx: tx.users.by_mail("m77@example.test"),
    "users": lambda tx: tx.users.page(FIRST),
    "users, next page": lambda tx: tx.users.page(q.Query(after=tx.users.page(FIRST).next)),
    "users by name": lambda tx: tx.users.page(NAMES),
    "users by name, next page": lambda tx: tx.users.page(
        q.Query(order=NAMES.order, after=tx.users.page(NAMES).next)
    ),
    "users by sign-in name": lambda tx: tx.users.page(SIGN_IN),
    "users with a prefix": lambda tx: tx.users.page(
        q.Query(q.Compare("display_name", "startswith", "Person 00000"), order=NAMES.order)
    ),
    "user filtered by sign-in name": lambda tx: tx.users.page(
        q.Query(q.Compare("user_principal_name", "eq", "person0000077@example.test"))
    ),
    "user filtered by mail": lambda tx: tx.users.page(q.Query(q.Compare("mail", "eq", "m77@example.test"))),
    "search": lambda tx: tx.users.search("Person 000007"),
    "search of principals": lambda tx: tx.principals.search("Person 000007"),
    "find by name": lambda tx: tx.principals.find_by_name("Person 0000077"),
    "guest accounts": lambda tx: tx.users.accounts_of(TENANT, guid(1)),
    "direct reports": lambda tx: tx.users.direct_reports(guid(1), FIRST),
    "principal": lambda tx: tx.principals.get(guid(77)),
    "principals": lambda tx: tx.principals.page(FIRST, (PrincipalKind.USER,)),
    "groups of a person": lambda tx: tx.groups.groups_of(guid(77), NOW),
    "groups of a person, listed": lambda tx: tx.groups.memberships(guid(77), NOW, FIRST, transitive=True),
    "direct groups": lambda tx: tx.groups.memberships(guid(77), NOW, FIRST),
    "owned groups": lambda tx: tx.groups.owned(guid(77), NOW, FIRST),
    "members of a small group": lambda tx: tx.groups.members(guid(900_001), NOW, FIRST),
    "members of a big group": lambda tx: tx.groups.members(guid(900_000), NOW, FIRST),
    "all members of a small group": lambda tx: tx.groups.transitive_members(guid(900_002), NOW, FIRST),
    "owners": lambda tx: tx.groups.owners(guid(900_000), NOW, FIRST),
    "what an application may do for a person": lambda tx: tx.permission_grants.of(guid(900_100), guid(77)),
    "one permission grant": lambda tx: tx.permission_grants.find(guid(900_100), guid(1), None),
    "who lets it do so": lambda tx: tx.permission_grants.page(
        q.Query(q.Compare("principal_id", "eq", guid(77)))
    ),
    "approvers": lambda tx: tx.policies.approver_in([guid(77), guid(99)]),
    "application by identifier": lambda tx: tx.applications.by_uri("api://payroll"),
    "applications by name": lambda tx: tx.applications.page(NAMES),
    "owners of an application": lambda tx: tx.applications.owners(guid(970_007), NAMES),
    "whether somebody owns an application": lambda tx: tx.applications.is_owner(guid(970_007), guid(77)),
    "owned applications": lambda tx: tx.applications.owned(guid(77), NAMES),
    "who lets an application do something": lambda tx: tx.permission_grants.page(
        q.Query(q.Compare("client_id", "eq", guid(900_100)), (q.Order("principal_id"),), limit=25)
    ),
    "some people, counted": lambda tx: tx.tallies.people(500),
    "units": lambda tx: tx.administrative_units.units_of(guid(77)),
    "members of a unit": lambda tx: tx.administrative_units.members(guid(950_000), FIRST),
}


@pytest.fixture
def full(database):
    def fill(tx):
        for number in range(900_000, 900_200):
            tx.groups.add(group(number))
        person = tx.principals
        tx.users.add(user(1))
        tx.groups.add_member(guid(900_001), person.get(guid(1)))
        tx.groups.add_member(guid(900_002), person.get(guid(900_001)))
        rows = range(2, PEOPLE)
        tx.connection.execute(
            principals.insert(),
            [
                {
                    "tenant_id": TENANT,
                    "id": guid(n),
                    "kind": "user",
                    "display_name": f"Person {n:07d}",
                    "name_key": f"person {n:07d}",
                    "enabled": True,
                    "created_at": NOW,
                }
                for n in rows
            ],
        )
        tx.connection.execute(
            users.insert(),
            [
                {
                    "tenant_id": TENANT,
                    "id": guid(n),
                    "user_principal_name": f"person{n:07d}@example.test",
                    "upn_key": f"person{n:07d}@example.test",
                    "mail": f"m{n}@example.test",
                    "mail_key": f"m{n}@example.test",
                    "user_type": "Member",
                    "manager_id": guid(n // 8),
                    "home_tenant_id": None,
                    "home_user_id": None,
                }
                for n in rows
            ],
        )
        tx.connection.execute(
            group_members.insert(),
            [
                {"tenant_id": TENANT, "group_id": guid(g), "member_id": guid(n), "member_kind": "user"}
                for n in rows
                for g in (900_000, 900_003 + n % 190)
            ],
        )
        tx.connection.execute(
            group_owners.insert(),
            [
                {"tenant_id": TENANT, "group_id": guid(900_003 + n % 190), "owner_id": guid(n)}
                for n in range(2, 4000)
            ],
        )
        tx.connection.execute(
            applications.insert(),
            [
                {
                    "tenant_id": TENANT,
                    "id": guid(970_000 + n),
                    "app_id": guid(980_000 + n),
                    "display_name": f"App {n:05d}",
                    "name_key": f"app {n:05d}",
                    "created_at": NOW,
                    "public": False,
                    "redirect_uris": "[]",
                    "identifier_uris": "[]",
                    "app_roles": "[]",
                    "claims": settings_json(ClaimSettings()),
                }
                for n in range(4000)
            ],
        )
        tx.connection.execute(
            application_owners.insert(),
            [
                {"tenant_id": TENANT, "application_id": guid(970_000 + n), "owner_id": guid(2 + n % 900)}
                for n in range(4000)
            ],
        )
        tx.connection.execute(
            administrative_unit_members.insert(),
            [
                {"tenant_id": TENANT, "unit_id": guid(950_000 + n % 50), "member_id": guid(n)}
                for n in range(2, 10_000)
            ],
        )

    database.write(TENANT, fill)
    with database.engine.connect() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("ANALYZE"))
            connection.commit()
    return database


def explain(database, question):
    """(statement, plan) of everything the question asks the database."""
    asked = []

    def note(connection, cursor, statement, parameters, context, executemany):
        asked.append((statement, parameters))

    event.listen(database.reading_engine, "before_cursor_execute", note)
    try:
        database.read(TENANT, question)
    finally:
        event.remove(database.reading_engine, "before_cursor_execute", note)
    prefix = "EXPLAIN " if database.dialect == "postgresql" else "EXPLAIN QUERY PLAN "
    plans = []
    with database.reading_engine.connect() as connection:
        if database.dialect == "postgresql":
            connection.exec_driver_sql(
                "SET enable_seqscan = off"
            )  # so that one is left only where nothing else is
        for statement, parameters in asked:
            rows = connection.exec_driver_sql(prefix + statement, parameters).all()
            plans.append((statement, "\n".join(str(row[-1]) for row in rows)))
    return plans


SCANS = {
    "sqlite": re.compile(rf"SCAN ({'|'.join(BIG)})\b(?! USING)|AUTOMATIC|BLOOM"),
    "postgresql": re.compile(rf"Seq Scan on ({'|'.join(BIG)})\b"),
}


@pytest.mark.slow
def test_no_question_scans_or_sorts_a_big_table(full):
    bad = []
    for name, question in QUESTIONS.items():
        for statement, plan in explain(full, question):
            sorts = (
                full.dialect == "sqlite"
                and name.startswith(("users", "members of a big"))
                and "TEMP B-TREE FOR ORDER" in plan
            )
            if SCANS[full.dialect].search(plan) or sorts:
                bad.append(f"{name}\n{statement}\n{plan}")
    assert not bad, "\n\n".join(bad)
