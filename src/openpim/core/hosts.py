"""What passes between us and the agent of a Linux host: what it should have, and what it says that it has. Values; both are kept
as texts in the memory of the target."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

KIND: Final = "linux"
DESIRED: Final = "desired"  # the names in the memory
REPORT: Final = "report"
AGENT: Final = "agent"
ENROLMENT: Final = "enrolment"
STALE: Final = timedelta(seconds=60)  # an agent asks at least every 20 s
_MOST: Final = 20_000

Pair = tuple[str, str]  # subject, entitlement


@dataclass(frozen=True, slots=True)
class DesiredState:
    """version: goes up with each change. epoch: of the last lease that wrote. absent: what others gave there, and is to go."""

    version: int = 0
    epoch: int = 0
    edges: Mapping[Pair, datetime | None] = field(default_factory=dict)
    absent: frozenset[Pair] = frozenset()


@dataclass(frozen=True, slots=True)
class HostReport:
    """at: when it came, by our clock. version: of the desired state that it answers. edges: found on the host, each with its
    end; lingering: taken away, but something of it still runs; errors: what could not be done there. entitlements: what the
    host's own configuration allows. ahead: how far the host's clock is ahead of ours. agent: its version. host: its name."""

    at: datetime
    version: int = 0
    edges: tuple[tuple[str, str, datetime | None], ...] = ()
    lingering: frozenset[Pair] = frozenset()
    errors: tuple[tuple[str, str, str], ...] = ()
    entitlements: tuple[str, ...] = ()
    ahead: timedelta = timedelta(0)
    agent: str = ""

    def same_as(self, other: HostReport | None) -> bool:
        """But for when it came."""
        if other is None:
            return False
        mine = (self.version, set(self.edges), self.lingering, set(self.errors), set(self.entitlements))
        theirs = (
            other.version,
            set(other.edges),
            other.lingering,
            set(other.errors),
            set(other.entitlements),
        )
        return mine == theirs


def desired_text(one: DesiredState) -> str:
    return json.dumps(
        {
            "version": one.version,
            "epoch": one.epoch,
            "edges": [
                [*pair, until.isoformat() if until else None]
                for pair, until in sorted(one.edges.items(), key=lambda it: it[0])
            ],
            "absent": sorted(one.absent),
        }
    )


def read_desired(text: str) -> DesiredState:
    row = json.loads(text) if text else {}
    edges = {(subject, entitlement): _moment(until) for subject, entitlement, until in row.get("edges", ())}
    absent = frozenset((subject, entitlement) for subject, entitlement in row.get("absent", ()))
    return DesiredState(row.get("version", 0), row.get("epoch", 0), edges, absent)


def report_text(one: HostReport) -> str:
    return json.dumps(
        {
            "at": one.at.isoformat(),
            "version": one.version,
            "edges": [
                [subject, entitlement, until.isoformat() if until else None]
                for subject, entitlement, until in one.edges
            ],
            "lingering": sorted(one.lingering),
            "errors": one.errors,
            "entitlements": one.entitlements,
            "ahead": one.ahead / timedelta(seconds=1),
            "agent": one.agent,
        }
    )


def read_report(text: str) -> HostReport | None:
    if not text:
        return None
    row = json.loads(text)
    return HostReport(
        at=datetime.fromisoformat(row["at"]),
        version=row["version"],
        edges=tuple((subject, entitlement, _moment(until)) for subject, entitlement, until in row["edges"]),
        lingering=frozenset((subject, entitlement) for subject, entitlement in row["lingering"]),
        errors=tuple((subject, entitlement, said) for subject, entitlement, said in row["errors"]),
        entitlements=tuple(row["entitlements"]),
        ahead=timedelta(seconds=row["ahead"]),
        agent=row["agent"],
    )


def said(report: Any, now: datetime) -> HostReport | None:
    """What an agent sent, which may be anything; None when it is no report."""
    if not isinstance(report, dict):
        return None
    version = report.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or not 0 <= version < 2**53:
        return None
    try:
        edges = tuple((_word(a), _word(b), _moment(c)) for a, b, c in _rows(report, "edges"))
        lingering = frozenset((_word(a), _word(b)) for a, b in _rows(report, "lingering"))
        errors = tuple((_word(a), _word(b), _word(c)) for a, b, c in _rows(report, "errors"))
        entitlements = tuple(_word(one) for one in _rows(report, "entitlements"))
        clock = _moment(report.get("clock"))
        agent = _word(report.get("agent", ""))
    except (ValueError, TypeError):
        return None
    ahead = clock - now if clock is not None else timedelta(0)
    return HostReport(now, version, edges, lingering, errors, entitlements, ahead, agent)


def _rows(report: dict[str, Any], name: str) -> Sequence[Any]:
    rows = report.get(name, [])
    if not isinstance(rows, list) or len(rows) > _MOST:
        raise ValueError(name)
    return rows


def _word(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 300:
        raise ValueError(value)
    return "".join(letter if letter.isprintable() else "?" for letter in value)


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError(value)
    return found
