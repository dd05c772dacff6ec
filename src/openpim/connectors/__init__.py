"""Target systems in which privileges take effect, one per file or folder. This file knows them all by name, and loads each
when a target of its kind is there: what nobody uses costs nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

from openpim.ports.connector import ConnectorKind

# By the kind's name: the module whose KIND it is.
_MODULES: Final[Mapping[str, str]] = {
    "ssh": "openpim.connectors.ssh",
}


class _Kinds(Mapping[str, ConnectorKind]):
    def __getitem__(self, name: str) -> ConnectorKind:
        kind: ConnectorKind = import_module(_MODULES[name]).KIND
        return kind

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


KINDS: Final[Mapping[str, ConnectorKind]] = _Kinds()


def load_kind(name: str) -> ConnectorKind | None:
    """None: there is no such kind."""
    return KINDS.get(name)
