"""What connectors keep from one start to the next, each name a row of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from openpim.ports.connector import Memory
from openpim.ports.deps import Deps
from openpim.services.connecting.doorbell import BELL


@dataclass(frozen=True, slots=True)
class StoredMemory:
    """See ports/connector.py. Each call is a unit of work of its own."""

    deps: Deps
    tenant_id: str
    target_id: str

    def load(self, name: str) -> str:
        return self.deps.store.read(self.tenant_id, lambda tx: tx.targets.memory(self.target_id, name))

    def all(self, prefix: str) -> Mapping[str, str]:
        return self.deps.store.read(self.tenant_id, lambda tx: tx.targets.memories(self.target_id, prefix))

    def save(self, name: str, text: str) -> None:
        self.deps.store.write(self.tenant_id, lambda tx: tx.targets.remember(self.target_id, name, text))
        BELL.ring((self.tenant_id, self.target_id))


def memory_of(deps: Deps, tenant_id: str, target_id: str) -> Memory:
    return StoredMemory(deps, tenant_id, target_id)
