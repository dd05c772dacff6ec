"""A real MariaDB, set up as docs/how-to/connect-mariadb.md says. Skipped where there is none; where CI=true that fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openpim.connectors.mariadb import KIND
from openpim.core.connecting import Edge
from openpim.ports.connector import Connector
from tests.conftest import CI
from tests.connectors.mariadb.server import PASSWORD, Server, missing
from tests.connectors.opening import opening

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "connect-mariadb.md"
PEOPLE = ("alice", "bob", "O'Brien `the boss`")
MANAGED = ("payroll_admin", 'Büro "x`y" %s')
UNMANAGED = "treasurer"


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def text(name: str) -> str:
    return "'" + name.replace("\\", "\\\\").replace("'", "''") + "'"


class Rig:
    """See tests/connectors/contract.py."""

    kind = KIND
    managed = MANAGED
    unmanaged = UNMANAGED
    people = (PEOPLE[0], PEOPLE[2])
    ours_alone = False

    def __init__(self, server: Server) -> None:
        self.server = server
        self.settings = {
            "host": "localhost",
            "port": str(server.port),
            "user": "pim",
            "people_host": "%",
            "native_end": "event",
            "sslmode": "verify-full",
            "ca": server.authority,
        }

    def open(self, managed: tuple[str, ...] = MANAGED, **more: Any) -> Connector:
        settings = self.settings | {name: more.pop(name) for name in tuple(more) if name in self.settings}
        secrets = more.pop("secrets", {"password": PASSWORD})
        return KIND.open(opening(KIND, managed, settings, secrets, **more))

    def edge(self, person: str, entitlement: str, until: Any) -> Edge:
        return Edge(person, entitlement, until)

    def give(self, person: str, entitlement: str) -> None:
        self.server.sql(f"GRANT {quoted(entitlement)} TO {quoted(person)}@`%`", pim=entitlement in MANAGED)

    def has(self, person: str, entitlement: str) -> bool:
        return bool(
            self.server.sql(
                "SELECT 1 FROM mysql.roles_mapping WHERE User = %s AND Host = '%%' AND Role = %s",
                values=(person, entitlement),
            )
        )

    def down(self) -> None:
        self.server.stop()

    def up(self) -> None:
        self.server.start()


def set_up(server: Server) -> None:
    """As the page says, with a table that each managed role may use, and people with passwords."""
    once, role, person = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for statement in once.replace("choose one", PASSWORD).split(";\n")[:-1]:
        server.sql(statement)
    server.sql("CREATE DATABASE pay")
    for number, name in enumerate(MANAGED):
        server.sql(role.replace("payroll_admin", quoted(name)))
        server.sql(f"CREATE TABLE pay.of_{number} (x int)", f"GRANT ALL ON pay.of_{number} TO {quoted(name)}")
    server.sql(f"CREATE ROLE {UNMANAGED}")
    for name in PEOPLE:
        server.sql(person.replace("'alice@example.com'", text(name)).replace("'theirs'", text(f"{name}'s")))


@pytest.fixture(scope="session")
def running() -> Iterator[Server]:
    if why := missing():
        (pytest.fail if CI else pytest.skip)(why)
    server = Server()
    set_up(server)
    yield server
    server.remove()


@pytest.fixture
def server(running: Server) -> Server:
    """As on the first day: no edge, no event, no fence."""
    own = [("root", "localhost", UNMANAGED)]
    for user, host, role in running.sql("SELECT User, Host, Role FROM mysql.roles_mapping"):
        if user != "pim" and (user, host, role) not in own:
            at = f"@{quoted(host)}" if host else ""
            running.sql(f"REVOKE {quoted(role)} FROM {quoted(user)}{at}", pim=role in MANAGED)
    for (name,) in running.sql("SELECT EVENT_NAME FROM information_schema.EVENTS"):
        running.sql(f"DROP EVENT openpim.{name}")
    running.sql("DROP TABLE IF EXISTS openpim.fence", "SET GLOBAL event_scheduler = ON")
    return running


@pytest.fixture
def rig(server: Server) -> Rig:
    return Rig(server)
