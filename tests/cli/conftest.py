"""Fixtures for the tests of `pim`: a fake server, a configuration folder, and a way to run commands."""

from __future__ import annotations

import json
import os
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import fake as fake_module
from openpim.cli import __main__ as cli
from openpim.client import clock
from openpim.client.profiles import write_profile


class Ran:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def __repr__(self) -> str:
        return f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


class Pim:
    """Runs `pim` in this process, without a person unless `answers` are given."""

    def __init__(self, monkeypatch: Any, capsys: Any, server: Any) -> None:
        self._patch, self._capsys, self.server = monkeypatch, capsys, server
        self.fake: fake_module.Fake = server.fake
        self.opened: list[str] = []

    def __call__(self, *argv: str, answers: list[str] | None = None, tty: bool = False) -> Ran:
        stdin = Answers(answers or [], tty or answers is not None)
        self._patch.setattr(sys, "stdin", stdin)
        self._capsys.readouterr()
        code = cli.main(list(argv))
        captured = self._capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    def browse(self, url: str) -> bool:
        """A browser with a person who signs in at once."""
        self.opened.append(url)
        threading.Thread(target=lambda: urllib.request.urlopen(url).read(), daemon=True).start()
        return True


class Answers:
    def __init__(self, lines: list[str], tty: bool) -> None:
        self.lines, self.tty = list(lines), tty

    def isatty(self) -> bool:
        return self.tty

    def readline(self) -> str:
        return self.lines.pop(0) + "\n" if self.lines else ""


@pytest.fixture
def fake() -> fake_module.Fake:
    return fake_module.Fake()


@pytest.fixture
def server(fake):
    running = fake_module.start(fake)
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    for name in ("PIM_PROFILE", "PIM_ACCESS_TOKEN", "PIM_CLIENT_ID", "PIM_CLIENT_SECRET", "NO_COLOR", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIM_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def pim(server, home, monkeypatch, capsys) -> Pim:
    """A `pim` that knows the fake server; not signed in."""
    write_profile("test", server=server.url, tenant="common")
    runner = Pim(monkeypatch, capsys, server)
    monkeypatch.setattr("openpim.cli.context.Terminal.browse", lambda _, url: runner.browse(url))
    return runner


@pytest.fixture
def quick(monkeypatch):
    """Waiting takes no time, but passes it."""
    passed = [0.0]
    real = clock.monotonic

    def sleep(seconds: float) -> None:
        passed[0] += max(0.0, seconds)

    monkeypatch.setattr(clock, "sleep", sleep)
    monkeypatch.setattr(clock, "monotonic", lambda: real() + passed[0])
    return passed


@pytest.fixture
def signed_in(pim, quick) -> Pim:
    """The same, signed in as Anna."""
    ran = pim("login")
    assert ran.code == 0, ran
    pim.fake.seen.clear()
    return pim
