"""Hosts as targets: how soon an activation lets somebody in or has its sudo rule on the host, and how soon its end is felt.

SSH: with a real sshd, a login included; beside it the same with certificates and lists that ssh-keygen makes. Linux: from the
connector's call through the server, the agent's waiting question and visudo to the file, read back; beside it the file alone.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.figures import Figure
from bench.sizes import Sizes
from openpim.agent.sudoers import Sudoers, content_of
from openpim.connectors.ssh import KIND
from openpim.connectors.ssh.authority import make_secrets
from openpim.core.connecting import Edge, Op, OpKind
from openpim.ports.connector import Connector, Fence
from tests.conftest import create_tables
from tests.connectors.linux.rig import LinuxRig
from tests.connectors.opening import opening
from tests.connectors.ssh.host import Host, missing
from tests.world import World

_PRINCIPAL = "role:payroll-admin"
_FLOOR_EVERY = 4  # a round takes half a second, most of it sshd's: two hundred of ours, and fifty beside them


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    times = max(sizes.lists, 5)
    figures = _linux(times, folder)
    if missing():
        print(f"{missing()}: its figures are left out")
        return figures
    return [*_ssh(times, folder), *figures]


def _ssh(times: int, folder: Path) -> list[Figure]:
    host = Host(folder / "host", guard=False)
    try:
        now = datetime.now(UTC)
        connector = KIND.open(opening(KIND, (_PRINCIPAL,), secrets=make_secrets({}, {}, now)))
        public = host.key()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "ca")], check=True)
        ours = connector.publish("ca.pub", {}).body.decode()  # type: ignore[attr-defined]
        host.ca.write_text(ours + (folder / "ca.pub").read_text())
        grants: list[float] = []
        ends: list[float] = []
        floor_grants: list[float] = []
        floor_ends: list[float] = []
        for number in range(times):
            edge = Edge("ann", _PRINCIPAL, datetime.now(UTC) + timedelta(hours=1), f"s{number}")

            def begin(edge: Edge = edge) -> str:
                _apply(connector, OpKind.GRANT, edge)
                made = connector.issue(edge, {"publicKey": public}, _fence())  # type: ignore[attr-defined]
                return str(made["certificate"])

            def end(edge: Edge = edge) -> None:
                _apply(connector, OpKind.REVOKE, edge)
                host.krl.write_bytes(connector.publish("krl", {}).body)  # type: ignore[attr-defined]

            def floor_begin(number: int = number) -> str:
                words = [
                    "-s",
                    str(folder / "ca"),
                    "-I",
                    "ann",
                    "-n",
                    _PRINCIPAL,
                    "-V",
                    "+1h",
                    "-z",
                    str(number + 1),
                ]
                subprocess.run(["ssh-keygen", "-q", *words, str(host.folder / "id.pub")], check=True)
                return (host.folder / "id-cert.pub").read_text().strip()

            def floor_end() -> None:
                files = ["-s", str(folder / "ca"), "-f", str(host.krl), str(host.folder / "id-cert.pub")]
                subprocess.run(["ssh-keygen", "-q", "-k", *files], check=True)

            turns = [(begin, end, grants, ends)]
            if number % _FLOOR_EVERY == 0:
                turns.append((floor_begin, floor_end, floor_grants, floor_ends))
            for first, last, some, others in turns:
                began = time.perf_counter()
                certificate = first()
                assert host.can(certificate)
                some.append((time.perf_counter() - began) * 1000)
                began = time.perf_counter()
                last()
                assert not host.can(certificate)
                others.append((time.perf_counter() - began) * 1000)
    finally:
        host.stop()
    beside = "ssh-keygen, and the same login"
    return [
        _times("SSH: begin to logged in", grants, floor_grants, beside),
        _times("SSH: end to refused", ends, floor_ends, beside),
    ]


def _linux(times: int, folder: Path) -> list[Figure]:
    url = f"sqlite:///{folder / 'hosts.sqlite3'}"
    create_tables(url)
    world = World(url)
    rig = LinuxRig(world, folder / "linux")
    try:
        connector, sudoers = rig.open(), Sudoers(str(rig.host.sudoers))
        rule = rig.host.configuration.sudo["payroll"]
        grants, ends, floor_grants, floor_ends = [], [], [], []
        for _ in range(times):
            edge = Edge("ann", "sudo:payroll", datetime.now(UTC) + timedelta(hours=1))
            grants.append(_timed(lambda edge=edge: _proved(connector, OpKind.GRANT, edge)))  # type: ignore[misc]
            assert rig.has("ann", "sudo:payroll")
            ends.append(_timed(lambda edge=edge: _proved(connector, OpKind.REVOKE, edge)))  # type: ignore[misc]
            assert not rig.has("ann", "sudo:payroll")
        rig.down()
        content = content_of("ann", "payroll", rule, None, 0)
        for _ in range(times):
            floor_grants.append(_timed(lambda: sudoers.write("OpenPIM-bare", content)))
            floor_ends.append(_timed(lambda: sudoers.remove("OpenPIM-bare")))
    finally:
        rig.close()
        world.close()
    return [
        _times("Linux host: begin to sudo rule, proved", grants, floor_grants, "visudo and the file alone"),
        _times(
            "Linux host: end to no rule, processes ended, proved", ends, floor_ends, "removing the file alone"
        ),
    ]


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def _proved(connector: Connector, kind: OpKind, edge: Edge) -> None:
    _apply(connector, kind, edge)
    assert (edge.name in {one.name for one in connector.read().edges}) is (kind is OpKind.GRANT)


def _apply(connector: Connector, kind: OpKind, edge: Edge) -> None:
    (receipt,) = connector.apply([Op(kind, edge)], _fence())
    assert receipt.ok, receipt.error


def _fence() -> Fence:
    return Fence(1, datetime.now(UTC) + timedelta(seconds=30))


def _times(name: str, ours: list[float], floor: list[float], beside: str) -> Figure:
    more = {"p99": round(_p99(ours), 3), "floor_p99": round(_p99(floor), 3), "times": float(len(ours))}
    return Figure(name, "ms", statistics.median(ours), statistics.median(floor), beside, more=more)


def _p99(values: list[float]) -> float:
    return sorted(values)[max(int(len(values) * 0.99) - 1, 0)]
