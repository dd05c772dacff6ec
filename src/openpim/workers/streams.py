"""Sends the audit history to its destinations, each in a thread of its own."""

from __future__ import annotations

from functools import partial

from openpim.ports.deps import Deps
from openpim.ports.streams import Senders
from openpim.services.streams.send import due, send
from openpim.workers.beside import Beside


class Streaming(Beside):
    """A look: whoever has something to get and is not being sent to, is sent to. Returns how many were begun."""

    def __init__(self, deps: Deps, senders: Senders) -> None:
        super().__init__(
            "stream",
            lambda: [(tenant_id, stream.id) for tenant_id, stream in due(deps)],
            partial(send, deps, senders),
        )
