"""Settling: after a commit, make what is wanted true where it takes effect.

The act writes an outbox entry that only says *where to look*; the worker reads what is wanted now and hands it to
every effect. Effects must be safe to repeat: an entry is done at least once. A failing effect is retried for ever
with a growing pause, and stays visible as an outbox entry with its error and count of attempts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from openpim.core import caller as callers
from openpim.core.grants import Schedule
from openpim.core.lifecycle import ScheduleStatus
from openpim.ports.deps import Deps
from openpim.ports.outbox import Entry
from openpim.ports.store import Transaction
from openpim.services.providers import PROVIDERS
from openpim.services.recording import category_of, grant_details, grant_targets, record

TOPIC = "settle"
_LEASE = timedelta(seconds=60)
_LONGEST_PAUSE = timedelta(minutes=5)
_SAID_AT = 3  # the try whose failure is said aloud: some seconds after the first
FAILED = "Removal of access failed"


class Effect(Protocol):
    """Something outside that follows the store (a connector, a token revocation list, …)."""

    def settle(self, tenant_id: str, wanted: Schedule, *, in_force: bool) -> None:
        """Make the target agree; raise when that fails. Repeating is harmless."""
        ...


def ask_for(tx: Transaction, deps: Deps, schedule: Schedule, now: datetime) -> None:
    """Leave word, in the same commit, that this schedule's effects must be looked at: now, and once more when it
    starts by time alone."""
    payload = json.dumps({"schedule": schedule.id})
    tx.outbox.put(deps.new_id(), TOPIC, schedule.id, payload, now)
    if schedule.status is ScheduleStatus.PROVISIONED and schedule.starts_at > now:
        tx.outbox.put(deps.new_id(), TOPIC, schedule.id, payload, schedule.starts_at)


def settle_due(deps: Deps, effects: Sequence[Effect], *, limit: int = 50) -> int:
    """Claim due entries, apply the effects between two transactions, record the outcome. Returns how many."""
    now = deps.clock()
    entries = deps.store.write("", lambda tx: tx.outbox.claim((TOPIC,), now, now + _LEASE, limit))
    for entry in entries:
        _settle_one(deps, effects, entry)
    return len(entries)


def _settle_one(deps: Deps, effects: Sequence[Effect], entry: Entry) -> None:
    wanted = deps.store.read(entry.tenant_id, lambda tx: tx.schedules.get(entry.key))
    failure: str | None = None
    if wanted is not None:
        for effect in effects:
            try:
                effect.settle(entry.tenant_id, wanted, in_force=wanted.in_force(deps.clock()))
            except Exception as error:  # noqa: BLE001 - a target may fail in any way; it is kept and retried
                failure = f"{type(effect).__name__}: {type(error).__name__}"
    now = deps.clock()
    if failure is None:
        deps.store.write(entry.tenant_id, lambda tx: tx.outbox.done(entry, now))
        return
    reason = failure
    pause = min(timedelta(seconds=2 ** min(entry.attempt, 16)), _LONGEST_PAUSE)

    def work(tx: Transaction) -> None:
        kept = tx.outbox.retry(entry, now + pause, reason)
        if kept and entry.attempt == _SAID_AT and wanted is not None and not wanted.in_force(now):
            _say_failed(tx, deps, wanted, now, reason)

    deps.store.write(entry.tenant_id, work)


def _say_failed(tx: Transaction, deps: Deps, ended: Schedule, now: datetime, reason: str) -> None:
    """What has ended is still open in a target: on record once, after a few tries, and told to administrators."""
    rules = PROVIDERS[ended.provider]
    record(
        tx,
        deps,
        callers.system(tx.tenant_id),
        now,
        activity=FAILED,
        category=category_of(ended.provider),
        targets=grant_targets(
            tx,
            role_id=ended.role_id,
            role_name=rules.role_name(tx, ended.role_id, ended.scope),
            principal_id=ended.principal_id,
            scope=ended.scope,
            request_id=ended.request_id,
        ),
        reason=reason,
        details=grant_details(schedule=ended, role_id=ended.role_id),
        correlation_id=ended.request_id or ended.id,
    )
