"""Who may do what through the resource manager, as a printed table that is checked in: arm_table.txt beside this file.

Every endpoint has a row, every kind of caller a column. A cell is the status that a well-formed request about fresh
things in the management group `it` gets. `beside` owns another management group, `below` a resource group in it;
`disabled` owned everything; `ga` and `app-ga` are Global Administrators, who have no role in the tree.
Written anew as test_graph_table.py says.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openpim.faces.arm.endpoints import ENDPOINTS
from tests.authorization.arm_requests import SETUPS, Stage
from tests.faces.arm.client import AUTH

TABLE = Path(__file__).with_name("arm_table.txt")
# What tells nobody anything about this tenant.
PUBLIC = {"GET metadata/endpoints"}
# What gives the caller a role in the tree: asked for last.
GIVING = (
    "PUT providers/Microsoft.Subscription",
    "PUT providers/Microsoft.Management",
    f"POST {AUTH}/elevateAccess",
)


def test_every_endpoint_has_a_request_here() -> None:
    names = {f"{one.method} {one.address}" for one in ENDPOINTS}
    assert not names - SETUPS.keys(), "say in SETUPS what a request to these looks like"
    assert not SETUPS.keys() - names, "these endpoints do not exist"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_table_is_as_written(database_url: str) -> None:
    stage = Stage(database_url)
    actors = stage.actors()
    header = " ".join([f"{'':<96}", *(f"{actor:>9}" for actor in actors)])
    lines: dict[str, str] = {f"{one.method} {one.address}": "" for one in ENDPOINTS}
    for name in sorted(lines, key=lambda one: one.startswith(GIVING)):
        method = name.split()[0]
        cells = []
        for actor, who in actors.items():
            path, body = SETUPS[name](stage)
            arm = stage.abroad if actor == "stranger" else stage.arm
            answer = arm.send(method, path, who, body)
            assert answer.status_code < 500, (path, answer.text)
            if actor in {"anonymous", "disabled", "stranger"} and name not in PUBLIC:
                # What a path says it may say again; nothing else of this tenant.
                for secret in (
                    stage.arm.prod[:30],
                    stage.world.tenant_id,
                    stage.subject,
                    "Production",
                    "Olga",
                ):
                    said = answer.status_code < 400 and secret in answer.text.replace(path, "")
                    assert not said or actor == "disabled", (name, actor, answer.text[:500])
            cells.append(f"{answer.status_code:>9}")
        shown = name.replace("providers/Microsoft.Authorization", "…").replace(
            "providers/Microsoft.Management/managementGroups", "…/managementGroups"
        )
        lines[name] = " ".join([f"{shown:<96}", *cells])
    stage.world.close()
    found = "\n".join(line.rstrip() for line in (header, *lines.values())) + "\n"
    if os.environ.get("AUTHORIZATION_TABLE") == "write":
        TABLE.write_text(found)
    assert found == TABLE.read_text()
