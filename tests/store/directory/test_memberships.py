"""Who is in which group, by rows and by schedules, through other groups and around circles."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import BigInteger, Boolean, Integer, insert

from openpim.core import query as q
from openpim.store.memberships import _schedules
from openpim.store.schema import metadata
from tests.store.directory.conftest import NOW, OTHER, TENANT, group, guid, user

HOUR = timedelta(hours=1)


def schedule(tx, number, principal, scope, *, starts=NOW - HOUR, ends=None, **more):
    """A row of the table of schedules, whatever further columns it has."""
    table = metadata.tables["schedules"]
    values = {
        "tenant_id": tx.tenant_id,
        "id": guid(1000 + number),
        "kind": "assignment",
        "provider": "group",
        "principal_id": principal,
        "role_id": "member",
        "scope": scope,
        "starts_at": starts,
        "ends_at": ends,
        "status": "Provisioned",
        "assignment_type": "Activated",
    } | more
    for column in table.columns:
        if column.name not in values and not column.nullable and column.default is None:
            blank = 0 if isinstance(column.type, Integer | BigInteger | Boolean) else ""
            values[column.name] = NOW if column.name.endswith("_at") else blank
    tx.connection.execute(insert(table).values(values))


def fill(tx, people=3, groups=5):
    for number in range(1, people + 1):
        tx.users.add(user(number))
    for number in range(10, 10 + groups):
        tx.groups.add(group(number))


def put(tx, member, *into):
    for each in into:
        assert tx.groups.add_member(guid(each), tx.principals.get(guid(member)))


def ids(*numbers):
    return frozenset(guid(number) for number in numbers)


def test_the_light_handle_names_columns_that_the_table_has(database):
    assert {column.name for column in _schedules.columns} <= set(metadata.tables["schedules"].columns.keys())


def test_nested_groups_are_followed_up_and_down(database):
    def work(tx):
        fill(tx)
        put(tx, 1, 10)
        put(tx, 10, 11)
        put(tx, 11, 12, 13)
        put(tx, 2, 11)
        assert tx.groups.groups_of(guid(1), NOW) == ids(10, 11, 12, 13)
        assert tx.groups.groups_of(guid(2), NOW) == ids(11, 12, 13)
        assert tx.groups.groups_of(guid(3), NOW) == frozenset()
        assert tx.groups.groups_of(guid(10), NOW) == ids(11, 12, 13)
        assert tx.groups.transitive_member_ids(guid(12), NOW) == ids(1, 2, 10, 11)
        found = tx.groups.transitive_members(guid(12), NOW, q.Query(count=True))
        assert {each.id for each in found.items} == ids(1, 2, 10, 11)
        assert found.total == 4
        assert {each.id for each in tx.groups.members(guid(11), NOW, q.Query()).items} == ids(2, 10)
        assert {each.id for each in tx.groups.memberships(guid(1), NOW, q.Query()).items} == ids(10)
        all_of_them = tx.groups.memberships(guid(1), NOW, q.Query(), transitive=True)
        assert {each.id for each in all_of_them.items} == ids(10, 11, 12, 13)

    database.write(TENANT, work)
    assert database.read(OTHER, lambda tx: tx.groups.groups_of(guid(1), NOW)) == frozenset()


def test_a_circle_of_groups_ends(database):
    def work(tx):
        fill(tx)
        put(tx, 1, 10)
        put(tx, 10, 11)
        put(tx, 11, 12)
        put(tx, 12, 10)
        assert tx.groups.groups_of(guid(1), NOW) == ids(10, 11, 12)
        assert tx.groups.groups_of(guid(10), NOW) == ids(11, 12)
        assert tx.groups.transitive_member_ids(guid(11), NOW) == ids(1, 10, 11, 12)

    database.write(TENANT, work)


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        ({}, True),
        ({"starts": NOW}, True),
        ({"starts": NOW + HOUR}, False),
        ({"ends": NOW}, False),
        ({"ends": NOW + HOUR}, True),
        ({"status": "Granted"}, False),
        ({"status": "Revoked"}, False),
        ({"kind": "eligibility"}, False),
        ({"provider": "directory"}, False),
        ({"role_id": "owner"}, False),
    ],
)
def test_a_group_schedule_counts_while_it_is_in_force(database, more, counts):
    def work(tx):
        fill(tx)
        put(tx, 10, 11)
        put(tx, 2, 10)
        schedule(tx, 1, guid(1), guid(10), **more)
        assert tx.groups.groups_of(guid(1), NOW) == (ids(10, 11) if counts else frozenset())
        expected = ids(1, 2) if counts else ids(2)
        assert {each.id for each in tx.groups.members(guid(10), NOW, q.Query()).items} == expected
        assert tx.groups.transitive_member_ids(guid(11), NOW) == expected | ids(10)
        direct = tx.groups.memberships(guid(1), NOW, q.Query()).items
        assert [each.id for each in direct] == ([guid(10)] if counts else [])
        owns = more == {"role_id": "owner"}
        assert tx.groups.is_owner(guid(10), guid(1), NOW) is owns
        assert bool(tx.groups.owned(guid(1), NOW, q.Query()).items) is owns

    database.write(TENANT, work)


def test_a_group_can_be_activated_into_another_group(database):
    def work(tx):
        fill(tx)
        put(tx, 1, 10)
        schedule(tx, 1, guid(10), guid(11), ends=NOW + HOUR)
        put(tx, 11, 12)
        assert tx.groups.groups_of(guid(1), NOW) == ids(10, 11, 12)
        assert tx.groups.groups_of(guid(1), NOW + HOUR) == ids(10)
        assert tx.groups.transitive_member_ids(guid(12), NOW) == ids(1, 10, 11)

    database.write(TENANT, work)


def test_members_and_owners_come_and_go(database):
    def work(tx):
        fill(tx)
        put(tx, 1, 10)
        assert tx.groups.add_member(guid(10), tx.principals.get(guid(1))) is False
        assert tx.groups.is_member(guid(10), guid(1))
        assert tx.groups.remove_member(guid(10), guid(1)) is True
        assert tx.groups.remove_member(guid(10), guid(1)) is False
        assert tx.groups.add_owner(guid(10), guid(2)) is True
        assert tx.groups.add_owner(guid(10), guid(2)) is False
        assert tx.groups.is_owner(guid(10), guid(2), NOW)
        assert [each.id for each in tx.groups.owners(guid(10), NOW, q.Query()).items] == [guid(2)]
        assert [each.id for each in tx.groups.owned(guid(2), NOW, q.Query()).items] == [guid(10)]
        assert tx.groups.remove_owner(guid(10), guid(2)) is True
        assert tx.groups.remove_owner(guid(10), guid(2)) is False

    database.write(TENANT, work)


def test_a_deleted_group_leads_nowhere(database):
    def work(tx):
        fill(tx)
        put(tx, 1, 10)
        put(tx, 10, 11)
        put(tx, 11, 12)
        assert tx.groups.remove(guid(11), NOW)
        assert tx.groups.groups_of(guid(1), NOW) == ids(10)
        assert tx.groups.get(guid(11)) is None
        assert tx.groups.many([guid(10), guid(11)]).keys() == {guid(10)}
        assert len(tx.groups.page(q.Query()).items) == 4

    database.write(TENANT, work)


def test_members_are_paged_and_filtered(database):
    def work(tx):
        fill(tx, people=9)
        for number in range(1, 10):
            put(tx, number, 10)
        put(tx, 11, 10)
        first = tx.groups.members(guid(10), NOW, q.Query(limit=4, count=True))
        assert first.total == 10
        second = tx.groups.members(guid(10), NOW, q.Query(limit=20, after=first.next))
        assert len(first.items) + len(second.items) == 10
        only = q.Query(q.Compare("kind", "eq", "group"))
        assert [each.id for each in tx.groups.members(guid(10), NOW, only).items] == [guid(11)]

    database.write(TENANT, work)
