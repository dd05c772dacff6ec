"""Users of the tenant. Deleted ones are gone from every method here, disabled ones are not."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from openpim.core.directory import User
from openpim.core.query import Page, Query


class Users(Protocol):
    def get(self, id: str) -> User | None: ...

    def by_upn(self, upn: str) -> User | None:
        """Case does not matter."""
        ...

    def by_mail(self, mail: str) -> tuple[User, ...]: ...

    def many(self, ids: Collection[str], *, deleted: bool = False) -> dict[str, User]: ...

    def addresses(self, ids: Collection[str]) -> dict[str, str]:
        """The sign-in names of people, deleted ones too, by their ids."""
        ...

    def page(self, query: Query) -> Page[User]:
        """Fields: the attributes of `User` except deleted_at."""
        ...

    def search(self, text: str, limit: int = 20) -> tuple[User, ...]:
        """Those whose display name or sign-in name starts with the text, by name."""
        ...

    def direct_reports(self, manager_id: str, query: Query) -> Page[User]: ...

    def accounts_of(self, home_tenant_id: str, home_user_id: str) -> tuple[tuple[str, User], ...]:
        """(tenant id, guest) wherever this person is a guest, in any tenant: the one look over the fence."""
        ...

    def add(self, user: User) -> None: ...

    def save(self, user: User) -> None:
        """Everything but id and created_at."""
        ...

    def remove(self, id: str, now: datetime) -> bool:
        """Soft-delete: the sign-in name is free again, memberships end, reports lose their manager."""
        ...
