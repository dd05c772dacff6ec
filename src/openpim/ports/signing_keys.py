"""The keys that sign tokens. System-wide; the private halves are sealed with a key that is not in the database."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from openpim.core.signin.values import SigningKey


class SigningKeys(Protocol):
    def all(self) -> list[SigningKey]: ...
    def add(self, key: SigningKey) -> None: ...
    def set_end(self, kid: str, expires_at: datetime) -> None: ...
    def forget(self, now: datetime) -> int: ...
