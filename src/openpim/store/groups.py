"""Groups, their members and owners, and the groups that someone is in (directly or through other groups)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Select,
    String,
    Table,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from openpim.core.directory import Group, Principal, PrincipalKind
from openpim.core.query import Page, Query
from openpim.store import memberships as m
from openpim.store.listing import Fields, page, starts_with
from openpim.store.memberships import group_members, group_owners
from openpim.store.prepared import AnyRow, Prepared
from openpim.store.principals import FIELDS as PRINCIPAL_FIELDS
from openpim.store.principals import (
    batches,
    fields_by,
    joined,
    living,
    make_principal,
    mark_deleted,
    named,
    principals,
    write_principal,
)
from openpim.store.schema import metadata
from openpim.store.told import Told, once
from openpim.store.types import Instant

groups = Table(
    "groups",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("description", String(1024)),
    Column("mail_nickname", String(64)),
    Column("role_assignable", Boolean, nullable=False),
    Column("membership_rule", String(3072)),
    Column("synced", Boolean, nullable=False),
    Column("security_enabled", Boolean, nullable=False),
)

FIELDS = Fields(
    {
        "id": groups.c.id,
        "display_name": principals.c.name_key,
        "created_at": principals.c.created_at,
        "description": groups.c.description,
        "mail_nickname": groups.c.mail_nickname,
        "role_assignable": groups.c.role_assignable,
        "membership_rule": groups.c.membership_rule,
        "synced": groups.c.synced,
        "security_enabled": groups.c.security_enabled,
    },
    names=("description", "mail_nickname"),
    folded=("display_name",),
)

_MEMBER_FIELDS = fields_by(group_members.c.member_id)


def _rows(tenant_id: Any) -> Select[Any]:
    return (
        select(groups, principals.c.display_name, principals.c.created_at, principals.c.deleted_at)
        .join(principals, joined(groups))
        .where(groups.c.tenant_id == tenant_id, principals.c.deleted_at.is_(None))
    )


def make_group(row: AnyRow) -> Group:
    return Group(
        id=row["id"],
        display_name=row["display_name"],
        created_at=row["created_at"],
        description=row["description"],
        mail_nickname=row["mail_nickname"],
        role_assignable=row["role_assignable"],
        membership_rule=row["membership_rule"],
        synced=row["synced"],
        security_enabled=row["security_enabled"],
        deleted_at=row["deleted_at"],
    )


def _values(group: Group) -> dict[str, Any]:
    return {
        "description": group.description,
        "mail_nickname": group.mail_nickname,
        "role_assignable": group.role_assignable,
        "membership_rule": group.membership_rule,
        "synced": group.synced,
        "security_enabled": group.security_enabled,
    }


def _principal(group: Group) -> Principal:
    return Principal(
        id=group.id,
        kind=PrincipalKind.GROUP,
        display_name=group.display_name,
        enabled=True,
        created_at=group.created_at,
        deleted_at=group.deleted_at,
    )


# Built once, because building a statement costs five times as much as running it.
_GET = Prepared(_rows(bindparam("tenant")).where(groups.c.id == bindparam("id")))
_OWNS_ANY = Prepared(
    select(group_owners.c.group_id)
    .where(group_owners.c.tenant_id == bindparam("tenant"), group_owners.c.owner_id == bindparam("owner"))
    .limit(1)
)
_some = _rows(bindparam("tenant")).where(groups.c.id.in_(bindparam("ids", expanding=True)))
_MANY = Prepared(_some, "ids")
_tenant, _group = bindparam("tenant", type_=String), bindparam("group", type_=String)
_now = bindparam("now", type_=Instant)
_IN = m.groups_of(_tenant, bindparam("member"), _now)
_MEMBERS = (
    select(principals)
    .join(
        group_members,
        and_(
            group_members.c.tenant_id == principals.c.tenant_id,
            group_members.c.member_id == principals.c.id,
        ),
    )
    .where(
        group_members.c.tenant_id == _tenant,
        group_members.c.group_id == _group,
        principals.c.deleted_at.is_(None),
    )
)
_OWNERS = select(principals).where(living(_tenant), principals.c.id.in_(m.owners_of(_tenant, _group, _now)))


class Groups:
    """See `ports.groups.Groups`."""

    def __init__(self, connection: Connection, tenant_id: str, told: Told | None = None) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._told = told

    # -- the groups themselves
    def get(self, id: str) -> Group | None:
        return once(self._told, ("group", self._tenant_id, id), lambda: self._get(id))

    def _get(self, id: str) -> Group | None:
        row = _GET.first(self._connection, {"tenant": self._tenant_id, "id": id})
        return make_group(row) if row is not None else None

    def many(self, ids: Collection[str]) -> dict[str, Group]:
        found: dict[str, Group] = {}
        for part in batches(ids):
            for row in _MANY.rows(self._connection, {"tenant": self._tenant_id, "ids": part}):
                found[row["id"]] = make_group(row)
        return found

    def page(self, query: Query) -> Page[Group]:
        base = _rows(self._tenant_id)
        if named(query):  # then the index of names leads
            base = base.where(living(self._tenant_id, PrincipalKind.GROUP))
        return page(self._connection, base, FIELDS, query, make_group)

    def search(self, text: str, limit: int = 20) -> tuple[Group, ...]:
        statement = (
            _rows(self._tenant_id)
            .where(living(self._tenant_id, PrincipalKind.GROUP), starts_with(principals.c.name_key, text))
            .order_by(principals.c.name_key, principals.c.id)
            .limit(limit)
        )
        return tuple(make_group(row) for row in self._connection.execute(statement).mappings())

    def add(self, group: Group) -> None:
        write_principal(self._connection, self._tenant_id, _principal(group), new=True)
        self._connection.execute(
            insert(groups).values(tenant_id=self._tenant_id, id=group.id, **_values(group))
        )

    def save(self, group: Group) -> None:
        write_principal(self._connection, self._tenant_id, _principal(group), new=False)
        self._connection.execute(
            update(groups)
            .where(groups.c.tenant_id == self._tenant_id, groups.c.id == group.id)
            .values(**_values(group))
        )

    def remove(self, id: str, now: datetime) -> bool:
        if not mark_deleted(self._connection, self._tenant_id, id, now):
            return False
        m.forget(self._connection, self._tenant_id, id)
        return True

    # -- who is in them
    def members(self, group_id: str, now: datetime, query: Query) -> Page[Principal]:
        if m.has_granted_members(self._connection, self._tenant_id, group_id, now):
            base = self._among(m.members_of(self._tenant_id, (group_id,), now))
            return page(self._connection, base, PRINCIPAL_FIELDS, query, make_principal)
        given = {"tenant": self._tenant_id, "group": group_id}
        return page(self._connection, _MEMBERS, _MEMBER_FIELDS, query, make_principal, given)

    def transitive_members(self, group_id: str, now: datetime, query: Query) -> Page[Principal]:
        base = self._among(m.members_of(self._tenant_id, self._below(group_id, now), now))
        return page(self._connection, base, PRINCIPAL_FIELDS, query, make_principal)

    def transitive_member_ids(self, group_id: str, now: datetime) -> frozenset[str]:
        statement = m.members_of(self._tenant_id, self._below(group_id, now), now)
        return frozenset(self._connection.execute(statement).scalars())

    def standing_member_ids(self, group_id: str) -> frozenset[str]:
        c = group_members.c
        met, found, level = {group_id}, set[str](), {group_id}
        while level:
            inner = set[str]()
            for part in batches(level):
                statement = select(c.member_id, c.member_kind).where(
                    c.tenant_id == self._tenant_id, c.group_id.in_(part)
                )
                for member_id, kind in self._connection.execute(statement):
                    (inner if kind == PrincipalKind.GROUP.value else found).add(member_id)
            level = inner - met
            met |= level
        return frozenset(found)

    def owners(self, group_id: str, now: datetime, query: Query) -> Page[Principal]:
        given = {"tenant": self._tenant_id, "group": group_id, "now": now}
        return page(self._connection, _OWNERS, PRINCIPAL_FIELDS, query, make_principal, given)

    def is_member(self, group_id: str, principal_id: str) -> bool:
        statement = select(group_members.c.member_id).where(*self._member(group_id, principal_id))
        return self._connection.execute(statement).first() is not None

    def is_owner(self, group_id: str, principal_id: str, now: datetime) -> bool:
        owners = m.owners_of(self._tenant_id, group_id, now).subquery()
        statement = select(owners.c.owner_id).where(owners.c.owner_id == principal_id)
        return self._connection.execute(statement).first() is not None

    def is_standing_owner(self, group_id: str, owner_id: str) -> bool:
        statement = select(group_owners.c.owner_id).where(
            group_owners.c.tenant_id == self._tenant_id,
            group_owners.c.group_id == group_id,
            group_owners.c.owner_id == owner_id,
        )
        return self._connection.execute(statement).first() is not None

    def owns_any(self, owner_id: str) -> bool:
        given = {"tenant": self._tenant_id, "owner": owner_id}
        return _OWNS_ANY.first(self._connection, given) is not None

    def add_member(self, group_id: str, member: Principal) -> bool:
        if self.is_member(group_id, member.id):
            return False
        self._connection.execute(
            insert(group_members).values(
                tenant_id=self._tenant_id,
                group_id=group_id,
                member_id=member.id,
                member_kind=member.kind.value,
            )
        )
        return True

    def remove_member(self, group_id: str, member_id: str) -> bool:
        done = self._connection.execute(delete(group_members).where(*self._member(group_id, member_id)))
        return done.rowcount > 0

    def add_owner(self, group_id: str, owner_id: str) -> bool:
        where = self._owner(group_id, owner_id)
        if self._connection.execute(select(group_owners.c.owner_id).where(*where)).first() is not None:
            return False
        self._connection.execute(
            insert(group_owners).values(tenant_id=self._tenant_id, group_id=group_id, owner_id=owner_id)
        )
        return True

    def remove_owner(self, group_id: str, owner_id: str) -> bool:
        done = self._connection.execute(delete(group_owners).where(*self._owner(group_id, owner_id)))
        return done.rowcount > 0

    # -- what someone is in
    def groups_of(self, principal_id: str, now: datetime) -> frozenset[str]:
        def ask() -> frozenset[str]:
            return m.groups_above(self._connection, self._tenant_id, principal_id, now) - {principal_id}

        return once(self._told, ("groups", self._tenant_id, principal_id, now), ask)

    def memberships(
        self, principal_id: str, now: datetime, query: Query, *, transitive: bool = False
    ) -> Page[Group]:
        # Two steps, because no planner can guess how short a walk is.
        if transitive:
            found = self.groups_of(principal_id, now)
        else:
            asked = {"tenant": self._tenant_id, "member": principal_id, "now": now}
            found = frozenset(self._connection.execute(_IN, asked).scalars())
        given = {"tenant": self._tenant_id, "ids": list(found)}
        return page(self._connection, _some, FIELDS, query, make_group, given)

    def owned(self, principal_id: str, now: datetime, query: Query) -> Page[Group]:
        base = _rows(self._tenant_id).where(groups.c.id.in_(m.owned_by(self._tenant_id, principal_id, now)))
        return page(self._connection, base, FIELDS, query, make_group)

    def _below(self, group_id: str, now: datetime) -> list[str]:
        return list(m.groups_below(self._connection, self._tenant_id, group_id, now))

    def _among(self, ids: Any) -> Select[Any]:
        return select(principals).where(living(self._tenant_id), principals.c.id.in_(ids))

    def _member(self, group_id: str, member_id: str) -> tuple[Any, ...]:
        c = group_members.c
        return (c.tenant_id == self._tenant_id, c.group_id == group_id, c.member_id == member_id)

    def _owner(self, group_id: str, owner_id: str) -> tuple[Any, ...]:
        c = group_owners.c
        return (c.tenant_id == self._tenant_id, c.group_id == group_id, c.owner_id == owner_id)
