"""`command`: `pim list` and `pim activate` as whole processes against a running server, beside `python -c pass`.

Also beside them: the shortest script that fetches one page over HTTPS with the standard library.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench.figures import Figure, median
from bench.organisation import TENANT, Organisation, config_in, make_organisation
from bench.processes import free_port, running, surroundings
from bench.sizes import Sizes
from openpim.client.profiles import write_profile

LIMIT = 4.0
_GET = """
import http.client, ssl, sys
c = http.client.HTTPSConnection("localhost", int(sys.argv[1]), context=ssl.create_default_context(cafile=sys.argv[2]))
c.request("GET", "/healthz")
c.getresponse().read()
"""
Words = Sequence[str]


def measure(sizes: Sizes, folder: Path) -> Iterator[Figure]:
    data, port = folder / "command", free_port()
    origin = f"https://localhost:{port}"
    config = config_in(data)
    config = replace(config, port=port, settings=replace(config.settings, origin=origin))
    made = make_organisation(config, 50, each=100)
    roles = _role_names(made)
    token = made.token(0)
    made.system.database.close()
    pim, home = str(Path(sys.executable).parent / "pim"), str(folder / "command-home")
    environment = surroundings({"PIM_CONFIG_HOME": home, "PIM_ACCESS_TOKEN": token})
    serve = [pim, "serve", "--data-dir", str(data), "--port", str(port)]
    with ExitStack() as stack:
        stack.enter_context(running(serve, port, {"PIM_CONFIG_HOME": str(folder / "profiles")}))
        authority = data / "tls" / "ca.pem"
        write_profile("bench", server=origin, ca_file=str(authority), home=home)
        names = iter(roles)
        commands: dict[str, Callable[[], Words]] = {
            "python -c pass": lambda: [sys.executable, "-c", "pass"],
            "HTTPS by http.client": lambda: [sys.executable, "-c", _GET, str(port), str(authority)],
            "pim list": lambda: [pim, "list"],
            "pim activate": lambda: [pim, "activate", next(names), "-j", "mail outage"],
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for turn in range(sizes.commands + 1):
            for name, words in commands.items():
                taken = _run(words(), environment)
                if turn:  # the first one fills the caches of the disk
                    times[name].append(taken)
    wall = {name: median([run[0] for run in runs]) * 1000 for name, runs in times.items()}
    cpu = {name: median([run[1] for run in runs]) * 1000 for name, runs in times.items()}
    for name in ("pim list", "pim activate"):
        yield Figure(
            name, "ms CPU", cpu[name], cpu["python -c pass"], "python -c pass", LIMIT,
            more={"against http.client": cpu[name] / cpu["HTTPS by http.client"]},
        )  # fmt: skip
        yield Figure(
            f"{name}, on the wall", "ms", wall[name], wall["python -c pass"], "python -c pass; the server's part included",
            LIMIT, more={"against http.client": wall[name] / wall["HTTPS by http.client"]},
        )  # fmt: skip


def _role_names(made: Organisation) -> list[str]:
    found = made.system.database.read(TENANT, lambda tx: tx.roles.many(made.roles()))
    return [role.display_name for role in found.values()]


def _run(words: Words, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds on the wall, and of the processor, of one whole process."""
    began = time.perf_counter()
    process = subprocess.Popen(
        words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    said = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.stderr:
        process.stderr.close()
    if process.returncode:
        raise RuntimeError(f"{list(words)!r} ended with {process.returncode}: {said.decode()[-500:]}")
    return seconds, usage.ru_utime + usage.ru_stime
