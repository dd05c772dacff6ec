"""The store as the acts see it: units of work, and in each one small repository for every noun.

A repository is bound to the tenant of its unit of work; no method takes a tenant id, so no act can forget it.
Every method that depends on the time takes `now`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from openpim.ports.approvals import Approvals
from openpim.ports.audit import Audit
from openpim.ports.outbox import Outbox
from openpim.ports.policies import Policies
from openpim.ports.requests import Requests
from openpim.ports.schedules import Schedules

T = TypeVar("T")


class StoreUnavailableError(Exception):
    """The database cannot be reached; nothing was changed. Faces answer 503."""


class Savepoint(Protocol):
    rolled_back: bool

    def roll_back(self) -> None: ...


class Transaction(Protocol):
    """One unit of work of one tenant. `savepoint` undoes a part: `point.roll_back()` leaves its `with` block."""

    tenant_id: str

    def savepoint(self) -> AbstractContextManager[Savepoint]: ...

    @property
    def schedules(self) -> Schedules: ...
    @property
    def requests(self) -> Requests: ...
    @property
    def approvals(self) -> Approvals: ...
    @property
    def policies(self) -> Policies: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def outbox(self) -> Outbox: ...


class Store(Protocol):
    def write(self, tenant_id: str, work: Callable[[Transaction], T]) -> T:
        """One transaction: commits when `work` returns, rolls back when it raises. `work` may be run again."""
        ...

    def read(self, tenant_id: str, work: Callable[[Transaction], T]) -> T:
        """Reads only."""
        ...
