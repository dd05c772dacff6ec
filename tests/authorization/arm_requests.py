"""For the authorization table of the resource manager: a tree with somebody of every kind, and a well-formed request
to every endpoint.

The tree is that of tests/faces/arm/client.py. What is asked for lies in fresh places in the management group `it`,
and everybody below has his role there unless his name says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from openpim.core.caller import CallerKind
from tests.faces.arm.client import AUTH, CONTRIBUTOR, OWNER, READER, UAA, Arm, Who
from tests.world import GA, World

MG = "/providers/Microsoft.Management/managementGroups"
ROLES = f"/{AUTH}/roleDefinitions"
EVERYBODY = "00000000-0000-0000-0000-000000000000"


class Stage:
    """See the module. `arm` speaks as this tenant's people, `abroad` as the other's."""

    def __init__(self, url: str) -> None:
        self.world = world = World(url)
        self.arm = Arm(world)
        self.arm.plant()
        self.other = World(world.database)
        self.abroad = Arm(self.other)
        self.abroad.assigned(self.other.ga, OWNER, "/")
        self.subject = world.ann
        self.approver = world.dan
        here = self.arm.it
        named = {"eligible": "", "reader": READER, "contrib": CONTRIBUTOR, "uaa": UAA, "owner": OWNER}
        self.people = {name: world.user(name.capitalize()) for name in named}
        for name, role in named.items():
            if role:
                self.arm.assigned(self.people[name], role, here)
        self.arm.eligible(self.people["eligible"], OWNER, here)
        self.beside, self.below, self.disabled = (
            world.user(name) for name in ("Beside", "Below", "Disabled")
        )
        self.arm.assigned(self.beside, OWNER, self.arm.hr)
        self.arm.assigned(self.below, OWNER, self.arm.data)
        self.arm.assigned(self.disabled, OWNER, "/")
        world.disable(self.disabled)
        self.able_app, self.poor_app, self.ga_app = world.app("Able"), world.app("Poor"), world.app("Ruler")
        self.arm.assigned(self.able_app, OWNER, here)
        world.assigned(self.ga_app, GA, by=world.system)
        self.guest = world.guest("Guest")

    def actors(self) -> dict[str, Who | str | None]:
        robot = CallerKind.SERVICE_PRINCIPAL
        return {
            "anonymous": None,
            "guest": self.guest,
            "member": self.world.bob,
            "disabled": self.disabled,
            "eligible": self.people["eligible"],
            "approver": self.approver,
            "reader": self.people["reader"],
            "contrib": self.people["contrib"],
            "uaa": self.people["uaa"],
            "owner": self.people["owner"],
            "above": self.arm.owner,
            "beside": self.beside,
            "below": self.below,
            "ga": self.world.ga,
            "app+": Who(self.able_app, kind=robot),
            "app-": Who(self.poor_app, kind=robot),
            "app-ga": Who(self.ga_app, kind=robot),
            "stranger": Who(self.other.ga, self.other.tenant_id),
        }

    # -- fresh things
    def name(self) -> str:
        return self.world.new_id()

    def subscription(self) -> str:
        return self.arm.place(f"/subscriptions/{self.name()}", parent_id=self.arm.it)

    def management_group(self) -> str:
        return self.arm.place(f"{MG}/g{self.name()[-8:]}", parent_id=self.arm.it)

    def group(self) -> str:
        return self.arm.place(f"{self.arm.prod}/resourceGroups/r{self.name()[-8:]}", location="x")

    def resource(self) -> str:
        return self.arm.place(
            f"{self.arm.web}/providers/Microsoft.Compute/virtualMachines/v{self.name()[-8:]}"
        )

    def role(self) -> str:
        key = self.name()
        body = {
            "roleName": f"Role {key[-8:]}",
            "permissions": [{"actions": ["*/read"]}],
            "assignableScopes": [self.arm.prod],
        }
        made = self.arm.put(f"{self.arm.prod}{ROLES}/{key}", self.arm.owner, {"properties": body})
        assert made.status_code == 201, made.text
        return key

    def role_body(self) -> dict[str, Any]:
        body = {"roleName": f"Role {self.name()[-8:]}", "permissions": [{"actions": ["*/read"]}]}
        return {"properties": body}

    def deny_body(self) -> dict[str, Any]:
        body = {
            "denyAssignmentName": "no deleting",
            "permissions": [{"actions": ["Microsoft.Compute/virtualMachines/delete"]}],
            "principals": [{"id": self.subject}],
        }
        return {"properties": body}

    def deny(self) -> str:
        key = f"{self.group()}/{AUTH}/denyAssignments/{self.name()}"
        assert self.arm.put(key, self.arm.owner, self.deny_body()).status_code == 201
        return key

    def assignment(self) -> str:
        place = self.group()
        return f"{place}/{AUTH}/roleAssignments/{self.arm.assigned(self.subject, READER, place)}"

    def asked(self, kind: str, *, later: bool = False, place: str = "") -> tuple[str, str]:
        """(place, id) of what an administrator gave: a request, and the schedule of the same id."""
        place = place or self.group()
        start = {"startDateTime": (self.world.now + timedelta(days=1)).isoformat()} if later else {}
        info = {**start, "expiration": {"type": "AfterDuration", "duration": "P5D"}}
        made = self.arm.request(kind, self.subject, place, self.arm.owner, scheduleInfo=info)
        assert made.status_code == 201, made.text
        return place, made.json()["name"]

    def ask(self, **more: Any) -> dict[str, Any]:
        body = {
            "principalId": self.world.user("Somebody"),
            "roleDefinitionId": f"{ROLES}/{READER}",
            "requestType": "AdminAssign",
            "justification": "because",
            "scheduleInfo": {"expiration": {"type": "AfterDuration", "duration": "PT4H"}},
            **more,
        }
        return {"properties": body}

    def pending(self) -> str:
        """The path of an approval that waits for the approver."""
        place, person = self.group(), self.world.user("Asking")
        self.arm.approval(READER, place, self.approver)
        self.arm.eligible(person, READER, place)
        asked = self.arm.activate(person, place)
        assert asked.status_code == 201, asked.text
        return f"{place}/{AUTH}/roleAssignmentApprovals/{asked.json()['name']}"

    def policy(self, noun: str = "roleManagementPolicies") -> str:
        place = self.group()
        path = f"{place}/{AUTH}/{noun}?$filter=roleDefinitionId eq '{READER}'"
        (found,) = self.arm.rows(path, self.arm.owner)
        return str(found["id"])


Made = tuple[str, Any]
Setup = Callable[[Stage], Made]


def _get(path: Callable[[Stage], str]) -> Setup:
    return lambda stage: (path(stage), None)


def _in_group(rest: str) -> Setup:
    return lambda stage: (f"{stage.group()}/{rest}", None)


def _schedule(kind: str, what: str) -> Setup:
    def make(stage: Stage) -> Made:
        place, key = stage.asked(kind)
        return f"{place}/{AUTH}/role{kind}Schedule{what}/{key}", None

    return make


def _cancel(kind: str) -> Setup:
    def make(stage: Stage) -> Made:
        place, key = stage.asked(kind, later=True)
        return f"{place}/{AUTH}/role{kind}ScheduleRequests/{key}/cancel", None

    return make


def _ask(kind: str, rest: str = "") -> Setup:
    return lambda stage: (
        f"{stage.group()}/{AUTH}/role{kind}ScheduleRequests/{stage.name()}{rest}",
        stage.ask(),
    )


def _stage(rest: str, body: Any = None) -> Setup:
    def make(stage: Stage) -> Made:
        path = stage.pending()
        return f"{path}{rest.replace('{stage}', path.rsplit('/', 1)[1])}", body

    return make


def _moved(stage: Stage) -> Made:
    number = stage.subscription().rsplit("/", 1)[1]
    return f"{stage.management_group()}/subscriptions/{number}", {}


def _member(stage: Stage) -> Made:
    return f"{stage.arm.it}/subscriptions/{stage.subscription().rsplit('/', 1)[1]}", None


def _alias(stage: Stage) -> Made:
    body = {"displayName": "New", "additionalProperties": {"managementGroupId": stage.arm.it}}
    return f"/providers/Microsoft.Subscription/aliases/a{stage.name()[-8:]}", {"properties": body}


def _imported(stage: Stage) -> Made:
    lines = [{"id": f"{stage.arm.prod}/resourceGroups/i{stage.name()[-8:]}", "location": "x"}]
    return "/providers/OpenPIM/importResources", {"resources": lines}


_DECISION = {"properties": {"reviewResult": "Approve", "justification": "fine"}}
_RULE = {
    "id": "Enablement_EndUser_Assignment",
    "ruleType": "RoleManagementPolicyEnablementRule",
    "enabledRules": [],
}
_S, _G = "subscriptions/{subscription}", "providers/Microsoft.Management/managementGroups"
_RG = f"{_S}/resourcegroups"
_A = f"{{scope}}/{AUTH}"
KINDS = ("Assignment", "Eligibility")
SETUPS: dict[str, Setup] = {
    "GET metadata/endpoints": _get(lambda s: "/metadata/endpoints"),
    "GET tenants": _get(lambda s: "/tenants"),
    "GET subscriptions": _get(lambda s: "/subscriptions"),
    f"GET {_S}": _get(Stage.subscription),
    f"GET {_S}/locations": _get(lambda s: f"{s.subscription()}/locations"),
    f"POST {_S}/providers/Microsoft.Subscription/rename": lambda s: (f"{s.subscription()}/providers/Microsoft.Subscription/rename", {"subscriptionName": "New"}),
    f"POST {_S}/providers/Microsoft.Subscription/cancel": lambda s: (f"{s.subscription()}/providers/Microsoft.Subscription/cancel", None),
    "PUT providers/Microsoft.Subscription/aliases/{alias}": _alias,
    "GET providers/Microsoft.Subscription/aliases/{alias}": _get(lambda s: "/providers/Microsoft.Subscription/aliases/none"),
    f"GET {_G}": _get(lambda s: MG),
    f"GET {_G}/{{group}}": _get(Stage.management_group),
    f"PUT {_G}/{{group}}": lambda s: (f"{MG}/n{s.name()[-8:]}", {"properties": {"details": {"parent": {"id": s.arm.it}}}}),
    f"PATCH {_G}/{{group}}": lambda s: (s.management_group(), {"displayName": "New"}),
    f"DELETE {_G}/{{group}}": _get(Stage.management_group),
    f"GET {_G}/{{group}}/descendants": _get(lambda s: f"{s.arm.it}/descendants"),
    f"GET {_G}/{{group}}/subscriptions": _get(lambda s: f"{s.arm.it}/subscriptions"),
    f"GET {_G}/{{group}}/subscriptions/{{subscription}}": _member,
    f"PUT {_G}/{{group}}/subscriptions/{{subscription}}": _moved,
    f"DELETE {_G}/{{group}}/subscriptions/{{subscription}}": _member,
    "POST providers/Microsoft.Management/getEntities": lambda s: ("/providers/Microsoft.Management/getEntities", None),
    f"GET {_RG}": _get(lambda s: f"{s.subscription()}/resourceGroups"),
    f"GET {_RG}/{{group}}": _get(Stage.group),
    f"PUT {_RG}/{{group}}": lambda s: (f"{s.arm.prod}/resourceGroups/n{s.name()[-8:]}", {"location": "x"}),
    f"PATCH {_RG}/{{group}}": lambda s: (s.group(), {"tags": {"a": "b"}}),
    f"DELETE {_RG}/{{group}}": _get(Stage.group),
    f"GET {_RG}/{{group}}/resources": _get(lambda s: f"{s.group()}/resources"),
    f"GET {_S}/resources": _get(lambda s: f"{s.subscription()}/resources"),
    "GET {resource}": _get(Stage.resource),
    "PUT {resource}": lambda s: (f"{s.arm.web}/providers/Microsoft.Compute/virtualMachines/n{s.name()[-8:]}", {}),
    "PATCH {resource}": lambda s: (s.resource(), {"tags": {"a": "b"}}),
    "DELETE {resource}": _get(Stage.resource),
    "GET providers": _get(lambda s: "/providers"),
    "GET providers/{namespace}": _get(lambda s: "/providers/Microsoft.Compute"),
    f"GET {_S}/providers": _get(lambda s: f"{s.subscription()}/providers"),
    f"GET {_S}/providers/{{namespace}}": _get(lambda s: f"{s.subscription()}/providers/Microsoft.Compute"),
    f"POST {_S}/providers/{{namespace}}/register": lambda s: (f"{s.subscription()}/providers/Microsoft.Compute/register", None),
    "POST providers/OpenPIM/importResources": _imported,
    f"GET {_A}/roleDefinitions": _in_group(f"{AUTH}/roleDefinitions"),
    f"GET {_A}/roleDefinitions/{{name}}": _get(lambda s: f"{s.arm.prod}{ROLES}/{s.role()}"),
    f"PUT {_A}/roleDefinitions/{{name}}": lambda s: (f"{s.arm.prod}{ROLES}/{s.name()}", s.role_body()),
    f"DELETE {_A}/roleDefinitions/{{name}}": _get(lambda s: f"{s.arm.prod}{ROLES}/{s.role()}"),
    f"GET {_A}/roleAssignments": _in_group(f"{AUTH}/roleAssignments"),
    f"GET {_A}/roleAssignments/{{name}}": _get(Stage.assignment),
    f"PUT {_A}/roleAssignments/{{name}}": lambda s: (f"{s.group()}/{AUTH}/roleAssignments/{s.name()}", {"properties": {"roleDefinitionId": READER, "principalId": s.subject}}),
    f"DELETE {_A}/roleAssignments/{{name}}": _get(Stage.assignment),
    f"POST {_A}/roleAssignments/{{name}}/validate": lambda s: (f"{s.group()}/{AUTH}/roleAssignments/{s.name()}/validate", {"properties": {"roleDefinitionId": READER, "principalId": s.subject}}),
    f"GET {_A}/denyAssignments": _in_group(f"{AUTH}/denyAssignments"),
    f"GET {_A}/denyAssignments/{{name}}": _get(Stage.deny),
    f"PUT {_A}/denyAssignments/{{name}}": lambda s: (f"{s.group()}/{AUTH}/denyAssignments/{s.name()}", s.deny_body()),
    f"DELETE {_A}/denyAssignments/{{name}}": _get(Stage.deny),
    f"GET {_A}/permissions": _in_group(f"{AUTH}/permissions"),
    f"GET {_A}/eligibleChildResources": _get(lambda s: f"{s.subscription()}/{AUTH}/eligibleChildResources"),
    f"GET {_A}/classicAdministrators": _get(lambda s: f"{s.subscription()}/{AUTH}/classicAdministrators"),
    f"POST {AUTH}/elevateAccess": lambda s: (f"/{AUTH}/elevateAccess", None),
    f"GET {AUTH}/operations": _get(lambda s: f"/{AUTH}/operations"),
    f"GET {AUTH}/providerOperations": _get(lambda s: f"/{AUTH}/providerOperations"),
    f"GET {AUTH}/providerOperations/{{namespace}}": _get(lambda s: f"/{AUTH}/providerOperations/Microsoft.Compute"),
    **{f"GET {_A}/role{kind}Schedule{what}": _in_group(f"{AUTH}/role{kind}Schedule{what}") for kind in KINDS for what in ("s", "Instances", "Requests")},
    **{f"GET {_A}/role{kind}Schedule{what}/{{name}}": _schedule(kind, what) for kind in KINDS for what in ("s", "Instances", "Requests")},
    **{f"PUT {_A}/role{kind}ScheduleRequests/{{name}}": _ask(kind) for kind in KINDS},
    **{f"POST {_A}/role{kind}ScheduleRequests/{{name}}/cancel": _cancel(kind) for kind in KINDS},
    **{f"POST {_A}/role{kind}ScheduleRequests/{{name}}/validate": _ask(kind, "/validate") for kind in KINDS},
    **{f"GET {_A}/{noun}": _in_group(f"{AUTH}/{noun}") for noun in ("roleManagementPolicies", "roleManagementPolicyAssignments")},
    **{f"GET {_A}/{noun}/{{name}}": _get(lambda s, noun=noun: s.policy(noun)) for noun in ("roleManagementPolicies", "roleManagementPolicyAssignments")},
    f"PATCH {_A}/roleManagementPolicies/{{name}}": lambda s: (s.policy(), {"properties": {"rules": [_RULE]}}),
    f"DELETE {_A}/roleManagementPolicies/{{name}}": _get(Stage.policy),
    f"PUT {_A}/roleManagementPolicyAssignments/{{name}}": lambda s: (s.policy("roleManagementPolicyAssignments"), {"properties": {}}),
    f"DELETE {_A}/roleManagementPolicyAssignments/{{name}}": _get(lambda s: s.policy("roleManagementPolicyAssignments")),
    f"GET {_A}/roleAssignmentApprovals": _in_group(f"{AUTH}/roleAssignmentApprovals"),
    **{f"GET {_A}/roleAssignmentApprovals/{{id}}{rest}": _stage(rest) for rest in ("", "/stages", "/stages/{stage}")},
    **{f"{method} {_A}/roleAssignmentApprovals/{{id}}/stages/{{stage}}": _stage("/stages/{stage}", _DECISION) for method in ("PUT", "PATCH")},
    "GET {scope}/providers/Microsoft.Insights/eventtypes/management/values": _in_group("providers/Microsoft.Insights/eventtypes/management/values"),
}  # fmt: skip
