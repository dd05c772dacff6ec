"""Counts tries before they are looked at, so that a hundred at once are no better than one after another.

A try is reserved (counted as a failure) in its own commit, then the slow check runs, then a success takes the
reservation back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from openpim.core.refusals import Code, Refusal
from openpim.core.signin.throttle import Limit, count, wait
from openpim.core.signin.values import digest
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction


@dataclass(frozen=True, slots=True)
class Key:
    """What is counted. own: cleared by a success (an account's); else only this try is taken back (a network's)."""

    hash: str
    limit: Limit
    own: bool


def key(limit: Limit, *parts: str, own: bool = True) -> Key:
    return Key(digest("\x1f".join(parts)), limit, own)


def reserve(deps: Deps, keys: Sequence[Key]) -> Refusal | None:
    """Count one try against every key; a Refusal (THROTTLED) if one of them must wait, and then none is counted."""
    now = deps.clock()

    def work(tx: Transaction) -> Refusal | None:
        known = tx.throttle.lock([one.hash for one in keys])
        longest = max(
            (wait(known.get(one.hash), one.limit, now) for one in keys),
            default=timedelta(0),
        )
        if longest > timedelta(0):
            seconds = max(1, round(longest.total_seconds()))
            return Refusal(
                Code.THROTTLED,
                f"Too many tries: wait {seconds} seconds, then try again.",
                retry_after=seconds,
            )
        for one in sorted(keys, key=lambda item: item.hash):
            tx.throttle.put(count(known.get(one.hash), one.hash, one.limit, now))
        return None

    return deps.store.write("", work)


def succeeded(tx: Transaction, keys: Sequence[Key]) -> None:
    """Take the reservation back."""
    tx.throttle.clear([one.hash for one in keys if one.own])
    shared = [one.hash for one in keys if not one.own]
    for counter in tx.throttle.lock(shared).values():
        tx.throttle.put(replace(counter, failures=max(0, counter.failures - 1)))
