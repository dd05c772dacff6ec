"""Many asks of an administrator at once: each decided as if it were alone, with nothing done; or all of them carried out in one unit of work,
or none. What is refused in the end is recorded, as when it is asked alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from openpim.core.ask import Ask
from openpim.core.caller import Caller
from openpim.core.grants import Request
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.submit import in_transaction, record_refused

A_LOOK = 50  # asks that are decided in one unit of work: nobody else waits long for it


def _one(tx: Transaction, deps: Deps, caller: Caller, ask: Ask, now: datetime) -> Request | Refusal:
    if ask.action.by_self:  # which may have to ask others first
        return Refusal(Code.INVALID, "What is for oneself is asked for alone.", member="action")
    return in_transaction(tx, deps, caller, ask, now)


def decide_all(deps: Deps, caller: Caller, asks: Sequence[Ask]) -> tuple[Request | Refusal, ...]:
    """What would become of each of them, in their order."""
    now = deps.clock()

    def work(some: Sequence[Ask], tx: Transaction) -> list[Request | Refusal]:
        found: list[Request | Refusal] = []
        tx.lock_principals({ask.principal_id for ask in some})
        for ask in some:
            with tx.savepoint() as point:
                found.append(_one(tx, deps, caller, replace(ask, validation_only=True), now))
                point.roll_back()
        return found

    found: list[Request | Refusal] = []
    for start in range(0, len(asks), A_LOOK):
        some = asks[start : start + A_LOOK]
        found += deps.store.write(caller.tenant_id, partial(work, some))
    return tuple(found)


def submit_all(deps: Deps, caller: Caller, asks: Sequence[Ask]) -> tuple[Request | Refusal, ...]:
    """What became of each of them, in their order. Where one is refused nothing is done, and those that would have gone
    through are the requests that were not made."""
    now = deps.clock()

    def work(tx: Transaction) -> list[Request | Refusal]:
        found: list[Request | Refusal] = []
        tx.lock_principals({ask.principal_id for ask in asks})
        with tx.savepoint() as point:
            found += [_one(tx, deps, caller, ask, now) for ask in asks]
            if any(isinstance(one, Refusal) for one in found):
                point.roll_back()
        for ask, one in zip(asks, found, strict=True):
            if isinstance(one, Refusal):
                record_refused(tx, deps, caller, ask, one, now)
        return found

    return tuple(deps.store.write(caller.tenant_id, work))
