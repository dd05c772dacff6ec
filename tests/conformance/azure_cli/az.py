"""`az` as somebody has it: the unmodified command in a process of its own, with a configuration folder of its own, told
nothing of the server but the address of its resource manager.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.live.robot import Robot
from tests.live.server import REPOSITORY, LiveServer, environment

AZ = Path(os.environ.get("AZ") or REPOSITORY / ".venv-azure-cli/bin/az")
SECONDS = 60
CODE = re.compile(r"enter the code ([A-Z]+)")
CLOUD = "OpenPIM"
# Nobody listens there: whoever asks another machine than this one is found out.
NOWHERE = "http://127.0.0.1:9"


class AzError(AssertionError):
    """It ended with another code than 0. What it said on standard error is the text."""


class Az:
    """`az("group", "list")` is what the command prints, read as JSON; None where it prints nothing.

    who: the name of the folder; one for each person, since `az` remembers who has signed in.
    """

    def __init__(self, server: LiveServer, folder: Path, who: str) -> None:
        self.server, self.who = server, who
        self.folder = folder / who
        self.folder.mkdir(parents=True)
        inherited = environment(self.folder)
        for name in ("PYTHONPATH", "SSL_CERT_FILE"):
            inherited.pop(name, None)
        self.env = {
            **inherited,
            "AZURE_CONFIG_DIR": str(self.folder / "azure"),
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "REQUESTS_CA_BUNDLE": server.ca_file,
            "HTTPS_PROXY": NOWHERE,
            "HTTP_PROXY": NOWHERE,
            "NO_PROXY": "localhost,127.0.0.1",
        }
        self.warnings = ""

    def __call__(self, *words: str, robot: Robot | None = None, page: Path | None = None, **env: str) -> Any:
        """robot: who types the code of a device that this command shows, or opens the address that the command's
        browser wrote to `page`. env: more variables for this once.
        """
        process = subprocess.Popen(
            [str(AZ), *words],
            env={**self.env, **env},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        guard = threading.Timer(SECONDS, process.kill)
        guard.start()
        said: list[str] = []
        listener = threading.Thread(target=self._listen, args=(process, robot, said))
        listener.start()
        if robot is not None and page is not None:
            robot.open(self._opened(page, process))
        try:
            out = process.stdout.read()
            code = process.wait(SECONDS)
        finally:
            guard.cancel()
            listener.join(SECONDS)
            process.stdout.close()
            process.stderr.close()
        self.warnings = "".join(said)
        if code != 0:
            raise AzError(f"az {' '.join(words)}\nended with {code}\n{self.warnings}{out}")
        with suppress(ValueError):
            return json.loads(out)
        return out.strip() or None

    @staticmethod
    def _opened(page: Path, process: subprocess.Popen[str]) -> str:
        while process.poll() is None:
            if page.exists() and (url := page.read_text("utf-8")):
                return url
            time.sleep(0.05)
        raise AzError(f"az ended without opening a browser\n{process.stdout.read()}")

    @staticmethod
    def _listen(process: subprocess.Popen[str], robot: Robot | None, said: list[str]) -> None:
        for line in process.stderr:
            said.append(line)
            found = CODE.search(line)
            if found and robot is not None:
                said.append(f"the page says: {robot.device(found[1])}\n")

    def refused(self, *words: str) -> str:
        """What it says when it fails, as it must."""
        try:
            found = self(*words)
        except AzError as error:
            return str(error)
        raise AssertionError(f"az {' '.join(words)} was let through: {found}")

    # ---------------------------------------------------------------- what a person does first

    def register(self) -> None:
        """The three commands of the how-to."""
        self("cloud", "register", "--name", CLOUD, "--endpoint-resource-manager", self.server.arm_origin)
        self("cloud", "set", "--name", CLOUD)
        self("config", "set", "core.instance_discovery=false")

    def sign_in(self, robot: Robot) -> Any:
        words = ("login", "--use-device-code", "--tenant", self.server.tenant_id, "--allow-no-subscriptions")
        return self(*words, robot=robot)

    # ---------------------------------------------------------------- az rest

    def rest(
        self, method: str, path: str, body: Any = None, *, refused: bool = False, options: Iterable[str] = ()
    ) -> Any:
        """path: of the resource manager, with its api-version; `az` itself puts the origin before it."""
        words = ["rest", "--method", method, "--url", path, *options]
        if body is not None:
            words += ["--body", json.dumps(body)]
        return self.refused(*words) if refused else self(*words)

    def get(self, path: str) -> Any:
        return self.rest("get", path)

    def graph(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """path: with the version, such as v1.0/me."""
        return self.rest(method, f"{self.server.origin}/{path}", body, **more)
