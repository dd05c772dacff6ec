"""Users: members, guests, disabled ones; found by id, by sign-in name, by mail, by manager."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Select,
    String,
    Table,
    bindparam,
    insert,
    select,
    update,
)

from openpim.core.directory import Principal, PrincipalKind, User, UserType, fold
from openpim.core.query import Page, Query
from openpim.store.listing import Fields, page, starts_with
from openpim.store.memberships import forget
from openpim.store.prepared import AnyRow, Prepared
from openpim.store.principals import batches, joined, living, mark_deleted, named, principals, write_principal
from openpim.store.schema import metadata
from openpim.store.told import Told, once
from openpim.store.types import Folded

users = Table(
    "users",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("user_principal_name", String(320), nullable=False),
    Column("upn_key", Folded(360), nullable=False),
    Column("user_type", String(10), nullable=False),
    Column("mail", String(320)),
    Column("mail_key", Folded(320)),
    Column("given_name", String(128)),
    Column("surname", String(128)),
    Column("job_title", String(256)),
    Column("department", String(256)),
    Column("office_location", String(256)),
    Column("mobile_phone", String(64)),
    Column("employee_id", String(64)),
    Column("manager_id", String(36)),
    Column("home_tenant_id", String(36)),
    Column("home_user_id", String(36)),
)
Index("uq_users_upn", users.c.tenant_id, users.c.upn_key, unique=True)
Index("ix_users_mail", users.c.tenant_id, users.c.mail_key)
Index("ix_users_manager", users.c.tenant_id, users.c.manager_id, users.c.id)
Index("ix_users_home", users.c.home_user_id, users.c.home_tenant_id)

_PLAIN = (
    "user_principal_name",
    "mail",
    "given_name",
    "surname",
    "job_title",
    "department",
    "office_location",
    "mobile_phone",
    "employee_id",
    "manager_id",
    "home_tenant_id",
    "home_user_id",
)
FIELDS = Fields(
    {
        "id": users.c.id,
        "display_name": principals.c.name_key,
        "user_principal_name": users.c.upn_key,
        "mail": users.c.mail_key,
        "user_type": users.c.user_type,
        "enabled": principals.c.enabled,
        "created_at": principals.c.created_at,
        **{name: users.c[name] for name in _PLAIN if name not in {"user_principal_name", "mail"}},
    },
    names=("user_type", "given_name", "surname", "job_title", "department", "office_location", "employee_id"),
    folded=("display_name", "user_principal_name", "mail"),
)


_WHOLE = select(
    users, principals.c.display_name, principals.c.enabled, principals.c.created_at, principals.c.deleted_at
).join(principals, joined(users))


def _rows(tenant_id: Any, *, deleted: bool = False) -> Select[Any]:
    statement = _WHOLE.where(users.c.tenant_id == tenant_id)
    return statement if deleted else statement.where(principals.c.deleted_at.is_(None))


def make_user(row: AnyRow) -> User:
    return User(
        id=row["id"],
        display_name=row["display_name"],
        user_type=UserType(row["user_type"]),
        enabled=row["enabled"],
        created_at=row["created_at"],
        deleted_at=row["deleted_at"],
        **{name: row[name] for name in _PLAIN},
    )


def _values(user: User) -> dict[str, Any]:
    plain = {name: getattr(user, name) for name in _PLAIN}
    return plain | {
        "user_type": user.user_type.value,
        "upn_key": fold(user.user_principal_name),
        "mail_key": fold(user.mail) if user.mail is not None else None,
    }


def _principal(user: User) -> Principal:
    return Principal(
        id=user.id,
        kind=PrincipalKind.USER,
        display_name=user.display_name,
        enabled=user.enabled,
        created_at=user.created_at,
        deleted_at=user.deleted_at,
    )


# Asked in every request: built once, because building a statement costs five times as much as running it.
_LISTED = _rows(bindparam("tenant"))
# Then the index of names leads.
_LISTED_BY_NAME = _LISTED.where(living(bindparam("tenant"), PrincipalKind.USER))
_GET = Prepared(_rows(bindparam("tenant")).where(users.c.id == bindparam("id")))
_some = users.c.id.in_(bindparam("ids", expanding=True))
_MANY = Prepared(_rows(bindparam("tenant")).where(_some), "ids")
_MANY_EVER = Prepared(_rows(bindparam("tenant"), deleted=True).where(_some), "ids")
_ADDRESSES = Prepared(
    select(users.c.id, users.c.user_principal_name).where(users.c.tenant_id == bindparam("tenant"), _some),
    "ids",
)
_ACCOUNTS = Prepared(
    _WHOLE.where(
        users.c.home_user_id == bindparam("home_user"),
        users.c.home_tenant_id == bindparam("home_tenant"),
        principals.c.deleted_at.is_(None),
    ).order_by(users.c.tenant_id)
)


class Users:
    """See `ports.users.Users`."""

    def __init__(self, connection: Connection, tenant_id: str, told: Told | None = None) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._told = told

    def get(self, id: str) -> User | None:
        return once(self._told, ("user", self._tenant_id, id), lambda: self._get(id))

    def _get(self, id: str) -> User | None:
        row = _GET.first(self._connection, {"tenant": self._tenant_id, "id": id})
        return make_user(row) if row is not None else None

    def by_upn(self, upn: str) -> User | None:
        return self._first(_rows(self._tenant_id).where(users.c.upn_key == fold(upn)))

    def by_mail(self, mail: str) -> tuple[User, ...]:
        statement = _rows(self._tenant_id).where(users.c.mail_key == fold(mail)).order_by(users.c.id)
        return tuple(make_user(row) for row in self._connection.execute(statement).mappings())

    def many(self, ids: Collection[str], *, deleted: bool = False) -> dict[str, User]:
        found: dict[str, User] = {}
        for part in batches(ids):
            given = {"tenant": self._tenant_id, "ids": part}
            for row in (_MANY_EVER if deleted else _MANY).rows(self._connection, given):
                found[row["id"]] = make_user(row)
        return found

    def addresses(self, ids: Collection[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for part in batches(ids):
            given = {"tenant": self._tenant_id, "ids": part}
            found |= {
                row["id"]: row["user_principal_name"] for row in _ADDRESSES.rows(self._connection, given)
            }
        return found

    def page(self, query: Query) -> Page[User]:
        base = _LISTED_BY_NAME if named(query) else _LISTED
        return page(self._connection, base, FIELDS, query, make_user, {"tenant": self._tenant_id})

    def direct_reports(self, manager_id: str, query: Query) -> Page[User]:
        base = _rows(self._tenant_id).where(users.c.manager_id == manager_id)
        return page(self._connection, base, FIELDS, query, make_user)

    def search(self, text: str, limit: int = 20) -> tuple[User, ...]:
        found: dict[str, User] = {}
        for key in (principals.c.name_key, users.c.upn_key):
            statement = _rows(self._tenant_id).where(starts_with(key, text))
            if key is principals.c.name_key:
                statement = statement.where(living(self._tenant_id, PrincipalKind.USER))
            statement = statement.order_by(key, users.c.id).limit(limit)
            for row in self._connection.execute(statement).mappings():
                found[row["id"]] = make_user(row)
        return tuple(sorted(found.values(), key=lambda user: (fold(user.display_name), user.id))[:limit])

    def accounts_of(self, home_tenant_id: str, home_user_id: str) -> tuple[tuple[str, User], ...]:
        given = {"home_tenant": home_tenant_id, "home_user": home_user_id}
        rows = _ACCOUNTS.rows(self._connection, given)
        return tuple((row["tenant_id"], make_user(row)) for row in rows)

    def add(self, user: User) -> None:
        write_principal(self._connection, self._tenant_id, _principal(user), new=True)
        self._connection.execute(insert(users).values(tenant_id=self._tenant_id, id=user.id, **_values(user)))

    def save(self, user: User) -> None:
        write_principal(self._connection, self._tenant_id, _principal(user), new=False)
        self._connection.execute(
            update(users)
            .where(users.c.tenant_id == self._tenant_id, users.c.id == user.id)
            .values(**_values(user))
        )

    def remove(self, id: str, now: datetime) -> bool:
        if not mark_deleted(self._connection, self._tenant_id, id, now):
            return False
        forget(self._connection, self._tenant_id, id)
        mine = users.c.tenant_id == self._tenant_id
        self._connection.execute(
            update(users).where(mine, users.c.id == id).values(upn_key=id + ":" + users.c.upn_key)
        )
        self._connection.execute(update(users).where(mine, users.c.manager_id == id).values(manager_id=None))
        return True

    def _first(self, statement: Select[Any]) -> User | None:
        row = self._connection.execute(statement).mappings().first()
        return make_user(row) if row is not None else None
