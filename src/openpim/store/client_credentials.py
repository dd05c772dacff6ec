"""Tables of the secrets and keys of confidential clients, and of the assertions already used."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Column, Connection, Index, String, Table, Text, select
from sqlalchemy.exc import IntegrityError

from openpim.core.signin.values import ClientCredential
from openpim.store.schema import metadata
from openpim.store.types import Instant

client_credentials = Table(
    "client_credentials",
    metadata,
    Column("app_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("value", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("display_name", String(256), nullable=False),
    Column("hint", String(8), nullable=False),
    Column("thumbprints", Text, nullable=False),
)

client_assertions = Table(
    "client_assertions",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("until", Instant, nullable=False),
)
Index(None, client_assertions.c.until)


class ClientCredentials:
    """See `ports.client_credentials.ClientCredentials`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection

    def of(self, app_id: str) -> list[ClientCredential]:
        c = client_credentials.c
        rows = self._connection.execute(
            select(client_credentials).where(c.app_id == app_id).order_by(c.created_at)
        )
        return [
            ClientCredential(
                id=row.id,
                app_id=row.app_id,
                kind=row.kind,
                value=row.value,
                created_at=row.created_at,
                expires_at=row.expires_at,
                display_name=row.display_name,
                hint=row.hint,
                thumbprints=tuple(json.loads(row.thumbprints)),
            )
            for row in rows
        ]

    def add(self, credential: ClientCredential) -> None:
        self._connection.execute(
            client_credentials.insert().values(
                app_id=credential.app_id,
                id=credential.id,
                kind=credential.kind,
                value=credential.value,
                created_at=credential.created_at,
                expires_at=credential.expires_at,
                display_name=credential.display_name,
                hint=credential.hint,
                thumbprints=json.dumps(list(credential.thumbprints)),
            )
        )

    def remove(self, app_id: str, credential_id: str) -> bool:
        c = client_credentials.c
        done = self._connection.execute(
            client_credentials.delete().where(c.app_id == app_id, c.id == credential_id)
        )
        return done.rowcount == 1

    def spend_assertion(self, key: str, until: datetime) -> bool:
        nested = self._connection.begin_nested()
        try:
            self._connection.execute(client_assertions.insert().values(key=key, until=until))
        except IntegrityError:
            nested.rollback()
            return False
        nested.commit()
        return True

    def forget(self, now: datetime) -> int:
        c = client_assertions.c
        return self._connection.execute(client_assertions.delete().where(c.until < now)).rowcount
