"""Tables of provisioners: what they wrote, whom they put where, their tokens, and what becomes of memberships they write."""

from __future__ import annotations

import json
from collections.abc import Collection

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    RowMapping,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from openpim.core.directory import PrincipalKind
from openpim.core.provisioning import Mode, Put, Record, Token, Way
from openpim.store.principals import batches
from openpim.store.schema import metadata
from openpim.store.types import Instant

provisioned = Table(
    "provisioned",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("client_id", String(36), primary_key=True),
    Column("principal_id", String(36), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("external_id", String(256)),
    Column("written", Text, nullable=False),
    Column("modified_at", Instant, nullable=False),
    Column("disabled", Boolean, nullable=False),
)
Index(
    "uq_provisioned_external",
    provisioned.c.tenant_id,
    provisioned.c.client_id,
    provisioned.c.kind,
    provisioned.c.external_id,
    unique=True,
)
Index("ix_provisioned_principal", provisioned.c.tenant_id, provisioned.c.principal_id)

members = Table(
    "provisioned_members",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("client_id", String(36), primary_key=True),
    Column("group_id", String(36), primary_key=True),
    Column("principal_id", String(36), primary_key=True),
    Column("way", String(10), nullable=False),
    Column("schedule_id", String(36)),
)
Index("ix_provisioned_members_group", members.c.tenant_id, members.c.group_id)
Index("ix_provisioned_members_principal", members.c.tenant_id, members.c.principal_id)

tokens = Table(
    "provisioning_tokens",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("client_id", String(36), nullable=False),
    Column("name", String(256), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("hint", String(8), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(36), nullable=False),
    Column("expires_at", Instant),
)
Index("uq_provisioning_tokens_digest", tokens.c.tenant_id, tokens.c.digest, unique=True)

modes = Table(
    "provisioning_modes",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("group_id", String(36), primary_key=True),
    Column("mode", String(10), nullable=False),
)


class Provisioning:
    """See `ports.provisioning.Provisioning`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    # -- what they wrote
    def many(self, client_id: str, ids: Collection[str]) -> dict[str, Record]:
        c = provisioned.c
        found: dict[str, Record] = {}
        for part in batches(ids):
            rows = self._connection.execute(
                select(c.principal_id, c.external_id, c.written, c.modified_at, c.disabled).where(
                    c.tenant_id == self._tenant_id, c.client_id == client_id, c.principal_id.in_(part)
                )
            )
            for row in rows:
                found[row.principal_id] = Record(
                    row.external_id, json.loads(row.written), row.modified_at, row.disabled
                )
        return found

    def by_external_id(self, client_id: str, kind: PrincipalKind, external_id: str) -> str | None:
        c = provisioned.c
        return self._connection.execute(
            select(c.principal_id).where(
                c.tenant_id == self._tenant_id,
                c.client_id == client_id,
                c.kind == kind.value,
                c.external_id == external_id,
            )
        ).scalar()

    def save(self, client_id: str, kind: PrincipalKind, principal_id: str, record: Record) -> None:
        c = provisioned.c
        values = {
            "external_id": record.external_id,
            "written": json.dumps(record.written, sort_keys=True, ensure_ascii=False),
            "modified_at": record.modified_at,
            "disabled": record.disabled,
        }
        changed = self._connection.execute(
            update(provisioned)
            .where(c.tenant_id == self._tenant_id, c.client_id == client_id, c.principal_id == principal_id)
            .values(**values)
        )
        if changed.rowcount == 0:
            self._connection.execute(
                insert(provisioned).values(
                    tenant_id=self._tenant_id,
                    client_id=client_id,
                    principal_id=principal_id,
                    kind=kind.value,
                    **values,
                )
            )

    def forget(self, principal_id: str, client_id: str | None = None) -> None:
        for table, column in (
            (provisioned, provisioned.c.principal_id),
            (members, members.c.principal_id),
            (members, members.c.group_id),
        ):
            statement = delete(table).where(table.c.tenant_id == self._tenant_id, column == principal_id)
            if client_id is not None:
                statement = statement.where(table.c.client_id == client_id)
            self._connection.execute(statement)
        if client_id is None:
            self._connection.execute(
                delete(modes).where(modes.c.tenant_id == self._tenant_id, modes.c.group_id == principal_id)
            )

    # -- whom they put where
    def put_in(self, client_id: str, group_id: str) -> dict[str, Put]:
        c = members.c
        rows = self._connection.execute(
            select(c.principal_id, c.way, c.schedule_id).where(
                c.tenant_id == self._tenant_id, c.client_id == client_id, c.group_id == group_id
            )
        )
        return {row.principal_id: Put(row.principal_id, Way(row.way), row.schedule_id) for row in rows}

    def put(self, client_id: str, group_id: str, row: Put) -> None:
        self.take(client_id, group_id, row.principal_id)
        self._connection.execute(
            insert(members).values(
                tenant_id=self._tenant_id,
                client_id=client_id,
                group_id=group_id,
                principal_id=row.principal_id,
                way=row.way.value,
                schedule_id=row.schedule_id,
            )
        )

    def take(self, client_id: str, group_id: str, principal_id: str) -> None:
        c = members.c
        self._connection.execute(
            delete(members).where(
                c.tenant_id == self._tenant_id,
                c.client_id == client_id,
                c.group_id == group_id,
                c.principal_id == principal_id,
            )
        )

    # -- their tokens
    def tokens(self, client_id: str | None = None) -> list[Token]:
        statement = select(tokens).where(tokens.c.tenant_id == self._tenant_id)
        if client_id is not None:
            statement = statement.where(tokens.c.client_id == client_id)
        rows = self._connection.execute(statement.order_by(tokens.c.created_at, tokens.c.id))
        return [_token(row) for row in rows.mappings()]

    def token(self, digest: str) -> Token | None:
        statement = select(tokens).where(tokens.c.tenant_id == self._tenant_id, tokens.c.digest == digest)
        row = self._connection.execute(statement).mappings().first()
        return _token(row) if row is not None else None

    def add_token(self, token: Token) -> None:
        values = {name: getattr(token, name) for name in Token.__dataclass_fields__}
        self._connection.execute(insert(tokens).values(tenant_id=self._tenant_id, **values))

    def remove_token(self, token_id: str) -> bool:
        statement = delete(tokens).where(tokens.c.tenant_id == self._tenant_id, tokens.c.id == token_id)
        return self._connection.execute(statement).rowcount == 1

    # -- what becomes of memberships
    def modes(self, group_ids: Collection[str] | None = None) -> dict[str, Mode]:
        statement = select(modes.c.group_id, modes.c.mode).where(modes.c.tenant_id == self._tenant_id)
        if group_ids is not None:
            statement = statement.where(modes.c.group_id.in_(sorted(group_ids)))
        return {row.group_id: Mode(row.mode) for row in self._connection.execute(statement)}

    def set_mode(self, group_id: str, mode: Mode | None) -> None:
        c = modes.c
        self._connection.execute(delete(modes).where(c.tenant_id == self._tenant_id, c.group_id == group_id))
        if mode is not None:
            self._connection.execute(
                insert(modes).values(tenant_id=self._tenant_id, group_id=group_id, mode=mode.value)
            )


def _token(row: RowMapping) -> Token:
    return Token(**{name: row[name] for name in Token.__dataclass_fields__})
