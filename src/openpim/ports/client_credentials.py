"""Secrets and public keys of confidential clients, and the assertions they have used. System-wide, by client id."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from openpim.core.signin.values import ClientCredential


class ClientCredentials(Protocol):
    def of(self, app_id: str) -> list[ClientCredential]: ...
    def add(self, credential: ClientCredential) -> None: ...
    def remove(self, app_id: str, credential_id: str) -> bool: ...
    def spend_assertion(self, key: str, until: datetime) -> bool:
        """True the first time `key` is seen; it is remembered until `until`."""
        ...

    def forget(self, now: datetime) -> int:
        """Drop assertions that can no longer be replayed. Returns how many."""
        ...
