"""The tables of targets: real systems, the rules that map roles and groups to their entitlements, and people's names there."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    Update,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from openpim.core.connecting import Foreign, Holder, Link, Rule, Target
from openpim.core.grants import Kind, Provider
from openpim.core.lifecycle import ScheduleStatus
from openpim.store import memberships as m
from openpim.store.schedules import in_force_at, schedules
from openpim.store.schema import metadata
from openpim.store.types import Instant
from openpim.store.writing import insert_if_missing

targets = Table(
    "targets",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("name", String(60), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("settings", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("managed", Text, nullable=False),
    Column("subject", String(300), nullable=False),
    Column("foreign_edges", String(10), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(36), nullable=False),
    Column("next_at", Instant),
    Column("leased_until", Instant),
    Column("epoch", Integer, nullable=False),
    Column("looked_at", Instant),
    Column("failures", Integer, nullable=False),
    Column("fault", Text, nullable=False),
    Column("fault_at", Instant),
    Index("ix_targets_enabled", "enabled"),
)
rules = Table(
    "target_rules",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("target_id", String(36), nullable=False),
    Column("provider", String(10), nullable=False),
    Column("role_id", String(36), nullable=False),
    Column("scope", Text, nullable=False),
    Column("entitlement", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(36), nullable=False),
    Index("ix_target_rules_target", "tenant_id", "target_id"),
)
subjects = Table(
    "target_subjects",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("target_id", String(36), primary_key=True),
    Column("principal_id", String(36), primary_key=True),
    Column("subject", Text, nullable=False),
)
memories = Table(
    "target_memories",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("target_id", String(36), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("text", Text, nullable=False),
)
_c, _r, _s, _m, _g = targets.c, rules.c, subjects.c, memories.c, schedules.c
_SET = ("name", "sealed", "subject", "enabled", "version", "next_at")
_FAULT = 500

# Asked at each look, and each commit may lead to one: built once, because building a statement costs five times as much as
# running it.
_at = (_c.tenant_id == bindparam("tenant"), _c.id == bindparam("which"))
_now = bindparam("now", type_=Instant)
_GET = select(targets).where(*_at)
_LEASE = (
    update(targets)
    .where(
        *_at,
        _c.enabled.is_(True),
        or_(
            _c.leased_until.is_(None),
            _c.leased_until <= _now,
            _c.leased_until > bindparam("never", type_=Instant),  # of a clock that was put back since
        ),
    )
    .values(leased_until=bindparam("until", type_=Instant), epoch=_c.epoch + 1)
)
_mine = update(targets).where(*_at, _c.epoch == bindparam("mine"))
_RENEW = _mine.values(leased_until=bindparam("until", type_=Instant))
_RELEASE = _mine.values(
    leased_until=None,
    next_at=bindparam("then", type_=Instant),
    looked_at=_now,
    failures=bindparam("tries"),
    fault=bindparam("why"),
    fault_at=bindparam("since", type_=Instant),
)
_RULES = (
    select(rules)
    .where(_r.tenant_id == bindparam("tenant"), _r.target_id == bindparam("which"))
    .order_by(_r.entitlement, _r.created_at, _r.id)
)
_SUBJECTS = select(_s.principal_id, _s.subject).where(
    _s.tenant_id == bindparam("tenant"), _s.target_id == bindparam("which")
)
_CHANGES = tuple(
    select(func.min(column)).where(
        _g.tenant_id == bindparam("tenant"),
        _g.kind == Kind.ASSIGNMENT.value,
        _g.status == ScheduleStatus.PROVISIONED.value,
        column > _now,
    )
    for column in (_g.starts_at, _g.ends_at)
)


class Targets:
    """See ports/targets.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def all(self) -> list[Target]:
        rows = self._connection.execute(
            select(targets).where(_c.tenant_id == self._tenant).order_by(_c.name, _c.id)
        )
        return [_target(row) for row in rows.mappings()]

    def get(self, target_id: str) -> Target | None:
        row = self._connection.execute(_GET, self._at(target_id)).mappings().first()
        return None if row is None else _target(row)

    def put(self, target: Target) -> None:
        values = {name: getattr(target, name) for name in _SET} | {
            "settings": json.dumps(dict(target.settings), sort_keys=True),
            "managed": json.dumps(list(target.managed)),
            "foreign_edges": target.foreign.value,
        }
        changed = self._connection.execute(update(targets).where(*self._one(target.id)).values(**values))
        if changed.rowcount == 0:
            self._connection.execute(
                insert(targets).values(
                    tenant_id=self._tenant,
                    id=target.id,
                    kind=target.kind,
                    created_at=target.created_at,
                    created_by=target.created_by,
                    epoch=0,
                    failures=0,
                    fault="",
                    **values,
                )
            )

    def remove(self, target_id: str) -> None:
        from openpim.store.effects import effects  # noqa: PLC0415 - that file builds on this one

        for table in (rules, subjects, memories, effects):
            column = table.c
            self._connection.execute(
                delete(table).where(column.tenant_id == self._tenant, column.target_id == target_id)
            )
        self._connection.execute(delete(targets).where(*self._one(target_id)))

    def enabled(self) -> list[tuple[str, Target]]:
        return self._everywhere(select(targets).where(_c.enabled.is_(True)))

    def paused(self, limit: int) -> list[tuple[str, Target]]:
        return self._everywhere(select(targets).where(_c.enabled.is_(False)).order_by(_c.id).limit(limit))

    def _everywhere(self, statement: Select[Any]) -> list[tuple[str, Target]]:
        rows = self._connection.execute(statement)
        return [(row["tenant_id"], _target(row)) for row in rows.mappings()]

    def lease(self, target_id: str, now: datetime, until: datetime) -> Target | None:
        given = {**self._at(target_id), "now": now, "until": until, "never": until + (until - now)}
        taken = self._connection.execute(_LEASE, given)
        return self.get(target_id) if taken.rowcount == 1 else None

    def wake(self, target_id: str, now: datetime) -> None:
        self._connection.execute(update(targets).where(*self._one(target_id)).values(next_at=now))

    def renew(self, target: Target, until: datetime) -> bool:
        return self._held(target, _RENEW, until=until)

    def release(self, target: Target, now: datetime, next_at: datetime, failures: int, fault: str) -> bool:
        return self._held(
            target,
            _RELEASE,
            then=next_at,
            now=now,
            tries=failures,
            why=fault[:_FAULT],
            since=now if fault else None,
        )

    def _held(self, target: Target, change: Update, **values: Any) -> bool:
        """Change what only the holder of the lease may change; False when that is somebody else by now."""
        given = {**self._at(target.id), "mine": target.epoch, **values}
        return self._connection.execute(change, given).rowcount == 1

    def _at(self, target_id: str) -> dict[str, Any]:
        return {"tenant": self._tenant, "which": target_id}

    def _one(self, target_id: str) -> tuple[Any, Any]:
        return _c.tenant_id == self._tenant, _c.id == target_id

    def failing(self) -> int:
        found = self._connection.execute(select(func.count()).where(_c.enabled.is_(True), _c.failures > 0))
        return found.scalar() or 0

    # -- rules
    def rules(self, target_id: str) -> list[Rule]:
        return [_rule(row) for row in self._connection.execute(_RULES, self._at(target_id)).mappings()]

    def add_rule(self, rule: Rule) -> bool:
        said = ("target_id", "role_id", "scope", "entitlement")
        same = select(_r.id).where(
            _r.tenant_id == self._tenant,
            _r.provider == rule.provider.value,
            *(_r[name] == getattr(rule, name) for name in said),
        )
        if self._connection.execute(same).first() is not None:
            return False
        row = {name: getattr(rule, name) for name in Rule.__dataclass_fields__}
        self._connection.execute(
            insert(rules).values(tenant_id=self._tenant, **{**row, "provider": rule.provider.value})
        )
        return True

    def remove_rule(self, target_id: str, rule_id: str) -> bool:
        gone = delete(rules).where(_r.tenant_id == self._tenant, _r.id == rule_id, _r.target_id == target_id)
        return self._connection.execute(gone).rowcount == 1

    def mapped(self, provider: Provider, scopes: Collection[str]) -> bool:
        found = (
            select(_r.id)
            .where(_r.tenant_id == self._tenant, _r.provider == provider.value, _r.scope.in_(sorted(scopes)))
            .limit(1)
        )
        return self._connection.execute(found).first() is not None

    # -- names
    def subjects(self, target_id: str) -> dict[str, str]:
        return {row[0]: row[1] for row in self._connection.execute(_SUBJECTS, self._at(target_id))}

    def put_subject(self, target_id: str, principal_id: str, subject: str) -> None:
        self._connection.execute(
            delete(subjects).where(
                _s.tenant_id == self._tenant, _s.target_id == target_id, _s.principal_id == principal_id
            )
        )
        if subject:
            self._connection.execute(
                insert(subjects).values(
                    tenant_id=self._tenant, target_id=target_id, principal_id=principal_id, subject=subject
                )
            )

    # -- memories of connectors
    def memory(self, target_id: str, name: str) -> str:
        found = self._connection.execute(select(_m.text).where(*self._memory(target_id, name))).scalar()
        return found or ""

    def memories(self, target_id: str, prefix: str) -> dict[str, str]:
        rows = self._connection.execute(
            select(_m.name, _m.text).where(
                _m.tenant_id == self._tenant,
                _m.target_id == target_id,
                _m.name.startswith(prefix, autoescape=True),
            )
        )
        return {row[0]: row[1] for row in rows}

    def remember(self, target_id: str, name: str, text: str) -> None:
        if not text:
            self._connection.execute(delete(memories).where(*self._memory(target_id, name)))
            return
        row = {"tenant_id": self._tenant, "target_id": target_id, "name": name, "text": text}
        insert_if_missing(self._connection, memories, row)
        self._connection.execute(update(memories).where(*self._memory(target_id, name)).values(text=text))

    def _memory(self, target_id: str, name: str) -> tuple[Any, ...]:
        return _m.tenant_id == self._tenant, _m.target_id == target_id, _m.name == name

    # -- who is in a group, with the ends
    def links(self, group_ids: Collection[str], now: datetime) -> list[Link]:
        found: list[Link] = []
        seen: set[str] = set()
        waiting = set(group_ids)
        while waiting:
            seen |= waiting
            given = {"tenant": self._tenant, "groups": list(waiting), "now": now}
            step = [Link(*row) for row in self._connection.execute(_standing(), given)]
            step += [Link(*row) for row in self._connection.execute(_granted(), given)]
            found += step
            # Who is no group has no members: one look-up more, and none of its own kind.
            waiting = {link.member_id for link in step} - seen
            waiting &= self._groups(waiting)
        return found

    def _groups(self, ids: Collection[str]) -> set[str]:
        """Which of them have members."""
        members = m.group_members.c
        found: set[str] = set()
        for statement in (
            select(members.group_id)
            .where(members.tenant_id == self._tenant, members.group_id.in_(bindparam("ids", expanding=True)))
            .distinct(),
            select(_g.scope)
            .where(
                _g.tenant_id == self._tenant,
                _g.provider == Provider.GROUP.value,
                _g.scope.in_(bindparam("ids", expanding=True)),
            )
            .distinct(),
        ):
            for batch in _batches(ids):
                found |= set(self._connection.execute(statement, {"ids": batch}).scalars())
        return found

    def holders(self, provider: Provider, role_id: str, scope: str, now: datetime) -> list[Holder]:
        given = {
            "tenant": self._tenant,
            "provider": provider.value,
            "role": role_id,
            "scope": scope,
            "now": now,
        }
        return [Holder(*row) for row in self._connection.execute(_held(), given)]

    def next_change(self, now: datetime) -> datetime | None:
        given = {"tenant": self._tenant, "now": now}
        moments = [self._connection.execute(first, given).scalar() for first in _CHANGES]
        return min((one for one in moments if one is not None), default=None)


@cache
def _standing() -> Select[Any]:
    members = m.group_members.c
    return select(
        members.group_id, members.member_id, bindparam("none", None), bindparam("nothing", "")
    ).where(
        members.tenant_id == bindparam("tenant"), members.group_id.in_(bindparam("groups", expanding=True))
    )


@cache
def _granted() -> Select[Any]:
    return select(_g.scope, _g.principal_id, _g.ends_at, _g.id).where(
        _g.tenant_id == bindparam("tenant"),
        _g.provider == Provider.GROUP.value,
        _g.kind == Kind.ASSIGNMENT.value,
        _g.role_id == "member",
        in_force_at(bindparam("now", type_=Instant)),
        _g.scope.in_(bindparam("groups", expanding=True)),
    )


@cache
def _held() -> Select[Any]:
    return select(_g.principal_id, _g.ends_at, _g.id).where(
        _g.tenant_id == bindparam("tenant"),
        _g.provider == bindparam("provider"),
        _g.kind == Kind.ASSIGNMENT.value,
        _g.role_id == bindparam("role"),
        _g.scope == bindparam("scope"),
        in_force_at(bindparam("now", type_=Instant)),
    )


def _batches(ids: Collection[str], size: int = 500) -> list[list[str]]:
    every = sorted(ids)
    return [every[at : at + size] for at in range(0, len(every), size)]


def _target(row: RowMapping) -> Target:
    values = {name: row[name] for name in Target.__dataclass_fields__ if name != "foreign"}
    values |= {
        "settings": json.loads(row["settings"]),
        "managed": tuple(json.loads(row["managed"])),
        "foreign": Foreign(row["foreign_edges"]),
    }
    return Target(**values)


def _rule(row: RowMapping) -> Rule:
    values = {name: row[name] for name in Rule.__dataclass_fields__}
    return Rule(**{**values, "provider": Provider(row["provider"])})
