"""Sends the audit history to its destinations: each in a thread of its own while there is something to send, so that one
that is slow or down holds up no other."""

from __future__ import annotations

import threading
from functools import partial

from openpim.ports.deps import Deps
from openpim.ports.streams import Senders
from openpim.services.streams.send import due, send
from openpim.workers.loop import attempt

AT_ONCE = 32


class Streaming:
    """A look: whoever has something to get and is not being sent to, is sent to. Returns how many were begun."""

    def __init__(self, deps: Deps, senders: Senders) -> None:
        self._deps = deps
        self._senders = senders
        self._busy: dict[str, threading.Thread] = {}
        self._gate = threading.Lock()

    def __call__(self) -> int:
        return sum(self._begin(tenant_id, stream.id) for tenant_id, stream in due(self._deps))

    def _begin(self, tenant_id: str, stream_id: str) -> bool:
        """False when it is being sent to already, or too many others are."""
        with self._gate:
            if stream_id in self._busy or len(self._busy) >= AT_ONCE:
                return False
            run = partial(self._send, tenant_id, stream_id)
            thread = threading.Thread(target=run, name=f"openpim-stream-{stream_id[:8]}", daemon=True)
            self._busy[stream_id] = thread
        thread.start()
        return True

    def join(self, seconds: float) -> None:
        """Wait for those that are being sent to, each so long at most."""
        with self._gate:
            running = list(self._busy.values())
        for thread in running:
            thread.join(seconds)

    def _send(self, tenant_id: str, stream_id: str) -> None:
        try:
            attempt(partial(send, self._deps, self._senders, tenant_id, stream_id))
        finally:
            with self._gate:
                self._busy.pop(stream_id, None)
