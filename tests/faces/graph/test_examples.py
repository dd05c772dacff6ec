"""The documented examples, replayed: each request is accepted, and its answer has the documented members and context.

examples.json holds what the documentation of Microsoft Graph shows for the addresses of this face: method, address,
body (with other words in it), status, `@odata.context`, and of the answer the names of its members. Members of ours
beyond those are allowed, missing ones are not, unless DIFFERENT says why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from openpim.core.directory import AdministrativeUnit, Group, RoleDefinition, ServicePrincipal
from openpim.core.grants import Request
from openpim.core.signin.values import AuthenticationContext
from openpim.services import role_assignments
from openpim.wire.ids import encode_instance_id
from tests.faces.graph.client import Graph
from tests.world import ASSIGNMENT, GA, HELPDESK, TEAMS, World

EXAMPLES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("examples.json").read_text())
START = datetime(2022, 4, 11, 11, 50, tzinfo=UTC)
GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
PRINCIPALS = (
    "071cc716-8147-4397-a5ba-b2105951cc0b", "07706ff1-46c7-4847-ae33-3003830675a1", "c6ad1942-4afa-47f8-8d48-afb5d8d69d2f",
    "f8ca5a85-489a-49a0-b555-0a6d81e56f0d", "6b937a9d-c731-465b-a844-2d5b5368c161", "f1847572-48aa-47aa-96a3-2ec61904f41f",
    "2c7936bc-3517-40f3-8eda-4806637b6516", "7146daa8-1b4b-4a66-b2f7-cf593d03c8d2", "1ed8ac56-4827-4733-8f80-86adc2e67db5",
)  # fmt: skip
ROLES = (
    "c2cf284d-6c41-4e6b-afac-4b80928c9034",
    "f189965f-f560-4c59-9101-933d4c87a91a",
    "0d55728d-3e24-4309-9b1b-5ac09921475a",
)
UNITS = ("5d107bba-d8e2-4e13-b6ae-884be90e5d1a", "26e79164-0c5c-4281-8c5b-be7bc7809fb2")
APP, TEAM = "661e1310-bd76-4795-89a7-8f3c8f855bfc", "e77cbb23-0ff2-4e18-819c-690f58269752"

# Members that the documentation shows and this face does not give; see docs/divergences/graph.md.
DIFFERENT = {
    "@odata.id": "the address of an object in Microsoft's own directory",
    "@odata.type": "said only where several types can stand",
    "value.@odata.context": "one example repeats the context in every row",
    "targetResource": "an old spelling of targetResources in one example",
    "targetResources.Type": "an old spelling of type in one example",
    "rolePermissions.excludedResourceActions": "shown only where there are some",
    "roleDefinition.rolePermissions.excludedResourceActions": "shown only where there are some",
    "beta/unifiedroleeligibilityschedule-get assignmentType": "an eligibility has none",
}  # and of expanded principals, the properties of users that `/users` does not show either


class Stage:
    """The people and things the examples speak of, and one grant of every kind."""

    def __init__(self, url: str) -> None:
        self.world = world = World(url, start=START)
        self.graph = Graph(world)
        for number, each in enumerate(PRINCIPALS):
            world.user(f"Person {number}", id=each)
        domain = "Contoso.com"
        world.write(lambda tx: self.things(tx, domain))
        self.subject = world.bob
        self.eligible = world.eligible(self.subject)
        active = world.activate(self.subject, hours=5)
        assert isinstance(active, Request)
        self.active = active
        self.assigned = world.assigned(self.subject, HELPDESK)
        role_assignments.create(world.deps, world.caller(world.pra), GA, self.subject, "/")
        world.forward(minutes=10)

    def things(self, tx: Any, domain: str) -> None:
        now = self.world.now
        for each in ROLES:
            tx.roles.add(
                RoleDefinition(
                    each,
                    f"Custom {each[:4]}",
                    ("microsoft.directory/applications/standard/read",),
                    built_in=False,
                    template_id=each,
                    created_at=now,
                )
            )
        for each in UNITS:
            tx.administrative_units.add(AdministrativeUnit(each, f"Unit {each[:4]}", now))
        tx.service_principals.add(ServicePrincipal(APP, self.world.new_id(), "App", True, now))
        tx.groups.add(Group(TEAM, "IT Helpdesk", now, role_assignable=True))
        tx.authentication_contexts.put(AuthenticationContext("c1", "Strong"))
        tenant = tx.tenants.current()
        tx.tenants.save(replace(tenant, domains=(*tenant.domains, domain.lower())))

    def prepared(self, example: dict[str, Any]) -> tuple[str, str]:
        """Who sends it, and its address with ids that exist."""
        world, url, body = self.world, str(example["url"]), example["body"] or {}
        who = world.ga
        action = str(body.get("action", "")).lower()
        if action == "selfactivate":
            who = body["principalId"]
            if not self.holds(who, body["roleDefinitionId"]):
                world.eligible(who, body["roleDefinitionId"])
        elif action == "adminremove":
            world.eligible(body["principalId"], body["roleDefinitionId"])
            world.forward(minutes=10)
        elif "filterByCurrentUser(on='principal')" in url:
            who = self.subject
        elif "roleAssignmentApprovals" in url:
            who, url = self.approval(url)
        elif "/policies/" in url:
            url = self.policy(url)
        elif "/cancel" in url:
            url = self.cancelable(url)
        elif example["method"] in {"GET", "DELETE"}:
            url = self.existing(url)
        return who, url

    def holds(self, who: str, role: str) -> bool:
        return any(one.role_id == role for one in self.world.read(lambda tx: tx.schedules.of([who])))

    def approval(self, url: str) -> tuple[str, str]:
        world = self.world
        world.approval(world.cyd)
        world.eligible(world.dan)
        asked = world.activate(world.dan)
        assert isinstance(asked, Request)
        return world.cyd, re.sub(GUID, asked.id, url)

    def policy(self, url: str) -> str:
        where = "scopeId eq '/' and scopeType eq 'DirectoryRole'"
        rows = self.graph.rows(
            f"/policies/roleManagementPolicyAssignments?$filter={where} and roleDefinitionId eq '{GA}'",
            self.world.ga,
        )
        guid = rows[0]["policyId"].rpartition("_")[2]
        return re.sub(rf"(Directory(?:Role)?)_{GUID}_{GUID}", rf"\1_{self.world.tenant_id}_{guid}", url)

    def cancelable(self, url: str) -> str:
        world = self.world
        later = world.now + timedelta(days=1)
        if "Eligibility" in url:
            made = world.eligible(world.dan, TEAMS, start=later, permanent=True)
        else:
            made = world.assigned(world.dan, TEAMS, start=later, permanent=True)
        return re.sub(GUID, made.id, url)

    def existing(self, url: str) -> str:
        subject = self.subject
        instance = r"[A-Za-z0-9_-]{43,64}-[12](-e)?"
        if "roleAssignments/" in url or "AssignmentScheduleInstances/" in url:
            return re.sub(instance, encode_instance_id(HELPDESK, subject), url)
        if "EligibilityScheduleInstances/" in url:
            return re.sub(instance, encode_instance_id(TEAMS, subject, eligible=True), url)
        if "roleAssignmentSchedule" in url:
            return re.sub(GUID, self.assigned.id, url)
        if "roleEligibilitySchedule" in url:
            return re.sub(GUID, self.eligible.id, url)
        return url


@pytest.fixture
def stage(database_url: str) -> Iterator[Stage]:
    found = Stage(database_url)
    yield found
    found.world.close()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "example", EXAMPLES, ids=[one["example"].split(" ")[0] + f"-{n}" for n, one in enumerate(EXAMPLES)]
)
def test_the_example_is_answered_as_documented(stage: Stage, example: dict[str, Any]) -> None:
    who, url = stage.prepared(example)
    answer = stage.graph.send(example["method"], url, who, example["body"], headers=example["headers"])
    accepted = (
        {200, 201, 204}
        if example["status"] is None
        else {
            example["status"],
            201 if example["status"] == 200 and example["method"] == "POST" else example["status"],
        }
    )
    assert answer.status_code in accepted, answer.text
    if example["shape"] is None:
        return
    found = answer.json()
    name = example["example"].split(" ")[0]
    missing = sorted(path for path in set(lacking(example["shape"], found)) if not meant(path, name))
    assert not missing, (missing, found)
    if example["context"] and name not in ODD_CONTEXTS:
        documented = CONTEXTS.get(example["context"], example["context"])
        assert plain(found["@odata.context"].partition("$metadata#")[2]) == plain(documented)


# Contexts that the documentation shows in a spelling of its own.
CONTEXTS = {
    "/conditionalAccess/authenticationContextClassReferences": "identity/conditionalAccess/authenticationContextClassReferences",
    "auditlogs/directoryaudits": "auditLogs/directoryAudits",
    "conditionalAccess/authenticationContextClassReferences/$entity": "identity/conditionalAccess/authenticationContextClassReferences/$entity",
}


# Examples whose context is another address's, or leaves out what was expanded.
ODD_CONTEXTS = {
    "beta/rbacapplication-list-roleassignmentschedules",
    "v1.0/unifiedroleassignment-get",
    "beta/unifiedroleassignment-get",
}


def plain(context: str) -> str:
    return re.sub(GUID, "…", context)


def lacking(wanted: Any, found: Any, path: str = "") -> Iterator[str]:
    """Members that are documented and missing. A list is good if for each documented item one of its items is."""
    if isinstance(wanted, list):
        assert isinstance(found, list), path
        for each in wanted if found else ():
            yield from min((list(lacking(each, one, path)) for one in found), key=len)
    elif isinstance(wanted, dict) and isinstance(found, dict):
        for name, inner in wanted.items():
            below = f"{path}.{name}" if path else name
            if name in found:
                yield from lacking(inner, found[name], below)
            else:
                yield below
    elif isinstance(wanted, dict):
        assert found is None, f"{path}: {found}"


def meant(path: str, example: str) -> bool:
    """Whether we leave this member out on purpose."""
    name = path.removeprefix("value.")
    return (
        path in DIFFERENT
        or name in DIFFERENT
        or f"{example} {name}" in DIFFERENT
        or name.startswith("principal.")
    )


ORDERED = {
    "/roleManagement/directory/roleAssignmentScheduleRequests": (
        "id", "status", "createdDateTime", "completedDateTime", "approvalId", "customData", "action", "principalId",
        "roleDefinitionId", "directoryScopeId", "appScopeId", "isValidationOnly", "targetScheduleId", "justification", "createdBy",
        "scheduleInfo", "ticketInfo",
    ),
    "/roleManagement/directory/roleAssignmentSchedules": (
        "id", "principalId", "roleDefinitionId", "directoryScopeId", "appScopeId", "createdUsing", "createdDateTime",
        "modifiedDateTime", "status", "assignmentType", "memberType", "scheduleInfo",
    ),
    "/roleManagement/directory/roleEligibilityScheduleInstances": (
        "id", "principalId", "roleDefinitionId", "directoryScopeId", "appScopeId", "startDateTime", "endDateTime", "memberType",
        "roleEligibilityScheduleId",
    ),
}  # fmt: skip


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_members_come_in_the_documented_order(stage: Stage) -> None:
    for address, names in ORDERED.items():
        for row in stage.graph.rows(address, stage.world.ga):
            assert tuple(row) == names


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_an_assignment_made_outside_pim(stage: Stage) -> None:
    """Its schedule has the instance's id, and nobody knows which request made it."""
    key = encode_instance_id(GA, stage.subject)
    where = f"principalId eq '{stage.subject}' and roleDefinitionId eq '{GA}'"
    instance = stage.graph.rows(
        f"/roleManagement/directory/roleAssignmentScheduleInstances?$filter={where}", stage.world.ga
    )[0]
    assert instance["id"] == instance["roleAssignmentScheduleId"] == key
    assert instance["startDateTime"] is None
    schedule = stage.graph.ok(f"/roleManagement/directory/roleAssignmentSchedules/{key}", stage.world.ga)
    assert schedule["id"] == key
    assert schedule["createdUsing"] is schedule["createdDateTime"] is None
    by = f"roleAssignmentScheduleId eq '{key}'"
    assert (
        len(
            stage.graph.rows(
                f"/roleManagement/directory/roleAssignmentScheduleInstances?$filter={by}", stage.world.ga
            )
        )
        == 1
    )
    assert stage.world.read(lambda tx: tx.schedules.of([stage.subject], kind=ASSIGNMENT))
