"""Who may do what through SCIM, as a printed table that is checked in: scim_table.txt beside this file.

Every endpoint has a row, every kind of caller a column; the privileged columns are requests about a powerful person and a group
that gives a role. Written anew, if a difference is meant, with AUTHORIZATION_TABLE=write.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from openpim.core.provisioning import PRIVILEGED, PROVISION
from openpim.faces.scim.endpoints import ENDPOINTS
from tests.faces.scim.client import GROUP, PATCH, USER, Scim
from tests.signin_helper import access_token
from tests.world import TEAMS, World

TABLE = Path(__file__).with_name("scim_table.txt")


class Stage:
    def __init__(self, url: str) -> None:
        self.scim = Scim(World(url))
        world = self.scim.world
        self.other = Scim(World(world.database))
        self.poor = self.scim.provisioner("Poor", "User.ReadWrite.All", "Directory.ReadWrite.All")[0]
        self.trusted = self.scim.provisioner("Trusted", PROVISION, PRIVILEGED)[1]
        self.made = 0

    def actors(self) -> dict[str, str]:
        signin, world = self.scim.signin, self.scim.world
        return {
            "anonymous": "",
            "member": access_token(signin, world.tenant_id, world.ann),
            "ga": access_token(signin, world.tenant_id, world.ga),
            "app": self.scim.token,
            "trusted": self.trusted,
            "stranger": self.other.token,
        }

    def request(self, method: str, path: str, *, powerful: bool) -> tuple[str, Any]:
        """About fresh things."""
        self.made += 1
        name = f"fresh{self.made}"
        world = self.scim.world
        if path.startswith("Groups"):
            key = world.group(name, role_assignable=powerful)
            body: Any = {
                "schemas": [GROUP],
                "displayName": f"{name} changed",
                "members": [{"value": world.ann}],
            }
        else:
            key = world.user(name)
            if powerful:
                world.eligible(key, TEAMS)
                world.group(f"{name} admins", [key])
            body = {"schemas": [USER], "userName": f"{name}x", "active": False}
        if path.startswith("ResourceTypes"):
            key = "User"
        if path.startswith("Schemas"):
            key = USER
        if method == "PATCH":
            change = {"op": "replace", "path": "displayName", "value": f"{name} changed"}
            body = {"schemas": [PATCH], "Operations": [change]}
        if path.endswith(".search"):
            body = {"count": 1}
        return "/" + path.replace("{id}", key), body if method in {"POST", "PUT", "PATCH"} else None


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_table_is_as_written(database_url: str) -> None:
    stage = Stage(database_url)
    columns = [*stage.actors(), "app/powerful", "trusted/powerful"]
    lines = [" ".join([f"{'':<28}", *(f"{one:>16}" for one in columns)])]
    for method, path in ENDPOINTS:
        cells = []
        for column in columns:
            actor, _, what = column.partition("/")
            where, body = stage.request(method, path, powerful=bool(what))
            answer = stage.scim.send(method, where, body, token=stage.actors()[actor])
            assert answer.status_code < 500 or answer.status_code == 501, answer.text
            if actor == "stranger" and "{id}" in path and path[0] in "UG":
                assert answer.status_code == 404, (method, path)
            cells.append(f"{answer.status_code:>16}")
        lines.append(" ".join([f"{method + ' ' + path:<28}", *cells]))
    stage.scim.world.close()
    found = "\n".join(line.rstrip() for line in lines) + "\n"
    if os.environ.get("AUTHORIZATION_TABLE") == "write":
        TABLE.write_text(found)
    assert found == TABLE.read_text()
