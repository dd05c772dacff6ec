"""Groups, who is in them, who owns them. Membership is a function of time (group schedules): hence `now`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from openpim.core.directory import Group, Principal
from openpim.core.query import Page, Query


class Groups(Protocol):
    def get(self, id: str) -> Group | None: ...

    def many(self, ids: Collection[str]) -> dict[str, Group]: ...

    def page(self, query: Query) -> Page[Group]:
        """Fields: the attributes of `Group` except deleted_at."""
        ...

    def search(self, text: str, limit: int = 20) -> tuple[Group, ...]:
        """Those whose display name starts with the text, by name."""
        ...

    def add(self, group: Group) -> None: ...

    def save(self, group: Group) -> None: ...

    def remove(self, id: str, now: datetime) -> bool:
        """Soft-delete; all memberships in it and of it end."""
        ...

    def members(self, group_id: str, now: datetime, query: Query) -> Page[Principal]:
        """Direct members. Fields as `Principals.page`."""
        ...

    def transitive_members(self, group_id: str, now: datetime, query: Query) -> Page[Principal]:
        """Members, members of member groups, and so on; the member groups too. Costs the size of the group."""
        ...

    def transitive_member_ids(self, group_id: str, now: datetime) -> frozenset[str]: ...

    def standing_member_ids(self, group_id: str) -> frozenset[str]:
        """Members, and members of member groups, that no schedule makes so and no end will take out."""
        ...

    def owners(self, group_id: str, now: datetime, query: Query) -> Page[Principal]: ...

    def is_member(self, group_id: str, principal_id: str) -> bool:
        """Whether there is a standing, direct membership (no schedules)."""
        ...

    def is_owner(self, group_id: str, principal_id: str, now: datetime) -> bool: ...

    def is_standing_owner(self, group_id: str, owner_id: str) -> bool:
        """Whether it owns the group without any schedule."""
        ...

    def owns_any(self, owner_id: str) -> bool:
        """Whether it owns some group without any schedule."""
        ...

    def add_member(self, group_id: str, member: Principal) -> bool:
        """False when it was one already."""
        ...

    def remove_member(self, group_id: str, member_id: str) -> bool: ...

    def add_owner(self, group_id: str, owner_id: str) -> bool: ...

    def remove_owner(self, group_id: str, owner_id: str) -> bool: ...

    def groups_of(self, principal_id: str, now: datetime) -> frozenset[str]:
        """Ids of all groups it is in at `now`, directly or through other groups or group schedules."""
        ...

    def memberships(
        self, principal_id: str, now: datetime, query: Query, *, transitive: bool = False
    ) -> Page[Group]: ...

    def owned(self, principal_id: str, now: datetime, query: Query) -> Page[Group]: ...
