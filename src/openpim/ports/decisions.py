"""What the index of decisions is made of: who holds what, as plain rows, many at a time, and what has happened since.

All of it is read inside `Store.snapshot`, so that the facts and the place in the feed are of one moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

# (kind, provider, principal, role, scope, from, until); instants in microseconds since 1970, until None = for good.
GrantRow: TypeAlias = tuple[str, str, str, str, str, int, int | None]


@dataclass(frozen=True, slots=True)
class Happened:
    """An audit event, as far as the index has to know it. targets: ids."""

    id: str
    activity: str
    category: str
    result: str
    targets: tuple[str, ...]


class Decisions(Protocol):
    """Of one tenant. principals: only of these; None: of everybody."""

    # -- facts
    def grants(self, now: int, principals: Collection[str] | None = None) -> Iterator[GrantRow]:
        """Provisioned schedules that have not ended at `now` (microseconds), those to come too."""
        ...

    def members(self, principals: Collection[str] | None = None) -> Iterator[tuple[str, str]]:
        """(member, group) of standing memberships."""
        ...

    def members_of(self, groups: Collection[str]) -> list[str]:
        """Who stands in one of these groups."""
        ...

    def owners_of(self, groups: Collection[str]) -> list[str]:
        """Who owns one of these groups."""
        ...

    def owners(self, principals: Collection[str] | None = None) -> Iterator[tuple[str, str]]:
        """(owner, group) of standing ownerships."""
        ...

    def unit_members(self, principals: Collection[str] | None = None) -> Iterator[tuple[str, str]]:
        """(member, administrative unit)."""
        ...

    def unable(self, principals: Collection[str] | None = None) -> Iterator[str]:
        """Those who are disabled or deleted."""
        ...

    def homes(self, principals: Collection[str] | None = None) -> Iterator[tuple[str, str, str]]:
        """(guest, home tenant, user there) of guests whose home is another tenant here."""
        ...

    def places(self) -> Iterator[tuple[str, str]]:
        """(place, what contains it) of management groups and subscriptions: below them the path tells it."""
        ...

    # -- the feed
    def size(self) -> int:
        """How many events are in the audit log."""
        ...

    def waiting(self) -> list[str]:
        """Ids of the committed events that are not in the log yet."""
        ...

    def events(self, ids: Collection[str]) -> list[Happened]: ...

    def logged(self, position: int, limit: int) -> list[Happened]:
        """From this position of the log on."""
        ...
