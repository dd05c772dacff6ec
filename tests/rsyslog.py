"""A real rsyslog for the tests: TLS by certificates made here, one line of what it understood for each message, in a file.

It may be killed at any moment and started again on the same port. Unless told otherwise, messages go from the connection
to the file without a queue in between (queue.type "Direct"), so that what it has read is in the file before it closes a
connection; "LinkedList" is a queue in memory, which is lost with it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from openpim.tls import ensure_certificates

CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
DRIVERS = ("/usr/lib/rsyslog", "/usr/lib/*/rsyslog", "/usr/lib64/rsyslog")
SECONDS = 120.0  # only a failure takes it
_CONFIG = """
global(workDirectory="{folder}" maxMessageSize="16k"
       defaultNetstreamDriverCAFile="{authority}"
       defaultNetstreamDriverCertFile="{certificate}" defaultNetstreamDriverKeyFile="{key}")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="{mode}" streamDriver.authMode="anon")
template(name="understood" type="string"
         string="%protocol-version%\\t%pri%\\t%timereported:::date-rfc3339%\\t%hostname%\\t%app-name%\\t%msgid%\\t%structured-data%\\t%msg%\\n")
ruleset(name="audit" queue.type="{queue}") {{
    action(type="omfile" file="{out}" template="understood" flushOnTXEnd="on" asyncWriting="off")
}}
input(type="imtcp" port="{port}" address="127.0.0.1" ruleset="audit")
"""


class Line(NamedTuple):
    """What rsyslog read in one message."""

    version: str
    priority: str
    time: str
    host: str
    application: str
    message_id: str
    data: str
    text: str


def missing() -> str | None:
    """What is not there, None when all is."""
    daemon = shutil.which("rsyslogd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if daemon is None:
        return "no rsyslog on this machine (Debian: rsyslog, rsyslog-gnutls)"
    if not any(list(Path("/").glob(f"{place[1:]}/lmnsd_gtls.so")) for place in DRIVERS):
        return "rsyslog has no TLS on this machine (Debian: rsyslog-gnutls)"
    return None


class Rsyslog:
    """address: for an audit stream. authority: the file with what its certificate rests on."""

    def __init__(self, folder: Path, port: int, *, tls: bool = True, queue: str = "Direct") -> None:
        problem = missing()
        if problem is not None:
            (pytest.fail if CI else pytest.skip)(problem)
        self.folder = folder
        self.port = port
        self.address = f"{'tls' if tls else 'tcp'}://localhost:{port}"
        files = ensure_certificates(folder / "tls", ["localhost", "127.0.0.1"], datetime.now(UTC))
        assert files.authority is not None
        self.authority = files.authority
        self.out = folder / "out.log"
        self.config = folder / "rsyslog.conf"
        self.config.write_text(
            _CONFIG.format(
                folder=folder,
                authority=files.authority,
                certificate=files.certificate,
                key=files.key,
                mode=1 if tls else 0,
                queue=queue,
                out=self.out,
                port=port,
            )
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
        daemon = shutil.which("rsyslogd", path=path)
        assert daemon is not None
        with (self.folder / "rsyslog.log").open("ab") as log:
            self._process = subprocess.Popen(
                [daemon, "-n", "-f", str(self.config), "-i", str(self.folder / "rsyslog.pid")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        ends = time.monotonic() + SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if self._process.poll() is not None or time.monotonic() > ends:
                said = (self.folder / "rsyslog.log").read_text(errors="replace")[-2000:]
                raise AssertionError(f"rsyslog does not start:\n{said}")
            time.sleep(0.02)

    def freeze(self) -> None:
        """It takes connections no more, but the system does so for it, and keeps what comes until it dies."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def kill(self, number: int = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(SECONDS)
            self._process = None
            (self.folder / "rsyslog.pid").unlink(missing_ok=True)

    def lines(self) -> list[Line]:
        """Whole lines only: one may be half written."""
        text = self.out.read_text("utf-8") if self.out.exists() else ""
        return [Line(*line.split("\t", 7)) for line in text.split("\n")[:-1]]
