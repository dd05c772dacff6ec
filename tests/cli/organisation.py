"""A real OpenPIM with its demo organisation, over HTTPS, and people at terminals of their own."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import tomllib
from pathlib import Path

from tests.cli.person import Person
from tests.cli.running import Ran
from tests.free_ports import two_in_a_row

DATABASE = "openpim.db"
_new: list[Path] = []  # the data of a new organisation, once this process has started one


def _keep(data: Path) -> None:
    """To found an organisation is two thirds of what it costs to start the server: the next one finds it founded."""
    kept = Path(tempfile.mkdtemp(dir=os.environ["OPENPIM_TEST_RUN"].partition(":")[2])) / "data"
    shutil.copytree(data, kept, ignore=shutil.ignore_patterns(f"{DATABASE}*"))
    with (
        contextlib.closing(sqlite3.connect(data / DATABASE)) as its,
        contextlib.closing(sqlite3.connect(kept / DATABASE)) as ours,
    ):
        its.backup(ours)
    _new.append(kept)


class Demo:
    """A running server, and what one needs to sign in there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = two_in_a_row()
        self.origin = f"https://localhost:{self.port}"
        env = {**os.environ, "PIM_CONFIG_HOME": str(folder / "server-config"), "PYTHONUNBUFFERED": "1"}
        if _new:
            shutil.copytree(_new[0], folder / "data")
        words = ["serve", "--demo", "--data-dir", str(folder / "data"), "--port", str(self.port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "openpim.cli", *words],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if line.startswith("Next:"):
                break
        assert "OpenPIM is running" in self.said, self.said
        if not _new:
            _keep(folder / "data")
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        accounts = tomllib.loads((folder / "data/demo-accounts.toml").read_text(encoding="utf-8"))
        self.accounts = {row["user"].partition(".")[0]: row for row in accounts["account"]}
        self.client = accounts.get("client")
        self.domain = accounts["domain"]
        self.ca = str(folder / "data/tls/ca.pem")
        self.people: dict[str, Person] = {}

    def person(self, name: str) -> Person:
        row = self.accounts[name]
        if name not in self.people:
            self.people[name] = Person(row["user"], row["password"], row.get("totp_secret", ""), self.ca)
        return self.people[name]


class Desk:
    """One person at a terminal of one's own."""

    def __init__(self, demo: Demo, name: str, monkeypatch, capsys, tmp_path: Path) -> None:
        self.demo, self.name, self.home = demo, name, tmp_path / name
        self._patch, self._capsys = monkeypatch, capsys

    def __call__(self, *argv: str, answers: list[str] | None = None, tty: bool = True) -> Ran:
        from openpim.cli import __main__ as cli
        from tests.cli.running import Answers

        self._patch.setenv("PIM_CONFIG_HOME", str(self.home))
        person = self.demo.person(self.name)
        self._patch.setattr("openpim.cli.context.Terminal.browse", lambda _, url: bool(person.visit(url)))
        self._patch.setattr(sys, "stdin", Answers(answers or [], tty))
        self._capsys.readouterr()
        code = cli.main(list(argv))
        captured = self._capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    def sign_in(self, *more: str) -> None:
        ran = self("login", "--server", self.demo.origin, "--ca", self.demo.ca, *more)
        assert ran.code == 0, ran
