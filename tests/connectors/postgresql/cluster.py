"""Real PostgreSQL servers to connect to as OpenPIM does: by TCP, with passwords and TLS, one of each major release that is on
this machine. (The one of tests/postgres.py is for our own tables and takes no TCP.)
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from typing import Any

import psycopg

from openpim.tls import ensure_certificates
from tests.connectors.contract import SECRET
from tests.postgres import SERVER_SETTINGS, _candidates, _environment, _user_for_server

START_SECONDS = 30
PASSWORD = f"{SECRET}-of-pim"
PEOPLE = ("alice", "bob", 'O\'Brien "the boss"')
_HBA = """
local all all trust
host all trusting 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""


def releases() -> dict[str, Path]:
    """Folder of binaries by major release."""
    found: dict[str, Path] = {}
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            said = subprocess.run(
                [folder / "postgres", "--version"], capture_output=True, text=True, check=True
            )
            major = re.search(r"\d+", said.stdout)
            if major is not None:
                found.setdefault(major[0], folder)
    return found


class Cluster:
    """`sql` speaks as the superuser, by a socket; everybody else by TCP."""

    def __init__(self, binaries: Path, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="openpim-pg-", dir="/tmp"))
        self._binaries = binaries
        self._as = _user_for_server()
        self._server: subprocess.Popen[bytes] | None = None
        self.major = 0
        self._durable = (
            dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "on") if durable else {}
        )
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.tls = b"libssl" in (binaries / "postgres").read_bytes()  # the wheel's have none
        files = ensure_certificates(self.folder / "tls", ["localhost"], datetime.now(UTC))
        assert files.authority is not None
        self.authority = files.authority.read_text()
        self._files = files
        self._own(self.folder)
        self._run(
            binaries / "initdb",
            "-D",
            self.data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        )
        (self.data / "pg_hba.conf").write_text(_HBA)
        self.start()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        settings = (
            SERVER_SETTINGS
            | self._durable
            | {
                "listen_addresses": "127.0.0.1",
                "port": str(self.port),
                "shared_buffers": "16MB",
                "max_connections": "60",
                "ssl": "on" if self.tls else "off",
                "ssl_cert_file": str(self._files.certificate),
                "ssl_key_file": str(self._files.key),
                "log_statement": "none" if self._durable else "all",
                "password_encryption": "scram-sha-256",
            }
        )
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [self._binaries / "postgres", "-D", self.data, "-k", self.folder, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=_environment(),
                **self._as,
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                self.sql("SELECT 1")
                return
            assert self._server.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "PostgreSQL does not start"
            time.sleep(0.02)

    def stop(self, how: int = signal.SIGINT) -> None:
        """SIGINT ends all sessions; SIGQUIT is a crash."""
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(how)
            self._server.wait(START_SECONDS)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Alive to the network, and silent. Its backends too: each is a process of its own."""
        assert self._server is not None
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self._server.pid)], capture_output=True, text=True, check=True
        )
        pids = [self._server.pid, *map(int, listed.stdout.split())]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def remove(self) -> None:
        self.stop()
        rmtree(self.folder, ignore_errors=True)

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(
            host=str(self.folder), port=self.port, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            cursor = connection.execute(statement, values or None)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def sign_in(self, user: str, password: str = "", **more: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=password or f"{user}'s",
            dbname="postgres",
            autocommit=True,
            connect_timeout=10,
            **more,
        )

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def _own(self, folder: Path) -> None:
        if self._as:
            for one in (folder, *folder.rglob("*")):
                os.chown(one, self._as["user"], self._as["group"])

    def _run(self, *command: Any) -> None:
        subprocess.run(
            command, check=True, cwd=self.folder, env=_environment(), stdout=subprocess.DEVNULL, **self._as
        )
