"""Every figure that `GET /metrics` shows, in one table, and the text that Prometheus reads.

No label holds a name, an address or anything else that people choose; each has few values. Figures are of the whole server,
never of one tenant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
# Seconds until an answer begins.
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Metric:
    """One row. labels: their names, in the order of the samples' values."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()


METRICS: Final = (
    Metric("openpim_build_info", "gauge", "Always 1; the version that runs.", ("version", "python")),
    Metric("openpim_requests_total", "counter", "Requests answered.", ("face", "status")),
    Metric("openpim_request_seconds", "histogram", "Time until an answer began.", ("face",)),
    Metric("openpim_audit_events_total", "counter", "Audit events that this process committed.", ("category", "result")),
    Metric("openpim_activations_total", "counter", "Activations that came into force.", ("provider",)),
    Metric("openpim_refusals_total", "counter", "Requests for a grant that were refused.", ("provider", "code")),
    Metric("openpim_decisions_total", "counter", "Decisions of approvers.", ("provider", "verdict")),
    Metric("openpim_sign_in_failures_total", "counter", "Sign-ins that failed for a wrong proof or a disabled account."),
    Metric("openpim_grants_in_force", "gauge", "Eligibilities and assignments in force.", ("provider", "kind")),
    Metric("openpim_requests_waiting", "gauge", "Requests that wait for a decision.", ("provider",)),
    Metric("openpim_effects", "gauge", "Privileges in real systems, by what has become of them.", ("state",)),
    Metric("openpim_effects_failing", "gauge", "Removals that failed and are tried again, or wait because the target is paused: a privilege outlasts its end."),
    Metric("openpim_targets_failing", "gauge", "Real systems that could not be looked at."),
    Metric("openpim_outbox_entries", "gauge", "Applications that are not yet told of the end of a session."),
    Metric("openpim_outbox_failing", "gauge", "Of these, those that were told without success and are told again."),
    Metric("openpim_outbox_oldest_seconds", "gauge", "Since when the one waits that is due the longest."),
    Metric("openpim_signals_waiting", "gauge", "Signals that their receivers have not taken yet, counted to 100,000."),
    Metric("openpim_signals_oldest_seconds", "gauge", "Since when the oldest of them waits."),
    Metric("openpim_signal_streams_failing", "gauge", "Receivers of signals whose last push failed."),
    Metric("openpim_deliveries_waiting", "gauge", "Notices that are not sent yet."),
    Metric("openpim_deliveries_dead", "gauge", "Notices that were given up."),
    Metric("openpim_audit_log_events", "gauge", "Events in the audit logs."),
    Metric("openpim_audit_log_waiting", "gauge", "Committed events that the audit logs have not taken in yet."),
    Metric("openpim_checkpoint_age_seconds", "gauge", "Age of the oldest last checkpoint of a tenant's audit log."),
    Metric("openpim_stream_lag_events", "gauge", "Events that an audit stream has not sent yet.", ("stream", "kind")),
    Metric("openpim_stream_lag_seconds", "gauge", "Since when the oldest of them waits.", ("stream", "kind")),
    Metric("openpim_stream_failures", "gauge", "Failed tries in a row of an audit stream.", ("stream", "kind")),
    Metric("openpim_stream_paused", "gauge", "1 when an audit stream is paused.", ("stream", "kind")),
    Metric("openpim_stream_sent_events", "gauge", "Events that an audit stream has sent.", ("stream", "kind")),
    Metric("openpim_database_connections", "gauge", "Connections of a pool, and how many of them are in use.", ("pool", "state")),
    Metric("openpim_worker_look_age_seconds", "gauge", "Since when a worker has not finished a look.", ("worker",)),
    Metric("process_start_time_seconds", "gauge", "When this process started, in seconds since 1970."),
    Metric("process_cpu_seconds_total", "counter", "CPU time of this process."),
    Metric("process_resident_memory_bytes", "gauge", "Memory of this process."),
)  # fmt: skip
BY_NAME: Final = {one.name: one for one in METRICS}

Samples = Mapping[Labels, float]


@dataclass(frozen=True, slots=True)
class Times:
    """A histogram. counts: of each bucket alone, one more than there are bounds. total: seconds."""

    counts: tuple[int, ...]
    total: float


def exposition(values: Mapping[str, Samples], times: Mapping[Labels, Times]) -> str:
    """The text format of Prometheus, in the order of the table. values: by metric name; what has none is left out."""
    lines: list[str] = []
    for metric in METRICS:
        if metric.kind == "histogram":
            body = list(_histogram(metric, times))
        else:
            body = [
                f"{metric.name}{_labels(metric.labels, labels)} {_number(value)}"
                for labels, value in sorted(values.get(metric.name, {}).items())
            ]
        if body:
            lines += [f"# HELP {metric.name} {metric.meaning}", f"# TYPE {metric.name} {metric.kind}", *body]
    return "\n".join(lines) + "\n"


def _histogram(metric: Metric, times: Mapping[Labels, Times]) -> Iterable[str]:
    for labels, one in sorted(times.items()):
        below = 0
        for bound, count in zip((*BUCKETS, None), one.counts, strict=True):
            below += count
            limit = "+Inf" if bound is None else _number(bound)
            yield f"{metric.name}_bucket{_labels((*metric.labels, 'le'), (*labels, limit))} {below}"
        yield f"{metric.name}_sum{_labels(metric.labels, labels)} {_number(one.total)}"
        yield f"{metric.name}_count{_labels(metric.labels, labels)} {below}"


def _labels(names: tuple[str, ...], values: Labels) -> str:
    if not names:
        return ""
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True))
    return "{" + pairs + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
