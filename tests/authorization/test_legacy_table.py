"""Who may do what through the dialect of older tools, as a printed table that is checked in: legacy_table.txt beside
this file.

Every endpoint has a row for each provider and each thing it can do, every kind of caller a column. `owner` owns the
group and the subscription; `tool` has a token for the management API, `bare` one without any permission, `other` one
for another provider. `app+` has the provider's own permission (and a role in the tree), `app?` only that to make active
assignments, `app-` none of these. Written anew as test_graph_table.py says.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from openpim.core.grants import Provider
from openpim.faces.legacy.dispatch import ENDPOINTS
from tests.faces.arm.client import OWNER, READER, Arm
from tests.faces.graph.client import Who
from tests.faces.legacy.conftest import Legacy
from tests.services.groups import GroupWorld
from tests.world import HELPDESK, TEAMS, World, ok
from tests.world import READER as GLOBAL_READER

TABLE = Path(__file__).with_name("legacy_table.txt")
BASE = "https://localhost:8443/api/v2/privilegedAccess"
PROVIDERS = {"aadGroups": Provider.GROUP, "aadRoles": Provider.DIRECTORY, "azureResources": Provider.RESOURCE}
OWN = {
    "aadGroups": "PrivilegedAccess.ReadWrite.AzureADGroup",
    "aadRoles": "PrivilegedAccess.ReadWrite.AzureAD",
    "azureResources": "PrivilegedAccess.ReadWrite.AzureResources",
}
ACTIVE = {
    "aadGroups": "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
    "aadRoles": "RoleAssignmentSchedule.ReadWrite.Directory",
    "azureResources": "Nothing.At.All",
}


@dataclass
class Stage:
    world: World

    def __post_init__(self) -> None:
        world = self.world
        self.old, self.arm = Legacy(world), Arm(world)
        self.arm.plant()
        self.other = World(world.database)
        self.group = world.group("team", role_assignable=False)
        self.guest, self.eligible, self.reader, self.owner, self.able = (
            world.guest("Guest"), world.user("Eligible"), world.user("Reader"), world.user("Owner"), world.app("Able"),
        )  # fmt: skip
        world.write(lambda tx: tx.groups.add_owner(self.group, self.owner))
        self.arm.assigned(self.owner, OWNER, self.arm.prod)
        self.arm.assigned(self.able, OWNER, self.arm.prod)
        self.arm.assigned(self.reader, READER, self.arm.prod)
        world.assigned(self.reader, GLOBAL_READER)
        self.poor = world.app("Poor")
        self.make_eligible(self.eligible)
        world.forward(minutes=10)

    def make_eligible(self, who: str, *providers: str) -> None:
        for provider in providers or PROVIDERS:
            match provider:
                case "aadGroups":
                    ok(GroupWorld(self.world).give(self.group, who))
                case "aadRoles":
                    self.world.eligible(who)
                case _:
                    self.arm.eligible(who, READER, self.arm.prod)

    def actors(self, provider: str) -> dict[str, Who | str | None]:
        world, app = self.world, self.old.app
        others = frozenset(one for name, one in OWN.items() if name != provider)
        return {
            "anonymous": None,
            "guest": self.guest,
            "member": world.bob,
            "eligible": self.eligible,
            "reader": self.reader,
            "owner": self.owner,
            "pra": world.pra,
            "ga": world.ga,
            "tool": Who(world.pra, scopes=frozenset({"user_impersonation"})),
            "bare": Who(world.ga, scopes=frozenset({"User.Read"})),
            "other": Who(world.ga, scopes=others),
            "app+": app(self.able, OWN[provider]),
            "app?": app(self.able, ACTIVE[provider]),
            "app-": app(self.poor, *others, "Directory.ReadWrite.All"),
            "stranger": Who(self.other.ga, self.other.tenant_id),
        }

    def named(self, provider: str) -> dict[str, str]:
        match provider:
            case "aadGroups":
                return {"roleDefinitionId": "member", "resourceId": self.group}
            case "aadRoles":
                return {"roleDefinitionId": TEAMS, "resourceId": self.world.tenant_id}
            case _:
                return {"roleDefinitionId": READER, "resourceId": self.arm.prod}

    def ask(self, provider: str, type_: str, state: str, subject: str) -> dict[str, Any]:
        schedule = {"type": "Once", "duration": "PT120M"}
        named = self.named(provider)
        return {**named, "type": type_, "assignmentState": state, "subjectId": subject, "reason": "because", "schedule": schedule}  # fmt: skip

    def request(self, provider: str) -> str:
        """The id of a fresh request about somebody."""
        who = self.world.user("Somebody")
        if provider == "aadRoles":
            return self.world.eligible(who, HELPDESK).id
        if provider == "aadGroups":
            return ok(GroupWorld(self.world).give(self.group, who)).id
        return self.arm.eligible(who, READER, self.arm.prod).id

    def rows(self, provider: str) -> dict[str, tuple[str, str, Any]]:
        """What can be done, as (method, path, body); {subject} stands for somebody fresh."""
        who = self.world.user("Subject")
        mine = "me"
        about = f"$filter=subject/id eq '{self.eligible}'"
        return {
            "GET {provider}/roleAssignments": ("GET", "roleAssignments", None),
            "GET {provider}/roleAssignments (somebody's)": ("GET", f"roleAssignments?{about}", None),
            "GET {provider}/roleAssignmentRequests": ("GET", "roleAssignmentRequests", None),
            "GET {provider}/roleAssignmentRequests (somebody's)": ("GET", f"roleAssignmentRequests?{about}", None),
            "GET {provider}/roleAssignmentRequests/{id}": ("GET", f"roleAssignmentRequests/{self.request(provider)}", None),
            "GET {provider}/resources": ("GET", "resources", None),
            "GET {provider}/resources/{id}": ("GET", f"resources/{self.group}", None),
            "POST {provider}/roleAssignmentRequests (activate)": ("POST", "roleAssignmentRequests", self.ask(provider, "UserAdd", "Active", mine)),
            "POST {provider}/roleAssignmentRequests (for another)": ("POST", "roleAssignmentRequests", self.ask(provider, "UserAdd", "Active", self.eligible)),
            "POST {provider}/roleAssignmentRequests (eligible)": ("POST", "roleAssignmentRequests", self.ask(provider, "AdminAdd", "Eligible", who)),
            "POST {provider}/roleAssignmentRequests (active)": ("POST", "roleAssignmentRequests", self.ask(provider, "AdminAdd", "Active", who)),
            "POST {provider}/roleAssignmentRequests (remove)": ("POST", "roleAssignmentRequests", self.ask(provider, "AdminRemove", "Eligible", self.eligible)),
        }  # fmt: skip


def test_every_endpoint_has_a_row(database_url: str) -> None:
    stage = Stage(World(database_url))
    named = {name.split(" (")[0] for name in stage.rows("aadRoles")}
    assert named == {f"{one.method} {one.address}" for one in ENDPOINTS}
    stage.world.close()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_table_is_as_written(database_url: str) -> None:
    stage = Stage(World(database_url))
    lines = [" ".join([f"{'':<64}", *(f"{actor:>9}" for actor in stage.actors("aadRoles"))])]
    for provider in PROVIDERS:
        actors = stage.actors(provider)
        for name in stage.rows(provider):
            cells = []
            for actor, who in actors.items():
                method, path, body = stage.rows(provider)[name]
                if body is not None and body["subjectId"] == "me":
                    body["subjectId"] = who.id if isinstance(who, Who) else who or stage.eligible
                answer = stage.old.send(method, f"{BASE}/{provider}/{path}", who, body)
                assert answer.status_code < 500, (path, answer.text)
                if actor == "stranger" and answer.status_code < 400:
                    assert stage.world.tenant_id[:19] not in answer.text, answer.text
                cells.append(f"{answer.status_code:>9}")
                if name.endswith("(remove)") and answer.status_code == 201:
                    stage.make_eligible(stage.eligible, provider)
            lines.append(" ".join([f"{name.replace('{provider}', provider):<64}", *cells]))
    stage.world.close()
    found = "\n".join(line.rstrip() for line in lines) + "\n"
    if os.environ.get("AUTHORIZATION_TABLE") == "write":
        TABLE.write_text(found)
    assert found == TABLE.read_text()
