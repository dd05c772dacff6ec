"""A twin whose state outlives the process that writes to it, as a real system's does."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from openpim.core.connecting import Edge
from tests.connectors.twin import TwinServer


class _Edges(dict[tuple[str, str, str], Edge]):
    """Written to a file with every change, all or nothing."""

    def __init__(self, file: Path) -> None:
        self._file = file
        found = json.loads(file.read_text()) if file.exists() else []
        super().__init__(
            {
                (subject, held, key): Edge(
                    subject, held, datetime.fromisoformat(until) if until else None, key
                )
                for subject, held, until, key in found
            }
        )

    def __setitem__(self, name: tuple[str, str, str], edge: Edge) -> None:
        super().__setitem__(name, edge)
        self._write()

    def pop(self, name: tuple[str, str, str], *default: Any) -> Any:
        found = super().pop(name, *default)
        self._write()
        return found

    def _write(self) -> None:
        rows = [
            [one.subject, one.entitlement, one.until.isoformat() if one.until else "", one.key]
            for one in self.values()
        ]
        half = self._file.with_suffix(".half")
        half.write_text(json.dumps(rows))
        os.replace(half, self._file)


def disk_twin(file: Path) -> TwinServer:
    server = TwinServer()
    server.edges = _Edges(file)
    return server
