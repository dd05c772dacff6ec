"""The table of token signing keys."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Connection, Index, Integer, String, Table, Text, select, update

from openpim.core.signin.values import SigningKey
from openpim.store.schema import metadata
from openpim.store.types import Instant

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("jwk", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("active_at", Instant, nullable=False),
    Column("expires_at", Instant),
)
# Two servers that rotate at once: the second one's insert fails, and it reads again.
Index(None, signing_keys.c.generation, unique=True)


class SigningKeys:
    """See `ports.signing_keys.SigningKeys`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection

    def all(self) -> list[SigningKey]:
        c = signing_keys.c
        rows = self._connection.execute(
            select(c.kid, c.generation, c.jwk, c.sealed, c.created_at, c.active_at, c.expires_at).order_by(
                c.generation
            )
        )
        return [SigningKey(*row) for row in rows]

    def add(self, key: SigningKey) -> None:
        self._connection.execute(
            signing_keys.insert().values(
                kid=key.kid,
                generation=key.generation,
                jwk=key.jwk,
                sealed=key.sealed,
                created_at=key.created_at,
                active_at=key.active_at,
                expires_at=key.expires_at,
            )
        )

    def set_end(self, kid: str, expires_at: datetime) -> None:
        self._connection.execute(
            update(signing_keys).where(signing_keys.c.kid == kid).values(expires_at=expires_at)
        )

    def forget(self, now: datetime) -> int:
        return self._connection.execute(signing_keys.delete().where(signing_keys.c.expires_at < now)).rowcount
