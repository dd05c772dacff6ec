"""Tables of grants, refresh tokens, authorization codes and revocations (device codes: device_codes.py)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Row,
    String,
    Table,
    Text,
    bindparam,
    select,
    update,
)

from openpim.core.signin.values import Account, AuthorizationCode, Grant, RefreshToken
from openpim.store.prepared import Prepared
from openpim.store.schema import metadata
from openpim.store.types import Instant

grants = Table(
    "grants",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("client_id", String(36), nullable=False),
    Column("home_tenant_id", String(36), nullable=False),
    Column("home_user_id", String(36), nullable=False),
    Column("tenant_id", String(36), nullable=False),
    Column("scope", Text, nullable=False),
    Column("session_id", String(36), nullable=False),
    Column("amr", String(200), nullable=False),
    Column("acrs", Text, nullable=False),
    Column("auth_time", Instant, nullable=False),
    Column("mfa_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("offline", Boolean, nullable=False),
    Column("nonce", Text),
    Column("cp1", Boolean, nullable=False),
    Column("revoked_at", Instant),
)
Index(None, grants.c.session_id)
Index(None, grants.c.home_tenant_id, grants.c.home_user_id)
Index(None, grants.c.expires_at)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("grant_id", String(36), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)
Index(None, refresh_tokens.c.expires_at)

authorization_codes = Table(
    "authorization_codes",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("grant_id", String(36), nullable=False),
    Column("client_id", String(36), nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("challenge", String(43)),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)
Index(None, authorization_codes.c.expires_at)

revocations = Table(
    "revocations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("until", Instant, nullable=False),
)
Index(None, revocations.c.until)


class Grants:
    """See `ports.oauth.Grants`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection

    def add(self, grant: Grant) -> None:
        self._connection.execute(
            grants.insert().values(
                id=grant.id,
                client_id=grant.client_id,
                home_tenant_id=grant.account.tenant_id,
                home_user_id=grant.account.user_id,
                tenant_id=grant.tenant_id,
                scope=json.dumps(list(grant.scope)),
                session_id=grant.session_id,
                amr=json.dumps(list(grant.amr)),
                acrs=json.dumps(list(grant.acrs)),
                auth_time=grant.auth_time,
                mfa_at=grant.mfa_at,
                created_at=grant.created_at,
                expires_at=grant.expires_at,
                offline=grant.offline,
                nonce=grant.nonce,
                cp1=grant.cp1,
                revoked_at=grant.revoked_at,
            )
        )

    def get(self, grant_id: str) -> Grant | None:
        row = self._connection.execute(select(grants).where(grants.c.id == grant_id)).one_or_none()
        return None if row is None else _grant(row)

    def lock(self, grant_id: str) -> Grant | None:
        row = self._connection.execute(
            select(grants).where(grants.c.id == grant_id).with_for_update()
        ).one_or_none()
        return None if row is None else _grant(row)

    def set_acrs(self, grant_id: str, acrs: Iterable[str]) -> None:
        self._connection.execute(
            update(grants).where(grants.c.id == grant_id).values(acrs=json.dumps(sorted(acrs)))
        )

    def revoke(self, grant_id: str, now: datetime) -> bool:
        c = grants.c
        changed = self._connection.execute(
            update(grants).where(c.id == grant_id, c.revoked_at.is_(None)).values(revoked_at=now)
        )
        return changed.rowcount == 1

    def of_session(self, session_id: str) -> list[Grant]:
        return self._alive(grants.c.session_id == session_id)

    def of_account(self, account: Account) -> list[Grant]:
        c = grants.c
        return self._alive(c.home_tenant_id == account.tenant_id, c.home_user_id == account.user_id)

    def _alive(self, *where: Any) -> list[Grant]:
        rows = self._connection.execute(select(grants).where(*where, grants.c.revoked_at.is_(None)))
        return [_grant(row) for row in rows]

    def forget(self, before: datetime) -> int:
        return self._connection.execute(grants.delete().where(grants.c.expires_at < before)).rowcount


class RefreshTokens:
    """See `ports.oauth.RefreshTokens`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection

    def add(self, token: RefreshToken) -> None:
        self._connection.execute(
            refresh_tokens.insert().values(
                hash=token.hash,
                grant_id=token.grant_id,
                created_at=token.created_at,
                expires_at=token.expires_at,
                used_at=token.used_at,
            )
        )

    def get(self, token_hash: str) -> RefreshToken | None:
        c = refresh_tokens.c
        row = self._connection.execute(
            select(c.hash, c.grant_id, c.created_at, c.expires_at, c.used_at).where(c.hash == token_hash)
        ).one_or_none()
        return None if row is None else RefreshToken(*row)

    def use(self, token_hash: str, now: datetime) -> bool:
        c = refresh_tokens.c
        changed = self._connection.execute(
            update(refresh_tokens).where(c.hash == token_hash, c.used_at.is_(None)).values(used_at=now)
        )
        return changed.rowcount == 1

    def forget(self, before: datetime) -> int:
        c = refresh_tokens.c
        return self._connection.execute(refresh_tokens.delete().where(c.expires_at < before)).rowcount


class AuthorizationCodes:
    """See `ports.oauth.AuthorizationCodes`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection

    def add(self, code: AuthorizationCode) -> None:
        self._connection.execute(
            authorization_codes.insert().values(
                hash=code.hash,
                grant_id=code.grant_id,
                client_id=code.client_id,
                redirect_uri=code.redirect_uri,
                challenge=code.challenge,
                expires_at=code.expires_at,
                used_at=code.used_at,
            )
        )

    def get(self, code_hash: str) -> AuthorizationCode | None:
        c = authorization_codes.c
        row = self._connection.execute(
            select(
                c.hash, c.grant_id, c.client_id, c.redirect_uri, c.challenge, c.expires_at, c.used_at
            ).where(c.hash == code_hash)
        ).one_or_none()
        return None if row is None else AuthorizationCode(*row)

    def use(self, code_hash: str, now: datetime) -> bool:
        c = authorization_codes.c
        changed = self._connection.execute(
            update(authorization_codes).where(c.hash == code_hash, c.used_at.is_(None)).values(used_at=now)
        )
        return changed.rowcount == 1

    def forget(self, before: datetime) -> int:
        c = authorization_codes.c
        return self._connection.execute(authorization_codes.delete().where(c.expires_at < before)).rowcount


_REVOKED = Prepared(
    select(revocations.c.id).where(revocations.c.id.in_(bindparam("ids", expanding=True))), "ids"
)


class Revocations:
    """See `ports.oauth.Revocations`."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection

    def add(self, identifier: str, until: datetime) -> None:
        c = revocations.c
        changed = self._connection.execute(update(revocations).where(c.id == identifier).values(until=until))
        if changed.rowcount == 0:
            self._connection.execute(revocations.insert().values(id=identifier, until=until))

    def any_of(self, identifiers: Iterable[str]) -> bool:
        wanted = [one for one in identifiers if one]
        if not wanted:
            return False
        return bool(_REVOKED.tuples(self._connection, {"ids": wanted}))

    def forget(self, now: datetime) -> int:
        return self._connection.execute(revocations.delete().where(revocations.c.until < now)).rowcount


def _grant(row: Row[Any]) -> Grant:
    return Grant(
        id=row.id,
        client_id=row.client_id,
        account=Account(row.home_tenant_id, row.home_user_id),
        tenant_id=row.tenant_id,
        scope=tuple(json.loads(row.scope)),
        session_id=row.session_id,
        amr=tuple(json.loads(row.amr)),
        acrs=tuple(json.loads(row.acrs)),
        auth_time=row.auth_time,
        mfa_at=row.mfa_at,
        created_at=row.created_at,
        expires_at=row.expires_at,
        offline=row.offline,
        nonce=row.nonce,
        cp1=row.cp1,
        revoked_at=row.revoked_at,
    )
