"""Counts for monitoring: see ports/figures.py. No statement here reads a table that grows from end to end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, case, func, literal_column, select

from openpim.core.deliveries import DeliveryStatus
from openpim.core.grants import Kind, Provider
from openpim.ports.figures import MOST, OutboxFigures
from openpim.store.audit import queue
from openpim.store.audit_log import logs
from openpim.store.checkpoints import checkpoints
from openpim.store.deliveries import deliveries
from openpim.store.outbox import outbox
from openpim.store.requests import requests
from openpim.store.schedules import in_force_at, schedules
from openpim.store.tallies import WAITING

_s, _r, _o, _d = schedules.c, requests.c, outbox.c, deliveries.c
_ONE: Any = literal_column("1")


class Figures:
    """See ports/figures.py."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def grants(self, now: datetime, most: int = MOST) -> Mapping[tuple[str, str], int]:
        walked = select(_s.provider, _s.kind).where(in_force_at(now)).limit(most).subquery()
        columns: tuple[Any, Any] = (walked.c.provider, walked.c.kind)
        rows = self._connection.execute(select(*columns, func.count()).group_by(*columns))
        return {(provider, kind): count for provider, kind, count in rows}

    def requests_waiting(self, tenants: Sequence[str], most: int = MOST) -> Mapping[str, int]:
        found: dict[str, int] = {provider.value: 0 for provider in Provider}
        for provider in found:
            found[provider] = self._count(
                select(_ONE).where(
                    _r.tenant_id.in_(tenants),
                    _r.provider == provider,
                    _r.kind.in_([kind.value for kind in Kind]),
                    _r.status.in_([one.value for one in WAITING]),
                ),
                most,
            )
        return found

    def outbox(self, topics: Sequence[str], most: int = MOST) -> OutboxFigures:
        failed = case((_o.error.is_not(None), 1), else_=0).label("failed")
        pending = select(failed, _o.created_at).where(_o.topic.in_(topics), _o.due_at.is_not(None))
        walked = pending.limit(most).subquery()
        row = self._connection.execute(
            select(func.count(), func.sum(walked.c.failed)).select_from(walked)
        ).one()
        oldest = self._connection.execute(
            select(_o.created_at)
            .where(_o.topic.in_(topics), _o.due_at.is_not(None))
            .order_by(_o.due_at)
            .limit(1)
        ).scalar()
        return OutboxFigures(row[0], int(row[1] or 0), oldest)

    def deliveries(self, tenants: Sequence[str], most: int = MOST) -> tuple[int, int]:
        waiting = self._count(select(_ONE).where(_d.due_at.is_not(None)), most)
        dead = select(_ONE).where(_d.tenant_id.in_(tenants), _d.status == DeliveryStatus.DEAD.value)
        return waiting, self._count(dead, most)

    def audit_log(self, most: int = MOST) -> tuple[int, int]:
        size = self._connection.execute(select(func.sum(logs.c.size))).scalar()
        return int(size or 0), self._count(select(_ONE).select_from(queue), most)

    def oldest_checkpoint(self, tenants: Sequence[str]) -> datetime | None:
        c = checkpoints.c
        found = []
        for tenant in tenants:
            last = select(c.at).where(c.tenant_id == tenant).order_by(c.number.desc()).limit(1)
            found.append(self._connection.execute(last).scalar())
        return min((at for at in found if at is not None), default=None)

    def _count(self, walked: Select[Any], most: int) -> int:
        return self._connection.execute(
            select(func.count()).select_from(walked.limit(most).subquery())
        ).scalar_one()
