"""Gives events to receivers that ask for them (RFC 8936). What was given waits until the receiver has acknowledged it, or
has said what is wrong with it; both only concern events of its own stream."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from openpim.core.caller import Caller
from openpim.core.refusals import Code, Refusal
from openpim.core.signals import MOST_POLLED, READ, Method, Signal, SignalStream, Status
from openpim.ports.store import Transaction
from openpim.services.signals.receivers import may, own
from openpim.services.signals.tokens import token_of
from openpim.services.signin.context import SignIn

_PLAIN = re.compile(r"[^ -~]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """most: events in the answer, None: as many as usual. acknowledged: jtis. refused: jti -> (err, description)."""

    most: int | None = None
    acknowledged: frozenset[str] = frozenset()
    refused: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Given:
    """sets: jti -> token, in their order. more: others wait. wanted: whether any were asked for at all."""

    sets: Mapping[str, str]
    more: bool


def acknowledge(signin: SignIn, caller: Caller, stream_id: str, asked: Asked) -> Refusal | None:
    """Take note of what the receiver has, and of what it will never take."""
    now = signin.deps.clock()

    def work(tx: Transaction) -> Refusal | None:
        stream = _polled(tx, caller, stream_id)
        if isinstance(stream, Refusal):
            return stream
        taken = tx.signal_streams.done(stream_id, asked.acknowledged)
        refused = tx.signal_streams.done(stream_id, asked.refused.keys() - asked.acknowledged)
        error = ""
        if refused:
            said, description = next(iter(asked.refused.values()))
            words = _PLAIN.sub(" ", f"{said}: {description}" if description else said)
            error = f"The receiver refused an event: {words[:300]}"
        tx.signal_streams.polled(stream_id, now, taken, refused, error)
        return None

    return may(caller, READ) or signin.deps.store.write(caller.tenant_id, work)


def give(signin: SignIn, caller: Caller, stream_id: str, most: int | None) -> Given | Refusal:
    """What waits, the oldest first. Changes nothing."""
    limit = MOST_POLLED if most is None else min(most, MOST_POLLED)

    def work(tx: Transaction) -> tuple[SignalStream, list[Signal]] | Refusal:
        stream = _polled(tx, caller, stream_id)
        if isinstance(stream, Refusal):
            return stream
        flowing = stream.status is Status.ENABLED
        return stream, tx.signal_streams.waiting(stream_id, limit + 1, all_of_it=flowing)

    found = may(caller, READ) or signin.deps.store.read(caller.tenant_id, work)
    if isinstance(found, Refusal):
        return found
    stream, signals = found
    sets = {one.jti: token_of(signin, caller.tenant_id, stream, one) for one in signals[:limit]}
    return Given(sets, more=len(signals) > limit)


def _polled(tx: Transaction, caller: Caller, stream_id: str) -> SignalStream | Refusal:
    found = own(tx, caller, stream_id)
    if isinstance(found, SignalStream) and found.method is not Method.POLL:
        return Refusal(Code.INVALID, "The events of this stream are pushed. Change its delivery to poll it.")
    return found
