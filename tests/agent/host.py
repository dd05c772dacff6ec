"""A host in a folder: accounts, groups and sudoers.d of its own; and the parts of an agent that keeps it."""

from __future__ import annotations

import os
import shutil
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from openpim.agent.configuration import Configuration, SudoRule
from openpim.agent.enforcing import Enforcer
from openpim.agent.groups import Accounts
from openpim.agent.sudoers import Sudoers

CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
PEOPLE = {"ann": 61001, "bob": 61002}
GROUPS = {"docker": 61500, "adm": 61501}
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def need_visudo() -> None:
    if shutil.which("visudo", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        (pytest.fail if CI else pytest.skip)("no sudo on this machine (Debian: sudo)")


class HandClock:
    """wall and elapsed are moved apart from each other."""

    def __init__(self) -> None:
        self.now, self.seconds, self.started = NOW, 1000.0, "boot-1"

    def wall(self):
        return self.now

    def elapsed(self):
        return self.seconds

    def boot(self):
        return self.started

    def pass_(self, seconds):
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


class FakeHost:
    def __init__(self, folder: Path, people: dict[str, int] = PEOPLE) -> None:
        need_visudo()
        self.root = folder
        self.etc = folder / "etc"
        self.sudoers = self.etc / "sudoers.d"
        self.state = folder / "state"
        self.sudoers.mkdir(parents=True)
        self.state.mkdir(mode=0o700)
        lines = ["root:x:0:0::/root:/bin/sh", "daemon:x:1:1::/:/bin/sh", "nobody:x:65534:65534::/:/bin/sh"]
        lines += [f"{name}:x:{uid}:{uid}::/:/bin/sh" for name, uid in people.items()]
        (self.etc / "passwd").write_text("\n".join(lines) + "\n")
        groups = ["root:x:0:", "daemon:x:1:", *(f"{name}:x:{gid}:" for name, gid in GROUPS.items())]
        (self.etc / "group").write_text("\n".join(groups) + "\n")
        (self.etc / "gshadow").write_text("".join(f"{name}:!::\n" for name in GROUPS))
        self.configuration = Configuration(
            state=str(self.state),
            sudo={"payroll": SudoRule(("/usr/bin/id -u", "/bin/sleep"))},
            groups=frozenset({"docker", "adm"}),
        )

    def enforcer(self, clock) -> Enforcer:
        return Enforcer(
            self.configuration,
            Accounts(str(self.root)),
            Sudoers(str(self.sudoers)),
            clock,
            threading.Event().wait,
        )

    def members(self, group: str, file: str = "group") -> list[str]:
        for line in (self.etc / file).read_text().splitlines():
            if line.startswith(f"{group}:"):
                return [one for one in line.rsplit(":", 1)[1].split(",") if one]
        raise AssertionError(group)

    def give(self, user: str, group: str) -> None:
        file = self.etc / "group"
        lines = file.read_text().splitlines()
        changed = [
            (line + ("," if not line.endswith(":") else "") + user) if line.startswith(f"{group}:") else line
            for line in lines
        ]
        file.write_text("\n".join(changed) + "\n")

    def drop_ins(self) -> list[str]:
        return sorted(one.read_text().splitlines()[1] for one in self.sudoers.iterdir())

    def has(self, user: str, entitlement: str) -> bool:
        kind, _, name = entitlement.partition(":")
        if kind == "group":
            return user in self.members(name)
        return any(line.startswith(f"{user} ALL=") for line in self.drop_ins())
