"""What a resource role allows: actions with wildcards, less what it excludes; and what a deny assignment takes away.

Source: Azure RBAC: a role allows an action when one of its permissions matches it in actions and not in notActions;
assignments are a union; a deny assignment wins over all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
USER_ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
MANAGING_ROLES = (OWNER, USER_ACCESS_ADMINISTRATOR)
GIVE_ROLES = "Microsoft.Authorization/roleAssignments/write"


@dataclass(frozen=True, slots=True)
class Permission:
    """One set of actions and exclusions; "*" stands for any text, "/" included; case does not matter."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def allows(self, action: str, *, data: bool = False) -> bool:
        given, taken = (
            (self.data_actions, self.not_data_actions) if data else (self.actions, self.not_actions)
        )
        return matches(given, action) and not matches(taken, action)


@dataclass(frozen=True, slots=True)
class ResourceRole:
    """A resource role definition. assignable_scopes: where (or below where) it may be assigned."""

    id: str
    name: str
    permissions: tuple[Permission, ...]
    built_in: bool
    description: str = ""
    assignable_scopes: tuple[str, ...] = ("/",)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    created_by: str | None = None
    updated_by: str | None = None

    def allows(self, action: str, *, data: bool = False) -> bool:
        return any(permission.allows(action, data=data) for permission in self.permissions)


@dataclass(frozen=True, slots=True)
class DenyAssignment:
    """principals / excluded: ids of users, groups, service principals; "*" is everyone. scope: a resource id."""

    id: str
    name: str
    scope: str
    permissions: tuple[Permission, ...]
    principals: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    description: str = ""
    below: bool = True  # False: this scope alone, nothing under it
    audit_only: bool = False
    created_at: datetime | None = None
    created_by: str | None = None

    def denies(self, action: str, identities: frozenset[str], *, data: bool = False) -> bool:
        if self.audit_only or identities & set(self.excluded):
            return False
        if "*" not in self.principals and not identities & set(self.principals):
            return False
        return any(permission.allows(action, data=data) for permission in self.permissions)


def matches(patterns: Iterable[str], action: str) -> bool:
    """Whether one of the patterns covers the action."""
    return any(pattern == "*" or _compiled(pattern).fullmatch(action) for pattern in patterns)


@lru_cache(maxsize=8192)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.IGNORECASE | re.DOTALL)
