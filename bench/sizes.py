"""How much is measured: enough for steady figures, or just enough to see that everything runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """activators: people on each side. roles: that each activates one after the other. lists: requests a round.
    people: sizes of the organisations lists are measured in. colleagues: of the portal. subscriptions: of the tree. events: of the audit history. assignments: of the index of decisions. starts, commands: processes started on each side."""

    rounds: int = 7
    activators: int = 96
    roles: int = 24
    lists: int = 200
    people: tuple[int, ...] = (1_000, 100_000, 1_000_000)
    colleagues: int = 1_000
    subscriptions: int = 5_000
    events: int = 1_000_000
    assignments: int = 1_000_000
    starts: int = 7
    commands: int = 25


FULL = Sizes()
QUICK = Sizes(
    rounds=3,
    activators=40,
    roles=12,
    lists=60,
    people=(1_000, 100_000),
    events=50_000,
    assignments=100_000,
    starts=3,
    commands=9,
)
TINY = Sizes(
    rounds=1,
    activators=8,
    roles=2,
    lists=5,
    people=(60, 200),
    colleagues=60,
    subscriptions=20,
    events=500,
    assignments=400,
    starts=1,
    commands=1,
)
