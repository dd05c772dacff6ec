"""Local Unix groups: /etc/group and /etc/gshadow, changed under the lock that the system's own tools take."""

from __future__ import annotations

import contextlib
import fcntl
import grp
import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from openpim.agent import files

_NOBODY: Final = 65534


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int


class GroupsError(Exception):
    """A membership that could not be read or changed. The text says why."""


class Accounts:
    """root: "/", or where a test keeps its own etc."""

    def __init__(self, root: str = "/") -> None:
        self._etc = os.path.join(root, "etc")  # noqa: PTH118
        self._real = root == "/"

    def find(self, user: str) -> Account | None:
        """By the system's own ways (which may ask a directory), or the test's passwd."""
        if self._real:
            try:
                found = pwd.getpwnam(user)
            except KeyError:
                return None
            return Account(found.pw_uid, found.pw_gid) if found.pw_name == user else None
        for line in self._lines("passwd"):
            parts = line.split(":")
            if parts[0] == user and len(parts) > 3:
                return Account(int(parts[2]), int(parts[3]))
        return None

    def members(self, group: str) -> frozenset[str]:
        """Of a local group. Raises GroupsError when there is none."""
        for line in self._lines("group"):
            parts = line.split(":")
            if parts[0] == group and len(parts) == 4:
                return frozenset(one for one in parts[3].split(",") if one)
        raise GroupsError(f"there is no local group {group}")

    def gid(self, group: str) -> int:
        for line in self._lines("group"):
            parts = line.split(":")
            if parts[0] == group and len(parts) == 4:
                return int(parts[2])
        raise GroupsError(f"there is no local group {group}")

    def put(self, user: str, group: str, *, member: bool) -> None:
        """Make somebody a member, or none. Raises GroupsError, OSError."""
        if self.gid(group) == 0:
            raise GroupsError("the group of root is not given")
        with files.directory(self._etc) as place, _locked(place):
            for name, fields in (("group", 4), ("gshadow", 4)):
                self._change(place, name, fields, user, group, member=member)
        if self._real and (user in grp.getgrnam(group).gr_mem) != member:
            raise GroupsError(f"the system does not see the change of the group {group}")

    def _change(self, place: int, name: str, fields: int, user: str, group: str, *, member: bool) -> None:
        content = files.read(place, name, 64_000_000)
        if content is None:
            return
        lines, changed = [], False
        for line in content.decode("utf-8", "surrogateescape").split("\n"):
            parts = line.split(":")
            if parts[0] == group and len(parts) == fields:
                there = [one for one in parts[3].split(",") if one]
                if (user in there) != member:
                    after = [*there, user] if member else [one for one in there if one != user]
                    line = ":".join([*parts[:3], ",".join(after)])  # noqa: PLW2901
                    changed = True
            lines.append(line)
        if changed:
            status = os.stat(name, dir_fd=place, follow_symlinks=False)
            text = "\n".join(lines).encode("utf-8", "surrogateescape")
            files.replace(place, name, text, status.st_mode & 0o777, owner=(status.st_uid, status.st_gid))

    def _lines(self, name: str) -> list[str]:
        with files.directory(self._etc) as place:
            content = files.read(place, name, 64_000_000) or b""
        return content.decode("utf-8", "surrogateescape").split("\n")


def is_person(account: Account, least_uid: int) -> bool:
    return account.uid >= max(1, least_uid) and account.uid != _NOBODY


@contextlib.contextmanager
def _locked(place: int) -> Iterator[None]:
    """As lckpwdf(3) does, which useradd and gpasswd use. Ends with the descriptor, whatever happens."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(".pwd.lock", flags, 0o600, dir_fd=place)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
