"""The table of who is signed in at which application, and when each must be looked at again."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    RowMapping,
    String,
    Table,
    Text,
    and_,
    delete,
    insert,
    select,
    update,
)

from openpim.core.relying import ClientSession
from openpim.store.schema import metadata
from openpim.store.types import Instant
from openpim.store.writing import insert_if_missing

client_sessions = Table(
    "client_sessions",
    metadata,
    Column("session_id", String(36), primary_key=True),
    Column("client_id", String(36), primary_key=True),
    Column("tenant_id", String(36), primary_key=True),
    Column("user_id", String(36), nullable=False),
    Column("home_tenant_id", String(36), nullable=False),
    Column("home_user_id", String(36), nullable=False),
    Column("grant_id", String(36), nullable=False),
    Column("issuer", Text, nullable=False),
    Column("claims", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("check_at", Instant, nullable=False),
    Column("over", Boolean, nullable=False),
)
_c = client_sessions.c
Index("ix_client_sessions_check", _c.check_at)
Index("ix_client_sessions_user", _c.tenant_id, _c.user_id)
Index("ix_client_sessions_home", _c.home_tenant_id, _c.home_user_id)
Index("ix_client_sessions_client", _c.client_id)
Index("ix_client_sessions_grant", _c.grant_id)
Index("ix_client_sessions_at", _c.at)
_BATCH = 500


def _make(row: RowMapping) -> ClientSession:
    return ClientSession(
        **{**row, "claims": {name: tuple(values) for name, values in json.loads(row["claims"]).items()}}
    )


class ClientSessions:
    """See `ports.client_sessions.ClientSessions`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection

    def put(self, row: ClientSession, *, keep: bool = False) -> None:
        values = {
            "user_id": row.user_id,
            "home_tenant_id": row.home_tenant_id,
            "home_user_id": row.home_user_id,
            "grant_id": row.grant_id,
            "issuer": row.issuer,
            "claims": json.dumps({name: sorted(some) for name, some in row.claims.items()}, sort_keys=True),
            "at": row.at,
            "check_at": row.check_at,
            "over": row.over,
        }
        if keep:
            key = {"session_id": row.session_id, "client_id": row.client_id, "tenant_id": row.tenant_id}
            insert_if_missing(self._connection, client_sessions, {**key, **values})
            return
        changed = self._connection.execute(update(client_sessions).where(_one(row)).values(**values))
        if not changed.rowcount:
            self._connection.execute(
                insert(client_sessions).values(
                    session_id=row.session_id, client_id=row.client_id, tenant_id=row.tenant_id, **values
                )
            )

    def due(self, now: datetime, limit: int) -> list[ClientSession]:
        statement = (
            select(client_sessions)
            .where(_c.check_at <= now)
            .order_by(_c.check_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [_make(row) for row in self._connection.execute(statement).mappings()]

    def next_due(self) -> datetime | None:
        statement = select(_c.check_at).order_by(_c.check_at).limit(1)
        return self._connection.execute(statement).scalar()

    def any_in(self, tenant_id: str) -> bool:
        return any(
            self._connection.execute(select(_c.session_id).where(column == tenant_id).limit(1)).first()
            is not None
            for column in (_c.tenant_id, _c.home_tenant_id)
        )

    def look_at_people(self, tenant_id: str, user_ids: Collection[str], now: datetime) -> None:
        ids = sorted(user_ids)
        for start in range(0, len(ids), _BATCH):
            part = ids[start : start + _BATCH]
            self._look(and_(_c.tenant_id == tenant_id, _c.user_id.in_(part)), now)
            self._look(and_(_c.home_tenant_id == tenant_id, _c.home_user_id.in_(part)), now)

    def look_at_tenant(self, tenant_id: str, now: datetime) -> None:
        self._look(_c.tenant_id == tenant_id, now)

    def look_at_client(self, tenant_id: str, client_id: str, now: datetime) -> None:
        self._look(and_(_c.tenant_id == tenant_id, _c.client_id == client_id), now)

    def _look(self, where: Any, now: datetime) -> None:
        self._connection.execute(update(client_sessions).where(where, _c.check_at > now).values(check_at=now))

    def end_session(self, session_id: str, now: datetime) -> None:
        self._over(_c.session_id == session_id, now)

    def end_grant(self, grant_id: str, now: datetime) -> None:
        self._over(_c.grant_id == grant_id, now)

    def _over(self, where: Any, now: datetime) -> None:
        self._connection.execute(update(client_sessions).where(where).values(check_at=now, over=True))

    def drop_grant(self, grant_id: str) -> None:
        self._connection.execute(delete(client_sessions).where(_c.grant_id == grant_id))

    def remove(self, row: ClientSession) -> None:
        self._connection.execute(delete(client_sessions).where(_one(row)))

    def forget(self, before: datetime) -> int:
        return self._connection.execute(delete(client_sessions).where(_c.at < before)).rowcount


def _one(row: ClientSession) -> Any:
    return and_(_c.session_id == row.session_id, _c.client_id == row.client_id, _c.tenant_id == row.tenant_id)
