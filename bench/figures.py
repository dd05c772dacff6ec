"""A figure: what was measured, what stands beside it, and how both are shown and kept."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    ours, floor: medians, in `unit`. limit: the goal for ours / floor, judged; None where nothing is judged.
    aim: an absolute goal, printed and never judged, because it depends on the machine. more: further numbers.
    """

    name: str
    unit: str
    ours: float
    floor: float | None = None
    floor_is: str = ""
    limit: float | None = None
    aim: str = ""
    more: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        return self.ours / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        return None if self.limit is None or self.ratio is None else self.ratio <= self.limit


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def machine() -> dict[str, Any]:
    """What the numbers were measured on, in general words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "python": platform.python_version(),
    }


def table(figures: Sequence[Figure]) -> str:
    """The figures as text, one line each."""
    head = ("figure", "ours", "floor", "ratio", "goal", "", "beside")
    lines = [head, *(_cells(figure) for figure in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cells(figure: Figure) -> tuple[str, ...]:
    verdict = {None: "", True: "met", False: "MISSED"}[figure.met]
    goal = f"≤ {figure.limit:g}×" if figure.limit is not None else figure.aim
    more = ", ".join(f"{name} {value:.4g}" for name, value in figure.more.items())
    return (
        figure.name,
        f"{figure.ours:.3g} {figure.unit}",
        f"{figure.floor:.3g} {figure.unit}" if figure.floor is not None else "",
        f"{figure.ratio:.2f}×" if figure.ratio is not None else "",
        goal,
        verdict,
        "; ".join(part for part in (figure.floor_is, more) if part),
    )


def keep(figures: Sequence[Figure], path: Path) -> None:
    """Write them as JSON."""
    rows = [{**asdict(figure), "ratio": figure.ratio, "met": figure.met} for figure in figures]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), "figures": rows}, indent=2) + "\n", encoding="utf-8")
