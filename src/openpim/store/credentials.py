"""Tables of passwords, second factors, recovery codes, one-time links and authentication contexts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    String,
    Table,
    Text,
    func,
    select,
    update,
)

from openpim.core.signin.values import AuthenticationContext, Credential, SetupLink
from openpim.store.schema import metadata
from openpim.store.types import Instant

credentials = Table(
    "credentials",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("user_id", String(36), primary_key=True),
    Column("password", String(400)),
    Column("password_at", Instant),
    Column("totp", String(400)),
    Column("totp_at", Instant),
    Column("totp_step", BigInteger, nullable=False),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("user_id", String(36), primary_key=True),
    Column("hash", String(64), primary_key=True),
    Column("used_at", Instant),
)

setup_links = Table(
    "setup_links",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("tenant_id", String(36), nullable=False),
    Column("user_id", String(36)),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)
Index(None, setup_links.c.tenant_id, setup_links.c.user_id)

authentication_contexts = Table(
    "authentication_contexts",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(3), primary_key=True),
    Column("display_name", String(256), nullable=False),
    Column("description", Text, nullable=False),
    Column("available", Boolean, nullable=False),
    Column("requires_mfa", Boolean, nullable=False),
)


class Credentials:
    """See `ports.credentials.Credentials`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    def get(self, user_id: str) -> Credential | None:
        c = credentials.c
        row = self._connection.execute(
            select(c.user_id, c.password, c.password_at, c.totp, c.totp_at, c.totp_step).where(
                c.tenant_id == self._tenant_id, c.user_id == user_id
            )
        ).one_or_none()
        return None if row is None else Credential(*row)

    def put(self, credential: Credential) -> None:
        c = credentials.c
        values = {
            "password": credential.password,
            "password_at": credential.password_at,
            "totp": credential.totp,
            "totp_at": credential.totp_at,
            "totp_step": credential.totp_step,
        }
        changed = self._connection.execute(
            update(credentials)
            .where(c.tenant_id == self._tenant_id, c.user_id == credential.user_id)
            .values(values)
        )
        if changed.rowcount == 0:
            self._connection.execute(
                credentials.insert().values(tenant_id=self._tenant_id, user_id=credential.user_id, **values)
            )

    def set_password(self, user_id: str, password: str, now: datetime) -> None:
        c = credentials.c
        values = {"password": password, "password_at": now}
        changed = self._connection.execute(
            update(credentials).where(c.tenant_id == self._tenant_id, c.user_id == user_id).values(values)
        )
        if changed.rowcount == 0:
            self.put(Credential(user_id, password, now))

    def spend_totp_step(self, user_id: str, step: int) -> bool:
        c = credentials.c
        changed = self._connection.execute(
            update(credentials)
            .where(c.tenant_id == self._tenant_id, c.user_id == user_id, c.totp_step < step)
            .values(totp_step=step)
        )
        return changed.rowcount == 1

    def set_recovery_codes(self, user_id: str, hashes: Sequence[str]) -> None:
        c = recovery_codes.c
        self._connection.execute(
            recovery_codes.delete().where(c.tenant_id == self._tenant_id, c.user_id == user_id)
        )
        for one in hashes:
            self._connection.execute(
                recovery_codes.insert().values(tenant_id=self._tenant_id, user_id=user_id, hash=one)
            )

    def spend_recovery_code(self, user_id: str, code_hash: str, now: datetime) -> bool:
        c = recovery_codes.c
        changed = self._connection.execute(
            update(recovery_codes)
            .where(
                c.tenant_id == self._tenant_id, c.user_id == user_id, c.hash == code_hash, c.used_at.is_(None)
            )
            .values(used_at=now)
        )
        return changed.rowcount == 1

    def recovery_codes_left(self, user_id: str) -> int:
        c = recovery_codes.c
        return self._connection.execute(
            select(func.count())
            .select_from(recovery_codes)
            .where(c.tenant_id == self._tenant_id, c.user_id == user_id, c.used_at.is_(None))
        ).scalar_one()


class SetupLinks:
    """See `ports.credentials.SetupLinks`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection

    def add(self, link: SetupLink) -> None:
        self._connection.execute(
            setup_links.insert().values(
                hash=link.hash,
                tenant_id=link.tenant_id,
                user_id=link.user_id,
                expires_at=link.expires_at,
                used_at=link.used_at,
            )
        )

    def get(self, link_hash: str) -> SetupLink | None:
        c = setup_links.c
        row = self._connection.execute(
            select(c.hash, c.tenant_id, c.user_id, c.expires_at, c.used_at).where(c.hash == link_hash)
        ).one_or_none()
        return None if row is None else SetupLink(*row)

    def spend(self, link_hash: str, now: datetime) -> bool:
        c = setup_links.c
        changed = self._connection.execute(
            update(setup_links).where(c.hash == link_hash, c.used_at.is_(None)).values(used_at=now)
        )
        return changed.rowcount == 1

    def discard_unused(self, tenant_id: str, user_id: str | None) -> None:
        c = setup_links.c
        whose = c.user_id.is_(None) if user_id is None else c.user_id == user_id
        self._connection.execute(
            setup_links.delete().where(c.tenant_id == tenant_id, whose, c.used_at.is_(None))
        )


class AuthenticationContexts:
    """See `ports.credentials.AuthenticationContexts`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        c = authentication_contexts.c
        self._select = select(c.id, c.display_name, c.description, c.available, c.requires_mfa).where(
            c.tenant_id == tenant_id
        )

    def get(self, context_id: str) -> AuthenticationContext | None:
        row = self._connection.execute(
            self._select.where(authentication_contexts.c.id == context_id)
        ).one_or_none()
        return None if row is None else AuthenticationContext(*row)

    def all(self) -> list[AuthenticationContext]:
        rows = self._connection.execute(self._select.order_by(authentication_contexts.c.id))
        return [AuthenticationContext(*row) for row in rows]

    def put(self, context: AuthenticationContext) -> None:
        c = authentication_contexts.c
        self._connection.execute(
            authentication_contexts.delete().where(c.tenant_id == self._tenant_id, c.id == context.id)
        )
        self._connection.execute(
            authentication_contexts.insert().values(
                tenant_id=self._tenant_id,
                id=context.id,
                display_name=context.display_name,
                description=context.description,
                available=context.available,
                requires_mfa=context.requires_mfa,
            )
        )
