"""Destinations beside each other: each is served in a thread of its own while there is something for it, so that one that is
slow or down holds up no other."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

from openpim.workers.loop import attempt

AT_ONCE = 32


class Beside:
    """A look: whoever has something to get and is not being served, is. Returns how many were begun.

    name: of its threads. due: (tenant id, destination id) of those to look at. serve: what is done for one. of_one: so
    many destinations of one tenant at once."""

    def __init__(
        self,
        name: str,
        due: Callable[[], Iterable[tuple[str, str]]],
        serve: Callable[[str, str], object],
        *,
        of_one: int = AT_ONCE,
    ) -> None:
        self._name = name
        self._due = due
        self._serve = serve
        self._of_one = of_one
        self._busy: dict[str, tuple[str, threading.Thread]] = {}
        self._gate = threading.Lock()

    def __call__(self) -> int:
        return sum(self._begin(tenant_id, one) for tenant_id, one in self._due())

    def _begin(self, tenant_id: str, one: str) -> bool:
        """False when it is being served already, or too many others are."""
        with self._gate:
            of_tenant = Counter(tenant for tenant, _ in self._busy.values())
            if one in self._busy or len(self._busy) >= AT_ONCE or of_tenant[tenant_id] >= self._of_one:
                return False
            run = partial(self._run, tenant_id, one)
            thread = threading.Thread(target=run, name=f"openpim-{self._name}-{one[:8]}", daemon=True)
            self._busy[one] = (tenant_id, thread)
        thread.start()
        return True

    def join(self, seconds: float) -> None:
        """Wait for those that are being served, each so long at most."""
        with self._gate:
            running = [thread for _, thread in self._busy.values()]
        for thread in running:
            thread.join(seconds)

    def _run(self, tenant_id: str, one: str) -> None:
        try:
            attempt(partial(self._serve, tenant_id, one))
        finally:
            with self._gate:
                self._busy.pop(one, None)
