"""Keeps every target as it should be: each in a thread of its own, so that one that is slow or down holds up no other.

A thread sleeps until something was committed in its tenant, until the next start or end, or until the target is due to be
read again. A connector stays open from look to look.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

from openpim.core.audit import AuditEvent
from openpim.core.connecting import LOOK, Target
from openpim.ports.connector import TargetError, Watching
from openpim.ports.deps import Deps
from openpim.ports.store import StoreUnavailableError
from openpim.services.connecting import telling
from openpim.services.connecting.opening import capabilities_of, kind_of, opened
from openpim.services.connecting.reconcile import Held, look

_log = logging.getLogger(__name__)
_BUSY = timedelta(seconds=1)  # until the next try of a target that somebody else is at
_REST = 0.02  # seconds between two looks: what was committed together is looked at together
_LISTEN_AGAIN = 30.0


class Reconciling:
    """A look: who has come is looked after from now on, who is gone no more. `happened` wakes those that it concerns."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._running: dict[str, _Keeping] = {}
        self._gate = threading.Lock()

    def __call__(self) -> int:
        found = self._deps.store.read("", lambda tx: tx.targets.enabled())
        present = {one.id: (tenant, one) for tenant, one in found}
        with self._gate:
            for target_id in self._running.keys() - present.keys():
                self._running.pop(target_id).stop()
            for target_id, (tenant_id, target) in present.items():
                keeping = self._running.get(target_id)
                if keeping is None:
                    keeping = self._running[target_id] = _Keeping(self._deps, tenant_id, target_id)
                    keeping.start(listening=self._tells(target))
                elif keeping.is_late_for(target.version, target.next_at):
                    keeping.wake()
        return 0

    def _tells(self, target: Target) -> bool:
        """Whether it tells of changes by itself."""
        try:
            return capabilities_of(kind_of(self._deps, target), target).watch
        except TargetError:
            return False

    def happened(self, tenant_id: str, events: Sequence[AuditEvent]) -> None:
        """Told of each commit. What looks at targets themselves have written concerns none; nor do sign-ins, of which there
        are many."""
        if all(event.activity in telling.ALL or event.category == "Authentication" for event in events):
            return
        with self._gate:
            for keeping in self._running.values():
                if tenant_id in {"", keeping.tenant_id}:
                    keeping.wake()

    def stop(self) -> None:
        with self._gate:
            running, self._running = list(self._running.values()), {}
        for keeping in running:
            keeping.stop()
        for keeping in running:
            keeping.join(2)


class _Keeping:
    """One target: looks at it, and listens to it where it tells of changes by itself."""

    def __init__(self, deps: Deps, tenant_id: str, target_id: str) -> None:
        self.tenant_id = tenant_id
        self._deps = deps
        self._target_id = target_id
        self._held = Held()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._in_full = False
        self._version = 0
        name = f"openpim-target-{target_id[:8]}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._listener = threading.Thread(target=self._listen, name=f"{name}-watch", daemon=True)

    def start(self, *, listening: bool) -> None:
        self._thread.start()
        if listening:
            self._listener.start()

    def wake(self) -> None:
        self._wake.set()

    def is_late_for(self, version: int, next_at: datetime | None) -> bool:
        """Whether something was set that its thread does not know of."""
        known, self._version = self._version, version
        return known != version or (next_at is not None and next_at <= self._deps.clock())

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            pause = self._look()
            if self._stop.wait(_REST):
                break
            self._wake.wait(max(0.0, pause.total_seconds() - _REST))
        self._held.drop()

    def _look(self) -> timedelta:
        """Returns how long it may sleep."""
        in_full, self._in_full = self._in_full, False
        try:
            looked = look(self._deps, self._held, self.tenant_id, self._target_id, now_in_full=in_full)
        except StoreUnavailableError:
            return _BUSY
        except Exception:  # noqa: BLE001 - one target must not stop the others, nor itself
            _log.exception("looking at target %s failed; it is tried again", self._target_id)
            return _BUSY
        if looked is None:
            return _BUSY
        return min(LOOK, max(timedelta(0), looked.next_at - self._deps.clock()))

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen_once()
            except (TargetError, StoreUnavailableError) as error:
                _log.info("target %s cannot be listened to: %s", self._target_id, error)
            except Exception:  # noqa: BLE001 - as above
                _log.exception("listening to target %s failed", self._target_id)
            self._stop.wait(_LISTEN_AGAIN)

    def _listen_once(self) -> None:
        target = self._deps.store.read(self.tenant_id, lambda tx: tx.targets.get(self._target_id))
        if target is None:
            return
        connector = opened(self._deps, self.tenant_id, target)
        try:
            if isinstance(connector, Watching):
                connector.watch(self._changed, self._stop)
        finally:
            connector.close()

    def _changed(self) -> None:
        self._in_full = True
        self._wake.set()
