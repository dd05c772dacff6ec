"""The host's clocks. `elapsed` goes on whatever somebody does to the time of day, also while the machine sleeps; it begins anew
with each start of the machine, which `boot` tells apart."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    def wall(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - this process's own root

    def elapsed(self) -> float:
        """Seconds since the machine started."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def boot(self) -> str:
        """Which start of the machine this is."""
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:  # noqa: PTH123
            return file.read().strip()
