"""`portal`: pages of a person with 500 eligibilities (100 roles, each in five administrative units).

The floor is the smallest page there is: the same session, shell, templates and headers, around one sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.load import Task, expecting
from bench.measuring import Side, take_turns
from bench.organisation import TENANT, config_in, make_organisation, person, role_ids
from bench.processes import free_port, python, running
from bench.sizes import Sizes
from openpim.app import System, clock
from openpim.core.directory import AdministrativeUnit
from openpim.core.grants import Kind, Provider, Schedule
from openpim.core.lifecycle import ScheduleStatus
from openpim.core.signin.values import Account
from openpim.faces.oidc.cookies import SESSION
from openpim.services.signin.demo import enter_demo
from openpim.services.signin.events import Origin

MANY = 500
UNITS = 5
PAGES = {
    "my roles": "/portal/roles",
    "activate": "/portal/activate?name=Teams",
    "active": "/portal/roles/active",
    "approvals": "/portal/approvals",
}


def measure(sizes: Sizes, folder: Path) -> Iterator[Figure]:
    data = folder / "portal"
    made = make_organisation(config_in(data), 50, each=1)
    _make_eligible(made.system)
    cookie = enter_demo(
        made.system.signin,
        Account(TENANT, person(1)),
        ("pwd", "otp", "mfa"),
        Origin("https://localhost:8443"),
    )
    made.system.database.close()
    with ExitStack() as stack:
        port = free_port()
        pid = stack.enter_context(running(python("bench.servers", "ours", str(data), "", str(port)), port))
        floor = Side("floor", pid, port, lambda _round: _asks(cookie, "/portal/nowhere", 404, sizes.lists))
        sides = {
            name: Side(name, pid, port, lambda _round, path=path: _asks(cookie, path, 200, sizes.lists))
            for name, path in PAGES.items()
        }
        take_turns((floor, *sides.values()), sizes.rounds)
    for name, side in sides.items():
        yield Figure(
            f"portal, {name}, {MANY} eligibilities", "ms CPU", side.cpu, floor.cpu,
            "the shell around one sentence", aim="≤ 5 ms", more={"pages/s": side.rate},
        )  # fmt: skip


def _asks(cookie: str, path: str, status: int, count: int) -> list[Task]:
    head = (
        f"GET {path} HTTP/1.1\r\nHost: localhost:8443\r\nCookie: {SESSION}={cookie}\r\n"
        "User-Agent: bench\r\nAccept: text/html\r\nAccept-Encoding: gzip\r\n\r\n"
    )
    return [expecting(status, head.encode())] * count


def _make_eligible(system: System) -> None:
    now = clock() - timedelta(days=1)

    def work(tx: Any) -> None:
        for number in range(UNITS):
            unit = AdministrativeUnit(system.deps.new_id(), f"Unit {number}", now)
            tx.administrative_units.add(unit)
            for role in role_ids()[: MANY // UNITS]:
                schedule = Schedule(
                    id=system.deps.new_id(),
                    kind=Kind.ELIGIBILITY,
                    provider=Provider.DIRECTORY,
                    principal_id=person(1),
                    role_id=role,
                    scope=f"/administrativeUnits/{unit.id}",
                    starts_at=now,
                    ends_at=None,
                    status=ScheduleStatus.PROVISIONED,
                    assignment_type=None,
                    created_at=now,
                )
                tx.schedules.add(schedule)

    system.database.write(TENANT, work)
