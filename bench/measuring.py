"""A B A B: two servers measured in turns, so that whatever else the machine does meets both alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.figures import median
from bench.load import Task, drive
from bench.processes import cpu_seconds


@dataclass
class Side:
    """One of those that take turns. batch(round): the tasks of a round; each counts as one request."""

    name: str
    pid: int
    port: int
    batch: Callable[[int], Sequence[Task]]
    cpu_ms: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)

    def turn(self, number: int, *, counts: bool) -> None:
        tasks = self.batch(number)
        before = cpu_seconds(self.pid)
        seconds = drive(self.port, tasks)
        used = cpu_seconds(self.pid) - before
        if counts:
            self.cpu_ms.append(used / len(tasks) * 1000)
            self.per_second.append(len(tasks) / seconds)

    @property
    def cpu(self) -> float:
        return median(self.cpu_ms)

    @property
    def rate(self) -> float:
        return median(self.per_second)


def take_turns(sides: Sequence[Side], rounds: int) -> None:
    """One round to warm up, then so many that count."""
    for number in range(rounds + 1):
        for side in sides:
            side.turn(number, counts=number > 0)
