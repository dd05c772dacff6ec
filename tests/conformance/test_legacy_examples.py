"""The documented examples of the dialect that older tools still speak (`privilegedAccess/azureResources`), sent to the
address where those tools find it today, `/api/v2`: accepted with the documented status, answered in the documented shape.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest

from tests.conformance.arm_client import CONTRIBUTOR, OWNER, READER, Field
from tests.conformance.examples import FOLDER, differences, moved

EXAMPLES = {
    f"{file.stem}#{number}": pair
    for file in sorted((FOLDER / "beta").glob("governance*.json"))
    for number, pair in enumerate(json.loads(file.read_text("utf-8"))["pairs"], 1)
}
pytestmark = pytest.mark.skipif(not EXAMPLES, reason=f"the documented examples are not at {FOLDER}")
BASE = "/api/v2/privilegedAccess/azureResources"

# Not sent, and why.
NOT_SERVED = {
    "governanceroleassignmentrequest-cancel#1": "no older tool was seen to cancel here",
    "governanceroleassignmentrequest-update#1": "no older tool was seen to decide here",
    "governancerolesetting-get#1": "no older tool was seen to read settings here",
    "governancerolesetting-update#1": "no older tool was seen to change settings here",
}
# What a documented answer has and ours has not, and why.
LACKING = {
    ".@odata.context: missing": "no tool reads it",
    ".status.statusDetails: empty": "why something was granted is not told rule by rule",
}


class Stage:
    """samir is eligible for Owner, and later for Reader, at rg-a; people to give roles to."""

    def __init__(self, server, robots):
        self.field = field = Field(server, robots)
        self.me = field.desk("samir")
        self.others = {"add": server.people["greta"].id, "change": server.people["matteo"].id,
                       "remove": server.people["astrid"].id}  # fmt: skip
        field.eligible(self.me.id, field.rg_a, OWNER)
        for key in ("change", "remove"):
            field.eligible(self.others[key], field.rg_a, CONTRIBUTOR)

    def send(self, desk, method, path, body=None):
        token = desk.credential.get_token("https://graph.microsoft.com/.default").token
        return httpx.request(
            method, self.field.server.origin + path, json=body, headers={"Authorization": f"Bearer {token}"},
            verify=self.field.server.trust(), timeout=30,
        )  # fmt: skip

    def eligible(self):
        """As older tools find what they may activate, with the ids of this dialect."""
        asked = f"(subject/id eq '{self.me.id}') and (assignmentState eq 'Eligible')"
        answer = self.send(self.me, "GET", f"{BASE}/roleAssignments?$filter={asked}")
        assert answer.status_code == 200, answer.text
        (found,) = answer.json()["value"]
        return found

    def body(self, said):
        body = moved(said, datetime.now(UTC)) if said.get("schedule") else dict(said)
        if said["type"].startswith("User"):
            held = self.eligible()
            schedule = (
                {**body["schedule"], "duration": "PT2H"} if "schedule" in body else None
            )  # 9 hours are too many
            return {
                **body, "roleDefinitionId": held["roleDefinitionId"], "resourceId": held["resourceId"],
                "subjectId": self.me.id, "linkedEligibleRoleAssignmentId": held["id"],
                **({"schedule": schedule} if schedule else {}),
            }  # fmt: skip
        key = {"AdminAdd": "add", "AdminRemove": "remove"}.get(said["type"], "change")
        role = READER if key == "add" else CONTRIBUTOR
        return {
            **body, "roleDefinitionId": role, "resourceId": self.field.rg_a, "subjectId": self.others[key],
            "reason": body.get("reason") or "The settings here demand one",
        }  # fmt: skip


@pytest.fixture(scope="module")
def stage(server, regulars):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", server.ca_file)
        made = Stage(server, regulars)
        yield made
        made.field.close()


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(stage, name):
    """Seven are sent; four are not, each with its reason. In their order: what one activates the next gives back."""
    if name in NOT_SERVED:
        pytest.skip(NOT_SERVED[name])
    asked, documented = EXAMPLES[name]["request"], EXAMPLES[name]["response"]
    path = asked["url"].replace("/beta/privilegedAccess/azureResources", BASE)
    said = asked["body"]
    mine = said is None or said["type"].startswith("User")
    desk = stage.me if mine else stage.field.boss
    answer = stage.send(desk, asked["method"], path, stage.body(said) if said else None)
    assert answer.status_code == documented["status"], answer.text
    left = [
        each
        for each in differences(documented["body"], answer.json())
        if not each.endswith("not documented") and each not in LACKING
    ]
    assert not left, "\n".join([*left, answer.text])
    if said:
        for member in ("type", "assignmentState"):
            assert answer.json()[member] == said[member]
    else:
        assert stage.field.rg_a in {row["externalId"] for row in answer.json()["value"]}
