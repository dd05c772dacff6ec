"""A real `pim serve --demo` in a folder of its own, and the people of the demo with their browsers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.free_ports import two_in_a_row

ROOT = Path(__file__).parents[2]
PIM = [sys.executable, "-m", "openpim.cli"]


class DemoServer:
    """folder: where commands run, with `openpim-data` below it, as after `make run` in a checkout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.origin = f"https://localhost:{two_in_a_row()}"
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PIM_", "PERSON_"))},
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHONPATH": str(ROOT),
            "NO_COLOR": "1",
            "PERSON_CA": str(folder / "openpim-data/tls/ca.pem"),
            "BROWSER": f"{sys.executable} -m tests.cli.person %s",
        }
        self.process: subprocess.Popen[str] | None = None

    def start(self, options: Sequence[str] = ("--demo",)) -> list[str]:
        """Start it and wait for the last line it prints; returns the lines."""
        log = (self.folder / "server.err").open("w")
        self.process = subprocess.Popen(
            [*PIM, "serve", *options, "--port", self.origin.rpartition(":")[2]],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        log.close()
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("Next:"):
                return lines
        self.process.wait(20)  # it has said all it has to say
        raise AssertionError(f"the server did not start: {lines} {self.errors()}")

    def stop(self) -> None:
        """As people do: Ctrl-C, which is no fault."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            assert self.process.wait(20) == 0
        if self.process.stdout is not None:
            self.process.stdout.close()

    def errors(self) -> str:
        return (self.folder / "server.err").read_text()

    @property
    def accounts(self) -> dict[str, Any]:
        return tomllib.loads((self.folder / "openpim-data/demo-accounts.toml").read_text(encoding="utf-8"))

    def as_person(self, user: str) -> dict[str, str]:
        """The environment in which this person sits at the browser."""
        found = next(one for one in self.accounts["account"] if one["user"] == user)
        return {
            **self.env,
            "PERSON_NAME": found["user"],
            "PERSON_PASSWORD": found["password"],
            "PERSON_SEED": found.get("totp_secret", ""),
        }

    def run(self, arguments: Sequence[str], user: str = "") -> tuple[int, str]:
        """`pim` with these arguments; its exit code, and its output with its errors."""
        done = subprocess.run(
            [*PIM, *arguments],
            cwd=self.folder,
            env=self.as_person(user) if user else self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout
