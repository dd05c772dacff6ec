"""What a connector is opened with when no server is around it: a memory in memory, a clock that stands or is moved."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from openpim.ports.connector import ConnectorKind, Opening
from tests.signin_helper import OUTBOUND

TARGET = "00000000-0000-4000-8000-000000000007"


class DictMemory:
    def __init__(self) -> None:
        self.rows: dict[str, str] = {}

    def load(self, name: str) -> str:
        return self.rows.get(name, "")

    def save(self, name: str, text: str) -> None:
        self.rows[name] = text
        if not text:
            del self.rows[name]

    def all(self, prefix: str) -> Mapping[str, str]:
        return {name: text for name, text in self.rows.items() if name.startswith(prefix)}


def real_clock() -> datetime:
    return datetime.now(UTC)


def opening(
    kind: ConnectorKind,
    managed: tuple[str, ...],
    settings: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    *,
    memory: Any = None,
    clock: Callable[[], datetime] = real_clock,
) -> Opening:
    count = itertools.count()
    filled = {one.name: (settings or {}).get(one.name) or one.default for one in kind.settings}
    return Opening(
        tenant_id="00000000-0000-4000-8000-000000000001",
        target_id=TARGET,
        settings=filled,
        secrets=secrets or {},
        managed=managed,
        outbound=OUTBOUND,
        clock=clock,
        secret=lambda size: f"{next(count):0{size}d}",
        memory=DictMemory() if memory is None else memory,
    )
