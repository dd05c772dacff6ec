"""The resource tree, resource roles, and deny assignments."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

from openpim.core.permissions import DenyAssignment, ResourceRole
from openpim.core.query import Page, Query
from openpim.core.resources import Resource, ResourceKind


class Resources(Protocol):
    def get(self, id: str) -> Resource | None: ...

    def many(self, ids: Collection[str]) -> dict[str, Resource]: ...

    def names(self, ids: Collection[str]) -> dict[str, tuple[str, str]]:
        """The display name and the path, as written, of each."""
        ...

    def chain(self, id: str) -> tuple[str, ...]:
        """The id and the ids of all that contain it, nearest first, the root last; () when there is none such."""
        ...

    def chains(self, ids: Collection[str]) -> dict[str, tuple[str, ...]]:
        """The chain of each of them, in as many questions as one chain takes, for hundreds."""
        ...

    def hold(self, id: str) -> None:
        """Keep a place, and all that contain it, from being moved or removed until the commit. Before principals are
        locked, as whoever moves a place locks it first too."""
        ...

    def lock(self, id: str) -> None:
        """Wait for everybody who holds the place, or anything in it."""
        ...

    def below(self, id: str, limit: int = 1000, kinds: Collection[ResourceKind] = ()) -> tuple[Resource, ...]:
        """Everything under it, however deep; kinds: only through and of these."""
        ...

    def ids_below(self, id: str) -> tuple[str, ...]:
        """The ids of everything under it, however deep and however many."""
        ...

    def every(self) -> Iterator[Resource]:
        """All there is, a few thousand at a time, inside a unit of work that may write; nothing may be written before
        the last has come."""
        ...

    def page(self, query: Query, kinds: Collection[ResourceKind] = ()) -> Page[Resource]:
        """Fields: id, parent_id, kind, type, name, display_name, location, created_at."""
        ...

    def add(self, *resources: Resource) -> None: ...

    def save(self, *resources: Resource) -> None:
        """Display name, location, tags, parent."""
        ...

    def remove(self, ids: Collection[str]) -> None: ...


class ResourceRoles(Protocol):
    """Built-in ones are the same everywhere; custom ones are the tenant's."""

    def get(self, id: str) -> ResourceRole | None: ...

    def many(self, ids: Collection[str]) -> dict[str, ResourceRole]: ...

    def by_name(self, name: str) -> ResourceRole | None: ...

    def all(self) -> tuple[ResourceRole, ...]: ...

    def custom(self) -> tuple[ResourceRole, ...]: ...

    def put(self, role: ResourceRole) -> None: ...

    def remove(self, id: str) -> bool: ...


class DenyAssignments(Protocol):
    def get(self, id: str) -> DenyAssignment | None: ...

    def at(self, scopes: Collection[str]) -> tuple[DenyAssignment, ...]: ...

    def every(self) -> tuple[DenyAssignment, ...]:
        """All of the tenant: they are few."""
        ...

    def put(self, deny: DenyAssignment) -> None: ...

    def remove(self, id: str) -> bool: ...
