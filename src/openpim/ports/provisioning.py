"""What provisioners keep here: their names for people and groups, whom they put where, their tokens; and the mapping."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from openpim.core.directory import PrincipalKind
from openpim.core.provisioning import Mode, Put, Record, Token


class Provisioning(Protocol):
    def many(self, client_id: str, ids: Collection[str]) -> dict[str, Record]:
        """What this provisioner keeps, by the id of the principal."""
        ...

    def by_external_id(self, client_id: str, kind: PrincipalKind, external_id: str) -> str | None:
        """The id of the principal; it may be gone."""
        ...

    def save(self, client_id: str, kind: PrincipalKind, principal_id: str, record: Record) -> None: ...

    def forget(self, principal_id: str, client_id: str | None = None) -> None:
        """The principal is gone: nothing is kept about it, nor about who was put into it. client_id: of this one alone."""
        ...

    def put_in(self, client_id: str, group_id: str) -> dict[str, Put]:
        """Whom this provisioner put into the group, by id."""
        ...

    def put(self, client_id: str, group_id: str, row: Put) -> None: ...

    def take(self, client_id: str, group_id: str, principal_id: str) -> None: ...

    def tokens(self, client_id: str | None = None) -> list[Token]: ...

    def token(self, digest: str) -> Token | None: ...

    def add_token(self, token: Token) -> None: ...

    def remove_token(self, token_id: str) -> bool: ...

    def modes(self, group_ids: Collection[str] | None = None) -> dict[str, Mode]:
        """What administrators said about groups, by id; of all groups when none are named."""
        ...

    def set_mode(self, group_id: str, mode: Mode | None) -> None: ...
