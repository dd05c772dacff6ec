"""What watches the running server, put together: its figures, whether it is ready, and the token that opens the figures."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from openpim.config import Config
from openpim.faces.monitoring import Checks
from openpim.keyfile import read_or_make_token
from openpim.ports.deps import Deps
from openpim.ports.store import StoreUnavailableError
from openpim.services.monitoring import Counters, Monitor
from openpim.services.signin.context import SignIn
from openpim.store.database import Database
from openpim.store.migrate import is_current
from openpim.workers.loop import Loops


@dataclass(frozen=True, slots=True)
class Monitoring:
    """token: who sends it may read the figures on the public listener; "": nobody."""

    monitor: Monitor
    checks: Checks
    token: str = ""


def unwatched(deps: Deps) -> Monitoring:
    """For an application without a server around it: nobody reads its figures."""
    return Monitoring(Monitor(deps, Counters()), {"database": partial(_database, deps)})


def watch(config: Config, deps: Deps, signin: SignIn, database: Database, loops: Loops) -> Monitoring:
    """Raises ValueError for a token file that others may read."""
    counters = Counters()
    database.observers.append(lambda _tenant, events: counters.happened(events))
    looks = loops.looks if config.run_workers else dict
    monitor = Monitor(deps, counters, pools=database.pools, looks=looks, process=_process)
    token = read_or_make_token(
        config.metrics_token_file or config.data_dir / "metrics-token",
        deps.secret,
    )

    def migrations() -> str:
        return "" if is_current(database) else "the database has the tables of another release"

    def key_file() -> str:
        return "" if signin.tokens.keys.readable() else "the key file does not fit the database"

    def workers() -> str:
        late = monitor.stale(("recording", "audit-log"))
        return f"workers have not finished a look for a minute: {', '.join(late)}" if late else ""

    checks: dict[str, Callable[[], str]] = {
        "database": partial(_database, deps),
        "migrations": migrations,
        "key file": key_file,
        "workers": workers,
    }
    return Monitoring(monitor, checks, token)


def _database(deps: Deps) -> str:
    try:
        deps.store.read("", lambda tx: tx.tenants.all())
    except StoreUnavailableError:
        return "the database cannot be reached"
    return ""


def _process() -> tuple[float, float]:
    """CPU seconds, and bytes of memory where the system tells."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        return time.process_time(), pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return time.process_time(), 0
