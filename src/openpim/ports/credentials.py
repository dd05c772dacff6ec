"""Passwords, second factors and one-time links of the tenant's people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from openpim.core.signin.values import AuthenticationContext, Credential, SetupLink


class Credentials(Protocol):
    def get(self, user_id: str) -> Credential | None: ...
    def put(self, credential: Credential) -> None:
        """Insert or replace."""
        ...

    def set_password(self, user_id: str, password: str, now: datetime) -> None:
        """Only the password, so that a second factor used at the same moment stays used."""
        ...

    def spend_totp_step(self, user_id: str, step: int) -> bool:
        """True once for each step, and never for one at or before the last used."""
        ...

    def set_recovery_codes(self, user_id: str, hashes: Sequence[str]) -> None:
        """Replaces all former ones."""
        ...

    def spend_recovery_code(self, user_id: str, code_hash: str, now: datetime) -> bool:
        """True exactly once for each code."""
        ...

    def recovery_codes_left(self, user_id: str) -> int: ...


class SetupLinks(Protocol):
    """System-wide: a link is found by the digest of its secret alone."""

    def add(self, link: SetupLink) -> None: ...
    def get(self, link_hash: str) -> SetupLink | None: ...
    def spend(self, link_hash: str, now: datetime) -> bool:
        """True exactly once."""
        ...

    def discard_unused(self, tenant_id: str, user_id: str | None) -> None: ...


class AuthenticationContexts(Protocol):
    def get(self, context_id: str) -> AuthenticationContext | None: ...
    def all(self) -> list[AuthenticationContext]: ...
    def put(self, context: AuthenticationContext) -> None: ...
