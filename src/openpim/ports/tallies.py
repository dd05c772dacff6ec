"""How many: bounded counts for overviews. Nothing here reads more than it is told to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from openpim.core.grants import Provider


@dataclass(frozen=True, slots=True)
class Tally:
    """Assignments in force of one role. activated: they are activations. permanent: they have no end. outside: they were
    made outside PIM."""

    provider: Provider
    role_id: str
    activated: bool
    permanent: bool
    outside: bool
    count: int


@dataclass(frozen=True, slots=True)
class Eligible:
    """Eligibilities in force. unused: those that have never been activated; ids: of the first of them."""

    count: int
    unused: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """Activations of one role on one day. day: 0 is the day that begins at `since`."""

    day: int
    provider: Provider
    role_id: str
    count: int


@dataclass(frozen=True, slots=True)
class People:
    """Of the tenant. partial: there are more than were counted."""

    members: int
    guests: int
    disabled: int
    partial: bool


class Tallies(Protocol):
    def changes(self) -> int:
        """How many audit events the tenant has: more after each change of privilege, which none is without, and after a
        change alone. What was counted between two equal answers is still what there is, until the next turn. 0: it is
        not known, because the audit log is far behind, and nothing follows from it."""
        ...

    def next_turn(self, now: datetime) -> datetime | None:
        """The first moment after now at which time alone brings a schedule into force or ends one, in any tenant. None:
        there is no such."""
        ...

    def assigned(self, provider: Provider, now: datetime, most: int) -> list[Tally]:
        """Over `most` of the assignments in force."""
        ...

    def waiting(self, provider: Provider, most: int) -> int:
        """Requests that somebody must decide; `most` at most."""
        ...

    def uses(self, provider: Provider, since: datetime, most: int) -> list[Use]:
        """Over the newest `most` assignment requests since then: activations that came into force, or will."""
        ...

    def eligible(self, provider: Provider, now: datetime, most: int, shown: int) -> Eligible:
        """Over `most` of the eligibilities in force; `shown` ids."""
        ...

    def standing(self, provider: Provider, now: datetime, most: int, shown: int) -> tuple[str, ...]:
        """Of `most` assignments in force, the first that are no activations and have no end, or were made outside
        PIM: their ids."""
        ...

    def people(self, most: int) -> People:
        """Over `most` of the users."""
        ...
