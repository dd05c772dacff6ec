"""Pushes events to receivers (RFC 8935), one after the other in their order, each stream at its own pace.

A stream is leased (two servers do not push to it at the same time for long); an event is taken off when the receiver took
it, in one commit that also checks the lease. Whatever dies in between, it is sent again, with the same `jti`. A receiver
that is away rests for a growing time and finds everything in its order when it is back, up to the bounds of core/signals.py.
An event that the receiver says it will never take is dropped and counted: it must not hold up all others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from openpim.core.signals import HELD_FOR, MOST_HELD, Signal, SignalStream, Status
from openpim.core.streams import pause_after
from openpim.ports.deps import Deps
from openpim.ports.outbound import Answer, OutboundError
from openpim.ports.store import Transaction
from openpim.services.signals.receivers import entitled
from openpim.services.signals.streams import opened
from openpim.services.signals.tokens import token_of
from openpim.services.signin.context import SignIn

SECONDS = 10.0
LEASE = timedelta(seconds=60)  # longer than a push takes; it is taken anew with each
PUSHES = 500  # in one look; then others get a turn
_BATCH = 20
_LIMIT = 200
_PATIENCE = timedelta(hours=1)  # the longest a receiver may ask us to wait
_ANSWER = 16 * 1024
# RFC 8935 2.4: what a receiver says against the event itself. Keys and rights can be mended, and the event sent again.
_FOR_GOOD: Final = frozenset({"invalid_request", "invalid_issuer", "invalid_audience", "invalid_state"})
_WORDS: Final = {
    401: "does not accept the authorization_header (401). Set the right one.",
    403: "does not let us in (403). Look at the rights of the authorization_header there.",
    404: "has nothing at this address (404). Correct the endpoint_url.",
    405: "takes no events at this address (405). Correct the endpoint_url.",
    429: "asks us to send more slowly (429).",
}
_NOT_ENTITLED = "The receiver's application is disabled, or has lost its permission."
_NUMBER = re.compile(r"[0-9]{1,6}")
_PLAIN = re.compile(r"[^ -~]+")


@dataclass(frozen=True, slots=True)
class _Said:
    """What came of a push. text: "" when the event was taken. for_good: it will never be."""

    text: str = ""
    for_good: bool = False
    wait: timedelta | None = None


def due(deps: Deps) -> list[tuple[str, str]]:
    """(tenant id, stream id) of those that have something to get and may be tried now."""
    now = deps.clock()
    found = deps.store.read("", lambda tx: tx.signal_streams.due(now, _LIMIT))
    return [(tenant_id, stream.id) for tenant_id, stream in found]


def push(signin: SignIn, tenant_id: str, stream_id: str) -> int:
    """One stream, until it has all or the receiver says no. Returns how many events it took; never raises for what the
    receiver does. Call it outside any unit of work: it waits for the network."""
    deps, count = signin.deps, 0
    while count < PUSHES:
        stream = _lease(deps, tenant_id, stream_id)
        sent = 0 if stream is None else _deliver(signin, tenant_id, stream)
        count += sent
        # Whoever looked for something to push while it was leased has passed it over: what came meanwhile goes now.
        if not sent or not deps.store.read(tenant_id, lambda tx: tx.signal_streams.waiting(stream_id, 1)):
            break
    return count


def _lease(deps: Deps, tenant_id: str, stream_id: str) -> SignalStream | None:
    now = deps.clock()
    return deps.store.write(tenant_id, lambda tx: tx.signal_streams.lease(stream_id, now, now + LEASE))


def _deliver(signin: SignIn, tenant_id: str, stream: SignalStream) -> int:
    deps, count, failed = signin.deps, 0, stream.failures
    secret = opened(deps, stream)
    if secret is None:
        text = "The authorization_header was sealed with another key file. Set it again."
        _rest(deps, tenant_id, stream, failed, _Said(text))
        return 0
    while count < PUSHES:
        signals = deps.store.read(tenant_id, lambda tx: _next(tx, stream))
        if signals is None:
            _rest(deps, tenant_id, stream, failed, _Said(_NOT_ENTITLED))
            return 0
        for signal in signals:
            try:
                said = _push(signin, tenant_id, stream, secret, signal)
            except Exception as error:
                text = f"Sending failed on our side: {type(error).__name__}."
                _rest(deps, tenant_id, stream, failed, _Said(text))
                raise
            if said.text and not said.for_good:
                _rest(deps, tenant_id, stream, failed, said)
                return count
            if not _settle(deps, tenant_id, stream, signal, said):
                return count  # somebody else pushes by now
            count, failed = count + 1, 0
        if not signals:
            break
    now = deps.clock()
    deps.store.write(tenant_id, lambda tx: tx.signal_streams.release(stream, now))
    return count


def tidy(deps: Deps, *, limit: int = 1000) -> int:
    """Drop what nobody came for in time. Returns how many events."""
    now = deps.clock()
    return deps.store.write("", lambda tx: tx.signal_streams.expire(now - HELD_FOR, MOST_HELD, limit))


def _next(tx: Transaction, stream: SignalStream) -> list[Signal] | None:
    """What comes next; nothing when all is sent, or the stream was changed or lost meanwhile: it is looked at anew. None:
    its receiver may not be told anything now."""
    present = tx.signal_streams.get(stream.id)
    same = present is not None and (
        (present.attempt, present.method, present.endpoint_url, present.secret)
        == (stream.attempt, stream.method, stream.endpoint_url, stream.secret)
    )
    if present is None or not same:
        return []
    if not entitled(tx, present):
        return None
    return tx.signal_streams.waiting(stream.id, _BATCH, all_of_it=present.status is Status.ENABLED)


def _push(signin: SignIn, tenant_id: str, stream: SignalStream, secret: str, signal: Signal) -> _Said:
    headers = {"Content-Type": "application/secevent+jwt", "Accept": "application/json"}
    if secret:
        headers["Authorization"] = secret
    body = token_of(signin, tenant_id, stream, signal).encode("ascii")
    try:
        answer = signin.deps.outbound.request(
            "POST", stream.endpoint_url, headers=headers, body=body, seconds=SECONDS, max_bytes=_ANSWER
        )
    except OutboundError as error:
        return _Said(error.message)
    return _Said() if answer.ok else _read(answer)


def _read(answer: Answer) -> _Said:
    if answer.status == 400:
        error, description = _error_in(answer.body)
        text = f"The receiver refused an event: {error or '400'}{': ' + description if description else '.'}"
        return _Said(text, for_good=error in _FOR_GOOD)
    if 300 <= answer.status < 400:
        words = f"sends us elsewhere ({answer.status}), which is not followed. Set the address it really has."
    elif answer.status >= 500:
        words = f"is in trouble ({answer.status}); it is tried again."
    else:
        words = _WORDS.get(answer.status, f"did not take the event ({answer.status}).")
    after = answer.headers.get("retry-after", "").strip()
    wait = timedelta(seconds=int(after)) if _NUMBER.fullmatch(after) else None
    return _Said(f"The receiver {words}", wait=wait)


def _error_in(body: bytes) -> tuple[str, str]:
    """(err, description) of a receiver's answer, in characters that harm nothing; "" where it says none."""
    try:
        read: Any = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(read, Mapping):
        return "", ""
    texts = (read.get("err"), read.get("description"))
    error, description = (_PLAIN.sub(" ", one) if isinstance(one, str) else "" for one in texts)
    return error[:40], description[:200]


def _settle(deps: Deps, tenant_id: str, stream: SignalStream, signal: Signal, said: _Said) -> bool:
    """The event waits no more. False when somebody else holds the stream by now; then nothing is changed."""
    now = deps.clock()

    def work(tx: Transaction) -> bool:
        streams = tx.signal_streams
        if said.for_good:
            mine = streams.refused(stream, now, now + LEASE, said.text)
        else:
            mine = streams.taken(stream, now, now + LEASE)
        if mine:
            streams.done(stream.id, [signal.jti])
        return mine

    return deps.store.write(tenant_id, work)


def _rest(deps: Deps, tenant_id: str, stream: SignalStream, failed: int, said: _Said) -> None:
    """failed: how often in a row it did before this time."""
    now = deps.clock()
    pause = pause_after(failed + 1)
    if said.wait is not None:
        pause = min(max(pause, said.wait), _PATIENCE)
    deps.store.write(tenant_id, lambda tx: tx.signal_streams.failed(stream, now, now + pause, said.text))
