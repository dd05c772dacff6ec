"""The table of sign-in sessions."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from msgspec.json import decode
from sqlalchemy import Column, Connection, Index, String, Table, Text, bindparam, select, update

from openpim.core.signin.values import Account, Session
from openpim.store.prepared import AnyRow, Prepared
from openpim.store.schema import metadata
from openpim.store.types import Instant

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("cookie_hash", String(64), nullable=False),
    Column("tenant_id", String(36), nullable=False),
    Column("user_id", String(36), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("auth_time", Instant, nullable=False),
    Column("mfa_at", Instant),
    Column("amr", String(200), nullable=False),
    Column("acrs", Text, nullable=False),
    Column("ended_at", Instant),
    Column("ip", String(45), nullable=False),
    Column("user_agent", String(300), nullable=False),
)
Index(None, sessions.c.cookie_hash, unique=True)
Index(None, sessions.c.tenant_id, sessions.c.user_id)
Index(None, sessions.c.expires_at)

_BY_ID = Prepared(select(sessions).where(sessions.c.id == bindparam("key")))
_BY_COOKIE = Prepared(select(sessions).where(sessions.c.cookie_hash == bindparam("key")))


class Sessions:
    """See `ports.sessions.Sessions`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection

    def add(self, session: Session) -> None:
        self._connection.execute(
            sessions.insert().values(
                id=session.id,
                tenant_id=session.account.tenant_id,
                user_id=session.account.user_id,
                created_at=session.created_at,
                expires_at=session.expires_at,
                ip=session.ip[:45],
                user_agent=session.user_agent[:300],
                **_changeable(session),
            )
        )

    def get(self, session_id: str) -> Session | None:
        return self._one(_BY_ID, session_id)

    def by_cookie(self, cookie_hash: str) -> Session | None:
        return self._one(_BY_COOKIE, cookie_hash)

    def _one(self, statement: Prepared, key: str) -> Session | None:
        row = statement.first(self._connection, {"key": key})
        return None if row is None else _session(row)

    def of(self, account: Account) -> list[Session]:
        c = sessions.c
        rows = self._connection.execute(
            select(sessions)
            .where(c.tenant_id == account.tenant_id, c.user_id == account.user_id, c.ended_at.is_(None))
            .order_by(c.created_at.desc())
        ).mappings()
        return [_session(row) for row in rows]

    def replace(self, session: Session) -> None:
        self._connection.execute(
            update(sessions).where(sessions.c.id == session.id).values(_changeable(session))
        )

    def seen(self, session_id: str, now: datetime) -> None:
        self._connection.execute(update(sessions).where(sessions.c.id == session_id).values(seen_at=now))

    def end(self, session_id: str, now: datetime) -> bool:
        c = sessions.c
        changed = self._connection.execute(
            update(sessions).where(c.id == session_id, c.ended_at.is_(None)).values(ended_at=now)
        )
        return changed.rowcount == 1

    def forget(self, before: datetime) -> int:
        return self._connection.execute(sessions.delete().where(sessions.c.expires_at < before)).rowcount


def _changeable(session: Session) -> dict[str, Any]:
    return {
        "cookie_hash": session.cookie_hash,
        "seen_at": session.seen_at,
        "auth_time": session.auth_time,
        "mfa_at": session.mfa_at,
        "amr": json.dumps(list(session.amr)),
        "acrs": json.dumps(list(session.acrs)),
        "ended_at": session.ended_at,
    }


def _session(row: AnyRow) -> Session:
    return Session(
        id=row["id"],
        cookie_hash=row["cookie_hash"],
        account=Account(row["tenant_id"], row["user_id"]),
        created_at=row["created_at"],
        seen_at=row["seen_at"],
        expires_at=row["expires_at"],
        auth_time=row["auth_time"],
        amr=tuple(decode(row["amr"])),
        acrs=tuple(decode(row["acrs"])),
        ended_at=row["ended_at"],
        ip=row["ip"],
        user_agent=row["user_agent"],
        mfa_at=row["mfa_at"],
    )
