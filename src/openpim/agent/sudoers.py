"""Drop-ins of /etc/sudoers.d, one for each privilege, named so that every one that is not wanted is known to be ours and goes.

NOTAFTER ends it in sudo itself even when nothing of ours runs; TIMEOUT ends the command. Our own clock ends it first.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from openpim.agent import files
from openpim.agent.configuration import SudoRule

PREFIX: Final = "OpenPIM-"
_VISUDO: Final = ("/usr/sbin/visudo", "/usr/bin/visudo", "/sbin/visudo")
_SECONDS: Final = 10


class SudoersError(Exception):
    """A drop-in that could not be written. The text says why."""


def name_of(user: str, rule: str) -> str:
    return PREFIX + hashlib.sha256(f"{user}\0{rule}".encode()).hexdigest()[:24]


def content_of(user: str, name: str, rule: SudoRule, until: datetime | None, timeout: int) -> bytes:
    """timeout: seconds that a command may run; 0: as long as it likes. until: the moment it ends; sudo counts whole
    seconds and lets somebody in during the last one that it is told."""
    parts = [f"{user} ALL=({rule.run_as})"]
    if until is not None:
        last = until - timedelta(microseconds=1)
        parts.append(f"NOTAFTER={last.astimezone(UTC):%Y%m%d%H%M%S}Z")
    if timeout:
        parts.append(f"TIMEOUT={timeout}")
    tag = "PASSWD:" if rule.password else "NOPASSWD:"
    line = f"{' '.join(parts)} {tag} {', '.join(rule.commands)}"
    head = f"# sudo:{name} for {user}, by OpenPIM, which removes it at its end. Do not change: it is written anew."
    return f"{head}\n{line}\n".encode()


class Sudoers:
    """folder: /etc/sudoers.d."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def present(self) -> dict[str, bytes]:
        """Our drop-ins with their content, by name."""
        with files.directory(self._folder) as place:
            names = [one for one in os.listdir(place) if one.startswith(PREFIX)]  # noqa: PTH208
            return {one: _content(place, one) for one in names}

    def write(self, name: str, content: bytes) -> None:
        """Raises SudoersError, OSError."""
        with files.directory(self._folder) as place:
            files.replace(place, name, content, 0o440, check=self._check)

    def remove(self, name: str) -> None:
        with files.directory(self._folder) as place:
            files.remove(place, name)

    def sweep(self) -> None:
        """Unfinished files of an agent that was killed."""
        with files.directory(self._folder) as place:
            for one in os.listdir(place):  # noqa: PTH208
                if one.startswith(f".{PREFIX}") and one.endswith(".tmp~"):
                    files.remove(place, one)

    def _check(self, unfinished: str) -> None:
        visudo = next((one for one in _VISUDO if os.access(one, os.X_OK)), None)
        if visudo is None:
            raise SudoersError("there is no visudo on this host: install sudo")
        path = os.path.join(self._folder, unfinished)  # noqa: PTH118
        try:
            ran = subprocess.run(  # noqa: S603 - our own path and file
                [visudo, "-cqf", path],
                capture_output=True,
                timeout=_SECONDS,
                env={},
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SudoersError("visudo did not answer") from error
        if ran.returncode:
            said = ran.stderr.decode(errors="replace").strip().replace("\n", " ")[:200]
            raise SudoersError(f"visudo does not take it: {said}")


def _content(place: int, name: str) -> bytes:
    """What cannot be read (a link, a folder's name) is like nothing: not what is wanted, so it goes."""
    try:
        return files.read(place, name) or b""
    except (OSError, files.UnsafePlaceError):
        return b""


def allows(rules: Mapping[str, SudoRule], kept: set[str], command: str) -> bool:
    """Whether a command that runs may rest on one of the rules that stay. command: what sudo ran, from SUDO_COMMAND."""
    program = command.split(" ", 1)[0]
    for name in kept:
        rule = rules.get(name)
        if rule and any(one == "ALL" or one.split(" ", 1)[0] == program for one in rule.commands):
            return True
    return False
