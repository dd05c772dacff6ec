"""Approvals: stages, who may decide in each, and what they decided."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from openpim.core.approval import Approval, Delegation, Waiting


class Approvals(Protocol):
    def get(self, approval_id: str, *, lock: bool = False) -> Approval | None: ...

    def many(self, approval_ids: Collection[str]) -> dict[str, Approval]:
        """In three questions for some hundreds."""
        ...

    def add(self, approval: Approval) -> None: ...

    def save(self, approval: Approval, before: Approval | None = None) -> None:
        """before: as it is stored, where this unit of work has just read it; else it is read again."""
        ...

    def waiting_for(self, keys: Collection[str], limit: int = 500) -> list[str]:
        """Ids of approvals whose current stage may be decided by one of these reviewer keys, oldest first."""
        ...

    def open_for(self, keys: Collection[str], now: datetime, limit: int) -> list[Waiting]:
        """By which of these reviewer keys which approvals can be decided now, in one question: a row for each key."""
        ...

    def due(self, now: datetime, limit: int) -> list[str]:
        """Ids of open approvals whose stage has timed out or is to escalate."""
        ...

    def open_ids(self, after: str, limit: int) -> list[str]:
        """Ids of open approvals in id order behind `after`, for the check that somebody still can decide."""
        ...

    def delegators_of(self, delegate_id: str, now: datetime) -> list[str]:
        """People who have handed their approvals to this one for a time that covers `now`."""
        ...

    def delegates_of(self, approver_ids: Collection[str], now: datetime) -> list[tuple[str, str]]:
        """(approver, delegate) of what these people have handed over for a time that covers `now`."""
        ...

    def delegations(self, principal_id: str, now: datetime) -> list[Delegation]:
        """Those this person has given or received and that have not ended, the first to end first."""
        ...

    def delegate(
        self, approver_id: str, delegate_id: str, starts_at: datetime, ends_at: datetime
    ) -> None: ...

    def undelegate(self, approver_id: str, delegate_id: str) -> None: ...
