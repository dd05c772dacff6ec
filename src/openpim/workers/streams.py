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
        self._busy: set[str] = set()
        self._gate = threading.Lock()

    def __call__(self) -> int:
        begun = 0
        for tenant_id, stream in due(self._deps):
            if self._take(stream.id):
                name = f"openpim-stream-{stream.id[:8]}"
                run = partial(self._send, tenant_id, stream.id)
                threading.Thread(target=run, name=name, daemon=True).start()
                begun += 1
        return begun

    def _take(self, stream_id: str) -> bool:
        with self._gate:
            if stream_id in self._busy or len(self._busy) >= AT_ONCE:
                return False
            self._busy.add(stream_id)
            return True

    def _send(self, tenant_id: str, stream_id: str) -> None:
        try:
            attempt(partial(send, self._deps, self._senders, tenant_id, stream_id))
        finally:
            with self._gate:
                self._busy.discard(stream_id)
