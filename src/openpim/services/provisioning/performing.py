"""Every act of a provisioner asks first whether he may provision."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from openpim.core.audit import Category, Target
from openpim.core.caller import Caller
from openpim.core.refusals import Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory import performing
from openpim.services.directory.performing import Done
from openpim.services.provisioning.rules import may_provision

T = TypeVar("T")


def read(deps: Deps, caller: Caller, work: Callable[[Transaction], T | Refusal]) -> T | Refusal:
    return deps.store.read(caller.tenant_id, lambda tx: may_provision(caller) or work(tx))


def perform(
    deps: Deps,
    caller: Caller,
    activity: str,
    category: Category,
    work: Callable[[Transaction, datetime], Done[T] | Refusal],
    *,
    targets: tuple[Target, ...] = (),
) -> T | Refusal:
    """As `directory.performing.perform`."""

    def allowed(tx: Transaction, now: datetime) -> Done[T] | Refusal:
        return may_provision(caller) or work(tx, now)

    return performing.perform(deps, caller, activity, category, allowed, targets=targets)
