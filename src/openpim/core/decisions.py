"""What the index of decisions knows of one tenant, as plain rows, and the arithmetic of their instants.

Instants are whole microseconds since 1970, because a million of them are kept and compared; a grant that has no end has
FOR_GOOD. What is kept of a principal is one flat tuple, because a million small objects cost more than what they say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from openpim.core.directory import RoleDefinition
from openpim.core.permissions import DenyAssignment, ResourceRole

FOR_GOOD: Final = 1 << 62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# role, scope, from, until, role, scope, from, until, … or, where there are many: the same by role, without the role.
Flat: TypeAlias = tuple[Any, ...]
Held: TypeAlias = Flat | dict[str, Flat]
MANY: Final = 16  # grants of one principal from which on they are kept by role


def micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def instant(at: int) -> datetime | None:
    return None if at >= FOR_GOOD else _EPOCH + timedelta(microseconds=at)


def packed(grants: Collection[tuple[str, str, int, int]]) -> Held:
    """The grants of one principal: (role, scope, from, until) of each."""
    if len(grants) <= MANY:
        return tuple(part for grant in grants for part in grant)
    by_role: dict[str, list[str | int]] = {}
    for role, scope, since, until in grants:
        by_role.setdefault(role, []).extend((scope, since, until))
    return {role: tuple(flat) for role, flat in by_role.items()}


def until(held: Held, role: str, places: Collection[str], now: int) -> int:
    """Until when a role is held at one of the places at `now`, by what is known; 0 when it is not."""
    found = 0
    if isinstance(held, dict):
        flat: Flat = held.get(role, ())
        for at in range(0, len(flat), 3):
            if flat[at] in places and flat[at + 1] <= now < flat[at + 2] and flat[at + 2] > found:
                found = flat[at + 2]
        return found
    for at in range(0, len(held), 4):
        if (
            held[at] == role
            and held[at + 1] in places
            and held[at + 2] <= now < held[at + 3]
            and held[at + 3] > found
        ):
            found = held[at + 3]
    return found


def grants(held: Held) -> list[tuple[str, str, int, int]]:
    """What was packed."""
    if isinstance(held, dict):
        return [(role, *flat[at : at + 3]) for role, flat in held.items() for at in range(0, len(flat), 3)]
    return [held[at : at + 4] for at in range(0, len(held), 4)]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a tenant's roles allow, what is denied, and what contains its management groups and subscriptions."""

    directory_roles: Mapping[str, RoleDefinition] = field(default_factory=dict)
    resource_roles: Mapping[str, ResourceRole] = field(default_factory=dict)
    denials: Mapping[str, tuple[DenyAssignment, ...]] = field(default_factory=dict)  # by scope
    above: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Facts:
    """Who holds what. held, eligible: by provider ("directory", "resource"; eligible "group" too), then by principal.
    member_of, owner_of: (group, from, until, group, …). unable: disabled or deleted. homes: guests, whose account is
    another tenant's: (tenant, user). units: the scopes of the administrative units somebody is in."""

    held: dict[str, dict[str, Held]]
    eligible: dict[str, dict[str, Held]]
    member_of: dict[str, Flat]
    owner_of: dict[str, Flat]
    unable: set[str]
    homes: dict[str, tuple[str, str]]
    units: dict[str, tuple[str, ...]]

    @classmethod
    def none(cls) -> Facts:
        return cls(
            {"directory": {}, "resource": {}},
            {"directory": {}, "resource": {}, "group": {}},
            {}, {}, set(), {}, {},
        )  # fmt: skip

    def tables(self) -> tuple[dict[str, Any], ...]:
        """Those by principal, always in the same order."""
        return (
            *self.held.values(), *self.eligible.values(), self.member_of, self.owner_of, self.homes, self.units,
        )  # fmt: skip

    def replace(self, principals: Collection[str], by: Facts) -> None:
        """What is known of these principals is what `by` says of them, and nothing else."""
        for mine, theirs in zip(self.tables(), by.tables(), strict=True):
            for principal in principals:
                fact = theirs.get(principal)
                if fact is not None:
                    mine[principal] = fact
                else:
                    mine.pop(principal, None)
        self.unable.difference_update(principals)
        self.unable.update(by.unable)
