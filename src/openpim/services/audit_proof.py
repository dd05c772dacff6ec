"""What the audit log shows to those who check it: its state, its checkpoints, proofs, and all of its lines.

Checkpoints and keys say nothing about anybody and are for every caller of the tenant; whoever gives proofs about events
must be allowed to read all of them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from openpim.core.audit import leaf_bytes, line_of, moment
from openpim.core.caller import Caller
from openpim.core.checkpoints import LogKey, SignedCheckpoint, origin_of
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.proof.history import FORMAT
from openpim.proof.merkle import HASH, TILE, TreeError, included
from openpim.proof.note import Checkpoint, NoteError
from openpim.services.audits import may_read_all
from openpim.services.checkpoints import tree_of

TILES: Final = 16  # of one portion of lines
CHECKPOINTS: Final = 1000


@dataclass(frozen=True, slots=True)
class State:
    """size: how many events are in the log. fault: why no checkpoint is signed any more, empty while all is well."""

    origin: str
    size: int
    fault: str
    keys: tuple[LogKey, ...]
    latest: SignedCheckpoint | None


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That the event's leaf is at `position` of the tree over the first `size` leaves, whose root is `root`."""

    event_id: str
    position: int
    size: int
    leaf: bytes
    root: bytes
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the first `second` leaves begin with the first `first`."""

    first: int
    second: int
    first_root: bytes
    second_root: bytes
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Portion:
    """lines: whole ones. next: what to ask for to get the next portion, None after the last."""

    lines: tuple[bytes, ...]
    next: str | None


def state(deps: Deps, caller: Caller) -> State:
    """The log's name, size, keys and last checkpoint."""

    def work(tx: Transaction) -> State:
        keys = tuple(tx.checkpoints.log_keys())
        return State(
            origin_of(tx.tenant_id), tx.audit_log.size(), tx.checkpoints.fault(), keys, tx.checkpoints.last()
        )

    return deps.store.read(caller.tenant_id, work)


def checkpoints(deps: Deps, caller: Caller, before: int | None, limit: int) -> list[SignedCheckpoint]:
    """The newest first; `before`: of smaller numbers only."""
    return deps.store.read(caller.tenant_id, lambda tx: tx.checkpoints.page(before, limit))


def checkpoint(deps: Deps, caller: Caller, number: int | None) -> SignedCheckpoint | Refusal:
    """One checkpoint, the last one when no number is given."""

    def work(tx: Transaction) -> SignedCheckpoint | None:
        return tx.checkpoints.last() if number is None else tx.checkpoints.get(number)

    found = deps.store.read(caller.tenant_id, work)
    return found or Refusal(
        Code.NOT_FOUND,
        "There is no such checkpoint; the first is signed a few minutes after the first event.",
    )


def proved_by(deps: Deps, caller: Caller, position: int) -> SignedCheckpoint | None:
    """The first checkpoint that proves this position."""
    return deps.store.read(caller.tenant_id, lambda tx: tx.checkpoints.covering(position))


def inclusion(deps: Deps, caller: Caller, event_id: str, size: int | None) -> Inclusion | Refusal:
    """size: of the tree, the last checkpoint's when it is not said."""
    now = deps.clock()

    def work(tx: Transaction) -> Inclusion | Refusal:
        if not may_read_all(tx, caller, now):
            return _not_a_reader()
        event = tx.audit.get(event_id)
        if event is None:
            return Refusal(Code.NOT_FOUND, f"There is no audit event {event_id}.")
        last = tx.checkpoints.last()
        wanted = size if size is not None else last.size if last is not None else 0
        tree = tree_of(tx)
        if event.position is None or not event.position < wanted <= tree.size:
            return Refusal(
                Code.INVALID,
                f"The event is not among the first {wanted} of the log, which has {tree.size}: ask again in a moment, or "
                "for another size.",
            )
        leaf = leaf_bytes(event, tx.tenant_id)
        try:
            hashes = tree.inclusion(event.position, wanted)
            return Inclusion(event.id, event.position, wanted, leaf, tree.root(wanted), tuple(hashes))
        except TreeError as error:
            return _damaged(error)

    return deps.store.read(caller.tenant_id, work)


def consistency(deps: Deps, caller: Caller, first: int, second: int) -> Consistency | Refusal:
    """Of the trees over the first `first` and the first `second` events."""

    def work(tx: Transaction) -> Consistency | Refusal:
        tree = tree_of(tx)
        if not 0 <= first <= second <= tree.size:
            return Refusal(
                Code.INVALID,
                f"The log has {tree.size} events: ask for two sizes up to that, the smaller one first.",
            )
        try:
            hashes = tuple(tree.consistency(first, second))
            return Consistency(first, second, tree.root(first), tree.root(second), hashes)
        except TreeError as error:
            return _damaged(error)

    return deps.store.read(caller.tenant_id, work)


def _damaged(error: TreeError) -> Refusal:
    return Refusal(Code.CONFLICT, f"The hashes of the log are damaged: {error}. Run: pim audit verify")


def _not_a_reader() -> Refusal:
    return Refusal(
        Code.FORBIDDEN, "Only who may read the whole audit history may check it, such as a Security Reader."
    )


# ---------------------------------------------------------------- all of it


def lines(deps: Deps, caller: Caller, at: str) -> Portion | Refusal:
    """The lines that proof/history.py reads, in portions. at: empty, then each portion's `next`."""
    now = deps.clock()

    def work(tx: Transaction) -> Portion | Refusal:
        if not may_read_all(tx, caller, now):
            return _not_a_reader()
        return portion(tx, at, now)

    return deps.store.read(caller.tenant_id, work)


def portion(tx: Transaction, at: str, now: datetime) -> Portion | Refusal:
    """at: `size:c:number` for checkpoints from a number on, `size:t:number` for tiles from a number on."""
    if not at:
        size = tx.audit_log.size()
        return Portion((_header(tx, size, now),), f"{size}:c:0")
    size, kind, number = _place(at)
    if kind not in {"c", "t"} or size > tx.audit_log.size():
        return Refusal(
            Code.INVALID, "That is not where a portion of the log ended. Begin again, without `at`."
        )
    if kind == "c":
        found = tx.checkpoints.since(number, CHECKPOINTS)
        now_there = tx.audit_log.size()
        shown = [
            one for one in found if not size < _size_of(one) <= now_there
        ]  # not what came since the header
        made = tuple(_line({"checkpoint": one.number, "note": one.note}) for one in shown)
        return Portion(
            made, f"{size}:c:{found[-1].number + 1}" if len(found) == CHECKPOINTS else f"{size}:t:0"
        )
    first, last = number * TILE, min((number + TILES) * TILE, size)
    more = last < size
    made = tuple(_run(tx, first, last, size)) + (() if more else tuple(_beside(tx)))
    return Portion(made, f"{size}:t:{number + TILES}" if more else None)


def _size_of(one: SignedCheckpoint) -> int:
    try:
        return Checkpoint.parse(one.note.rpartition("\n\n")[0] + "\n").size
    except NoteError:
        return 0  # shown as it is


def _place(at: str) -> tuple[int, str, int]:
    size, _, rest = at.partition(":")
    kind, _, number = rest.partition(":")
    if not all(one.isascii() and one.isdigit() and len(one) < 16 for one in (size, number)):
        return 0, "", 0
    return int(size), kind, int(number)


def _header(tx: Transaction, size: int, now: datetime) -> bytes:
    keys = [{"key": one.key, "endorsement": one.endorsement} for one in tx.checkpoints.log_keys()]
    return _line(
        {
            "openpim": FORMAT,
            "v": 1,
            "origin": origin_of(tx.tenant_id),
            "tenantId": tx.tenant_id,
            "size": size,
            "madeAt": moment(now),
            "keys": keys,
        }
    )


def _run(tx: Transaction, first: int, last: int, size: int) -> Iterator[bytes]:
    """Tiles and the events below them."""
    leaves = iter(tx.audit_log.since(first, last - first))
    leaf = next(leaves, None)
    for start in range(first, last, TILE):
        hashes = tx.audit_log.tile(0, start // TILE)[: (min(start + TILE, size) - start) * HASH]
        yield _line({"tile": start // TILE, "hashes": base64.b64encode(hashes).decode()})
        while leaf is not None and leaf.position < min(start + TILE, last):
            yield line_of(leaf.event, leaf.position, tx.tenant_id)
            leaf = next(leaves, None)


def _beside(tx: Transaction) -> Iterator[bytes]:
    for event in tx.audit_log.outside(1000):
        yield line_of(event, None, tx.tenant_id)


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def proves(one: Inclusion, leaf_hash: bytes) -> bool:
    """Whether the proof holds: what tests and the portal ask."""
    return included(leaf_hash, one.position, one.size, one.hashes, one.root)
