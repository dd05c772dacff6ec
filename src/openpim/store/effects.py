"""The table of effects: what has become of each edge that was ever asked for, until it is long over."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    or_,
    select,
    tuple_,
)

from openpim.core.connecting import OVER, Edge, Effect, EffectState
from openpim.store.schema import metadata
from openpim.store.targets import targets
from openpim.store.types import Instant
from openpim.store.writing import insert_rows, inserter

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
_STATES = {one.value: one for one in EffectState}
_ALL = (
    select(effects)
    .where(_c.tenant_id == bindparam("tenant"), _c.target_id == bindparam("target"))
    .order_by(*(_c[one] for one in _NAME))
)
_STANDING = _ALL.where(_c.state.not_in(_OVER))


class Effects:
    """See ports/targets.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def of_target(self, target_id: str, *, over: bool = False) -> list[Effect]:
        given = {"tenant": self._tenant, "target": target_id}
        return [_value(row) for row in self._connection.execute(_ALL if over else _STANDING, given)]

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
            found |= {one.edge.name: one for one in map(_value, rows)}
        return found

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
        return [_value(row) for row in rows]

    def put(self, effects_: Sequence[Effect]) -> None:
        insert_rows(
            self._connection, _put(self._connection.dialect.name), [self._row(one) for one in effects_]
        )

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
        tried = select(targets.c.id).where(targets.c.enabled.is_(True))
        statement = select(func.count()).where(
            _c.state == EffectState.ENDING.value, _c.failures > 0, _c.target_id.in_(tried)
        )
        return self._connection.execute(statement).scalar() or 0

    def drop(self, target_id: str, names: Collection[tuple[str, str, str]]) -> None:
        for name in sorted(names):
            self._drop(self._tenant, target_id, name)

    def forget(self, before: datetime, limit: int) -> int:
        old = self._connection.execute(
            select(_c.tenant_id, _c.target_id, *(_c[one] for one in _NAME))
            .where(_c.ended_at < before, _c.state.in_(_OVER))
            .limit(limit)
        ).all()
        for tenant_id, target_id, *name in old:
            self._drop(tenant_id, target_id, name)
        return len(old)

    def _drop(self, tenant_id: str, target_id: str, name: Sequence[str]) -> None:
        named = (_c[column] == value for column, value in zip(_NAME, name, strict=True))
        self._connection.execute(
            delete(effects).where(_c.tenant_id == tenant_id, _c.target_id == target_id, *named)
        )

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


@cache
def _put(dialect: str) -> Any:
    """A row that is there already is written over."""
    statement = inserter(dialect)(effects)
    rest = {one.name: statement.excluded[one.name] for one in effects.columns if not one.primary_key}
    return statement.on_conflict_do_update(
        index_elements=[one.name for one in effects.primary_key], set_=rest
    )


def _value(row: Any) -> Effect:
    """By place: there may be ten thousand of them."""
    _tenant, target_id, subject, entitlement, key, principal_id, until, state, since, asked_at, *rest = row
    effective_at, ended_at, residue_until, failures, error, schedules = rest
    return Effect(
        target_id,
        principal_id,
        Edge(subject, entitlement, until, key),
        _STATES[state],
        since,
        asked_at,
        effective_at,
        ended_at,
        residue_until,
        failures,
        error,
        tuple(json.loads(schedules)),
    )
