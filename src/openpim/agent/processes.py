"""What somebody started while he had a privilege, and that must not outlive it.

A process carries a group in its own list of groups, whatever it does to hide. What runs as somebody else under a person's
login is known by the login itself (the audit's loginuid), by his slice of control groups where systemd is, by what sudo
leaves in its environment, and by its parents. Whoever was root without bounds could wipe all of these: give rules for
single commands.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_ROUNDS: Final = 60
_PAUSE: Final = 0.05  # s between two looks
_GENTLE: Final = 10  # looks in which processes are asked, before they are killed
_UNSET: Final = 4294967295


@dataclass(frozen=True, slots=True)
class Process:
    """started: in clock ticks since the host did; with the pid it is this process and no other. uids: real, effective,
    saved. command: SUDO_COMMAND, "" without."""

    pid: int
    started: int
    parent: int
    uids: tuple[int, int, int]
    groups: frozenset[int]
    login: int
    slice: int
    sudo: int
    command: str


def all_of_them(proc: str = "/proc") -> dict[int, Process]:
    found = {}
    for name in os.listdir(proc):  # noqa: PTH208
        if name.isdigit():
            one = look(int(name), proc)
            if one is not None:
                found[one.pid] = one
    return found


def look(pid: int, proc: str = "/proc") -> Process | None:
    """None when it is gone, a zombie or the kernel's own."""
    folder = f"{proc}/{pid}"
    try:
        stat = _read(f"{folder}/stat").rpartition(b")")[2].split()
        status = dict(
            line.split(b":\t", 1) for line in _read(f"{folder}/status").split(b"\n") if b":\t" in line
        )
        if stat[0] in {b"Z", b"X"} or b"VmSize" not in status:
            return None
        uids = [int(one) for one in status[b"Uid"].split()]
        groups = {int(one) for one in (*status.get(b"Groups", b"").split(), *status[b"Gid"].split())}
    except (OSError, ValueError, IndexError, KeyError):
        return None
    login = slice_ = sudo = _UNSET
    command = ""
    with contextlib.suppress(OSError, ValueError):
        login = int(_read(f"{folder}/loginuid"))
    with contextlib.suppress(OSError, ValueError):
        _, found, rest = _read(f"{folder}/cgroup").partition(b"/user-")
        slice_ = int(rest.partition(b".slice")[0]) if found else _UNSET
    with contextlib.suppress(OSError, ValueError):
        for entry in _read(f"{folder}/environ").split(b"\0"):
            if entry.startswith(b"SUDO_UID="):
                sudo = int(entry[9:])
            elif entry.startswith(b"SUDO_COMMAND="):
                command = entry[13:].decode("utf-8", "replace")
    return Process(
        pid,
        int(stat[19]),
        int(stat[1]),
        (uids[0], uids[1], uids[2]),
        frozenset(groups),
        login,
        slice_,
        sudo,
        command,
    )


def in_group(gid: int, uid: int) -> Callable[[dict[int, Process]], set[int]]:
    """Those of a person that have a group."""

    def chosen(some: dict[int, Process]) -> set[int]:
        return {pid for pid, one in some.items() if gid in one.groups and uid in one.uids}

    return chosen


def by_sudo(uid: int, spared: Callable[[str], bool]) -> Callable[[dict[int, Process]], set[int]]:
    """Those that run as somebody else and that a person has started. spared: whether one that runs this stays."""

    def chosen(some: dict[int, Process]) -> set[int]:
        marked: set[int] = set()
        for pid in some:
            line: list[int] = []
            step = some.get(pid)
            while step is not None and step.pid not in line and len(line) < 1000:
                line.append(step.pid)
                if uid in {step.login, step.slice, step.sudo} or uid == step.uids[0]:
                    marked.update(line)
                    break
                step = some.get(step.parent)
        # Not his own ordinary ones; and not the daemon that let him in, which is root's on both sides of him.
        others = {pid for pid in marked if set(some[pid].uids) != {uid} and not _lets_in(some, pid, uid)}
        return {pid for pid in others if not (some[pid].command and spared(some[pid].command))}

    return chosen


def _lets_in(some: dict[int, Process], pid: int, uid: int) -> bool:
    """A server process with the person's shell below it (sshd, login), which sudo has not started."""
    one = some[pid]
    if one.sudo == uid or one.uids != (0, 0, 0):
        return False
    above = one
    for _ in range(1000):
        if above.sudo == uid or above.uids[0] == uid:
            return False  # he is above it: it is his doing
        parent = some.get(above.parent)
        if parent is None:
            break
        above = parent
    return any(child.parent == pid and child.uids[0] == uid for child in some.values())


def end(
    chosen: Callable[[dict[int, Process]], set[int]],
    wait: Callable[[float], object],
    proc: str = "/proc",
) -> int:
    """End them, and those that they start meanwhile. Returns how many are still there; 0 but for processes that the kernel
    holds fast."""
    me = {os.getpid()}
    left: set[int] = set()
    for number in range(_ROUNDS):
        some = all_of_them(proc)
        left = chosen(some) - me
        if not left:
            return 0
        for pid in left:
            if number >= _GENTLE:
                _send(some[pid], signal.SIGKILL)
            elif number % 5 == 0:
                _send(some[pid], signal.SIGTERM)
        wait(_PAUSE)
    return len(left)


def _send(one: Process, number: int) -> None:
    """To this process, and not to another that has its number since."""
    try:
        descriptor = os.pidfd_open(one.pid)
    except OSError:
        return
    try:
        again = look(one.pid)
        if again is not None and again.started == one.started:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(descriptor, number)
    finally:
        os.close(descriptor)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read(1_000_000)
