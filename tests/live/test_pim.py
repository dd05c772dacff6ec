"""`pim` as a person has it: the installed command in a process of its own, at a terminal, against a real server, with
a browser on another device. Two people, two profiles, one configuration folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.robot import Robot
from tests.live.server import environment, live_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PIM = Path(sys.executable).with_name("pim")
CODE = re.compile(r"^  ([A-Z]{8})$", re.MULTILINE)


@dataclass
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Terminal:
    """Runs commands. While one waits for a sign-in on another device, the robot does it."""

    def __init__(self, server, folder: Path, robots: dict[str, Robot]) -> None:
        self.server, self.robots = server, robots
        self.env = {**environment(folder), "PIM_NO_BROWSER": "1"}

    def __call__(self, *argv: str, profile: str = "", robot: str = "", tty: bool = False) -> Ended:
        words = [str(PIM), *(["--profile", profile] if profile else []), *argv]
        with contextlib.ExitStack() as stack:
            stdin: int = subprocess.DEVNULL
            if tty:
                ours, stdin = pty.openpty()
                stack.callback(os.close, ours)
                stack.callback(os.close, stdin)
            process = subprocess.Popen(
                words, env=self.env, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            guard = threading.Timer(60, process.kill)
            guard.start()
            stack.callback(guard.cancel)
            said: list[str] = []
            listener = threading.Thread(target=self._listen, args=(process, robot or profile, said))
            listener.start()
            out = process.stdout.read()
            listener.join()
            process.stdout.close()
            process.stderr.close()
            return Ended(process.wait(60), out, "".join(said))

    def _listen(self, process, who: str, said: list[str]) -> None:
        visited = False
        for line in process.stderr:
            said.append(line)
            found = CODE.match(line)
            if found and not visited:
                visited = True
                threading.Thread(target=self.robots[who].device, args=(found[1],)).start()


def test_two_people_two_profiles(tmp_path):
    with live_server(tmp_path) as server, contextlib.ExitStack() as stack:
        people = ("mira", "jonas")
        robots = {key: stack.enter_context(Robot(server, server.people[key])) for key in people}
        pim = Terminal(server, tmp_path / "desk", robots)

        assert pim("list").code == 5  # sign in first
        for key in people:
            ran = pim("login", "--device", "--server", server.origin, "--ca", server.ca_file, profile=key)
            assert ran.code == 0, ran
            assert server.people[key].username in ran.out
        assert pim("whoami", "-o", "json", profile="mira").json["user"] == server.people["mira"].username
        assert pim("whoami", "-o", "json").json["user"] == server.people["jonas"].username

        eligible = pim("list", "eligible", "-o", "json", profile="mira").json
        assert {"Teams Administrator", "Global Reader", "Security Administrator"} <= {
            each["role"] for each in eligible
        }

        # What the policy demands is named; nothing is sent.
        ran = pim("activate", "Teams Administrator", profile="mira")
        assert ran.code == 8
        assert "-j TEXT" in ran.err
        assert "-t SYSTEM:NUMBER" in ran.err
        assert pim("activate", "No Such Role", profile="mira").code == 6
        assert pim("activate", "Administrator", profile="mira").code == 7

        # Approval by the other person.
        words = ("activate", "Teams Administrator", "-j", "Rooms", "-t", "Changes:CHG-1", "-d", "1h")
        ran = pim(*words, "--no-wait", profile="mira")
        assert ran.code == 3, ran
        asked = pim("requests", "--pending", "-o", "json", profile="mira").json
        assert [each["role"] for each in asked] == ["Teams Administrator"]
        inbox = pim("inbox", "-o", "json", profile="jonas").json
        assert asked[0]["id"] in {each["id"] for each in inbox}
        assert pim("approve", asked[0]["id"], "-j", "Go", profile="mira").code in {4, 6}
        assert pim("approve", asked[0]["id"], "-j", "Go", profile="jonas").code == 0
        ran = pim(*words, profile="mira")
        assert ran.code == 0, ran  # already active is success
        assert "already active" in ran.out
        status = pim("status", "-o", "json", profile="mira")
        assert status.code == 0, status
        assert "Teams Administrator" in status.out

        # Given back too early.
        ran = pim("deactivate", "teams", profile="mira")
        assert ran.code == 8, ran
        assert "five minutes" in ran.err

        # A stronger sign-in, by itself, at a terminal; without one it says what to do.
        ran = pim("activate", "Security Administrator", "-j", "Alert", "-d", "30m", profile="mira")
        assert ran.code == 5, ran
        words = ("activate", "Security Administrator", "-j", "Alert", "-d", "30m")
        ran = pim(*words, profile="mira", tty=True)
        assert ran.code == 0, ran
        assert "enrol" in robots["mira"].steps

        # The server is started anew, with other settings; everybody is still signed in, everything still holds.
        server.restart(activation={"minimum_minutes": 0})
        active = pim("list", "active", "-o", "json", profile="mira").json
        assert {"Teams Administrator", "Security Administrator"} <= {each["role"] for each in active}
        assert pim("deactivate", "--all", profile="mira").code == 0
        assert pim("list", "active", "-o", "json", profile="mira").json == []
        history = pim("history", "-o", "json", profile="mira")
        assert history.code == 0, history
        assert len(history.json) >= 4

        assert pim("logout", profile="mira").code == 0
        assert pim("list", profile="mira").code == 5
        assert pim("list", profile="jonas").code == 0
    assert pim("list", profile="jonas").code == 11  # nobody answers
