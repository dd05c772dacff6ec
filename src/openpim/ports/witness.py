"""Who else keeps our checkpoints, so that a log that is rewritten or set back contradicts somebody."""

from __future__ import annotations

from typing import Protocol

from openpim.core.checkpoints import SignedCheckpoint


class WitnessError(Exception):
    """It was not taken; the message says why, for administrators."""


class Witness(Protocol):
    """A place outside the database that every checkpoint is written to."""

    def keep(self, tenant_id: str, checkpoint: SignedCheckpoint) -> None:
        """Safe to repeat. Raises WitnessError, also when what it kept before contradicts this one."""
        ...


class TimeStamper(Protocol):
    """RFC 3161."""

    def request(self, data: bytes) -> bytes:
        """The DER of a request for a time-stamp of this data."""
        ...

    def opened(self, request: bytes, answer: bytes) -> bytes:
        """The DER of the answer when it is a time-stamp of what was asked. Raises WitnessError."""
        ...
