"""The usual look-ups of provisioners are answered by an index, whatever the size of the directory."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from openpim.core.directory import User, UserType
from openpim.core.provisioning import Record
from tests.faces.scim.client import Scim
from tests.plans import look, noted

PEOPLE = 1500
BIG = (
    "principals",
    "users",
    "groups",
    "group_members",
    "schedules",
    "provisioned",
    "provisioned_members",
    "audit_events",
)

LOOKUPS = [
    'userName eq "many0077@{domain}"',
    'userName eq "many0077"',
    'externalId eq "x77"',
    'displayName eq "Many 0077"',
    'displayName sw "Many 007"',
    'emails.value eq "many0077@mail.test"',
    'emails[type eq "work" and value eq "many0077@mail.test"]',
    'externalId eq "x77" and active eq true',
    'id eq "{id}"',
]


@pytest.fixture
def many(scim: Scim) -> Scim:
    from openpim.core.directory import PrincipalKind

    world = scim.world
    domain = scim.domain

    def fill(tx) -> None:
        for number in range(PEOPLE):
            name = f"many{number:04d}"
            user = User(
                world.new_id(),
                f"Many {number:04d}",
                f"{name}@{domain}",
                UserType.MEMBER,
                True,
                world.now,
                mail=f"{name}@mail.test",
            )
            tx.users.add(user)
            tx.provisioning.save(
                scim.client_id, PrincipalKind.USER, user.id, Record(f"x{number}", {}, world.now)
            )
            scim.some = user.id

    world.write(fill)
    if world.database.dialect == "postgresql":
        with world.database.engine.connect() as connection:
            connection.execute(text("ANALYZE"))
            connection.commit()
    return scim


def test_lookups_scan_nothing(many: Scim) -> None:
    for lookup in LOOKUPS:
        query = lookup.replace("{domain}", many.domain).replace("{id}", many.some)
        with noted(many.world.database) as asked:
            answer = many.http.get(
                "/scim/v2/Users", params={"filter": query}, headers={"Authorization": f"Bearer {many.token}"}
            )
        assert answer.status_code == 200, answer.text
        assert answer.json()["totalResults"] >= 1, query
        for statement, parameters in asked:
            found = look(many.world.database, statement, parameters, BIG)
            assert found.scan is None, (query, statement, found.plan)
            assert found.work < 1000, (query, found.work, statement, found.plan)


def test_groups_are_looked_up_too(many: Scim) -> None:
    many.team("The one", many.some, externalId="g-1")
    for query in ('displayName eq "the one"', 'externalId eq "g-1"'):
        with noted(many.world.database) as asked:
            found = many.get(f"/Groups?filter={query}").json()
        assert found["totalResults"] == 1
        for statement, parameters in asked:
            seen = look(many.world.database, statement, parameters, BIG)
            assert seen.scan is None, (query, statement, seen.plan)
            assert seen.work < 1000, (query, seen.work, statement, seen.plan)
