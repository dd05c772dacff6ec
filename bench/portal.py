"""`portal`: every page of the portal, for an administrator with 500 eligibilities (100 roles, each in five administrative
units) in an organisation of a thousand people.

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
from bench.organisation import (
    TENANT,
    Organisation,
    config_in,
    group,
    make_organisation,
    person,
    role_ids,
)
from bench.processes import free_port, python, running
from bench.sizes import Sizes
from openpim.app import System, clock
from openpim.core.ask import Ask
from openpim.core.caller import Caller, CallerKind
from openpim.core.directory import AdministrativeUnit
from openpim.core.grants import Action, AssignmentType, Kind, Provider, Request, Schedule
from openpim.core.lifecycle import ScheduleStatus
from openpim.core.query import Query
from openpim.core.roles import GLOBAL_ADMINISTRATOR
from openpim.core.signin.values import Account
from openpim.faces.oidc.cookies import SESSION
from openpim.services import audit_log
from openpim.services.signin.demo import enter_demo
from openpim.services.signin.events import Origin
from openpim.services.submit import submit

MANY = 500
UNITS = 5
EACH = 5  # roles of everybody else


def measure(sizes: Sizes, folder: Path) -> Iterator[Figure]:
    data = folder / "portal"
    made = make_organisation(config_in(data), sizes.colleagues, each=EACH, approvers=1)
    me = made.people - 1
    _make_eligible(made.system, me)
    asked = _use(made)
    while audit_log.grow(made.system.deps, TENANT):
        pass  # what a server's worker has done by then
    pages = _pages(made, me, asked)
    origin = Origin("https://localhost:8443")
    account = Account(TENANT, person(me))
    cookie = enter_demo(made.system.signin, account, ("pwd", "otp", "mfa"), origin)
    made.system.database.close()
    with ExitStack() as stack:
        port = free_port()
        pid = stack.enter_context(running(python("bench.servers", "ours", str(data), "", str(port)), port))
        count = max(1, sizes.lists // 5)
        floor = Side("floor", pid, port, lambda _round: _asks(cookie, "/portal/nowhere", 404, count))
        sides = {
            name: Side(name, pid, port, lambda _round, path=path: _asks(cookie, path, 200, count))
            for name, path in pages.items()
        }
        take_turns((floor, *sides.values()), sizes.rounds)
    for name, side in sides.items():
        yield Figure(
            f"portal, {name}, {MANY} eligibilities", "ms CPU", side.cpu, floor.cpu,
            "the shell around one sentence", aim="≤ 5 ms", more={"pages/s": side.rate},
        )  # fmt: skip


def _pages(made: Organisation, me: int, asked: Request) -> dict[str, str]:
    """What they are called, and where they are."""

    def known(tx: Any) -> tuple[str, str, str, str]:
        page = tx.schedules.page(Provider.DIRECTORY, Kind.ELIGIBILITY, Query(limit=1))
        events = tx.audit.page(Query(limit=1))
        mine = tx.schedules.of([person(me)], kind=Kind.ELIGIBILITY)[0]
        return page.items[0].id, events.items[0].id, mine.id, mine.scope.rpartition("/")[2]

    schedule, event, eligibility, unit = made.system.database.read(TENANT, known)
    role = role_ids()[0]
    return {
        "my roles": "/portal/roles",
        "my roles, last page": "/portal/roles?page=25",
        "my roles, searched": "/portal/roles?q=administrator+unit+3",
        "activate, by name": "/portal/activate?name=Teams",
        "activate": f"/portal/activate?pick-{eligibility}=on",
        "active": "/portal/roles/active",
        "pending": "/portal/roles/pending",
        "expired": "/portal/roles/expired",
        "bundles": "/portal/bundles",
        "a request": f"/portal/requests/{asked.id}",
        "approvals": "/portal/approvals",
        "an approval": f"/portal/approvals/{asked.approval_id}",
        "stand-ins": "/portal/approvals/stand-ins",
        "overview": "/portal/overview",
        "assignments, eligible": "/portal/assignments",
        "assignments, active": "/portal/assignments?tab=active",
        "assignments, expired": "/portal/assignments?tab=expired",
        "assignments, of a role": "/portal/assignments?role=Reader",
        "assignments, add": "/portal/assignments/add",
        "assignments, change": f"/portal/assignments/{schedule}/update",
        "assignments, import": "/portal/assignments/import",
        "role settings": "/portal/policies",
        "role settings, of a role": f"/portal/policies/directory/{role}",
        "role settings, edit": f"/portal/policies/directory/{role}/edit",
        "role settings, copy": f"/portal/policies/directory/{role}/copy",
        "my audit": "/portal/audit",
        "audit": "/portal/audit/all",
        "an event": f"/portal/audit/{event}",
        "timeline of a person": f"/portal/timeline?person={person(0)}",
        "timeline of a role": f"/portal/timeline?role={role}",
        "people": "/portal/people",
        "a person": f"/portal/people/{person(0)}",
        "oneself as a person": f"/portal/people/{person(me)}",
        "groups": "/portal/groups",
        "a group": f"/portal/groups/{group(0)}",
        "units": "/portal/units",
        "a unit": f"/portal/units/{unit}",
        "resources": "/portal/resources",
        "picker": "/portal/pick?kind=person&q=person",
        "my sessions": "/portal/me",
        "my sign-in methods": "/portal/me/methods",
        "applications": "/portal/applications",
        "organisation": "/portal/organisation",
    }


def _asks(cookie: str, path: str, status: int, count: int) -> list[Task]:
    head = (
        f"GET {path} HTTP/1.1\r\nHost: localhost:8443\r\nCookie: {SESSION}={cookie}\r\n"
        "User-Agent: bench\r\nAccept: text/html\r\nAccept-Encoding: gzip\r\n\r\n"
    )
    return [expecting(status, head.encode())] * count


def _make_eligible(system: System, number: int) -> None:
    """For 500 roles in units, and active as an administrator."""
    now = clock() - timedelta(days=1)

    def given(role: str, scope: str, kind: Kind) -> Schedule:
        return Schedule(
            id=system.deps.new_id(),
            kind=kind,
            provider=Provider.DIRECTORY,
            principal_id=person(number),
            role_id=role,
            scope=scope,
            starts_at=now,
            ends_at=None,
            status=ScheduleStatus.PROVISIONED,
            assignment_type=AssignmentType.ASSIGNED if kind is Kind.ASSIGNMENT else None,
            created_at=now,
        )

    def work(tx: Any) -> None:
        tx.schedules.add(given(GLOBAL_ADMINISTRATOR, "/", Kind.ASSIGNMENT))
        for one in range(UNITS):
            unit = AdministrativeUnit(system.deps.new_id(), f"Unit {one}", now)
            tx.administrative_units.add(unit)
            for role in role_ids()[: MANY // UNITS]:
                tx.schedules.add(given(role, f"/administrativeUnits/{unit.id}", Kind.ELIGIBILITY))

    system.database.write(TENANT, work)


def _use(made: Organisation) -> Request:
    """A third of them activate what they may; a few wait for an approval. One of those that wait."""
    asked: list[Request] = []
    for number in range(max(3, made.people // 3)):
        roles = made.roles()[:3] if number >= 30 else [*made.roles()[:1], made.approval_role]
        caller = Caller(TENANT, person(number), CallerKind.USER, amr=frozenset({"mfa"}))
        for role in roles:
            ask = Ask(
                Kind.ASSIGNMENT, Provider.DIRECTORY, Action.SELF_ACTIVATE, person(number), role, "/", "mail"
            )
            done = submit(made.system.deps, caller, ask)
            assert isinstance(done, Request), done
            asked.append(done)
    return next(one for one in reversed(asked) if one.approval_id)
