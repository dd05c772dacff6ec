"""A real MariaDB as an ordinary process: data of its own, a socket for root, TCP with TLS for everybody else."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pymysql

from openpim.tls import ensure_certificates
from tests.connectors.contract import SECRET

START_SECONDS = 60
PASSWORD = f"{SECRET}-of-pim"
_SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


def missing() -> str | None:
    for program in ("mariadbd", "mariadb-install-db"):
        if shutil.which(program, path=_SBIN) is None:
            return f"no {program} on this machine (Debian: mariadb-server)"
    return None


class Server:
    """`sql` speaks as root, by the socket."""

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="openpim-my-", dir="/tmp" if durable else _where()))
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self._as = _user()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        files = ensure_certificates(self.folder / "tls", ["localhost"], datetime.now(UTC))
        assert files.authority is not None
        self.authority = files.authority.read_text()
        self._files = files
        self._own()
        subprocess.run(
            [
                _program("mariadb-install-db"),
                "--no-defaults",
                f"--datadir={self.folder / 'data'}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
                "--innodb-log-file-size=4M",
                "--innodb-buffer-pool-size=8M",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            **self._as,
        )
        self.start()

    def start(self, *more: str) -> None:
        with (self.folder / "log").open("ab") as log:
            before = log.tell()
            self._process = subprocess.Popen(
                [
                    _program("mariadbd"),
                    "--no-defaults",
                    f"--datadir={self.folder / 'data'}",
                    f"--socket={self.folder / 'socket'}",
                    f"--pid-file={self.folder / 'pid'}",
                    f"--port={self.port}",
                    "--bind-address=127.0.0.1",
                    "--skip-name-resolve",
                    "--skip-log-bin",
                    "--event-scheduler=ON",
                    f"--innodb-flush-log-at-trx-commit={int(self._durable)}",
                    "--innodb-buffer-pool-size=8M",
                    "--innodb-log-file-size=4M",
                    "--performance-schema=OFF",
                    f"--ssl-cert={self._files.certificate}",
                    f"--ssl-key={self._files.key}",
                    *more,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._as,
            )
        deadline = time.monotonic() + START_SECONDS
        while b"ready for connections" not in (self.folder / "log").read_bytes()[before:]:
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "MariaDB does not start"
            time.sleep(0.03)

    def stop(self, how: int = signal.SIGKILL) -> None:
        """A crash, unless told otherwise: it is quicker, and worse."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(START_SECONDS)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Alive to the network, and silent."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, *statements: str, values: tuple[Any, ...] = (), pim: bool = False) -> list[tuple[Any, ...]]:
        """What the last one gave. pim: as OpenPIM's account. A role that it administers, not even root may give."""
        connection = pymysql.connect(
            unix_socket=str(self.folder / "socket"),
            user="pim" if pim else "root",
            password=PASSWORD if pim else "",
            autocommit=True,
            charset="utf8mb4",
        )
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    def sign_in(self, user: str) -> Any:
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=f"{user}'s",
            autocommit=True,
            connect_timeout=10,
            charset="utf8mb4",
        )

    def _own(self) -> None:
        if self._as:
            for one in (self.folder, *self.folder.rglob("*")):
                os.chown(one, self._as["user"], self._as["group"])


def _where() -> str:
    """In memory where there is room: making the tables waits for the disk hundreds of times."""
    with contextlib.suppress(FileNotFoundError):
        if shutil.disk_usage("/dev/shm").free > 1 << 30:
            return "/dev/shm"
    return "/tmp"


def _program(name: str) -> str:
    found = shutil.which(name, path=_SBIN)
    assert found is not None
    return found


def _user() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("mysql")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
