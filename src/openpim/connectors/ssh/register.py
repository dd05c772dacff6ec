"""What the authority has given and what still counts: the edges that may have certificates, and every certificate that has not
run out. It is all the state there is of this kind of target, for the hosts themselves keep none.

A certificate is revoked when no edge stands behind it, or the edge ends earlier: that is computed, never recorded, so no
crash between two steps can leave one out. A certificate is recorded before it leaves the house.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from openpim.core.connecting import Edge
from openpim.ports.connector import Memory

_EDGE: Final = "edge:"
_CERTIFICATE: Final = "certificate:"
_CHANGED: Final = "changed"
_LATER: Final = timedelta(microseconds=1)  # as fine as the number of a list is
_KEPT: Final = timedelta(hours=1)  # on the list after its end, for hosts whose clocks are behind


@dataclass(frozen=True, slots=True)
class Certificate:
    """key: of the edges. authority: the line of the public key that signed it."""

    serial: int
    subject: str
    key: str
    principals: tuple[str, ...]
    until: datetime
    authority: str


class Register:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def edges(self) -> list[Edge]:
        return [_edge(text) for text in self._memory.all(_EDGE).values()]

    def put(self, edge: Edge) -> None:
        self._memory.save(_name_of(edge), _text_of(edge))

    def drop(self, edge: Edge) -> None:
        self._memory.save(_name_of(edge), "")

    def changed(self, now: datetime) -> None:
        """The revocation list may be another one from now on. Hosts take none that seems older than theirs, so it is a later one
        whatever the clock says: one that was put back, or another server's."""
        before = self.changed_at()
        at = now if before is None or before < now else before + _LATER
        self._memory.save(_CHANGED, at.isoformat())

    def changed_at(self) -> datetime | None:
        text = self._memory.load(_CHANGED)
        return datetime.fromisoformat(text) if text else None

    def add(self, one: Certificate) -> None:
        text = json.dumps(
            {
                "subject": one.subject,
                "key": one.key,
                "principals": one.principals,
                "until": one.until.isoformat(),
                "authority": one.authority,
            }
        )
        self._memory.save(f"{_CERTIFICATE}{one.serial}", text)

    def certificate(self, serial: int) -> Certificate | None:
        text = self._memory.load(f"{_CERTIFICATE}{serial}")
        return _certificate(serial, text) if text else None

    def certificates(self, now: datetime) -> list[Certificate]:
        """Those that some host's clock may still take for valid."""
        found = [
            _certificate(int(name.removeprefix(_CERTIFICATE)), text)
            for name, text in self._memory.all(_CERTIFICATE).items()
        ]
        return [one for one in found if one.until + _KEPT > now]

    def forget_old(self, now: datetime) -> None:
        for name, text in self._memory.all(_CERTIFICATE).items():
            if _certificate(0, text).until + _KEPT <= now:
                self._memory.save(name, "")


def stands(one: Certificate, edges: Mapping[tuple[str, str, str], Edge]) -> bool:
    """Whether everything that a certificate says is still so."""
    held = [edges.get((one.subject, principal, one.key)) for principal in one.principals]
    return all(edge is not None and (edge.until is None or edge.until >= one.until) for edge in held)


def by_name(edges: Collection[Edge]) -> dict[tuple[str, str, str], Edge]:
    return {edge.name: edge for edge in edges}


def _name_of(edge: Edge) -> str:
    return _EDGE + hashlib.sha256("\0".join(edge.name).encode()).hexdigest()[:40]


def _text_of(edge: Edge) -> str:
    until = edge.until.isoformat() if edge.until else None
    return json.dumps([edge.subject, edge.entitlement, edge.key, until])


def _edge(text: str) -> Edge:
    subject, entitlement, key, until = json.loads(text)
    return Edge(subject, entitlement, datetime.fromisoformat(until) if until else None, key)


def _certificate(serial: int, text: str) -> Certificate:
    row = json.loads(text)
    return Certificate(
        serial,
        row["subject"],
        row["key"],
        tuple(row["principals"]),
        datetime.fromisoformat(row["until"]),
        row["authority"],
    )
