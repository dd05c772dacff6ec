"""Who may do what through Graph, as a printed table that is checked in: table.txt beside this file.

Every endpoint has a row, every kind of caller a column; a cell is the status that a well-formed request about somebody
else's (or the tenant's) things gets. An endpoint without a request here fails, and so does a cell that has changed:
look at the difference, and if it is meant, write the table anew with

    AUTHORIZATION_TABLE=write .venv/bin/pytest tests/authorization
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from openpim.faces.graph.endpoints import ENDPOINTS
from openpim.faces.graph.table import Endpoint
from tests.authorization.requests import SETUPS, Made, Stage

TABLE = Path(__file__).with_name("table.txt")


def name_of(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.address}"


def request_of(endpoint: Endpoint, stage: Stage) -> Made | None:
    """A well-formed request to the endpoint, about fresh things; None when nobody has said what that would be."""
    setup = SETUPS.get(name_of(endpoint))
    if setup is not None:
        return setup(stage)
    if endpoint.method == "GET" and "{" not in endpoint.address:
        return endpoint.address.replace("filterByCurrentUser()", "filterByCurrentUser(on='principal')"), None
    return None


def test_every_endpoint_has_a_request_here() -> None:
    missing = [
        name_of(one)
        for one in ENDPOINTS
        if name_of(one) not in SETUPS and (one.method != "GET" or "{" in one.address)
    ]
    assert not missing, f"say in SETUPS what a request to these looks like: {missing}"
    gone = SETUPS.keys() - {name_of(one) for one in ENDPOINTS}
    assert not gone, f"these endpoints do not exist: {gone}"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_table_is_as_written(database_url: str) -> None:
    stage = Stage(database_url)
    lines = [" ".join([f"{'':<92}", *(f"{actor:>9}" for actor in stage.actors(ENDPOINTS[0]))])]
    for endpoint in ENDPOINTS:
        cells = []
        for actor, who in stage.actors(endpoint).items():
            made = request_of(endpoint, stage)
            assert made is not None, name_of(endpoint)
            path, body = made
            graph = stage.abroad if actor == "stranger" else stage.graph
            answer = graph.send(
                endpoint.method, f"/v1.0/{path}", who, body, headers={"ConsistencyLevel": "eventual"}
            )
            assert answer.status_code < 500, (path, answer.text)
            if actor == "stranger":
                untouched(stage, endpoint, answer)
            cells.append(f"{answer.status_code:>9}")
        lines.append(" ".join([f"{name_of(endpoint):<92}", *cells]))
    stage.world.close()
    found = "\n".join(line.rstrip() for line in lines) + "\n"
    if os.environ.get("AUTHORIZATION_TABLE") == "write":
        TABLE.write_text(found)
    assert found == TABLE.read_text()


# There is one in every tenant, and an address means the caller's.
SINGLE = frozenset(
    {"openPim/auditSettings", "openPim/notificationPreferences", "openPim/notificationSettings"}
)
PUBLIC = "tenantRelationships/"  # a tenant's name and domain, as its sign-in page shows them to everybody


def untouched(stage: Stage, endpoint: Endpoint, answer: Any) -> None:
    """Another tenant's administrator neither sees nor changes anything of this one."""
    if endpoint.address.startswith(PUBLIC):
        return
    if name_of(endpoint) == "POST servicePrincipals":
        return  # an application's client id is known in every tenant, and any may let it in
    creates = endpoint.method == "POST" and "{" not in endpoint.address and "Requests" not in endpoint.address
    creates = creates and not endpoint.address.endswith("roleAssignments")
    upsert = endpoint.address.startswith("identity/")
    # His own history may name the ids that he himself tried.
    ours = stage.world.tenant_id[: 36 if endpoint.address.startswith(("auditLogs", "openPim/audit")) else 19]
    assert answer.status_code >= 400 or ours not in answer.text, (
        name_of(endpoint),
        answer.text[:500],
    )
    own = endpoint.method == "PATCH" and endpoint.address in SINGLE
    if endpoint.method != "GET" and not creates and not upsert and not own:
        assert answer.status_code >= 400, (name_of(endpoint), answer.text[:500])
