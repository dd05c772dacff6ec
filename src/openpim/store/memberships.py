"""Who is in what: members and owners of groups, members of administrative units, and the walk up and down.

Being in a group is a function of time: a row of group_members, or a group schedule that is in force at `now`.
The walks are recursive queries that meet each group once, so a circle of groups ends like any other walk.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Index,
    ScalarResult,
    Select,
    String,
    Table,
    and_,
    bindparam,
    cast,
    column,
    delete,
    or_,
    select,
    table,
    true,
    union,
    union_all,
)

from openpim.core.directory import PrincipalKind
from openpim.store import app_roles
from openpim.store.prepared import Prepared
from openpim.store.schema import metadata
from openpim.store.types import Instant

group_members = Table(
    "group_members",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("group_id", String(36), primary_key=True),
    Column("member_id", String(36), primary_key=True),
    Column("member_kind", String(20), nullable=False),
)
Index("ix_group_members_up", group_members.c.tenant_id, group_members.c.member_id, group_members.c.group_id)
Index(
    "ix_group_members_down",
    group_members.c.tenant_id,
    group_members.c.group_id,
    group_members.c.member_kind,
    group_members.c.member_id,
)

group_owners = Table(
    "group_owners",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("group_id", String(36), primary_key=True),
    Column("owner_id", String(36), primary_key=True),
)
Index("ix_group_owners_up", group_owners.c.tenant_id, group_owners.c.owner_id, group_owners.c.group_id)

administrative_unit_members = Table(
    "administrative_unit_members",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("unit_id", String(36), primary_key=True),
    Column("member_id", String(36), primary_key=True),
)
Index(
    "ix_administrative_unit_members_up",
    administrative_unit_members.c.tenant_id,
    administrative_unit_members.c.member_id,
    administrative_unit_members.c.unit_id,
)

# A light handle on the table of store/schedules.py, which builds on this file.
_schedules = table(
    "schedules",
    column("tenant_id", String(36)),
    column("kind", String()),
    column("provider", String()),
    column("principal_id", String(36)),
    column("role_id", String()),
    column("scope", String()),
    column("status", String()),
    column("starts_at", Instant),
    column("ends_at", Instant),
)


def granted(tenant_id: Any, now: Any, relation: str = "member") -> ColumnElement[bool]:
    """The group schedules that make someone a member (or owner) at `now`."""
    c = _schedules.c
    return and_(
        c.tenant_id == tenant_id,
        c.provider == "group",
        c.kind == "assignment",
        c.role_id == relation,
        c.status == "Provisioned",
        c.starts_at <= now,
        or_(c.ends_at.is_(None), c.ends_at > now),
    )


@dataclass(frozen=True, slots=True)
class _Edges:
    """Rows that lead from `near` to `far`."""

    near: ColumnElement[str]
    far: ColumnElement[str]
    where: ColumnElement[bool]


def _walk(dialect: str, edges: Sequence[_Edges], name: str) -> CTE:
    """:start, and all that the edges reach from it, as a CTE with one column, `id`.

    PostgreSQL allows one mention of the walk in its recursive part, SQLite has no LATERAL: each gets the form
    that it answers with index look-ups alone.
    """
    walk = select(cast(bindparam("start", type_=String), String).label("id")).cte(name, recursive=True)
    if dialect == "sqlite":
        return walk.union(
            *(select(cast(e.far, String).label("id")).where(e.near == walk.c.id, e.where) for e in edges)
        )
    step = union_all(
        # A scope is in binary order, an id is not, and a walk has one collation: that of the indices it looks into.
        *(
            select(cast(e.far, String).collate("default").label("far")).where(e.near == walk.c.id, e.where)
            for e in edges
        )
    ).lateral(f"{name}_step")
    return walk.union(select(step.c.far.label("id")).select_from(walk.join(step, true())))


@cache
def _groups_above(dialect: str) -> Prepared:
    members, schedules = group_members.c, _schedules.c
    tenant, now = bindparam("tenant", type_=String), bindparam("now", type_=Instant)
    edges = (
        _Edges(members.member_id, members.group_id, members.tenant_id == tenant),
        _Edges(schedules.principal_id, schedules.scope, granted(tenant, now)),
    )
    return Prepared(select(_walk(dialect, edges, "groups_above").c.id))


def groups_above(connection: Connection, tenant_id: str, principal_id: str, now: datetime) -> frozenset[str]:
    """The principal itself, and every group it is in, directly or through other groups.

    Asked in every unit of work: the statement is built once, because building it costs five times its run.
    """
    given = {"tenant": tenant_id, "start": principal_id, "now": now}
    rows = _groups_above(connection.dialect.name).tuples(connection, given)
    return frozenset(one for (one,) in rows)


@cache
def _groups_below(dialect: str) -> Select[str]:
    members, schedules = group_members.c, _schedules.c
    tenant, now = bindparam("tenant", type_=String), bindparam("now", type_=Instant)
    edges = (
        _Edges(
            members.group_id,
            members.member_id,
            and_(members.tenant_id == tenant, members.member_kind == PrincipalKind.GROUP.value),
        ),
        _Edges(schedules.scope, schedules.principal_id, granted(tenant, now)),
    )
    return select(_walk(dialect, edges, "groups_below").c.id)


def groups_below(connection: Connection, tenant_id: str, group_id: str, now: datetime) -> ScalarResult[str]:
    """The group itself, every group inside it, and those whom a group schedule puts there."""
    given = {"tenant": tenant_id, "start": group_id, "now": now}
    return connection.execute(_groups_below(connection.dialect.name), given).scalars()


def members_of(tenant_id: str, groups: Collection[str], now: datetime) -> CompoundSelect[Any]:
    """The ids of the direct members of any of the groups."""
    members, schedules = group_members.c, _schedules.c
    return union(
        select(members.member_id).where(members.tenant_id == tenant_id, members.group_id.in_(groups)),
        select(schedules.principal_id).where(granted(tenant_id, now), schedules.scope.in_(groups)),
    )


def owners_of(tenant_id: Any, group_id: Any, now: Any) -> CompoundSelect[Any]:
    owners, schedules = group_owners.c, _schedules.c
    return union(
        select(owners.owner_id).where(owners.tenant_id == tenant_id, owners.group_id == group_id),
        select(schedules.principal_id).where(granted(tenant_id, now, "owner"), schedules.scope == group_id),
    )


def owned_by(tenant_id: str, principal_id: str, now: datetime) -> CompoundSelect[Any]:
    owners, schedules = group_owners.c, _schedules.c
    return union(
        select(owners.group_id).where(owners.tenant_id == tenant_id, owners.owner_id == principal_id),
        select(schedules.scope).where(
            granted(tenant_id, now, "owner"), schedules.principal_id == principal_id
        ),
    )


def groups_of(tenant_id: Any, member_id: Any, now: Any) -> CompoundSelect[Any]:
    """The ids of the groups someone is directly in."""
    members, schedules = group_members.c, _schedules.c
    return union(
        select(members.group_id).where(members.tenant_id == tenant_id, members.member_id == member_id),
        select(schedules.scope).where(granted(tenant_id, now), schedules.principal_id == member_id),
    )


_GRANTED_IN = (
    select(_schedules.c.scope)
    .where(
        granted(bindparam("tenant"), bindparam("now")),
        _schedules.c.scope == bindparam("group"),
    )
    .limit(1)
)


def has_granted_members(connection: Connection, tenant_id: str, group_id: str, now: datetime) -> bool:
    """Whether a schedule makes anyone a member; if not, a list can walk the table of members alone."""
    given = {"tenant": tenant_id, "group": group_id, "now": now}
    return connection.execute(_GRANTED_IN, given).first() is not None


def forget(connection: Connection, tenant_id: str, id: str) -> None:
    """Take a principal or unit that is going away out of everything it is in, and everything out of it."""
    app_roles.forget(connection, tenant_id, id)
    for where in (
        and_(group_members.c.tenant_id == tenant_id, group_members.c.member_id == id),
        and_(group_members.c.tenant_id == tenant_id, group_members.c.group_id == id),
    ):
        connection.execute(delete(group_members).where(where))
    for where in (
        and_(group_owners.c.tenant_id == tenant_id, group_owners.c.owner_id == id),
        and_(group_owners.c.tenant_id == tenant_id, group_owners.c.group_id == id),
    ):
        connection.execute(delete(group_owners).where(where))
    units = administrative_unit_members
    for where in (
        and_(units.c.tenant_id == tenant_id, units.c.member_id == id),
        and_(units.c.tenant_id == tenant_id, units.c.unit_id == id),
    ):
        connection.execute(delete(units).where(where))
