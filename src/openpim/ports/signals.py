"""Event streams of receivers, the events that wait in them, and the subjects they name."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from openpim.core.signals import Signal, SignalStream


class SignalStreams(Protocol):
    def all(self) -> list[SignalStream]:
        """Of every receiver of the tenant, in the order of their making."""
        ...

    def of(self, owner_id: str) -> list[SignalStream]:
        """Of one receiver, in the order of their making."""
        ...

    def get(self, stream_id: str) -> SignalStream | None: ...

    def put(self, stream: SignalStream) -> None:
        """A new one, or what is set of one that is there; what delivering keeps is left alone."""
        ...

    def remove(self, stream_id: str) -> bool:
        """With all that waits in it, and the subjects it names."""
        ...

    # -- what waits
    def queue(self, stream_id: str, signals: Sequence[Signal]) -> None:
        """Behind what waits there, in this order; their numbers are given here. Others who queue wait for the commit."""
        ...

    def waiting(self, stream_id: str, limit: int, *, all_of_it: bool = True) -> list[Signal]:
        """The oldest. all_of_it: False: only what is delivered whatever the stream's status."""
        ...

    def done(self, stream_id: str, jtis: Collection[str]) -> int:
        """These wait no more. Returns how many of them did."""
        ...

    def clear(self, stream_id: str) -> int:
        """Nothing waits any more, but for what is delivered whatever the stream's status. Returns how many."""
        ...

    def held(self, stream_id: str) -> tuple[int, datetime | None]:
        """How many wait, and since when the oldest does."""
        ...

    def expire(self, before: datetime, most: int, limit: int) -> int:
        """In every tenant (unit of work of tenant ""): drop what waits since longer than that, and the oldest of streams
        in which more than `most` wait; their streams count it. At most `limit` events; returns how many."""
        ...

    def everywhere(self) -> tuple[int, datetime | None, int]:
        """In every tenant: how many events wait (counted to a bound), since when the oldest does, and how many streams
        failed the last time."""
        ...

    # -- delivering
    def due(self, now: datetime, limit: int) -> list[tuple[str, SignalStream]]:
        """(tenant id, stream) of every tenant (unit of work of tenant "") that events are to be pushed to now: something
        waits, its pause is over, nobody holds it. The one that waits longest comes first."""
        ...

    def lease(self, stream_id: str, now: datetime, until: datetime) -> SignalStream | None:
        """Take it, with the next attempt; None when somebody else holds it, its pause is not over, or it is gone."""
        ...

    def taken(self, stream: SignalStream, now: datetime, until: datetime) -> bool:
        """The receiver took one more. The lease holds until then; False when it was lost."""
        ...

    def refused(self, stream: SignalStream, now: datetime, until: datetime, error: str) -> bool:
        """The receiver will never take one of them: it is dropped. The lease holds until then; False when it was lost."""
        ...

    def failed(self, stream: SignalStream, now: datetime, next_at: datetime, error: str) -> bool: ...

    def release(self, stream: SignalStream, next_at: datetime) -> bool: ...

    def wake(self, stream_id: str, now: datetime) -> None:
        """Push at once, whatever pause it is in."""
        ...

    def polled(self, stream_id: str, now: datetime, taken: int, dropped: int, error: str) -> None:
        """The receiver asked; it acknowledged so many, and refused so many, saying this."""
        ...

    def verifying(self, stream_id: str, since: datetime, count: int) -> None: ...

    # -- subjects
    def subjects(self, stream_id: str) -> int:
        """How many are named."""
        ...

    def name_subject(self, stream_id: str, key: str, subject: str, now: datetime, *, included: bool) -> bool:
        """False when that was so already."""
        ...

    def named(self, stream_id: str, keys: Collection[str]) -> dict[str, tuple[bool, datetime]]:
        """Of these keys, those that the stream names: whether they are included, and since when."""
        ...
