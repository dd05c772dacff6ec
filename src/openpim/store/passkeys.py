"""The table of passkeys, found by the digest of what the authenticator calls them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Index, Row, String, Table, Text, select, update

from openpim.core.signin.values import Account, Passkey
from openpim.store.schema import metadata
from openpim.store.types import Instant

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant_id", String(36), nullable=False),
    Column("user_id", String(36), nullable=False),
    Column("handle", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("name", String(100), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("stopped_at", Instant),
)
Index(None, passkeys.c.tenant_id, passkeys.c.user_id)


class Passkeys:
    """See `ports.passkeys.Passkeys`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection

    def add(self, passkey: Passkey) -> None:
        self._connection.execute(
            passkeys.insert().values(
                id=passkey.id,
                tenant_id=passkey.account.tenant_id,
                user_id=passkey.account.user_id,
                handle=passkey.handle,
                public_key=passkey.public_key,
                count=passkey.count,
                name=passkey.name,
                created_at=passkey.created_at,
                used_at=passkey.used_at,
                stopped_at=passkey.stopped_at,
            )
        )

    def get(self, passkey_id: str) -> Passkey | None:
        row = self._connection.execute(select(passkeys).where(passkeys.c.id == passkey_id)).one_or_none()
        return None if row is None else _passkey(row)

    def of(self, account: Account) -> list[Passkey]:
        rows = self._connection.execute(
            select(passkeys).where(*_whose(account)).order_by(passkeys.c.created_at, passkeys.c.id)
        )
        return [_passkey(row) for row in rows]

    def used(self, passkey_id: str, count: int, now: datetime) -> None:
        self._change(passkey_id, count=count, used_at=now)

    def stop(self, passkey_id: str, now: datetime) -> None:
        self._change(passkey_id, stopped_at=now)

    def _change(self, passkey_id: str, **values: Any) -> None:
        self._connection.execute(update(passkeys).where(passkeys.c.id == passkey_id).values(values))

    def remove(self, passkey_id: str) -> None:
        self._connection.execute(passkeys.delete().where(passkeys.c.id == passkey_id))

    def remove_all(self, account: Account) -> None:
        self._connection.execute(passkeys.delete().where(*_whose(account)))


def _whose(account: Account) -> tuple[Any, Any]:
    return passkeys.c.tenant_id == account.tenant_id, passkeys.c.user_id == account.user_id


def _passkey(row: Row[Any]) -> Passkey:
    return Passkey(
        id=row.id,
        account=Account(row.tenant_id, row.user_id),
        handle=row.handle,
        public_key=row.public_key,
        # `count` is a method of a row.
        count=row._mapping["count"],  # noqa: SLF001 - the documented way to a column's name
        name=row.name,
        created_at=row.created_at,
        used_at=row.used_at,
        stopped_at=row.stopped_at,
    )
