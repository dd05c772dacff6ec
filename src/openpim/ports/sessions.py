"""Browsers in which somebody is signed in. System-wide: found by the cookie, whatever the tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from openpim.core.signin.values import Account, Session


class Sessions(Protocol):
    def add(self, session: Session) -> None: ...
    def get(self, session_id: str) -> Session | None: ...
    def by_cookie(self, cookie_hash: str) -> Session | None: ...
    def of(self, account: Account) -> list[Session]:
        """Those not ended, newest first."""
        ...

    def replace(self, session: Session) -> None:
        """Save cookie_hash, seen_at, auth_time, amr, acrs and ended_at."""
        ...

    def seen(self, session_id: str, now: datetime) -> None: ...
    def end(self, session_id: str, now: datetime) -> bool: ...
    def forget(self, before: datetime) -> int:
        """Drop sessions whose absolute end was before."""
        ...
