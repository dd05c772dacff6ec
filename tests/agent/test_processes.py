"""Which processes rest on a privilege: told from a /proc in a folder."""

from __future__ import annotations

import os
import subprocess
import threading

import pytest

from openpim.agent import processes
from openpim.agent.configuration import SudoRule
from openpim.agent.sudoers import allows

ANN, BOB, GROUP = 61001, 61002, 61500
UNSET = 4294967295


class Proc:
    def __init__(self, folder):
        self.folder = folder

    def add(
        self, pid, parent, uid=0, *, groups=(), login=UNSET, sudo=None, command="", cgroup="0::/", memory=True
    ):
        folder = self.folder / str(pid)
        folder.mkdir()
        (folder / "stat").write_text(f"{pid} (a) b) c) S {parent} " + " ".join(str(n) for n in range(5, 40)))
        size = "VmSize:\t 10 kB\n" if memory else ""
        (folder / "status").write_text(
            f"Name:\tx\n{size}Uid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t{uid}\t{uid}\t{uid}\t{uid}\n"
            f"Groups:\t{' '.join(str(one) for one in groups)} \n"
        )
        (folder / "loginuid").write_text(str(login))
        (folder / "cgroup").write_text(cgroup + "\n")
        entries = ["PATH=/bin"] + (
            [f"SUDO_UID={sudo}", f"SUDO_COMMAND={command}"] if sudo is not None else []
        )
        (folder / "environ").write_bytes("\0".join(entries).encode() + b"\0")

    def sudo(self, uid=ANN, spared=lambda _command: False):
        return processes.by_sudo(uid, spared)(processes.all_of_them(str(self.folder)))

    def group(self, uid=ANN):
        return processes.in_group(GROUP, uid)(processes.all_of_them(str(self.folder)))


@pytest.fixture
def proc(tmp_path):
    made = Proc(tmp_path)
    made.add(1, 0)
    made.add(2, 0, memory=False)  # the kernel's
    return made


def test_a_login_over_ssh_and_what_sudo_started(proc):
    proc.add(100, 1)  # sshd
    proc.add(
        101, 100, login=ANN, cgroup="0::/user.slice/user-61001.slice/session-3.scope"
    )  # sshd: ann [priv]
    proc.add(102, 101, ANN, login=ANN)  # sshd: ann@pts/0
    proc.add(103, 102, ANN, login=ANN)  # her shell
    proc.add(104, 103, 0, login=ANN)  # sudo
    proc.add(105, 104, 0, login=ANN, sudo=ANN, command="/usr/bin/top")
    proc.add(106, 105, ANN, login=ANN)  # back to herself, below it
    proc.add(200, 1, 0, login=BOB, sudo=BOB, command="/usr/bin/top")
    assert proc.sudo() == {104, 105}
    assert proc.sudo(BOB) == {200}


def test_a_job_that_left_its_parents(proc):
    proc.add(300, 1, 0, sudo=ANN, command="/usr/bin/x")
    proc.add(301, 1, 0, login=ANN)
    proc.add(302, 1, 0, cgroup="0::/user.slice/user-61001.slice/session-3.scope")
    proc.add(303, 300)
    proc.add(304, 1, 0, login=BOB)
    proc.add(305, 1)
    assert proc.sudo() == {300, 301, 302, 303}


def test_what_another_rule_allows_stays(proc):
    rules = {"payroll": SudoRule(("/usr/bin/x -a", "/usr/bin/y")), "all": SudoRule(("ALL",))}
    proc.add(400, 1, 0, sudo=ANN, command="/usr/bin/x -b")
    proc.add(401, 1, 0, sudo=ANN, command="/usr/bin/z")
    proc.add(402, 1, 0, login=ANN)
    assert proc.sudo(spared=lambda command: allows(rules, {"payroll"}, command)) == {401, 402}
    assert proc.sudo(spared=lambda command: allows(rules, set(), command)) == {400, 401, 402}
    assert proc.sudo(spared=lambda command: allows(rules, {"all"}, command)) == {402}


def test_a_group_is_in_the_process(proc):
    proc.add(500, 1, ANN, groups=(ANN, GROUP))
    proc.add(501, 1, ANN, groups=(ANN,))
    proc.add(502, 1, BOB, groups=(GROUP,))
    proc.add(503, 1, 0, groups=(GROUP,))
    assert proc.group() == {500}


def test_a_circle_of_parents_and_broken_entries(proc, tmp_path):
    proc.add(600, 601, 0, login=ANN)
    proc.add(601, 600)
    (tmp_path / "602").mkdir()
    (tmp_path / "603").mkdir()
    (tmp_path / "603" / "stat").write_text("nonsense")
    assert 600 in proc.sudo()


def test_who_does_not_listen_is_killed_and_what_he_starts_too():
    """Real ones: they ignore the polite signal and start another that does the same."""
    script = (
        "trap '' TERM; sh -c 'trap \"\" TERM; while :; do sleep 0.05; done' & while :; do sleep 0.05; done"
    )
    with subprocess.Popen(["sh", "-c", script], start_new_session=True) as shell:

        def chosen(some):
            def below(one):
                while one is not None and one.pid != 1:
                    if one.pid == shell.pid:
                        return True
                    one = some.get(one.parent)
                return False

            return {pid for pid, one in some.items() if below(one)} | (
                {p for p in [orphan] if p in some} if orphan else set()
            )

        orphan = 0
        for _ in range(100):
            some = processes.all_of_them()
            children = [one.pid for one in some.values() if one.parent == shell.pid]
            if children:
                orphan = children[0]
                break
            threading.Event().wait(0.02)
        assert processes.end(chosen, threading.Event().wait) == 0
        assert shell.wait(5) == -9


def test_nobody_else_is_hit(monkeypatch):
    """The number of a process that has ended is another's now."""
    with subprocess.Popen(["sleep", "30"]) as other:
        mine = processes.look(other.pid)
        assert mine is not None
        from dataclasses import replace

        processes._send(replace(mine, started=mine.started - 1), 9)
        assert other.poll() is None
        processes._send(mine, 9)
        assert other.wait(5) == -9
    assert processes.look(os.getpid()).pid == os.getpid()
