"""The follower of the audit log that plans what receivers are told: events are put into their streams in the same commit
that moves its cursor, so nothing is told twice, nothing is left out, and nothing is told of what rolled back. The id of an
event (`jti`) is given here, and is the same however often it is sent.

What an event means is worked out before that commit, which keeps nobody waiting; should somebody else have dealt with the
event meanwhile, it is thrown away.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from openpim.core.audit import AuditEvent
from openpim.core.directory import User
from openpim.core.signals import (
    HELD_FOR,
    STREAM_UPDATED,
    TOKEN_CLAIMS_CHANGE,
    Signal,
    SignalStream,
    Status,
)
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.signals.receivers import entitled
from openpim.services.signals.subjects import included, subject_of
from openpim.services.signals.telling import claims_for, told_of

_log = logging.getLogger(__name__)
CURSOR = "signals"
BATCH = 50
_MOST_AT_ONCE = 2000  # signals in one commit; one event alone may be more
_FAULTS = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
)  # of ours; what the database does is tried again


def plan(deps: Deps, tenant_id: str, *, limit: int = BATCH) -> int:
    """Deal with the next events of one tenant. Returns how many events.

    An event that cannot be understood is passed over, and logged: it must not keep all later ones from being told.
    """
    try:
        return _step(deps, tenant_id, limit)
    except _FAULTS:
        _log.exception("signals of tenant %s: an event cannot be understood", tenant_id)
    try:
        return _step(deps, tenant_id, 1)
    except _FAULTS:
        return _step(deps, tenant_id, 1, skip=True)


def _step(deps: Deps, tenant_id: str, limit: int, *, skip: bool = False) -> int:
    now = deps.clock()

    gone: list[str] = []  # streams of applications that are no more

    def look(tx: Transaction) -> tuple[int, int, dict[str, list[Signal]]]:
        streams = tx.signal_streams.all()
        gone.extend(one.id for one in streams if tx.service_principals.get(one.owner_id) is None)
        before = tx.cursors.position(CURSOR) if streams else 0
        leaves = tx.audit_log.since(before, limit) if streams else []
        able = [one for one in streams if one.status is not Status.DISABLED and entitled(tx, one)]
        after, planned = before, dict[str, list[Signal]]()
        for leaf in leaves:
            if sum(map(len, planned.values())) >= _MOST_AT_ONCE:
                break
            if not skip and leaf.event.at >= now - HELD_FOR:
                _plan_event(tx, deps, able, leaf.event, now, planned)
            after = leaf.position + 1
        return before, after, planned

    before, after, planned = deps.store.read(tenant_id, look)
    if after == before:
        return 0

    def work(tx: Transaction) -> int:
        if not tx.cursors.move(CURSOR, before, after, now):
            return 0  # somebody else deals with them
        for stream_id in gone:
            tx.signal_streams.remove(stream_id)
        for stream_id, signals in planned.items():
            present = tx.signal_streams.get(stream_id)
            if present is not None and present.status is not Status.DISABLED:
                tx.signal_streams.queue(stream_id, signals)
        return after - before

    return deps.store.write(tenant_id, work)


def _plan_event(
    tx: Transaction,
    deps: Deps,
    streams: list[SignalStream],
    event: AuditEvent,
    now: datetime,
    planned: dict[str, list[Signal]],
) -> None:
    streams = [one for one in streams if event.at >= one.created_at]
    told = told_of(tx, event, now) if streams else []
    people: dict[str, User] = tx.users.many({one.user_id for one in told}, deleted=True) if told else {}
    for one in told:
        user = people.get(one.user_id)
        if user is None:
            continue
        claims: dict[str, dict[str, list[str]]] = {}
        for stream in streams:
            if one.owner_id and one.owner_id != stream.owner_id:
                continue
            if one.type not in stream.delivered or not included(tx, deps.settings.origin, stream, user):
                continue
            body = one.event
            if one.type == TOKEN_CLAIMS_CHANGE:
                if stream.app_id not in claims:
                    claims[stream.app_id] = claims_for(tx, stream.app_id, user.id, now)
                if not claims[stream.app_id]:
                    continue
                body = {"claims": claims[stream.app_id], **body}
            subject = subject_of(tx, deps.settings.origin, stream, user)
            signal = signal_of(deps, stream.id, one.type, body, subject, txn=event.id, now=now)
            planned.setdefault(stream.id, []).append(signal)


def signal_of(
    deps: Deps,
    stream_id: str,
    type_: str,
    event: Mapping[str, Any],
    subject: Mapping[str, str],
    *,
    txn: str,
    now: datetime,
    always: bool = False,
) -> Signal:
    """One event of one stream."""
    jti = deps.new_id()
    body = {"jti": jti, "txn": txn, "sub_id": dict(subject), "events": {type_: dict(event)}}
    return Signal(stream_id, 0, jti, json.dumps(body, separators=(",", ":")), now, always)


def of_stream(deps: Deps, stream_id: str, type_: str, event: Mapping[str, Any], now: datetime) -> Signal:
    """An event about the stream itself: that it works (VERIFICATION), or another status (STREAM_UPDATED)."""
    return signal_of(
        deps,
        stream_id,
        type_,
        event,
        {"format": "opaque", "id": stream_id},
        txn=deps.new_id(),
        now=now,
        always=type_ == STREAM_UPDATED,
    )
