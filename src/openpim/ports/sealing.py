"""Secrets that are ours alone: encrypted at rest, and marks that only this server can make. One key file outside the
database is behind all of them."""

from __future__ import annotations

from typing import Any, Protocol


class Sealer(Protocol):
    """purpose: what it is for, in lower case; what is sealed for one purpose opens for no other."""

    def seal(self, purpose: str, text: str) -> str:
        """Base64url text that only `unseal` with the same purpose opens."""
        ...

    def unseal(self, purpose: str, text: str) -> str | None:
        """None when it was not sealed here, for this purpose, with this key."""
        ...

    def seal_json(self, purpose: str, value: dict[str, Any]) -> str: ...

    def unseal_json(self, purpose: str, text: str) -> dict[str, Any] | None: ...

    def mac(self, purpose: str, data: bytes) -> bytes:
        """32 bytes that only this key gives for this data: HMAC-SHA-256."""
        ...
