"""The documented examples are sent as they stand (only ids are those of things that exist here, and dates lie in the
future): each is accepted, with the documented status, and each answer has the documented shape.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import msal
import pytest

from tests.conformance.examples import FOLDER, GUID, INSTANCE, MEMBERS, differences, examples, moved

ALL = list(examples())
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the documented examples are not at {FOLDER}")

# Not sent, and why.
BROKEN = {
    "v1.0/directoryaudit-get#1": "the page answers a request for one entry with a list",
    "beta/directoryaudit-list#1": "the page answers a request for the list with one entry",
    "beta/rbacapplication-post-roleassignments#3": "attribute sets are no scope here",
    "beta/rbacapplication-roleschedules#1": "its arguments name nothing that is anywhere",
    "beta/rbacapplication-rolescheduleinstances#1": "its arguments name nothing that is anywhere",
    "beta/unifiedrolemanagementpolicy-get#1": "the page answers a request for one policy with a list",
    "beta/unifiedrolemanagementpolicyassignment-get#1": "the page answers a request for one with a list",
}
# What a documented answer has and ours has not, and why; a file, and what the difference begins or ends with.
LACKING = (
    (
        "",
        ".inheritsPermissionsFrom: empty",
        "our built-in roles hold their own actions, those inherited included",
    ),
    ("directoryaudit", ".modifiedProperties: empty", "the newest entry need not be a change"),
    ("beta/rbacapplication-list-transitiveroleassignments", ".value: empty", "nobody holds just that here"),
    ("directoryaudit", ".targetResources[].Type: missing", "a misprint of `type`"),
    ("beta/directoryaudit", ".initiatedBy.user.userType: missing", "beta only, of cross-tenant acts"),
    ("beta/directoryaudit", ".initiatedBy.user.homeTenantId: missing", "beta only, of cross-tenant acts"),
    ("beta/directoryaudit", ".initiatedBy.user.homeTenantName: missing", "beta only, of cross-tenant acts"),
    ("rbacapplication-list-roleassignments#1", ".value[].principal.", "the page shows all members of a user"),
    ("v1.0/rbacapplication-post-roleassignments#3", ".@odata.id: missing", "on this page only"),
    (
        "unifiedroleassignment-get#2",
        ".@odata.",
        "the page is older than contexts that name the expansion",
    ),
    (
        "unifiedroleassignment-get#2",
        ".excludedResourceActions: missing",
        "always null in the documentation",
    ),
    ("beta/rbacapplication-list-roleassignmentschedules", ".@odata.context", "names another type by mistake"),
    ("beta/unifiedroleeligibilityschedule-get", ".@odata.type: missing", "the page shows an assignment"),
    ("beta/unifiedroleeligibilityschedule-get", ".assignmentType: missing", "the page shows an assignment"),
    ("beta/unifiedroleeligibility", ".value[].@odata.context: missing", "a context in each item, here only"),
    ("beta/unifiedrolemanagementpolicy-list-effectiverules", ".target.@odata.type: missing", "here only"),
)
# Members of Graph's types that the table of types beside the examples leaves out.
MORE = {
    "@odata.context", "@odata.count", "@odata.nextLink", "accountEnabled", "businessPhones", "givenName",
    "isPrivileged", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "resourceScope",
    "surname", "userType",
}  # fmt: skip
OURS = {"openPim"}  # our extension


def excepted(name, difference):
    path, _, what = difference.partition(": ")
    member = next((each for each in sorted(MORE) if path.endswith("." + each)), path.rpartition(".")[2])
    if what == "not documented":
        return member in MEMBERS | MORE | OURS
    return any(
        name.startswith(file) or name.removeprefix("v1.0/").removeprefix("beta/").startswith(file)
        for file, part, _why in LACKING
        if difference.startswith(part) or difference.endswith(part) or path.endswith(part)
    )


AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1"


def api(server, robots, key):
    app = msal.PublicClientApplication(AZURE_CLI, authority=f"{server.origin}/adfs")
    flow = app.initiate_device_flow(["https://graph.microsoft.com/.default"])
    robots(key).device(flow["user_code"])
    token = app.acquire_token_by_device_flow(flow)["access_token"]
    return httpx.Client(
        base_url=server.origin,
        verify=server.trust(),
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )


class World:
    """Things that exist, one for each kind of id in the examples; made through the API itself."""

    def __init__(self, server, regulars, monkeypatch):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", server.ca_file)
        self.server = server
        self.admin = api(server, regulars, "emergency2")
        self.me = server.people["emergency2"].id
        self.roles = {each["id"] for each in self.get("roleManagement/directory/roleDefinitions?$top=999")}
        self.unit = self.get("directory/administrativeUnits")[0]["id"]
        self.app = self.get("applications")[0]["id"]
        self.audit = self.get("auditLogs/directoryAudits?$top=1")[0]["id"]
        self.people = [
            server.people[key].id for key in ("chidi", "leila", "sofia", "anton", "bruno", "rui", "diogo")
        ]
        self.used = self.made = 0
        self.names = []
        self.custom = self.post(
            "roleManagement/directory/roleDefinitions",
            {"displayName": "For the examples", "isEnabled": True,
             "rolePermissions": [{"allowedResourceActions": ["microsoft.directory/applications/basic/read"]}]},
        )["id"]  # fmt: skip
        # I hold everything that filterByCurrentUser may show.
        self.eligible = self.ask("Eligibility", "adminAssign", self.me, self.reader(0))
        self.active = self.ask("Assignment", "selfActivate", self.me, self.reader(0))
        self.group = self.with_members()

    READERS = ("4a5d8f65-41da-4de4-8968-e035b65339cf", "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b",
               "ac16e43d-7b2d-40e0-ac05-243ff356ab5b", "88d8e3e3-8f55-4a1e-953a-9b9898b8876b")  # fmt: skip

    def reader(self, number):
        return self.READERS[number]

    def get(self, path):
        answer = self.admin.get(f"/v1.0/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]

    def post(self, path, body):
        answer = self.admin.post(f"/v1.0/{path}", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def ask(self, kind, action, principal, role, start=None):
        schedule = {"expiration": {"type": "afterDuration", "duration": "PT2H"}, "startDateTime": start}
        return self.post(
            f"roleManagement/directory/role{kind}ScheduleRequests",
            {"action": action, "principalId": principal, "roleDefinitionId": role, "directoryScopeId": "/",
             "justification": "For the examples", "scheduleInfo": schedule},
        )  # fmt: skip

    # ------------------------------------------------------------ PIM for Groups

    def with_members(self):
        """A group with a member outside PIM and one through it; whoever is eligible may activate without more."""
        name = f"for-the-examples-{self.custom[:8]}"
        body = {"displayName": name, "mailNickname": name, "mailEnabled": False, "securityEnabled": True}
        group = self.post("groups", body)["id"]
        member = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{self.people[1]}"}
        answer = self.admin.post(f"/v1.0/groups/{group}/members/$ref", json=member)
        assert answer.status_code == 204, answer.text
        self.ask_group(
            "assignment", "adminAssign", self.people[2], group, {"type": "afterDuration", "duration": "P3D"}
        )
        (policy,) = self.get(
            "policies/roleManagementPolicyAssignments?$filter="
            f"scopeId eq '{group}' and scopeType eq 'Group' and roleDefinitionId eq 'member'"
        )
        rule = {
            "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyEnablementRule",
            "id": "Enablement_EndUser_Assignment",
            "enabledRules": [],
        }
        path = f"/v1.0/policies/roleManagementPolicies/{policy['policyId']}/rules/{rule['id']}"
        assert self.admin.patch(path, json=rule).status_code == 204
        return group

    def ask_group(self, kind, action, who, group, expiration):
        answer = self.admin.post(
            f"/v1.0/identityGovernance/privilegedAccess/group/{kind}ScheduleRequests",
            json={"action": action, "accessId": "member", "groupId": group, "principalId": who,
                  "justification": "For the examples", "scheduleInfo": {"expiration": expiration}},
        )  # fmt: skip
        # The second time it is there already.
        assert answer.status_code == 201 or "RoleAssignmentExists" in answer.text, answer.text

    def group_body(self, body):
        """About the group here: he who asks for himself is eligible, what is extended is there."""
        mine = body["action"].lower().startswith("self")
        who = self.me if mine else self.people[0]
        if mine or body["action"] == "AdminExtend":
            self.ask_group(
                "eligibility", "adminAssign", who, self.group, {"type": "afterDuration", "duration": "PT9H"}
            )
        return {**body, "groupId": self.group, "principalId": who}

    def somebody(self):
        self.used += 1
        return self.people[self.used % len(self.people)]

    def existing(self, kind, url):
        """The id that stands for the one in an address `…/{collection}/{id}`."""
        low = url.lower()
        if "schedulerequests/" in low and "/cancel" in low:
            start = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
            role = self.reader(3)
            if kind == "Eligibility":
                return self.waiting_extension()
            self.ask("Eligibility", "adminAssign", self.me, role) if not self.holds(role) else None
            return self.ask(kind, "selfActivate", self.me, role, start)["id"]
        made = self.eligible if kind == "Eligibility" else self.active
        if "schedulerequests/" in low:
            return made["id"]
        if "schedules/" in low:
            return made["targetScheduleId"]
        found = self.get(
            f"roleManagement/directory/role{kind}ScheduleInstances/filterByCurrentUser(on='principal')"
        )
        return found[0]["id"]

    def waiting_extension(self):
        """The one request about an eligibility that waits: for an administrator's decision."""
        found = self.get("roleManagement/directory/roleEligibilityScheduleRequests")
        waits = [each["id"] for each in found if each["status"] == "PendingAdminDecision"]
        if waits:
            return waits[0]
        return self.ask("Eligibility", "selfExtend", self.me, self.reader(0))["id"]

    def holds(self, role):
        path = "roleManagement/directory/roleEligibilitySchedules/filterByCurrentUser(on='principal')"
        return any(each["roleDefinitionId"] == role for each in self.get(path))

    def policy(self, kind="Directory"):
        found = self.get(
            f"policies/roleManagementPolicyAssignments?$filter=scopeId eq '/' and scopeType eq '{kind}'"
            f" and roleDefinitionId eq '{self.reader(2)}'"
        )
        return found[0]

    # ------------------------------------------------------------ an example, made ready

    def address(self, example):
        path, _, query = example.url.partition("?")
        low = path.lower()
        if "/rolemanagementpolicyassignments/" in low:
            path = re.sub(r"(?i)(assignments/)[^/]+", lambda m: m[1] + self.policy()["id"], path)
        elif "/rolemanagementpolicies/" in low:
            kind = "DirectoryRole" if "DirectoryRole_" in path else "Directory"
            path = re.sub(
                r"(?i)(rolemanagementpolicies/)[^/]+", lambda m: m[1] + self.policy(kind)["policyId"], path
            )
        elif "/directoryaudits/" in low:
            path = path.replace("{id}", self.audit)
        elif "/roledefinitions/" in low:
            found = GUID.search(path)
            if found and found.group().lower() not in self.roles:
                path = path.replace(found.group(), self.custom_for(example))
        elif "/roleassignments/" in low and INSTANCE.search(path):
            path = path.replace(INSTANCE.search(path).group(), self.outside_pim())
        elif GUID.search(path) or INSTANCE.search(path):
            kind = "Eligibility" if "roleeligibility" in low else "Assignment"
            found = INSTANCE.search(path) or GUID.search(path)
            path = path.replace(found.group(), self.existing(kind, path))
        if "groupid" in query.lower():
            query = GUID.sub(self.group, query)
        query = GUID.sub(
            lambda m: m.group() if m.group().lower() in {*self.roles, self.group} else self.me, query
        )
        query = query.replace(f"/administrativeUnits/{self.me}", f"/administrativeUnits/{self.unit}")
        return quote(path, safe="/$()'=,") + (f"?{quote(query, safe='$()=&,;/')}" if query else "")

    def custom_for(self, example):
        if example.method != "DELETE":
            return self.custom
        body = {"displayName": f"To be deleted {example.name}", "isEnabled": True,
                "rolePermissions": [{"allowedResourceActions": ["microsoft.directory/applications/basic/read"]}]}  # fmt: skip
        return self.post("roleManagement/directory/roleDefinitions", body)["id"]

    def outside_pim(self):
        self.made += 1
        role = sorted(self.roles - {"62e90394-69f5-4237-9190-012177145e10"})[self.made]
        body = {"principalId": self.people[0], "roleDefinitionId": role, "directoryScopeId": "/"}
        return self.post("roleManagement/directory/roleAssignments", body)["id"]

    def body(self, example):
        if not isinstance(example.body, dict):
            return example.body
        body = moved(example.body, datetime.now(UTC))
        if "groupId" in body:
            return self.group_body(body)
        if "displayName" in body:
            body["displayName"] += f" {len(self.names)}"  # names are unique here
            self.names.append(body["displayName"])
        if "Eligibility" in example.url:
            body["roleDefinitionId"] = USER_ADMINISTRATOR  # the example's role has a shorter limit here
        mine = str(body.get("action", "")).lower().startswith("self")
        if "principalId" in body:
            body["principalId"] = self.me if mine else self.somebody()
        scope = body.get("directoryScopeId", "/")
        if "administrativeUnits" in scope:
            body["directoryScopeId"] = f"/administrativeUnits/{self.unit}"
        elif GUID.search(scope):
            body["directoryScopeId"] = f"/{self.app}"
        if body.get("roleDefinitionId", "").lower() not in {*self.roles, ""}:
            body["roleDefinitionId"] = self.reader(0)  # a role that is no more, or somebody's own
        if mine:
            body["roleDefinitionId"] = self.reader(2) if "v1.0" in example.name else self.reader(1)
            if not self.holds(body["roleDefinitionId"]):
                self.ask("Eligibility", "adminAssign", self.me, body["roleDefinitionId"])
        if str(body.get("action", "")).lower() == "adminremove":
            self.ask("Eligibility", "adminAssign", body["principalId"], body["roleDefinitionId"])
        return body


@pytest.fixture(scope="module")
def world(server, regulars):
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield World(server, regulars, monkeypatch)


@pytest.mark.parametrize("example", ALL, ids=lambda each: each.name)
def test_example(world, example):
    if example.name in BROKEN:
        pytest.skip(BROKEN[example.name])
    headers = {"Content-Type": "application/json"} if example.body is not None else {}
    if "transitive" in example.url:
        headers["ConsistencyLevel"] = "eventual"
    content = json.dumps(world.body(example)) if example.body is not None else None
    address = world.address(example)
    answer = world.admin.request(example.method, address, content=content, headers=headers)
    assert answer.status_code == example.status, f"{example.method} {address}\n{content}\n{answer.text}"
    if example.answer is None:
        return
    ours = answer.json()
    if example.method == "POST" and example.url.endswith("/roleDefinitions"):
        world.admin.delete(f"/v1.0/roleManagement/directory/roleDefinitions/{ours['id']}")
    found = [each for each in differences(example.answer, ours) if not excepted(example.name, each)]
    assert not found, "\n".join(found)


# ---------------------------------------------------------------- stories


def replayed(client, pair, known, body=None):
    """Send one request of a story; `known`: ids of the story and what they are here. Compare what is documented."""
    asked, answered = pair["request"], pair["response"] or {}

    def here(text):
        for theirs, ours in known.items():
            text = text.replace(theirs, ours)
        return text

    url = here(asked["url"]).split(".com", 1)[-1]
    path, _, query = url.partition("?")
    address = quote(path, safe="/$()'=,") + (f"?{quote(query, safe='$()=&,;/')}" if query else "")
    content = json.loads(here(json.dumps(asked["body"]))) if asked["body"] is not None else None
    content = moved(content, datetime.now(UTC) + timedelta(minutes=20)) if content else None
    if body:
        content = {**(content or {}), **body}
    return client.request(asked["method"], address, json=content), answered


def test_the_captured_story_of_an_approval(world, server, regulars, monkeypatch):
    """Asked for with a start in the future, approved by somebody else, granted."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", server.ca_file)
    story = json.loads((FOLDER / "live" / "role-activation-with-approval.json").read_text("utf-8"))["pairs"]
    asked, approval, approve, _v1, after, _instance = story
    who = server.people["anton"]
    theirs = asked["request"]["body"]
    policy = world.get(
        "policies/roleManagementPolicyAssignments?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'"
        f" and roleDefinitionId eq '{world.custom}'"
    )[0]["policyId"]
    target = {"caller": "EndUser", "operations": ["All"], "level": "Assignment"}
    rules = f"/v1.0/policies/roleManagementPolicies/{policy}/rules"
    for rule in (
        {
            "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyEnablementRule",
            "id": "Enablement_EndUser_Assignment",
            "enabledRules": [],
            "target": target,
        },
        {
            "@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyApprovalRule",
            "id": "Approval_EndUser_Assignment",
            "target": target,
            "setting": {
                "isApprovalRequired": True,
                "isRequestorJustificationRequired": False,
                "approvalMode": "SingleStage",
                "approvalStages": [
                    {
                        "approvalStageTimeOutInDays": 1,
                        "isApproverJustificationRequired": True,
                        "primaryApprovers": [
                            {"@odata.type": "#microsoft.graph.singleUser", "userId": world.me}
                        ],
                    }
                ],
            },
        },
    ):
        assert world.admin.patch(f"{rules}/{rule['id']}", json=rule).status_code == 204
    world.ask("Eligibility", "adminAssign", who.id, world.custom)
    anton = api(server, regulars, "anton")
    known = {theirs["principalId"]: who.id, theirs["roleDefinitionId"]: world.custom}
    made, documented = replayed(anton, asked, known)
    assert made.status_code == 201, made.text
    assert made.json()["status"] == "PendingApprovalProvisioning"
    assert made.json()["approvalId"] == made.json()["id"]
    assert not [each for each in differences(documented["body"], made.json()) if each.endswith("missing")]
    known[documented["body"]["id"]] = made.json()["id"]
    shown, documented = replayed(world.admin, approval, known)
    assert shown.status_code == 200, shown.text
    assert not [each for each in differences(documented["body"], shown.json()) if "missing" in each]
    assert shown.json()["steps"][0]["id"] == made.json()["id"]
    assert shown.json()["steps"][0]["assignedToMe"] is True
    done, _ = replayed(world.admin, approve, known)
    assert done.status_code == 204, done.text
    again, documented = replayed(anton, after, known)
    assert again.json()["status"] == documented["body"]["status"]


def test_the_tutorial_of_a_helpdesk_group(world, server):
    """A person and a role-assignable group are made, the group becomes eligible, and all of it is taken back."""
    story = json.loads((FOLDER / "tutorials" / "tutorial-assign-azureadroles.json").read_text("utf-8"))[
        "pairs"
    ]
    user, group, eligible, _assigned, _activate, remove, delete_group, delete_user = story
    known = {"Contoso.com": server.domain, "1ed8ac56-4827-4733-8f80-86adc2e67db5": world.me}
    made, documented = replayed(world.admin, user, known)
    assert made.status_code == 201, made.text
    lacking = [each for each in differences(documented["body"], made.json()) if each.endswith(": missing")]
    assert lacking in ([], [".@odata.id: missing"])  # only a few pages show it
    known["7146daa8-1b4b-4a66-b2f7-cf593d03c8d2"] = made.json()["id"]
    helpdesk, _ = replayed(world.admin, group, known)
    assert helpdesk.status_code == 201, helpdesk.text
    known["e77cbb23-0ff2-4e18-819c-690f58269752"] = helpdesk.json()["id"]
    members = world.get(f"groups/{helpdesk.json()['id']}/members")
    assert {each["id"] for each in members} == {world.me, made.json()["id"]}
    given, _ = replayed(world.admin, eligible, known)
    assert given.status_code == 201, given.text
    taken, _ = replayed(world.admin, remove, known)
    assert taken.status_code == 201, taken.text
    assert replayed(world.admin, delete_group, known)[0].status_code == 204
    assert replayed(world.admin, delete_user, known)[0].status_code == 204
