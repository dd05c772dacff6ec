"""OpenLDAP as a target: how soon an activation can be used and its end is felt, and ten thousand ends in one second.

Beside each: the same changes, made ready beforehand and sent over one connection that does nothing else. The person who tries is
signed in all the time. Every change is on the
disk before it is answered, as OpenLDAP does by itself; without the overlay memberof, whose work would add the same to both.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.figures import Figure
from bench.processes import spent
from bench.sizes import Sizes
from openpim.connectors.ldap.client import Connection, Where
from openpim.connectors.ldap.messages import ANY, Change, Request, Scope, add, delete, modify, refresh, search
from openpim.core.connecting import Edge, Op, OpKind
from openpim.ports.connector import Connector, Fence
from tests.connectors.ldap.conftest import PAYROLL, ActivationsRig, GroupsRig, _Rig
from tests.connectors.ldap.person import Person
from tests.connectors.ldap.slapd import (
    ACCOUNT,
    ACTIVATIONS,
    MANAGER,
    MANAGERS,
    PASSWORD,
    PEOPLE,
    SALARIES,
    Slapd,
    missing,
)
from tests.signin_helper import OUTBOUND

GOAL = 1.5
_MOST = 5000  # values in one change


def measure(sizes: Sizes, _folder: Path) -> list[Figure]:
    if missing():
        print("no OpenLDAP on this machine: its figures are left out")
        return []
    times, many = max(sizes.lists, 5), min(10_000, sizes.people[-1])
    slapd = Slapd(member_of=False, durable=True)  # not in the folder: the path of its socket must be short
    try:
        slapd.start()
        slapd.set_up()
        manager, bare = (
            Connection(OUTBOUND, Where("localhost", slapd.port, "ldaps", slapd.authority, who, password))
            for who, password in ((MANAGER, MANAGERS), (ACCOUNT, PASSWORD))
        )
        people = [f"uid=many{number},{PEOPLE}" for number in range(many)]
        manager.exchange(
            [add(dn, {"objectClass": ["account"], "uid": [f"many{n}"]}) for n, dn in enumerate(people)]
        )
        by_dn = GroupsRig(slapd, people_base="")
        return [
            *_one(by_dn, f"uid=alice,{PEOPLE}", "LDAP group", f"cn=February,{SALARIES}", times, bare),
            *_one(ActivationsRig(slapd), "alice", "LDAP entry (dds)", f"cn=January,{SALARIES}", times, bare),
            *_groups(by_dn, people, "LDAP group", people, sizes.rounds, bare),
            *_groups(
                GroupsRig(slapd),
                people,
                "LDAP group, by name",
                [f"many{n}" for n in range(many)],
                sizes.rounds,
                bare,
            ),
            *_entries(ActivationsRig(slapd), min(many, 200), min(sizes.rounds, 3), bare),
        ]
    finally:
        slapd.remove()


# ------------------------------------------------------------------------------------------ one at a time


def _one(rig: _Rig, name: str, what: str, thing: str, times: int, bare: Connection) -> list[Figure]:
    """From the call to the proof by reading it back and by the person's own try."""
    connector = rig.open()
    live = Person(rig.slapd.port, rig.slapd.authority, f"uid=alice,{PEOPLE}", "of-alice")
    person = f"uid=alice,{PEOPLE}"
    grants: list[float] = []
    ends: list[float] = []
    floor_grants: list[float] = []
    floor_ends: list[float] = []
    if isinstance(rig, GroupsRig):
        change = lambda kind: [[modify(PAYROLL, [(kind, "member", [person])])]]  # noqa: E731
        begin, end = change(Change.ADD), change(Change.DELETE)
    else:
        dn = f"cn=bare,{ACTIVATIONS}"
        values = {"objectClass": ["groupOfNames", "dynamicObject"], "cn": ["bare"], "member": [person]}
        begin = [[add(dn, values | {"businessCategory": ["payroll-admins"]})], [refresh(dn, 3600)]]
        end = [[delete(dn)]]
    for _ in range(times):
        edge = rig.edge(name, rig.managed[0], datetime.now(UTC) + timedelta(hours=1))
        grants.append(_until(lambda edge=edge: _apply(connector, OpKind.GRANT, edge), live, thing, may=True))
        ends.append(_until(lambda edge=edge: _apply(connector, OpKind.REVOKE, edge), live, thing, may=False))
        floor_grants.append(_until(lambda: _send(bare, begin), live, thing, may=True))
        floor_ends.append(_until(lambda: _send(bare, end), live, thing, may=False))
    live.close()
    connector.close()
    beside = "the same changes alone"
    return [
        _times(f"{what}: begin to usable", grants, floor_grants, beside),
        _times(f"{what}: end to unusable", ends, floor_ends, beside),
    ]


def _until(act: Callable[[], None], live: Person, thing: str, *, may: bool) -> float:
    began = time.perf_counter()
    act()
    while live.writes(thing) is not may:
        pass
    return (time.perf_counter() - began) * 1000


def _apply(connector: Connector, kind: OpKind, edge: Edge) -> None:
    (receipt,) = connector.apply([Op(kind, edge)], _fence())
    assert receipt.ok, receipt.error
    assert (edge.name in {one.name for one in connector.read().edges}) is (kind is OpKind.GRANT)


def _times(name: str, ours: list[float], floor: list[float], beside: str) -> Figure:
    more = {
        "p99": round(_p99(ours), 3),
        "floor_p99": round(_p99(floor), 3),
        "times": float(len(ours)),
    }
    return Figure(name, "ms", statistics.median(ours), statistics.median(floor), beside, more=more)


def _p99(values: list[float]) -> float:
    return sorted(values)[max(int(len(values) * 0.99) - 1, 0)]


# -------------------------------------------------------------------------------------- ten thousand at once


def _groups(
    rig: GroupsRig, people: list[str], what: str, names: list[str], rounds: int, bare: Connection
) -> list[Figure]:
    group = rig.managed[0]
    edges = [rig.edge(name, group, None) for name in names]
    pieces = [people[at : at + _MOST] for at in range(0, len(people), _MOST)]
    begin, end = (
        [[modify(group, [(kind, "member", piece)])] for piece in pieces]
        for kind in (Change.ADD, Change.DELETE)
    )
    look = [[search(group, Scope.BASE, ANY, ["member"])]]
    return _many(rig, edges, what, rounds, bare, begin, [*end, *look])


def _entries(rig: ActivationsRig, many: int, rounds: int, bare: Connection) -> list[Figure]:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    edges = [Edge("alice", rig.managed[0], until, f"many{number}") for number in range(many)]
    dns = [f"cn=bare{number},{ACTIVATIONS}" for number in range(many)]
    values = {"objectClass": ["groupOfNames", "dynamicObject"], "member": [f"uid=alice,{PEOPLE}"]}
    made = [
        add(dn, values | {"cn": [f"bare{n}"], "businessCategory": [rig.managed[0]]})
        for n, dn in enumerate(dns)
    ]
    begin = [made, [refresh(dn, 3600) for dn in dns]]
    end = [[delete(dn) for dn in dns], [search(ACTIVATIONS, Scope.ONE, ANY, ["member"])]]
    return _many(rig, edges, "LDAP entry (dds)", rounds, bare, begin, end)


def _many(
    rig: _Rig,
    edges: list[Edge],
    what: str,
    rounds: int,
    bare: Connection,
    begin: list[list[Request]],
    end: list[list[Request]],
) -> list[Figure]:
    """A B A B: ours with the proof by reading back; the floor reads once too."""
    connector = rig.open()
    server = rig.slapd.pid
    assert server is not None
    grants = [Op(OpKind.GRANT, edge) for edge in edges]
    revokes = [Op(OpKind.REVOKE, edge) for edge in edges]
    taken: dict[str, list[tuple[float, float]]] = {"begin": [], "end": [], "bare begin": [], "bare end": []}
    for _ in range(rounds + 1):
        taken["begin"].append(spent(lambda: _all(connector, grants), server))
        assert len(connector.read().edges) == len(edges)  # as before every plan
        taken["end"].append(spent(lambda: (_all(connector, revokes), _none(connector)), server))
        taken["bare begin"].append(spent(lambda: _send(bare, begin), server))
        taken["bare end"].append(spent(lambda: _send(bare, end), server))
    connector.close()
    cpu, wall = (
        {name: statistics.median(one[which] for one in found[1:]) for name, found in taken.items()}
        for which in (0, 1)
    )
    return [
        Figure(
            f"{what}: {len(edges):,} at once {part}",
            "s CPU",
            cpu[part],
            cpu[f"bare {part}"],
            beside,
            GOAL if part == "end" else None,
            more={"wall_s": round(wall[part], 4), "floor_wall_s": round(wall[f"bare {part}"], 4)},
        )
        for part, beside in (
            ("begin", "the same changes alone"),
            ("end", "the same changes and one read alone"),
        )
    ]


def _all(connector: Connector, ops: list[Op]) -> None:
    assert not [receipt for receipt in connector.apply(ops, _fence()) if receipt.error]


def _none(connector: Connector) -> None:
    assert not connector.read().edges


def _send(bare: Connection, steps: list[list[Request]]) -> None:
    for requests in steps:
        assert all(outcome.ok for outcome in bare.exchange(requests))


def _fence() -> Fence:
    return Fence(1, datetime.now(UTC) + timedelta(minutes=5))
