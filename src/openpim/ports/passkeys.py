"""Passkeys. System-wide: whoever signs in with one says by it alone who he is, whatever the tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from openpim.core.signin.values import Account, Passkey


class Passkeys(Protocol):
    def add(self, passkey: Passkey) -> None: ...
    def get(self, passkey_id: str) -> Passkey | None: ...
    def of(self, account: Account) -> list[Passkey]:
        """Oldest first."""
        ...

    def used(self, passkey_id: str, count: int, now: datetime) -> None:
        """It signed: its counter stands at count."""
        ...

    def stop(self, passkey_id: str, now: datetime) -> None:
        """It counts no more."""
        ...

    def remove(self, passkey_id: str) -> None: ...
    def remove_all(self, account: Account) -> None: ...
