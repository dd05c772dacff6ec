"""Two threads: one asks the server and waits there for news, the other keeps the host as it should be. The second never waits
for the first, so an end comes on time whatever the network does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from openpim.agent import lease as leases
from openpim.agent.clock import Clock
from openpim.agent.configuration import Configuration
from openpim.agent.enforcing import Enforcer, Report
from openpim.agent.lease import AnswerError, Lease
from openpim.agent.link import Link, LinkError
from openpim.agent.lists import Lists

_log = logging.getLogger("openpim.agent")
_LOOK: Final = 15.0  # s: the host is looked at so often, for what others changed there
_WAIT: Final = 20.0  # s that a question waits at the server for news
_MARGIN: Final = 10.0  # s for everything else of a question
_LONGEST_PAUSE: Final = 10.0
_RETRY: Final = 1.0  # s: what could not be ended is tried again so soon


@dataclass(slots=True)
class Agent:
    """link: the way to the server. version: of this program, for the report. told: called after each round (for tests). lists:
    where sshd takes certificates."""

    configuration: Configuration
    enforcer: Enforcer
    link: Link
    credential: str
    clock: Clock
    version: str = ""
    told: Callable[[Report], None] = lambda _report: None
    lists: Lists | None = None
    _lease: Lease = field(default_factory=Lease)
    _report: Report = field(default_factory=lambda: Report(0))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wake: threading.Event = field(default_factory=threading.Event)
    _reported: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until `stop`. The host is put right first, with what is on file."""
        self._lease = leases.load(self.configuration.state)
        self.enforcer.keep = self._remember
        keeping = threading.Thread(target=self._keep, name="keeping", daemon=True)
        keeping.start()
        try:
            self._ask()
        finally:
            self.stop()
            keeping.join()

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()
        self._reported.set()

    # ------------------------------------------------------------ the host

    def _keep(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            with self._lock:
                before = self._lease
            pause = _RETRY
            try:
                after, report = self.enforcer.enforce(before)
            except Exception:  # noqa: BLE001 - whatever it is, the next end must still come
                _log.exception("the host could not be put right")
            else:
                with self._lock:
                    self._report = report
                self._reported.set()
                self.told(report)
                failed = report.lingering or report.errors
                end = after.next_end(self.clock.elapsed())
                pause = min(_RETRY if failed else _LOOK, end if end is not None else _LOOK)
            self._wake.wait(max(0.0, pause))

    def _remember(self, done: Lease) -> None:
        """On file, beside what the server said meanwhile."""
        with self._lock:
            self._lease = leases.merged(self._lease, done)
            leases.save(self.configuration.state, self._lease)

    # ------------------------------------------------------------ the server

    def _ask(self) -> None:
        pause, seen, wait = 0.5, -1, 0.0
        self._reported.wait()
        while not self._stop.is_set():
            asked = self.clock.elapsed()
            with self._lock:
                report, lease = self._report, self._lease
            end = lease.next_end(asked)
            wait = min(wait, max(0.1, end + 0.3)) if end is not None else wait
            try:
                answer = self.link.ask(
                    "sync", self._question(report, seen, wait), self.credential, wait + _MARGIN
                )
                if self.lists is not None:
                    self.lists.take(answer.get("ssh"))
                    self.lists.look()
                new = leases.heard(lease, answer, self.clock.boot(), asked)
            except (LinkError, AnswerError) as error:
                _log.warning("the server: %s", error)
                if self.lists is not None:
                    self.lists.look()
                self._stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            pause, seen = 0.5, new.version
            changed = new.version != lease.version or new.boot != lease.boot
            self._take(new)
            if changed:
                self._enforced(new.version)
            due = self._due(report)
            if due:
                self._wake.set()
            # With something to tell, the next question is not held up.
            with self._lock:
                told = self._report == report
                behind = self._report.version != new.version
            wait = 0.0 if not told else _RETRY if due or behind else _WAIT
            if told and (due or behind):
                self._stop.wait(_RETRY / 5)
            elif self.lists is not None and self.lists.fault:
                self._stop.wait(_RETRY)  # else what is refused is sent again at once

    def _question(self, report: Report, seen: int, wait: float) -> dict[str, Any]:
        more: dict[str, Any] = {}
        told = report.as_json()
        if self.lists is not None:
            more["ssh"] = self.lists.question()
            if self.lists.fault:
                told["errors"].append(["", "ssh", self.lists.fault])
        return {
            "seen": seen,
            "wait": wait,
            **more,
            "report": {
                **told,
                "entitlements": list(self.configuration.entitlements),
                "clock": self.clock.wall().isoformat(),
                "agent": self.version,
            },
        }

    def _take(self, new: Lease) -> None:
        with self._lock:
            self._lease = leases.merged(new, self._lease)
            leases.save(self.configuration.state, self._lease)

    def _due(self, report: Report) -> bool:
        """Whether something ends about now, so that the next report is worth waiting for."""
        with self._lock:
            live = self._lease.live(self.clock.boot(), self.clock.elapsed(), self.clock.wall())
        return len(live) < len([one for one in report.edges if one[2] is not None])

    def _enforced(self, version: int) -> None:
        """Have the host put right now, and wait for it a while."""
        ends = self.clock.elapsed() + _MARGIN
        self._wake.set()
        while (left := ends - self.clock.elapsed()) > 0:
            self._reported.clear()
            if self._stop.is_set():
                return
            with self._lock:
                if self._report.version == version:
                    return
            self._reported.wait(left)
