"""The audit event: one for each thing that happened, with who, what, on whom, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Category = Literal[
    "RoleManagement",
    "GroupManagement",
    "UserManagement",
    "ApplicationManagement",
    "Policy",
    "Authentication",
    "DirectoryManagement",
    "ResourceManagement",
]


@dataclass(frozen=True, slots=True)
class Target:
    """A thing an event touched. kind: Role | Request | User | Group | ServicePrincipal | Directory | Policy | Other."""

    kind: str
    id: str
    name: str = ""
    changes: tuple[tuple[str, str | None, str | None], ...] = ()  # (property, before, after)


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Immutable once written. `id` is a guid; `sequence` is given by the store in commit order of writing."""

    id: str
    at: datetime
    activity: str
    category: Category
    result: Literal["success", "failure"]
    reason: str = ""
    actor_id: str = ""
    actor_kind: str = "system"
    actor_name: str = ""
    actor_upn: str | None = None
    app_id: str | None = None
    ip: str | None = None
    client: str | None = None
    amr: tuple[str, ...] = ()
    correlation_id: str = ""
    targets: tuple[Target, ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    sequence: int = 0
