"""Who held what when: the newest few assignments that touch a stretch of time. Nothing here reads more than it is told to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from openpim.core.grants import Provider, Schedule


@dataclass(frozen=True, slots=True)
class About:
    """Which assignments: of this provider, this role, at exactly this scope; None: any. holders: of these principals;
    None: anybody's. everywhere: nearly all that there is is at the scope, so all is looked at."""

    provider: Provider | None = None
    role_id: str | None = None
    scope: str | None = None
    holders: Collection[str] | None = None
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """The last to start first. cut: there may be more in this time than was looked at, or than was asked for."""

    schedules: tuple[Schedule, ...]
    cut: bool


class Timelines(Protocol):
    def held(
        self, about: About, since: datetime, until: datetime, now: datetime, *, look: int, most: int
    ) -> Held:
        """`most` of the assignments that were in force some time between since and until, or will be: of those that the
        newest `look` requests before `until` are about, and of `look` that last at `now`."""
        ...
