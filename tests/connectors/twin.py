"""A target in memory: the kind "twin". What a real one does, and what one does to us: it fails before or after it did the
work, it is down, others write in it, its sessions live on, it ends things by itself.

    servers = Twins()            # deps.connectors of a world
    server = servers.at("payroll")
    server.failures.append("after")
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from openpim.core.connecting import Edge, Op, OpKind, Snapshot
from openpim.ports.connector import (
    BadNameError,
    Capabilities,
    Connector,
    ConnectorKind,
    Fault,
    Fence,
    Opening,
    Probe,
    Receipt,
    Setting,
    Severed,
    TargetError,
)


@dataclass
class TwinServer:
    """failures: one word for each coming call that writes: "before" (nothing was done), "after" (done, the answer got lost),
    "refuse" (each operation is answered with a no). sessions: (subject, entitlement) that live on until they are cut.
    stuck: sessions that cannot be cut, and until when they live. lacks, excess: what a probe finds."""

    down: bool = False
    failures: list[str] = field(default_factory=list)
    edges: dict[tuple[str, str, str], Edge] = field(default_factory=dict)
    sessions: set[tuple[str, str]] = field(default_factory=set)
    stuck: dict[str, datetime] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    excess: tuple[str, ...] = ()
    epoch: int = 0
    reads: int = 0
    writes: list[Op] = field(default_factory=list)
    during: Callable[[], None] | None = None  # run once, before the next write is done

    def may(self, subject: str, entitlement: str) -> bool:
        """What a person can really do: by a grant, or in a session that lives on."""
        given = any(
            edge.subject == subject and edge.entitlement == entitlement for edge in self.edges.values()
        )
        return given or (subject, entitlement) in self.sessions

    def give(self, subject: str, entitlement: str) -> None:
        """As somebody else does it."""
        edge = Edge(subject, entitlement)
        self.edges[edge.name] = edge

    def pass_time(self, now: datetime) -> None:
        """What a native end does."""
        self.edges = {
            name: edge for name, edge in self.edges.items() if edge.until is None or now < edge.until
        }


class TwinConnector:
    def __init__(self, server: TwinServer, opening: Opening) -> None:
        self._server = server
        self._opening = opening
        self._bounded = opening.settings.get("end") == "full"

    def probe(self) -> Probe:
        self._reach()
        return Probe(reachable=True, version="twin 1", lacks=self._server.lacks, excess=self._server.excess)

    def read(self) -> Snapshot:
        self._reach()
        self._server.reads += 1
        if self._bounded:
            self._server.pass_time(self._opening.clock())
        return Snapshot(
            frozenset(
                edge if self._bounded else replace(edge, until=None)
                for edge in self._server.edges.values()
                if edge.entitlement in self._opening.managed
            )
        )

    def apply(self, ops: Sequence[Op], fence: Fence) -> list[Receipt]:
        failure = self._begin(fence)
        if failure == "refuse":
            return [Receipt(op, "No.") for op in ops]
        for op in ops:
            self._server.writes.append(op)
            if op.kind is OpKind.REVOKE:
                self._server.edges.pop(op.edge.name, None)
            else:
                self._server.edges[op.edge.name] = op.edge
        self._end(failure)
        return [Receipt(op) for op in ops]

    def sever(self, ended: Sequence[Edge], kept: Collection[Edge], fence: Fence) -> list[Severed]:
        still = {(edge.subject, edge.entitlement) for edge in kept}
        failure = self._begin(fence)
        if failure == "refuse":
            return [Severed(edge, "No.") for edge in ended]
        for edge in ended:
            if (edge.subject, edge.entitlement) not in still:
                self._server.sessions.discard((edge.subject, edge.entitlement))
        self._end(failure)
        return [Severed(edge, residue_until=self._server.stuck.get(edge.subject)) for edge in ended]

    def close(self) -> None:
        pass

    def _reach(self) -> None:
        if self._server.down:
            raise TargetError(Fault.UNREACHABLE, "The twin is down.")

    def _begin(self, fence: Fence) -> str:
        self._reach()
        failure = self._server.failures.pop(0) if self._server.failures else ""
        if failure == "before":
            raise TargetError(Fault.UNREACHABLE, "The twin hung up.")
        during, self._server.during = self._server.during, None
        if during is not None:
            during()
        if fence.epoch < self._server.epoch or self._opening.clock() > fence.until:
            raise TargetError(Fault.FENCED, "Somebody else is at it.")
        self._server.epoch = fence.epoch
        return failure

    @staticmethod
    def _end(failure: str) -> None:
        if failure == "after":
            raise TargetError(Fault.UNREACHABLE, "The twin's answer got lost.")


def _name(text: str) -> str:
    if not text.isprintable() or len(text) > 100 or text in {"root", ""}:
        raise BadNameError("Write a plain name.")
    return text.lower()


class Twins:
    """The kinds of a test: "twin", with its servers by their host."""

    def __init__(self) -> None:
        self.servers: dict[str, TwinServer] = {}

    def at(self, host: str) -> TwinServer:
        return self.servers.setdefault(host, TwinServer())

    def names(self) -> tuple[str, ...]:
        return ("twin",)

    def load(self, name: str) -> ConnectorKind | None:
        return self._kind() if name == "twin" else None

    def _kind(self) -> ConnectorKind:
        return ConnectorKind(
            name="twin",
            title="Twin",
            settings=(
                Setting("host", "Which twin.", required=True, place=True, stays=True),
                Setting("end", "Whether it ends access by itself.", default="none", choices=("none", "full")),
                Setting("each", "One edge an activation.", default="no", choices=("no", "yes"), stays=True),
                Setting("password", "Its password.", secret=True),
            ),
            capabilities=_capabilities,
            open=self._open,
            check_subject=_name,
            check_entitlement=_name,
        )

    def _open(self, opening: Opening) -> Connector:
        return TwinConnector(self.at(opening.settings["host"]), opening)


def _capabilities(settings: Mapping[str, str]) -> Capabilities:
    return Capabilities(
        native_end="full" if settings.get("end") == "full" else "none",
        granularity=timedelta(seconds=1),
        sever="by_subject",
        per_activation=settings.get("each") == "yes",
    )
