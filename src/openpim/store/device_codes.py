"""The table of device codes: sign-ins that wait for a person with a browser elsewhere."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Index, Integer, Row, String, Table, Text, select, update

from openpim.core.signin.values import DeviceCode
from openpim.store.schema import metadata
from openpim.store.types import Instant

device_codes = Table(
    "device_codes",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("user_code", String(16), nullable=False),
    Column("client_id", String(36), nullable=False),
    Column("authority", String(255), nullable=False),
    Column("scope", Text, nullable=False),
    Column("claims", Text, nullable=False),
    Column("ip", String(45), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("poll_interval", Integer, nullable=False),
    Column("polled_at", Instant),
    Column("status", String(10), nullable=False),
    Column("grant_id", String(36)),
)
Index(None, device_codes.c.user_code, unique=True)
Index(None, device_codes.c.expires_at)


class DeviceCodes:
    """See `ports.oauth.DeviceCodes`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection

    def add(self, code: DeviceCode) -> None:
        self._connection.execute(
            device_codes.insert().values(
                hash=code.hash,
                user_code=code.user_code,
                client_id=code.client_id,
                authority=code.authority,
                scope=json.dumps(list(code.scope)),
                claims=code.claims,
                ip=code.ip[:45],
                created_at=code.created_at,
                expires_at=code.expires_at,
                poll_interval=code.interval,
                polled_at=code.polled_at,
                status=code.status,
                grant_id=code.grant_id,
            )
        )

    def get(self, code_hash: str) -> DeviceCode | None:
        return self._one(device_codes.c.hash == code_hash)

    def by_user_code(self, user_code: str) -> DeviceCode | None:
        return self._one(device_codes.c.user_code == user_code)

    def _one(self, where: Any) -> DeviceCode | None:
        row = self._connection.execute(select(device_codes).where(where)).one_or_none()
        return None if row is None else _code(row)

    def polled(self, code_hash: str, now: datetime, interval: int) -> None:
        self._connection.execute(
            update(device_codes)
            .where(device_codes.c.hash == code_hash)
            .values(polled_at=now, poll_interval=interval)
        )

    def decide(self, code_hash: str, status: str, grant_id: str | None) -> bool:
        return self._move(code_hash, "pending", {"status": status, "grant_id": grant_id})

    def redeem(self, code_hash: str) -> bool:
        return self._move(code_hash, "approved", {"status": "redeemed"})

    def _move(self, code_hash: str, status: str, values: dict[str, Any]) -> bool:
        c = device_codes.c
        changed = self._connection.execute(
            update(device_codes).where(c.hash == code_hash, c.status == status).values(values)
        )
        return changed.rowcount == 1

    def forget(self, before: datetime) -> int:
        c = device_codes.c
        return self._connection.execute(device_codes.delete().where(c.expires_at < before)).rowcount


def _code(row: Row[Any]) -> DeviceCode:
    return DeviceCode(
        hash=row.hash,
        user_code=row.user_code,
        client_id=row.client_id,
        authority=row.authority,
        scope=tuple(json.loads(row.scope)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        claims=row.claims,
        ip=row.ip,
        interval=row.poll_interval,
        polled_at=row.polled_at,
        status=row.status,
        grant_id=row.grant_id,
    )
