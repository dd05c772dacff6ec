"""One Linux host. Its agent comes to us: what the host should have is kept for it, and what it last said that it has is what
there is. An agent that is silent for a minute cannot be reached; what it has given ends by its own clock.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from openpim.connectors.checks import is_number
from openpim.core.connecting import Edge, Op, OpKind, Snapshot
from openpim.core.hosts import (
    DESIRED,
    REPORT,
    STALE,
    DesiredState,
    HostReport,
    Pair,
    desired_text,
    read_desired,
    read_report,
)
from openpim.ports.connector import (
    BadNameError,
    Capabilities,
    Fault,
    Fence,
    Opening,
    Probe,
    Receipt,
    Setting,
    Severed,
    TargetError,
)

# What useradd takes, without capitals (sudoers reads ALL and such as everybody) and without what is special there.
_USER: Final = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
_ENTITLEMENT: Final = re.compile(r"(sudo|group):[a-z_][a-z0-9_.-]{0,31}")
_ROOT: Final = frozenset({"root", "nobody", "group:root"})
_PATIENCE: Final = 3.0  # s for the agent to do what it was just told
_LOOK: Final = 0.05  # s
_CLOCK: Final = timedelta(seconds=5)

SETTINGS: Final = (
    Setting(
        "lease_minutes",
        "how long the host keeps what it has when it cannot reach us; everything ends at its own end anyway (1 to 10080)",
        default="60",
    ),
)


def check_subject(name: str) -> str:
    if not _USER.fullmatch(name) or name in _ROOT:
        raise BadNameError(
            "a login name is a-z, 0-9, _ . -, at most 32, begins with a letter or _, and is not root"
        )
    return name


def check_entitlement(name: str) -> str:
    if not _ENTITLEMENT.fullmatch(name) or name in _ROOT:
        raise BadNameError("an entitlement of a host is sudo:NAME or group:NAME, as its agent.toml has them")
    return name


def check_settings(settings: Mapping[str, str]) -> Mapping[str, str]:
    given = settings.get("lease_minutes", "")
    if given and not is_number(given, 1, 10_080):
        return {"lease_minutes": "write a number from 1 to 10080"}
    return {}


def capabilities(_settings: Mapping[str, str]) -> Capabilities:
    return Capabilities(
        native_end="full",
        granularity=timedelta(seconds=1),
        grant_live="next_login",
        revoke_live="immediate",
        sever="by_subject",
        atomic_batch=True,
    )


class LinuxHost:
    """See Connector."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    def probe(self) -> Probe:
        report = self._heard()
        allowed = frozenset(report.entitlements)
        lacks = [
            f"{one} is not allowed on the host: add it to /etc/openpim/agent.toml there"
            for one in self._opening.managed
            if one not in allowed
        ]
        if abs(report.ahead) > _CLOCK:
            lacks.append(
                f"the host's clock differs from ours by {abs(report.ahead).total_seconds():.0f} s: set it"
            )
        lacks += [f"{entitlement}: {text}" for user, entitlement, text in report.errors if not user]
        excess = [
            f"{one} is allowed on the host, and not managed here"
            for one in report.entitlements
            if one not in self._opening.managed
        ]
        return Probe(
            reachable=True, version=report.agent or "agent", lacks=tuple(lacks), excess=tuple(excess)
        )

    def read(self) -> Snapshot:
        managed = frozenset(self._opening.managed)
        return Snapshot(
            frozenset(
                Edge(subject, entitlement, until)
                for subject, entitlement, until in self._heard().edges
                if entitlement in managed
            )
        )

    def apply(self, ops: Sequence[Op], fence: Fence) -> list[Receipt]:
        """All at once: the agent takes them as one state. It is waited for a little, so that it can be read back."""
        if not ops:
            return []
        report = self._heard()
        before = read_desired(self._opening.memory.load(DESIRED))
        now = self._opening.clock()
        if fence.epoch < before.epoch or now >= fence.until:
            raise TargetError(Fault.FENCED, "somebody with a later lease has written here")
        good = [op for op in ops if op.edge.entitlement in self._opening.managed]
        after = _changed(before, good, report, now)
        self._opening.memory.save(DESIRED, desired_text(replace(after, epoch=fence.epoch)))
        self._wait(after.version)
        said = {(user, entitlement): text for user, entitlement, text in self._heard().errors}
        receipts = []
        for op in ops:
            error = "" if op in good else f"{op.edge.entitlement} is not among the managed entitlements"
            receipts.append(Receipt(op, error or said.get((op.edge.subject, op.edge.entitlement), "")))
        return receipts

    def sever(self, ended: Sequence[Edge], kept: Collection[Edge], fence: Fence) -> list[Severed]:
        """The agent ends processes together with the privilege; here is looked whether it has."""
        if not ended:
            return []
        wanted = read_desired(self._opening.memory.load(DESIRED)).version
        report = self._heard()
        severed = []
        for edge in ended:
            pair = (edge.subject, edge.entitlement)
            error = ""
            if report.version < wanted:
                error = "the agent has not said yet that it is done"
            elif pair in report.lingering:
                error = "processes that were started with it still run on the host"
            severed.append(Severed(edge, error))
        return severed

    def close(self) -> None:
        return

    def _heard(self) -> HostReport:
        """The last report. Raises TargetError when there is none, or it is old."""
        report = read_report(self._opening.memory.load(REPORT))
        if report is None:
            raise TargetError(
                Fault.UNREACHABLE,
                "No agent has reported from this host. Enrol it: pim agent token, pim agent enroll.",
            )
        silent = self._opening.clock() - report.at
        if silent > STALE:
            raise TargetError(
                Fault.UNREACHABLE,
                f"The agent has been silent since {report.at:%Y-%m-%d %H:%M:%S} UTC. On the host: pim agent status.",
            )
        return report

    def _wait(self, version: int) -> None:
        pause = threading.Event()
        for _ in range(int(_PATIENCE / _LOOK)):
            report = read_report(self._opening.memory.load(REPORT))
            if report is None or report.version >= version:
                return
            pause.wait(_LOOK)


def _changed(before: DesiredState, ops: Sequence[Op], report: HostReport, now: datetime) -> DesiredState:
    """The next desired state: what has ended by itself, and what is known to be gone, is dropped on the way."""
    there: set[Pair] = {(subject, entitlement) for subject, entitlement, _ in report.edges}
    edges = {pair: until for pair, until in before.edges.items() if until is None or until > now}
    absent = {pair for pair in before.absent if pair in there or report.version < before.version}
    for op in ops:
        pair = (op.edge.subject, op.edge.entitlement)
        if op.kind is OpKind.REVOKE:
            edges.pop(pair, None)
            absent.add(pair)
        else:
            edges[pair] = op.edge.until
            absent.discard(pair)
    return DesiredState(before.version + 1, before.epoch, edges, frozenset(absent))
