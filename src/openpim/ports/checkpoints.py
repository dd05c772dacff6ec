"""The signed checkpoints of a tenant's audit log, and the keys that signed them: only ever added to."""

from __future__ import annotations

from typing import Protocol

from openpim.core.checkpoints import LogKey, SignedCheckpoint


class Checkpoints(Protocol):
    def last(self) -> SignedCheckpoint | None: ...

    def get(self, number: int) -> SignedCheckpoint | None: ...

    def covering(self, position: int) -> SignedCheckpoint | None:
        """The first one that proves this position."""
        ...

    def page(self, before: int | None, limit: int) -> list[SignedCheckpoint]:
        """The newest first; `before`: of smaller numbers only."""
        ...

    def since(self, number: int, limit: int) -> list[SignedCheckpoint]:
        """From this number on, the oldest first."""
        ...

    def add(self, checkpoint: SignedCheckpoint) -> None: ...

    def stamp(self, number: int, stamp: bytes) -> None:
        """Keep the time-stamp of a checkpoint."""
        ...

    def log_keys(self) -> list[LogKey]:
        """The oldest first."""
        ...

    def add_key(self, key: LogKey) -> None: ...

    def fault(self) -> str:
        """Why no checkpoint is signed any more; empty while all is well."""
        ...

    def set_fault(self, why: str) -> None: ...
