"""Who waits for another system while a person waits for him: a thread of the server each, of which there are few. So only so
many do at once, and so many of one organisation."""

from __future__ import annotations

import threading
from collections import Counter


class Turns:
    """most: at once. of_one: of one tenant."""

    def __init__(self, most: int, of_one: int) -> None:
        self._most, self._of_one = most, of_one
        self._gate = threading.Condition()
        self._taken: Counter[str] = Counter()

    def take(self, tenant_id: str, seconds: float = 0) -> bool:
        """seconds: to wait for a turn. True: it is given back with `give_back`."""
        with self._gate:
            if not self._gate.wait_for(lambda: self._free(tenant_id), seconds):
                return False
            self._taken[tenant_id] += 1
            return True

    def give_back(self, tenant_id: str) -> None:
        with self._gate:
            self._taken -= Counter({tenant_id: 1})
            self._gate.notify_all()

    def _free(self, tenant_id: str) -> bool:
        return self._taken[tenant_id] < self._of_one and self._taken.total() < self._most
