"""Who is signed in at which application. System-wide: a session belongs to an account, whatever the tenant it is used in."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from openpim.core.relying import ClientSession


class ClientSessions(Protocol):
    def put(self, row: ClientSession, *, keep: bool = False) -> None:
        """Insert, or replace the one of the same session, client and tenant. keep: leave that as it is."""
        ...

    def due(self, now: datetime, limit: int) -> list[ClientSession]:
        """Those to look at now, locked; those that others hold are left out."""
        ...

    def next_due(self) -> datetime | None:
        """When the first of all is to be looked at."""
        ...

    def any_in(self, tenant_id: str) -> bool:
        """Whether anybody of this tenant, or in it, is signed in at an application."""
        ...

    def look_at_people(self, tenant_id: str, user_ids: Collection[str], now: datetime) -> None:
        """Of these users of the tenant, and of accounts of the tenant elsewhere: to be looked at now."""
        ...

    def look_at_tenant(self, tenant_id: str, now: datetime) -> None: ...

    def look_at_client(self, tenant_id: str, client_id: str, now: datetime) -> None: ...

    def end_session(self, session_id: str, now: datetime) -> None:
        """Signed out: every application of this session is to be told."""
        ...

    def end_grant(self, grant_id: str, now: datetime) -> None:
        """What the application rests on was taken back."""
        ...

    def drop_grant(self, grant_id: str) -> None:
        """The application itself gave it back: nothing to tell."""
        ...

    def remove(self, row: ClientSession) -> None: ...

    def forget(self, before: datetime) -> int:
        """Those whose last token was made before."""
        ...
