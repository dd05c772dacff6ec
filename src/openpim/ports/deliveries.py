"""Deliveries: what must be told to whom, written in the same commit as the cursor of who planned it, sent at least once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from openpim.core.deliveries import Delivery, DeliveryStatus
from openpim.core.notification_preferences import Preferences
from openpim.core.query import Page, Query


class Deliveries(Protocol):
    def add(self, deliveries: Iterable[Delivery]) -> int:
        """Those whose key is there already are left out. Returns how many were new."""
        ...

    def claim(
        self, now: datetime, until: datetime, limit: int, *, mail: bool | None = None
    ) -> list[Delivery]:
        """Take what is due in every tenant (unit of work of tenant ""), the longest due first; nobody else gets it before
        `until`. What others are taking at this moment is passed over. mail: only what goes by mail, or only what does
        not."""
        ...

    def finish(self, delivery: Delivery, status: DeliveryStatus, reason: str, now: datetime) -> bool:
        """False when it was taken over meanwhile (somebody has a later attempt): then nothing is changed."""
        ...

    def again(self, delivery: Delivery, at: datetime, reason: str, *, failed: bool) -> bool:
        """Try it again then. failed: this try counts as a failure. False as `finish`."""
        ...

    def last_sent(self, channel: str, recipient: str, group: str) -> datetime | None:
        """When this recipient was last sent something of this group by this channel."""
        ...

    def get(self, delivery_id: str) -> Delivery | None: ...

    def retry(self, delivery_id: str, now: datetime) -> bool:
        """One that is dead is due at once, and has all its time again. False when it is not dead."""
        ...

    def page(self, query: Query) -> Page[Delivery]:
        """Fields: id status topic channel recipient created_at."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete what was over before then, in every tenant (unit of work of tenant ""). Returns how many."""
        ...


class NotificationPreferences(Protocol):
    def get(self, principal_id: str) -> Preferences | None:
        """None: he has not chosen."""
        ...

    def many(self, principal_ids: Iterable[str]) -> dict[str, Preferences]:
        """Of those who have chosen."""
        ...

    def put(self, principal_id: str, preferences: Preferences) -> None: ...
