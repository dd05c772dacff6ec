"""The check of a tenant's audit history in the database itself, for operators: the log against its checkpoints, and the
index of targets against the events."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Final

from openpim.core.refusals import Refusal
from openpim.ports.deps import Deps
from openpim.proof.history import History, UnreadableError
from openpim.services.audit_proof import portion

_AT_ONCE: Final = 4096
_NAMED: Final = 20


def check(deps: Deps, tenant_id: str, history: History) -> History:
    """Feeds the history with the whole log and the index. Raises UnreadableError."""
    at: str | None = ""
    while at is not None:
        now = deps.clock()
        found = deps.store.read(tenant_id, lambda tx, at=at, now=now: portion(tx, at or "", now))  # type: ignore[misc]
        if isinstance(found, Refusal):
            raise UnreadableError("the log became smaller while it was read")
        history.feed(found.lines)
        at = found.next
    history.finish()
    _index(deps, tenant_id, history)
    return history


def _index(deps: Deps, tenant_id: str, history: History) -> None:
    """The index is another copy of who was touched: what it has too much, lacks, or says otherwise."""
    last = deps.store.read(tenant_id, lambda tx: tx.audit.last_sequence())
    wanted = _sum(deps, tenant_id, events=True, last=last)
    if wanted == _sum(deps, tenant_id, events=False, last=last):
        return
    differing: Counter[str] = Counter()
    for sign, events in ((1, True), (-1, False)):
        for row in _rows(deps, tenant_id, events=events, last=last):
            differing["\0".join(row)] += sign
    spoilt = sorted({key.split("\0")[1] for key, count in differing.items() if count})
    for event_id in spoilt[:_NAMED]:
        history.say(
            "index", None, f"what the event {event_id} is found by was changed: searches by target are wrong"
        )
    if len(spoilt) > _NAMED:
        history.say("index", None, f"and so are those of {len(spoilt) - _NAMED} more events")


def _sum(deps: Deps, tenant_id: str, *, events: bool, last: int) -> tuple[int, int]:
    """How many rows there are, and a number that any other set of rows would not give, in whatever order they come."""
    total = count = 0
    for row in _rows(deps, tenant_id, events=events, last=last):
        total += int.from_bytes(hashlib.sha256("\0".join(row).encode()).digest(), "big")
        count += 1
    return count, total % 2**256


def _rows(deps: Deps, tenant_id: str, *, events: bool, last: int) -> Iterator[tuple[str, str, str]]:
    """(target, event, instant) as the events say, or as the index has them."""
    after: tuple[str, ...] | None = None
    while True:
        found, after = deps.store.read(
            tenant_id,
            lambda tx, after=after: (  # type: ignore[misc]
                tx.audit.targets_said(after, last, _AT_ONCE)
                if events
                else tx.audit.targets_kept(after, last, _AT_ONCE)
            ),
        )
        yield from found
        if after is None:
            return
