"""What there is to know about the server while it runs: figures for `GET /metrics`, and whether it is ready.

Counters live in this process and count what was committed. Gauges are counted in the database, a few bounded look-ups at
most every REFRESH, so that nobody who reads them often costs anything. All are of the whole server, for its operator; no
tenant's name, person or address is in them.
"""

from __future__ import annotations

import platform
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from openpim import __version__
from openpim.core.audit import AuditEvent
from openpim.core.metrics import BUCKETS, Labels, Samples, Times, exposition
from openpim.ports.deps import Deps
from openpim.ports.store import StoreUnavailableError, Transaction
from openpim.services.connecting.wanting import left_over
from openpim.services.relying.changes import TOPIC as LOGOUT
from openpim.services.streams.manage import lag

REFRESH: Final = timedelta(seconds=15)
MOST_TENANTS: Final = 1000
MOST_STREAMS: Final = 1000
MOST_PAUSED: Final = 100
STALE: Final = timedelta(seconds=60)
_PROVIDERS: Final = {
    "RoleManagement": "directory",
    "GroupManagement": "group",
    "ResourceManagement": "resource",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Counters:
    """What this process did since it started. Safe to call from several threads."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._counts: dict[str, Counter[Labels]] = {}
        self._times: dict[Labels, tuple[list[int], list[float]]] = {}

    def answered(self, face: str, status: int, seconds: float) -> None:
        """A request. seconds: until its answer began."""
        with self._gate:
            requests = self._counts.get("openpim_requests_total")
            if requests is None:
                requests = self._counts["openpim_requests_total"] = Counter()
            requests[(face, str(status))] += 1
            times = self._times.get((face,))
            if times is None:
                times = self._times[(face,)] = ([0] * (len(BUCKETS) + 1), [0.0])
            counts, total = times
            counts[bisect_left(BUCKETS, seconds)] += 1
            total[0] += seconds

    def happened(self, events: Sequence[AuditEvent]) -> None:
        """Events that were committed."""
        with self._gate:
            for event in events:
                for name, labels in _told(event):
                    self._counts.setdefault(name, Counter())[labels] += 1

    def values(self) -> dict[str, Samples]:
        with self._gate:
            return {name: dict(counts) for name, counts in self._counts.items()}

    def times(self) -> dict[Labels, Times]:
        with self._gate:
            return {face: Times(tuple(counts), total[0]) for face, (counts, total) in self._times.items()}


def _told(event: AuditEvent) -> list[tuple[str, Labels]]:
    """What an event counts as."""
    found: list[tuple[str, Labels]] = [("openpim_audit_events_total", (event.category, event.result))]
    if event.category == "Authentication":
        if event.activity == "Sign in" and event.result == "failure":
            found.append(("openpim_sign_in_failures_total", ()))
        return found
    provider = _PROVIDERS.get(event.category)
    if provider is None:
        return found
    code = next((value for name, value in event.details if name == "Refusal"), None)
    if code is not None:
        found.append(("openpim_refusals_total", (provider, code)))
    elif "completed (PIM activation)" in event.activity:
        found.append(("openpim_activations_total", (provider,)))
    elif "request approved" in event.activity:
        found.append(("openpim_decisions_total", (provider, "approved")))
    elif "request denied" in event.activity:
        found.append(("openpim_decisions_total", (provider, "denied")))
    return found


class Monitor:
    """pools: connections of each pool, and how many are in use. looks: when each worker last finished a look. process: CPU
    seconds, and bytes of memory."""

    def __init__(
        self,
        deps: Deps,
        counters: Counters,
        *,
        pools: Callable[[], Mapping[str, tuple[int, int]]] = dict,
        looks: Callable[[], Mapping[str, datetime | None]] = dict,
        process: Callable[[], tuple[float, float]] = lambda: (0.0, 0.0),
    ) -> None:
        self._deps = deps
        self.counters = counters
        self._pools, self._looks, self._process = pools, looks, process
        self._started = deps.clock()
        self._gate = threading.Lock()
        self._kept: dict[str, Samples] = {}
        self._until = self._started

    def text(self) -> str:
        """All figures, in Prometheus' text format. Those of the database are missing while it cannot be reached."""
        now = self._deps.clock()
        values = {**self._gauges(now), **self.counters.values(), **self._own(now)}
        return exposition(values, self.counters.times())

    def _gauges(self, now: datetime) -> dict[str, Samples]:
        with self._gate:
            if now >= self._until:
                try:
                    self._kept = self._deps.store.read("", lambda tx: gauges(tx, self._deps, now))
                except StoreUnavailableError:
                    self._kept = {}
                self._until = now + REFRESH
            return self._kept

    def _own(self, now: datetime) -> dict[str, Samples]:
        cpu, memory = self._process()
        found: dict[str, Samples] = {
            "openpim_build_info": {(__version__, platform.python_version()): 1},
            "openpim_database_connections": {
                (pool, state): count
                for pool, (size, used) in self._pools().items()
                for state, count in (("open", size), ("used", used))
            },
            "openpim_worker_look_age_seconds": {
                (name,): (now - (at or self._started)).total_seconds() for name, at in self._looks().items()
            },
            "process_start_time_seconds": {(): (self._started - _EPOCH).total_seconds()},
        }
        if memory:
            found |= {"process_cpu_seconds_total": {(): cpu}, "process_resident_memory_bytes": {(): memory}}
        return found

    def stale(self, names: Sequence[str]) -> list[str]:
        """The workers of these that have not finished a look for long."""
        now, looks = self._deps.clock(), self._looks()
        return [name for name in names if name in looks and now - (looks[name] or self._started) > STALE]


def gauges(tx: Transaction, deps: Deps, now: datetime) -> dict[str, Samples]:
    """What is counted in the database."""
    tenants = [tenant.id for tenant in tx.tenants.all()][:MOST_TENANTS]
    outbox = tx.figures.outbox((LOGOUT,))
    waiting, dead = tx.figures.deliveries(tenants)
    signals, since, failing = tx.signal_streams.everywhere()
    size, outside = tx.figures.audit_log()
    checkpoint = tx.figures.oldest_checkpoint(tenants)
    found: dict[str, Samples] = {
        "openpim_grants_in_force": dict(tx.figures.grants(now).items()),
        "openpim_requests_waiting": {
            (provider,): count for provider, count in tx.figures.requests_waiting(tenants).items()
        },
        "openpim_effects": {(state.value,): count for state, count in tx.effects.everywhere().items()},
        "openpim_effects_failing": {(): tx.effects.failing() + _kept_by_pauses(tx, deps, now)},
        "openpim_targets_failing": {(): tx.targets.failing()},
        "openpim_outbox_entries": {(): outbox.waiting},
        "openpim_outbox_failing": {(): outbox.failing},
        "openpim_outbox_oldest_seconds": {(): _age(outbox.oldest, now)},
        "openpim_signals_waiting": {(): signals},
        "openpim_signals_oldest_seconds": {(): _age(since, now)},
        "openpim_signal_streams_failing": {(): failing},
        "openpim_deliveries_waiting": {(): waiting},
        "openpim_deliveries_dead": {(): dead},
        "openpim_audit_log_events": {(): size},
        "openpim_audit_log_waiting": {(): outside},
    }
    if checkpoint is not None:
        found["openpim_checkpoint_age_seconds"] = {(): _age(checkpoint, now)}
    return found | _streams(tx, now)


def _streams(tx: Transaction, now: datetime) -> dict[str, Samples]:
    found: dict[str, dict[Labels, float]] = {}
    for tenant_id, stream in tx.streams.everywhere(MOST_STREAMS):
        behind = lag(tx.in_tenant(tenant_id), stream)
        for name, value in (
            ("lag_events", behind.events),
            ("lag_seconds", behind.seconds(now)),
            ("failures", stream.failures),
            ("paused", int(stream.paused)),
            ("sent_events", stream.sent),
        ):
            found.setdefault(f"openpim_stream_{name}", {})[(stream.id, stream.kind.value)] = value
    return dict(found)


def _kept_by_pauses(tx: Transaction, deps: Deps, now: datetime) -> int:
    """How much is still there in targets that are paused, and given by nothing any more."""
    return sum(
        len(left_over(tx.in_tenant(tenant_id), deps, target, now))
        for tenant_id, target in tx.targets.paused(MOST_PAUSED)
    )


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0
