"""Run by test_sudo.py in a mount namespace of its own, as root: /etc is a copy, with two people in it; the real sudo and the
real agent's hands. Prints what was seen, as JSON."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from openpim.agent.clock import Clock
from openpim.agent.configuration import Configuration, SudoRule
from openpim.agent.enforcing import Enforcer
from openpim.agent.groups import Accounts
from openpim.agent.lease import Lease, heard
from openpim.agent.sudoers import Sudoers

UID = 61001
SEEN: dict[str, object] = {}


def as_ann(*command: str) -> list[str]:
    return ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--init-groups", "--", *command]


def out(*command: str) -> str:
    ran = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20, check=False
    )
    return ran.stdout.strip() if ran.returncode == 0 else f"no ({ran.returncode})"


def may() -> bool:
    return out(*as_ann("sudo", "-n", "/usr/bin/id", "-u")) == "0"


def running(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def started(command: list[str], file: Path) -> int:
    """The process id that it writes down; whoever started it is gone then."""
    subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=20,
        check=True,
    )
    for _ in range(200):
        with contextlib.suppress(OSError, ValueError):
            return int(file.read_text())
        time.sleep(0.05)
    raise AssertionError(command)


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="pim-agent-"))
    folder.chmod(0o755)
    shutil.copytree(
        "/etc", folder / "etc", symlinks=True, ignore=shutil.ignore_patterns("ssl", "alternatives")
    )
    for name in ("passwd", "group", "shadow"):
        status = os.stat(f"/etc/{name}")
        os.chown(folder / "etc" / name, status.st_uid, status.st_gid)
    with (folder / "etc/passwd").open("a") as file:
        file.write(f"pimann:x:{UID}:{UID}::/:/bin/sh\n")
    with (folder / "etc/shadow").open("a") as file:
        file.write("pimann:*:19000:0:99999:7:::\n")
    with (folder / "etc/group").open("a") as file:
        file.write(f"pimann:x:{UID}:\npimgroup:x:61500:\n")
    work = folder / "work"
    work.mkdir(mode=0o777)
    work.chmod(0o777)
    job = work / "job.sh"
    job.write_text(
        '#!/bin/sh\nsetsid sh -c \'echo $$ >"$0"; exec sleep 300\' "$1" </dev/null >/dev/null 2>&1 &\n'
    )
    job.chmod(0o755)
    subprocess.run(["mount", "--bind", str(folder / "etc"), "/etc"], check=True)
    try:
        story(folder, work, job)
    finally:
        subprocess.run(["umount", "-l", "/etc"], check=False)
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(SEEN))


def story(folder: Path, work: Path, job: Path) -> None:
    state = folder / "state"
    state.mkdir(mode=0o700)
    configuration = Configuration(
        state=str(state),
        sudo={"payroll": SudoRule(("/usr/bin/id -u", str(job)))},
        groups=frozenset({"pimgroup"}),
    )
    clock, version = Clock(), iter(range(1, 100))
    enforcer = Enforcer(configuration, Accounts(), Sudoers("/etc/sudoers.d"), clock, threading.Event().wait)
    lease = Lease()

    def say(*edges: tuple[str, float]) -> list[object]:
        nonlocal lease
        now = datetime.now(UTC)
        answer = {
            "version": next(version),
            "serverTime": now.isoformat(),
            "leaseSeconds": 600,
            "edges": [["pimann", what, (now + timedelta(seconds=left)).isoformat()] for what, left in edges],
        }
        lease = heard(lease, answer, clock.boot(), clock.elapsed())
        lease, report = enforcer.enforce(lease)
        return [report.edges, report.lingering, report.errors]

    SEEN["before"] = may()
    SEEN["granted"] = len(say(("sudo:payroll", 600), ("group:pimgroup", 600))[0])
    SEEN["after"] = may()
    SEEN["another command"] = out(*as_ann("sudo", "-n", "/usr/bin/whoami"))
    SEEN["groups"] = out(*as_ann("id", "-Gn"))
    root_job = started(as_ann("sudo", "-n", str(job), str(work / "root.pid")), work / "root.pid")
    group_job = started(as_ann(str(job), str(work / "group.pid")), work / "group.pid")
    SEEN["root job"] = Path(f"/proc/{root_job}/status").read_text().split("Uid:")[1].split()[0]
    began = time.monotonic()
    ended = say()
    SEEN["ended"] = [len(one) for one in ended]
    SEEN["seconds to end"] = time.monotonic() - began
    SEEN["still"] = [running(root_job), running(group_job)]
    SEEN["after the end"] = may()
    SEEN["groups after"] = out(*as_ann("id", "-Gn"))
    # An ordinary process of hers, without the group, is nobody's business.
    plain = started(as_ann(str(job), str(work / "plain.pid")), work / "plain.pid")
    say(("sudo:payroll", 600))
    say()
    SEEN["ordinary process"] = running(plain)
    os.kill(plain, 9)
    # Nobody of ours runs: sudo itself ends it.
    say(("sudo:payroll", 2.0))
    SEEN["short"] = may()
    time.sleep(3.1)  # sudo counts whole seconds
    SEEN["by sudo alone"] = may()
    say()


if __name__ == "__main__":
    sys.exit(main())
