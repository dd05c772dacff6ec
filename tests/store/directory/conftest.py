"""A tenant in a fresh database, and short ways to fill it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from openpim.core.directory import Group, Tenant, User, UserType
from openpim.store.database import Database

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TENANT = "aaaaaaaa-0000-4000-8000-000000000001"
OTHER = "aaaaaaaa-0000-4000-8000-000000000002"


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def user(number: int, name: str = "", **more: object) -> User:
    values: dict[str, object] = {
        "id": guid(number),
        "display_name": name or f"Person {number:07d}",
        "user_principal_name": f"person{number:07d}@Example.test",
        "user_type": UserType.MEMBER,
        "enabled": True,
        "created_at": NOW,
    }
    return User(**(values | more))


def group(number: int, name: str = "", **more: object) -> Group:
    return Group(id=guid(number), display_name=name or f"Group {number}", created_at=NOW, **more)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    for tenant, domain in ((TENANT, "example.test"), (OTHER, "other.test")):
        made = Tenant(tenant, domain, domain, NOW)
        database.write(tenant, lambda tx, made=made: tx.tenants.add(made))
    yield database
    database.close()
