"""The resource tree: one row for each management group, subscription, resource group and resource."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    CTE,
    Column,
    Connection,
    Index,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from openpim.core.query import Page, Query
from openpim.core.resources import ROOT, Resource, ResourceKind
from openpim.store.listing import Fields, page
from openpim.store.principals import batches
from openpim.store.schema import metadata
from openpim.store.types import Instant, Path

resources = Table(
    "resources",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", Path(512), primary_key=True),
    Column("path", String(512), nullable=False),
    Column("parent_id", Path(512), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("type", String(256), nullable=False),
    Column("name", String(260), nullable=False),
    Column("display_name", String(260), nullable=False),
    Column("location", String(64)),
    Column("tags", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_resources_parent", "tenant_id", "parent_id", "id"),
    Index("ix_resources_kind", "tenant_id", "kind", "id"),
)
_TABLE = resources
_c = resources.c
_PART = 5_000
_SAVE = update(resources).where(_c.tenant_id == bindparam("of_tenant"), _c.id == bindparam("of_id"))
_TRIES = 10
FIELDS = Fields(
    {name: _c[name] for name in ("id", "parent_id", "kind", "type", "name", "display_name", "location", "created_at")},
    names=("name", "display_name", "type"),
)  # fmt: skip

_NAMES = select(_c.id, _c.display_name, _c.path).where(
    _c.tenant_id == bindparam("tenant"), _c.id.in_(bindparam("ids", expanding=True))
)


class Resources:
    """See ports/resources.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def _select(self) -> Select[Any]:
        return select(resources).where(_c.tenant_id == self._tenant)

    def get(self, id: str) -> Resource | None:
        row = self._connection.execute(_GET, {"tenant": self._tenant, "id": id}).mappings().first()
        return None if row is None else _value(row)

    def many(self, ids: Collection[str]) -> dict[str, Resource]:
        found: dict[str, Resource] = {}
        for part in batches(ids):
            given = {"tenant": self._tenant, "ids": part}
            found |= {row["id"]: _value(row) for row in self._connection.execute(_MANY, given).mappings()}
        return found

    def names(self, ids: Collection[str]) -> dict[str, tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}
        for part in batches(ids):
            rows = self._connection.execute(_NAMES, {"tenant": self._tenant, "ids": part})
            found |= {row[0]: (row[1], row[2]) for row in rows}
        return found

    def chain(self, id: str) -> tuple[str, ...]:
        return self.chains([id])[id]

    def chains(self, ids: Collection[str]) -> dict[str, tuple[str, ...]]:
        parents: dict[str, str] = {}
        for part in batches(set(ids) - {ROOT}):
            given = {"tenant": self._tenant, "ids": part}
            parents |= {row.id: row.parent_id for row in self._connection.execute(_ABOVE, given)}
        return {one: _chain(one, parents) for one in ids}

    def hold(self, id: str) -> None:
        if self._connection.dialect.name == "sqlite":
            return  # there is one writer
        for _ in range(_TRIES):
            chain = self.chain(id)
            links = (
                select(_c.id, _c.parent_id)
                .where(_c.tenant_id == self._tenant, _c.id.in_(chain))
                .order_by(_c.id)
                .with_for_update(read=True)
            )
            # Whoever was moving or removing one of them has done so by now: then there is another chain to hold.
            found = {row.id: row.parent_id for row in self._connection.execute(links)}
            if found == dict(pairwise(chain)):
                return

    def lock(self, id: str) -> None:
        if self._connection.dialect.name != "sqlite":
            wanted = select(_c.id).where(_c.tenant_id == self._tenant, _c.id == id).with_for_update()
            self._connection.execute(wanted).all()

    def below(self, id: str, limit: int = 1000, kinds: Collection[ResourceKind] = ()) -> tuple[Resource, ...]:
        under = self._under(id, kinds)
        rows = self._connection.execute(
            self._select().where(_c.id.in_(select(under.c.id))).order_by(_c.id).limit(limit)
        ).mappings()
        return tuple(_value(row) for row in rows)

    def ids_below(self, id: str) -> tuple[str, ...]:
        return tuple(self._connection.execute(select(self._under(id).c.id)).scalars())

    def _under(self, id: str, kinds: Collection[ResourceKind] = ()) -> CTE:
        which = [_c.tenant_id == self._tenant]
        if kinds:
            which.append(_c.kind.in_([kind.value for kind in kinds]))
        start = select(_c.id).where(*which, _c.parent_id == id).cte("under", recursive=True)
        return start.union(select(_c.id).where(*which, _c.parent_id == start.c.id))

    def every(self) -> Iterator[Resource]:
        statement = self._select().order_by(_c.id).execution_options(yield_per=_PART)
        yield from map(_value, self._connection.execute(statement).mappings())

    def page(self, query: Query, kinds: Collection[ResourceKind] = ()) -> Page[Resource]:
        statement = self._select()
        if kinds:
            statement = statement.where(_c.kind.in_([kind.value for kind in kinds]))
        return page(self._connection, statement, FIELDS, query, _value)

    def add(self, *resources: Resource) -> None:
        for start in range(0, len(resources), _PART):
            rows = [{"tenant_id": self._tenant, **_row(one)} for one in resources[start : start + _PART]]
            self._connection.execute(insert(_TABLE), rows)

    def save(self, *resources: Resource) -> None:
        for start in range(0, len(resources), _PART):
            rows = [
                {"of_tenant": self._tenant, "of_id": one.id, **_row(one)}
                for one in resources[start : start + _PART]
            ]
            self._connection.execute(_SAVE, rows)

    def remove(self, ids: Collection[str]) -> None:
        for part in batches(ids):
            self._connection.execute(delete(resources).where(_c.tenant_id == self._tenant, _c.id.in_(part)))


def _above() -> Select[Any]:
    """The links of these places and of all that contain them, each once however many ways lead to it."""
    links = select(_c.id, _c.parent_id).where(_c.tenant_id == bindparam("tenant"))
    start = links.where(_c.id.in_(bindparam("ids", expanding=True))).cte("above", recursive=True)
    upper = start.union(links.where(_c.id == start.c.parent_id))
    return select(upper.c.id, upper.c.parent_id)


# Asked in every unit of work: built once, because building a statement costs more than running it.
_ABOVE = _above()
_OF_TENANT = select(resources).where(_c.tenant_id == bindparam("tenant"))
_GET = _OF_TENANT.where(_c.id == bindparam("id"))
_MANY = _OF_TENANT.where(_c.id.in_(bindparam("ids", expanding=True)))


def _chain(id: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    found: list[str] = []
    at = id
    while at in parents and at not in found:
        found.append(at)
        at = parents[at]
    return (*found, ROOT) if found or id == ROOT else ()


def _row(resource: Resource) -> dict[str, Any]:
    return {
        "id": resource.id,
        "path": resource.path,
        "parent_id": resource.parent_id,
        "kind": resource.kind.value,
        "type": resource.type,
        "name": resource.name,
        "display_name": resource.display_name,
        "location": resource.location,
        "tags": json.dumps([list(tag) for tag in resource.tags]),
        "created_at": resource.created_at,
    }


def _value(row: RowMapping) -> Resource:
    return Resource(
        id=row["id"],
        path=row["path"],
        parent_id=row["parent_id"],
        kind=ResourceKind(row["kind"]),
        type=row["type"],
        name=row["name"],
        display_name=row["display_name"],
        created_at=row["created_at"],
        location=row["location"],
        tags=tuple((tag[0], tag[1]) for tag in json.loads(row["tags"])),
    )
