"""Sends the audit history to its destinations, each at its own pace.

A destination is leased (two servers do not send to it at the same time for long), read from where its cursor stands, and
sent a batch; only when the receiver took it, the cursor moves, in one commit that also checks the lease. Whatever dies in
between, the batch is sent again: at least once, never lost. A receiver that says no, or nothing, rests for a growing time
and loses nothing meanwhile; the history waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from openpim.core.streams import Stream, StreamKind, pause_after
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.ports.streams import NotTakenError, Outgoing, Senders

PURPOSE = "audit stream"
BATCH = 500
BATCHES = 20  # in one look; then others get a turn
LEASE = timedelta(seconds=90)  # longer than any sender waits for one batch
_PATIENCE = timedelta(hours=1)  # the longest a receiver may ask us to wait
_LIMIT = 200
# Syslog has no acknowledgement: what a receiver has read may still be in its memory when it dies. So a syslog receiver
# that fails after it took something gets so many of its last events once more; what its memory holds beyond that is its
# own to keep (docs/how-to/send-the-audit-to-a-siem.md says how).
OVERLAP = 1000


def due(deps: Deps) -> list[tuple[str, Stream]]:
    """(tenant id, stream) of those that may be looked at now and have something to send."""
    now = deps.clock()

    def work(tx: Transaction) -> list[tuple[str, Stream]]:
        return [
            (tenant_id, stream)
            for tenant_id, stream in tx.streams.due(now, _LIMIT)
            if _behind(tx.in_tenant(tenant_id), stream)
        ]

    return deps.store.read("", work)


def _behind(tx: Transaction, stream: Stream) -> bool:
    return tx.audit_log.size() > tx.cursors.position(stream.cursor)


def send(deps: Deps, senders: Senders, tenant_id: str, stream_id: str) -> int:
    """One destination, until it has all or says no. Returns how many events it took; never raises for what the receiver
    does. Call it outside any unit of work: it waits for the network."""
    now = deps.clock()
    stream = deps.store.write(tenant_id, lambda tx: tx.streams.lease(stream_id, now, now + LEASE))
    if stream is None:
        return 0
    secret = opened(deps, stream)
    if secret is None:
        said = "Its secret was given for another address, or sealed with another key file. Set it again."
        _rest(deps, tenant_id, stream, said)
        return 0
    count, size = 0, BATCH
    for _ in range(BATCHES):
        batch, before = _next(deps, tenant_id, stream, size)
        if not batch:
            if before >= 0:  # all that is left is gone by retention
                _skip(deps, tenant_id, stream, before)
            break
        try:
            said = senders[stream.kind].send(stream, secret, batch)
        except NotTakenError as error:
            if error.too_large and len(batch) > 1:
                size = len(batch) // 2
                continue
            _rest(deps, tenant_id, stream, error.message, error.wait_seconds)
            return count
        except Exception as error:
            _rest(deps, tenant_id, stream, f"Sending failed on our side: {type(error).__name__}.")
            raise
        if not _move(deps, tenant_id, stream, before, batch, said):
            return count
        stream = replace(stream, failures=0)
        count += len(batch)
    now = deps.clock()
    deps.store.write(tenant_id, lambda tx: tx.streams.release(stream, now))
    return count


def sealed(deps: Deps, stream: Stream, secret: str) -> str:
    """Bound to where it is sent: whoever writes another address into the database does not get it."""
    return deps.sealer.seal_json(PURPOSE, {"secret": secret, **_place(stream)}) if secret else ""


def opened(deps: Deps, stream: Stream) -> str | None:
    """None when it was not given for this place, or not sealed with this key file."""
    if not stream.secret:
        return ""
    found = deps.sealer.unseal_json(PURPOSE, stream.secret)
    if found is None or {name: found.get(name) for name in _place(stream)} != _place(stream):
        return None
    return str(found.get("secret", ""))


def _place(stream: Stream) -> dict[str, str]:
    return {"stream": stream.id, "address": stream.address, "header": stream.header}


def _next(deps: Deps, tenant_id: str, stream: Stream, size: int) -> tuple[list[Outgoing], int]:
    """What comes next, and where the cursor stands; nothing and -1 when there is nothing to do: all is sent, or the stream
    was paused or removed meanwhile, or somebody else has taken it over."""

    def work(tx: Transaction) -> tuple[list[Outgoing], int]:
        present = tx.streams.get(stream.id)
        if present is None or present.paused or present.attempt != stream.attempt:
            return [], -1
        before, size_now = tx.cursors.position(stream.cursor), tx.audit_log.size()
        leaves = tx.audit_log.since(before, size)
        if not leaves:
            return [], before if size_now > before else -1
        return [Outgoing(tenant_id, leaf.position, leaf.event) for leaf in leaves], before

    return deps.store.read(tenant_id, work)


def _move(
    deps: Deps, tenant_id: str, stream: Stream, before: int, batch: Sequence[Outgoing], said: str
) -> bool:
    """False when somebody else sends by now: what was sent twice has the same ids."""
    now = deps.clock()

    def work(tx: Transaction) -> bool:
        after = batch[-1].position + 1
        mine = tx.streams.taken(stream, now, now + LEASE, len(batch), said)
        return mine and tx.cursors.move(stream.cursor, before, after, now)

    return deps.store.write(tenant_id, work)


def _skip(deps: Deps, tenant_id: str, stream: Stream, before: int) -> None:
    """Past positions whose events are no more."""
    now = deps.clock()

    def work(tx: Transaction) -> None:
        size = tx.audit_log.size()
        if not tx.audit_log.since(before, 1):
            tx.cursors.move(stream.cursor, before, size, now)

    deps.store.write(tenant_id, work)


def _rest(deps: Deps, tenant_id: str, stream: Stream, error: str, wait_seconds: float | None = None) -> None:
    now = deps.clock()
    pause = pause_after(stream.failures + 1)
    if wait_seconds is not None:
        pause = min(max(pause, timedelta(seconds=wait_seconds)), _PATIENCE)

    def work(tx: Transaction) -> None:
        if tx.streams.failed(stream, now, now + pause, error) and _forgetful(stream):
            position = tx.cursors.position(stream.cursor)
            again = max(stream.begins_at, position - OVERLAP)
            if again < position:
                tx.cursors.move(stream.cursor, position, again, now)

    deps.store.write(tenant_id, work)


def _forgetful(stream: Stream) -> bool:
    """It took something before this failure, and does not say what it has kept of it."""
    return stream.kind is StreamKind.SYSLOG and stream.failures == 0
