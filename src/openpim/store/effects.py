"""The table of effects: what has become of each edge that was ever asked for, until it is long over."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from openpim.core.connecting import OVER, Edge, Effect, EffectState
from openpim.store.schema import metadata
from openpim.store.types import Instant
from openpim.store.writing import insert_rows

effects = Table(
    "effects",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("target_id", String(36), primary_key=True),
    Column("subject", String(512), primary_key=True),
    Column("entitlement", String(512), primary_key=True),
    Column("key", String(36), primary_key=True),
    Column("principal_id", String(36), nullable=False),
    Column("until", Instant),
    Column("state", String(20), nullable=False),
    Column("since", Instant, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("effective_at", Instant),
    Column("ended_at", Instant),
    Column("residue_until", Instant),
    Column("failures", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("schedules", Text, nullable=False),
    Index("ix_effects_principal", "tenant_id", "principal_id"),
    Index("ix_effects_state", "tenant_id", "target_id", "state"),
    Index("ix_effects_ended", "ended_at"),
)
_c = effects.c
_NAME = ("subject", "entitlement", "key")
_ERROR = 500
_OVER = tuple(one.value for one in OVER)
_BATCH = 200
_CHANGE = (
    update(effects)
    .where(
        _c.tenant_id == bindparam("at_tenant"),
        _c.target_id == bindparam("at_target"),
        *(_c[name] == bindparam(f"at_{name}") for name in _NAME),
    )
    .values({column.name: bindparam(column.name) for column in effects.columns if not column.primary_key})
)


class Effects:
    """See ports/targets.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def of_target(self, target_id: str, *, over: bool = False) -> list[Effect]:
        where = [_c.tenant_id == self._tenant, _c.target_id == target_id]
        if not over:
            where.append(_c.state.not_in(_OVER))
        rows = self._connection.execute(select(effects).where(*where).order_by(*(_c[one] for one in _NAME)))
        return [_value(row) for row in rows.mappings()]

    def named(
        self, target_id: str, names: Collection[tuple[str, str, str]]
    ) -> dict[tuple[str, str, str], Effect]:
        found: dict[tuple[str, str, str], Effect] = {}
        every = sorted(names)
        for at in range(0, len(every), _BATCH):
            rows = self._connection.execute(
                select(effects).where(
                    _c.tenant_id == self._tenant,
                    _c.target_id == target_id,
                    tuple_(*(_c[one] for one in _NAME)).in_(every[at : at + _BATCH]),
                )
            )
            found |= {one.edge.name: one for one in map(_value, rows.mappings())}
        return found

    def names(self, target_id: str) -> frozenset[tuple[str, str, str]]:
        rows = self._connection.execute(
            select(*(_c[one] for one in _NAME)).where(_c.tenant_id == self._tenant, _c.target_id == target_id)
        )
        return frozenset((subject, entitlement, key) for subject, entitlement, key in rows)

    def of_principals(self, principal_ids: Collection[str], *, since: datetime) -> list[Effect]:
        rows = self._connection.execute(
            select(effects)
            .where(
                _c.tenant_id == self._tenant,
                _c.principal_id.in_(principal_ids),
                or_(_c.state.not_in(_OVER), _c.since >= since),
            )
            .order_by(_c.since.desc())
        )
        return [_value(row) for row in rows.mappings()]

    def put(self, effects_: Sequence[Effect]) -> None:
        by_target: dict[str, list[Effect]] = {}
        for one in effects_:
            by_target.setdefault(one.target_id, []).append(one)
        for target_id, some in by_target.items():
            present = self.named(target_id, [one.edge.name for one in some])
            new = [self._row(one) for one in some if one.edge.name not in present]
            if new:
                insert_rows(self._connection, insert(effects), new)
            changed = [self._row(one) for one in some if one.edge.name in present]
            if changed:
                self._connection.execute(_CHANGE, [_addressed(row) for row in changed])

    def count(self) -> dict[str, dict[EffectState, int]]:
        rows = self._connection.execute(
            select(_c.target_id, _c.state, func.count())
            .where(_c.tenant_id == self._tenant)
            .group_by(_c.target_id, _c.state)
        )
        found: dict[str, dict[EffectState, int]] = {}
        for target_id, state, number in rows:
            found.setdefault(target_id, {})[EffectState(state)] = number
        return found

    def everywhere(self) -> dict[EffectState, int]:
        rows = self._connection.execute(select(_c.state, func.count()).group_by(_c.state))
        return {EffectState(state): number for state, number in rows}

    def failing(self) -> int:
        statement = select(func.count()).where(_c.state == EffectState.ENDING.value, _c.failures > 0)
        return self._connection.execute(statement).scalar() or 0

    def forget(self, before: datetime, limit: int) -> int:
        old = self._connection.execute(
            select(_c.tenant_id, _c.target_id, *(_c[one] for one in _NAME))
            .where(_c.ended_at < before, _c.state.in_(_OVER))
            .limit(limit)
        ).all()
        for tenant_id, target_id, *name in old:
            self._connection.execute(
                delete(effects).where(
                    _c.tenant_id == tenant_id,
                    _c.target_id == target_id,
                    *(_c[column] == value for column, value in zip(_NAME, name, strict=True)),
                )
            )
        return len(old)

    def _row(self, one: Effect) -> dict[str, Any]:
        return {
            "tenant_id": self._tenant,
            "target_id": one.target_id,
            "subject": one.edge.subject,
            "entitlement": one.edge.entitlement,
            "key": one.edge.key,
            "principal_id": one.principal_id,
            "until": one.edge.until,
            "state": one.state.value,
            "since": one.since,
            "asked_at": one.asked_at,
            "effective_at": one.effective_at,
            "ended_at": one.ended_at,
            "residue_until": one.residue_until,
            "failures": one.failures,
            "error": one.error[:_ERROR],
            "schedules": json.dumps(list(one.schedules)),
        }


def _addressed(row: dict[str, Any]) -> dict[str, Any]:
    """The row with where it goes under names of their own: a column that is set may not be a condition's parameter."""
    at = {f"at_{name}": row[name] for name in _NAME}
    rest = {name: value for name, value in row.items() if name not in {*_NAME, "tenant_id", "target_id"}}
    return {**rest, **at, "at_tenant": row["tenant_id"], "at_target": row["target_id"]}


def _value(row: RowMapping) -> Effect:
    return Effect(
        target_id=row["target_id"],
        principal_id=row["principal_id"],
        edge=Edge(row["subject"], row["entitlement"], row["until"], row["key"]),
        state=EffectState(row["state"]),
        since=row["since"],
        asked_at=row["asked_at"],
        effective_at=row["effective_at"],
        ended_at=row["ended_at"],
        residue_until=row["residue_until"],
        failures=row["failures"],
        error=row["error"],
        schedules=tuple(json.loads(row["schedules"])),
    )
