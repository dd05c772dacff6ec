"""Run `pim` in this process, with or without a person, and see what it printed."""

from __future__ import annotations

import json
import sys
import threading
import urllib.request
from typing import Any

from openpim.cli import __main__ as cli
from tests.cli.fake import Fake


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
        self.fake: Fake = server.fake
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
