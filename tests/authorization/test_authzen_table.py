"""Who may ask the decision API for what, as a printed table that is checked in: authzen_table.txt beside this file.

`self` is a person about himself, `about` the same person about another one, `bare` a person whose token has no scope of this
API; `app+` an application that may ask about everybody, `app-` one that may not, `other` an application of another tenant.
A 200 is told apart: yes, no, or what was found. Written anew as test_graph_table.py says.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from openpim.core.caller import Caller, CallerKind
from openpim.faces.authzen.dispatch import ENDPOINTS
from tests.faces.authzen.conftest import ALL, REQUEST, SELF, Site, question
from tests.world import HELPDESK, TEAMS, World, ok

TABLE = Path(__file__).with_name("authzen_table.txt")
COLUMNS = ("anonymous", "self", "about", "bare", "app+", "app-", "other")
A = "/access/v1"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def site(database_url: str) -> Any:
    world = World(database_url)
    yield Site(world)
    world.close()


class Stage:
    def __init__(self, site: Site) -> None:
        self.site, world = site, site.world
        self.ann, self.bob = world.ann, world.bob
        world.policy(HELPDESK, activation_requires=frozenset())
        world.approval(world.dan, role=HELPDESK)
        for who in (self.ann, self.bob):
            ok(world.assigned(who))
            world.eligible(who, HELPDESK)
        there = World(world.database, number=90)
        app = Caller(
            there.tenant_id, there.new_id(), CallerKind.SERVICE_PRINCIPAL, permissions=frozenset({ALL})
        )
        mine = site.person(self.ann, SELF, REQUEST)
        poor = Caller(world.tenant_id, world.new_id(), CallerKind.SERVICE_PRINCIPAL)
        self.who = {
            "anonymous": None,
            "self": mine,
            "about": mine,
            "bare": site.person(self.ann, "User.Read"),
            "app+": "app",
            "app-": site.token("app-", poor),
            "other": site.token("other", app),
        }

    def subject(self, column: str) -> str:
        return self.bob if column == "about" else self.ann

    def task(self, column: str) -> str:
        """A request that waits, of the one that is asked about."""
        subject = self.subject(column)
        made = ok(self.site.world.activate(subject, HELPDESK, hours=1))
        return str(made.id)

    def ask(self, row: tuple[str, str], column: str) -> str:
        site, token, subject = self.site, self.who[column], self.subject(column)
        path = row[1]
        one = question(subject, "use", "role", TEAMS)
        task = self.task(column) if "{task}" in path else ""
        if path == f"{A}/requests":
            denied = site.post(f"{A}/evaluation", question(subject, "use", "role", HELPDESK)).json()[
                "context"
            ]
            offered = denied["access_request"]
            body = {**question(subject, "use", "role", HELPDESK), "context": {"justification": "x"}, "denial": {"binding_token": offered["binding_token"], "expires_at": offered["expires_at"]}}  # fmt: skip
            found = site.post(path, body, token)
        elif path.endswith("/check"):
            more = "" if column in {"self", "bare", "anonymous"} else f"&subject={subject}"
            found = site.get(f"{path}?role={TEAMS}&scope=/{more}", token)
        elif row[0] == "GET":
            found = site.get(path.format(task=task, tenant="contoso.example"), token)
        elif "{task}" in path:
            found = site.post(path.format(task=task), {}, token)
        elif path.endswith("/evaluations"):
            found = site.post(path, {**one, "evaluations": [{}]}, token)
        else:
            found = site.post(path, one, token)
        if found.status_code == 202 or task:
            self._withdraw(subject)
        return _said(found)

    def _withdraw(self, subject: str) -> None:
        world = self.site.world
        for request in world.read(lambda tx: tx.requests.open_of(subject)):
            ok(world.cancel(request, subject))


def _said(found: Any) -> str:
    if found.status_code != 200:
        return str(found.status_code)
    said = found.json()
    if "evaluations" in said:
        said = said["evaluations"][0]
    if "decision" in said:
        return "yes" if said["decision"] else "no"
    return f"found {len(said['results'])}" if "results" in said else "200"


def test_the_table_is_as_checked_in(site: Site) -> None:
    stage = Stage(site)
    lines = [" " * 52 + "".join(f"{column:>10}" for column in COLUMNS)]
    for row in ENDPOINTS:
        cells = "".join(f"{stage.ask(row, column):>10}" for column in COLUMNS)
        lines.append(f"{' '.join(row):<52}{cells}")
    text = "\n".join(lines) + "\n"
    if os.environ.get("AUTHORIZATION_TABLE") == "write":
        TABLE.write_text(text)
    assert text == TABLE.read_text()
