"""A real PostgreSQL of each major release that is on this machine, set up as docs/how-to/connect-postgresql.md says. Skipped
where there is none; where CI=true that fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openpim.connectors.postgresql import KIND
from openpim.core.connecting import Edge
from openpim.ports.connector import Connector
from tests.conftest import CI
from tests.connectors.opening import opening
from tests.connectors.postgresql.cluster import PASSWORD, PEOPLE, Cluster, releases

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "connect-postgresql.md"
MANAGED = ("payroll_admin", 'Büro "{x}" %s')
UNMANAGED = "treasurer"
KEYS = {person: f"00000000-0000-4000-8000-00000000000{number}" for number, person in enumerate(PEOPLE)}
_ALL = releases()
_FOUND = {major: _ALL[major] for major in ({min(_ALL), max(_ALL)} if _ALL else ())}  # before 16, and after


def statements(major: int) -> dict[str, str]:
    """The blocks of the page, by what they are for."""
    once, role, new, old, jit, person = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return {"once": once, "role": role, "admin": new if major >= 16 else old, "jit": jit, "person": person}


class Rig:
    """See tests/connectors/contract.py. It is the whole server too: `cluster`."""

    kind = KIND
    managed = MANAGED
    unmanaged = UNMANAGED
    people = (PEOPLE[0], PEOPLE[2])
    ours_alone = False

    def __init__(self, cluster: Cluster, mode: str) -> None:
        self.cluster, self.mode = cluster, mode
        self.settings = {
            "host": "localhost",
            "port": str(cluster.port),
            "user": "pim",
            "mode": mode,
            "database": "postgres",
            "sslmode": "verify-full" if cluster.tls else "disable",
            "ca": cluster.authority if cluster.tls else "",
        }

    def open(self, managed: tuple[str, ...] = MANAGED, **more: Any) -> Connector:
        settings = self.settings | {name: more.pop(name) for name in tuple(more) if name in self.settings}
        secrets = more.pop("secrets", {"password": PASSWORD})
        return KIND.open(opening(KIND, managed, settings, secrets, **more))

    def edge(self, person: str, entitlement: str, until: Any) -> Edge:
        key = KEYS.get(person, KEYS["alice"]) if self.mode == "jit" else ""
        return Edge(person, entitlement, until, key)

    def give(self, person: str, entitlement: str) -> None:
        """From 16 on we can take away only what we gave, or somebody whom we may act as."""
        by = " GRANTED BY pim" if self.cluster.major >= 16 and entitlement in MANAGED else ""
        self.cluster.sql(f"GRANT {quoted(entitlement)} TO {quoted(person)}{by}")

    def has(self, person: str, entitlement: str) -> bool:
        return person in {
            (re.sub(r"OpenPIM: activation \S+ of ", "", comment) if name.startswith("jit_") else name)
            for name, comment in self.cluster.sql(
                "SELECT m.rolname, shobj_description(m.oid, 'pg_authid') FROM pg_auth_members a "
                "JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member WHERE r.rolname = %s",
                entitlement,
            )
        }

    def down(self) -> None:
        self.cluster.stop()

    def up(self) -> None:
        self.cluster.start()


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def set_up(cluster: Cluster, major: int) -> None:
    """As the page says, with a table that each managed role may use, and people with passwords."""
    cluster.major = major
    said = statements(major)
    cluster.sql(said["once"].replace("choose one", PASSWORD))
    for role in MANAGED:
        cluster.sql((said["role"] + said["admin"]).replace("payroll_admin", quoted(role)))
        cluster.sql(f"CREATE TABLE {quoted('of ' + role)} (x int)")
        cluster.sql(f"GRANT ALL ON {quoted('of ' + role)} TO {quoted(role)}")
    cluster.sql(f"CREATE ROLE {UNMANAGED} NOLOGIN")
    for person in PEOPLE:
        cluster.sql(said["person"].replace('"alice@example.com"', quoted(person)))
        cluster.sql(f"ALTER ROLE {quoted(person)} PASSWORD " + "'" + person.replace("'", "''") + "''s'")


@pytest.fixture(scope="session", params=sorted(_FOUND) or ["none"], ids=lambda major: f"pg{major}")
def server(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    if not _FOUND:
        (pytest.fail if CI else pytest.skip)("no PostgreSQL on this machine (Debian: postgresql)")
    cluster = Cluster(_FOUND[request.param])
    set_up(cluster, int(request.param))
    yield cluster
    cluster.remove()


@pytest.fixture
def cluster(server: Cluster) -> Cluster:
    """As on the first day: no edge, no fence, no login role of an activation."""
    server.sql(
        "DO $$ DECLARE one record; BEGIN "
        "FOR one IN SELECT rolname FROM pg_roles WHERE rolname LIKE 'jit\\_%%' LOOP "
        "EXECUTE format('DROP OWNED BY %%I', one.rolname); EXECUTE format('DROP ROLE %%I', one.rolname); END LOOP; "
        "FOR one IN SELECT r.rolname r, m.rolname m, g.rolname g FROM pg_auth_members a "
        "JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member "
        "LEFT JOIN pg_roles g ON g.oid = a.grantor "
        "WHERE r.rolname NOT LIKE 'pg\\_%%' AND m.rolname <> 'pim' LOOP "
        "EXECUTE format('REVOKE %%I FROM %%I GRANTED BY %%I', one.r, one.m, one.g); END LOOP; "
        "DROP TABLE IF EXISTS openpim.fence; ALTER ROLE pim NOCREATEROLE NOSUPERUSER; END $$".replace(
            "%%", "%"
        )
    )
    return server


@pytest.fixture
def membership(cluster: Cluster) -> Rig:
    return Rig(cluster, "membership")


@pytest.fixture
def jit(cluster: Cluster) -> Rig:
    cluster.sql(statements(cluster.major)["jit"])
    return Rig(cluster, "jit")
