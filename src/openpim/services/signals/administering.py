"""The event streams of all receivers, as the tenant's administrators see and stop them. What a stream tells of is its
receiver's to say; that it stops, or goes on, is told on the stream itself (SSF 8.1.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from openpim.core.caller import Caller
from openpim.core.refusals import Code, Refusal
from openpim.core.signals import STREAM_UPDATED, SignalStream, Status
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.recording import record
from openpim.services.signals.planning import of_stream
from openpim.services.signals.receivers import entitled, named
from openpim.services.signals.streams import DELETED, UPDATED
from openpim.services.streams.manage import MANAGERS, VIEWERS, may

T = TypeVar("T")
_REASON = "An administrator changed it."


@dataclass(frozen=True, slots=True)
class View:
    """receiver: the name of its application, its id where that is gone. held: events that wait, and since when the oldest
    does. entitled: whether the receiver may be told anything."""

    stream: SignalStream
    receiver: str
    held: int
    since: datetime | None
    entitled: bool


def all_of(deps: Deps, caller: Caller) -> list[View] | Refusal:
    """In the order of their making."""
    now = deps.clock()

    def work(tx: Transaction) -> list[View] | Refusal:
        refusal = _may(tx, caller, now, VIEWERS)
        return refusal or [_view(tx, one) for one in tx.signal_streams.all()]

    return deps.store.read(caller.tenant_id, work)


def get(deps: Deps, caller: Caller, stream_id: str) -> View | Refusal:
    now = deps.clock()

    def work(tx: Transaction) -> View | Refusal:
        refusal = _may(tx, caller, now, VIEWERS)
        found = tx.signal_streams.get(stream_id) if refusal is None else None
        return refusal or (_view(tx, found) if found is not None else _missing(stream_id))

    return deps.store.read(caller.tenant_id, work)


def may_change(deps: Deps, caller: Caller) -> bool:
    """Whether a button for it is worth showing."""
    now = deps.clock()
    return deps.store.read(caller.tenant_id, lambda tx: _may(tx, caller, now, MANAGERS)) is None


def set_status(deps: Deps, caller: Caller, stream_id: str, status: Status) -> View | Refusal:
    """The receiver is told before anything stops, and when it goes on."""
    now = deps.clock()

    def act(tx: Transaction, before: SignalStream) -> View:
        after = replace(before, status=status, reason=_REASON)
        if before.status is not status:
            event = {"status": status.value, "reason": _REASON}
            tx.signal_streams.queue(stream_id, [of_stream(deps, stream_id, STREAM_UPDATED, event, now)])
            tx.signal_streams.put(after)
            changes = (("status", before.status.value, status.value),)
            _tell(tx, deps, caller, now, UPDATED, before, changes)
        if status is Status.DISABLED:
            tx.signal_streams.clear(stream_id)
        tx.signal_streams.wake(stream_id, now)
        return _view(tx, after)

    return _changing(deps, caller, now, stream_id, act)


def retry(deps: Deps, caller: Caller, stream_id: str) -> Refusal | None:
    """Push at once, whatever pause it is in."""
    now = deps.clock()

    def act(tx: Transaction, _before: SignalStream) -> None:
        tx.signal_streams.wake(stream_id, now)

    return _changing(deps, caller, now, stream_id, act)


def remove(deps: Deps, caller: Caller, stream_id: str) -> Refusal | None:
    """With all that waits in it."""
    now = deps.clock()

    def act(tx: Transaction, before: SignalStream) -> None:
        tx.signal_streams.remove(stream_id)
        _tell(tx, deps, caller, now, DELETED, before)

    return _changing(deps, caller, now, stream_id, act)


def _changing(
    deps: Deps, caller: Caller, now: datetime, stream_id: str, act: Callable[[Transaction, SignalStream], T]
) -> T | Refusal:
    def work(tx: Transaction) -> T | Refusal:
        refusal = _may(tx, caller, now, MANAGERS)
        if refusal is not None:
            return refusal
        tx.lock_tenant()
        before = tx.signal_streams.get(stream_id)
        return _missing(stream_id) if before is None else act(tx, before)

    return deps.store.write(caller.tenant_id, work)


def _view(tx: Transaction, stream: SignalStream) -> View:
    held, since = tx.signal_streams.held(stream.id)
    receiver = tx.service_principals.get(stream.owner_id)
    name = receiver.display_name if receiver is not None else stream.app_id
    return View(stream, name, held, since, entitled(tx, stream))


def _may(tx: Transaction, caller: Caller, now: datetime, roles: frozenset[str]) -> Refusal | None:
    return may(tx, caller, now, roles, "signal streams")


def _missing(stream_id: str) -> Refusal:
    return Refusal(Code.NOT_FOUND, f"There is no signal stream {stream_id[:36]}.")


def _tell(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    now: datetime,
    what: str,
    stream: SignalStream,
    changes: tuple[tuple[str, str | None, str | None], ...] = (),
) -> None:
    record(tx, deps, caller, now, activity=what, category="Policy", targets=(named(stream, changes),))
