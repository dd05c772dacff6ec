"""Applications that people sign in to are told when that is over: one loop finds out, another sends, each application in a
thread of its own, so that one that is slow or down holds up no other."""

from __future__ import annotations

import threading
from functools import partial

from openpim.ports.deps import Deps
from openpim.services.relying import changes, logout
from openpim.services.signin.context import SignIn
from openpim.workers.loop import BATCH, attempt

_AT_ONCE = 32
_ROUNDS = 10  # units of work in one look


class Following:
    """One look at the news of every tenant, and at whoever is due."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    def __call__(self) -> int:
        done, full = 0, False
        for tenant in attempt(lambda: self._deps.store.read("", lambda tx: tx.tenants.all())) or ():
            full |= (attempt(partial(changes.follow, self._deps, tenant.id)) or 0) >= changes.BATCH
        for _ in range(_ROUNDS):
            looked = attempt(partial(changes.look, self._deps)) or 0
            done += looked
            if looked < changes.LOOKS:
                break
        else:
            full = True
        return BATCH if full else done


class Telling:
    """A look: what is due is claimed, and handed to the thread of its application."""

    def __init__(self, signin: SignIn) -> None:
        self._signin = signin
        self._waiting: dict[str, list[logout.Part]] = {}
        self._busy: dict[str, threading.Thread] = {}
        self._gate = threading.Lock()

    def __call__(self) -> int:
        """How many applications there was something for."""
        claimed = attempt(partial(logout.claim, self._signin.deps)) or {}
        for client_id, part in claimed.items():
            self._begin(client_id, part)
        return BATCH if sum(len(part.entries) for part in claimed.values()) >= logout.LIMIT else len(claimed)

    def join(self, seconds: float) -> None:
        """Wait for those that are being told, each so long at most."""
        with self._gate:
            running = list(self._busy.values())
        for thread in running:
            thread.join(seconds)

    def _begin(self, client_id: str, part: logout.Part) -> None:
        """What there is no room for stays leased, and is claimed again when the lease is over."""
        with self._gate:
            if client_id in self._busy:
                self._waiting.setdefault(client_id, []).append(part)
                return
            if len(self._busy) >= _AT_ONCE:
                return
            run = partial(self._send, client_id, part)
            thread = threading.Thread(target=run, name=f"openpim-logout-{client_id[:8]}", daemon=True)
            self._busy[client_id] = thread
        thread.start()

    def _send(self, client_id: str, part: logout.Part) -> None:
        following: logout.Part | None = part
        while following is not None:
            attempt(partial(logout.send, self._signin, following))
            with self._gate:
                waiting = self._waiting.get(client_id)
                following = waiting.pop(0) if waiting else None
                if following is None:
                    self._waiting.pop(client_id, None)
                    self._busy.pop(client_id, None)
