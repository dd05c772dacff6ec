"""For the authorization table: two tenants with somebody of every kind, and a well-formed request to every endpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from openpim.core.channels import ChannelKind
from openpim.core.deliveries import Delivery, DeliveryStatus
from openpim.core.directory import Application, ServicePrincipal
from openpim.core.grants import Provider, Request, Schedule
from openpim.core.policy import Policy
from openpim.core.provisioning import PROVISION
from openpim.core.query import Query
from openpim.core.relying import AppRole, AppRoleAssignment
from openpim.core.signin.consent import GRAPH_RESOURCE, PermissionGrant
from openpim.core.signin.values import AuthenticationContext
from openpim.core.streams import StreamKind
from openpim.faces.graph.table import Endpoint
from openpim.services import policies, role_assignments
from openpim.services.channels import manage
from openpim.services.provisioning import tokens as provisioning
from openpim.services.streams import manage as streams
from openpim.wire.ids import encode_instance_id
from tests.faces.graph.client import Graph, Who
from tests.world import GA, HELPDESK, READER, World, ok

CUSTOM = ("microsoft.directory/applications/standard/read",)
PIM = "roleManagement/directory"
GROUPS = "identityGovernance/privilegedAccess/group"
POLICIES = "policies/roleManagementPolicies"


class Stage:
    """Two tenants with somebody of every kind in the first, and fresh things to act on for each cell."""

    def __init__(self, url: str) -> None:
        self.named = 0
        self.world = world = World(url)
        self.graph = Graph(world)
        self.other = World(world.database)
        self.abroad = Graph(self.other)  # so that what a stranger makes has ids of his own world
        self.subject = world.ann
        self.guest, self.eligible, self.approver, self.reader = (
            world.guest("Guest"), world.user("Eligible"), world.user("Approver"), world.user("Reader"),
        )  # fmt: skip
        world.eligible(self.subject)
        world.eligible(self.eligible)
        world.assigned(self.reader, READER)
        world.approval(self.approver)
        world.write(lambda tx: tx.authentication_contexts.put(AuthenticationContext("c1", "Strong")))
        registered = Application(
            world.new_id(), world.new_id(), "Intranet", world.now, tenant_id=world.tenant_id
        )
        world.write(lambda tx: tx.applications.add(registered))
        self.application = registered
        self.robot = world.app("Robot")
        self.able_app, self.poor_app = world.app("Able"), world.app("Poor")
        world.forward(minutes=10)

    def actors(self, endpoint: Endpoint) -> dict[str, Who | str | None]:
        able = endpoint.permissions or endpoint.scopes
        return {
            "anonymous": None,
            "guest": self.guest,
            "member": self.world.bob,
            "eligible": self.eligible,
            "approver": self.approver,
            "reader": self.reader,
            "pra": self.world.pra,
            "ga": self.world.ga,
            "app+": self.graph.app(self.able_app, *able),
            "app-": self.graph.app(self.poor_app, "Nothing.At.All"),
            "stranger": Who(self.other.ga, self.other.tenant_id),
        }

    # -- fresh things
    def person(self) -> str:
        return self.world.user("Somebody")

    def name(self) -> str:
        self.named += 1
        return f"Channel {self.named}"

    def channel(self, address: str = "https://example.com/ask") -> str:
        made = manage.add(
            self.world.deps,
            self.world.system,
            ChannelKind.EXTENSION,
            manage.Wanted(self.name(), address=address),
        )
        assert isinstance(made, manage.Shown), made
        for old in self.world.read(lambda tx: tx.channels.all()):  # there may be fifty
            if old.id != made.channel.id:
                self.world.write(lambda tx, old=old: tx.channels.remove(old.id))
        return made.channel.id

    def target(self) -> str:
        """A target with a mapping, and nobody in it."""
        self.named += 1
        made, _ = self.world.target(f"target{self.named}")
        return made

    def group(self) -> str:
        return self.world.group("Some group", [self.subject], role_assignable=False)

    def provisioner(self) -> str:
        """An application that may provision."""
        client = self.world.app("Provisioner")

        def work(tx: Any) -> None:
            tx.service_principals.save(replace(tx.service_principals.get(client), permissions=(PROVISION,)))

        self.world.write(work)
        return client

    def consent(self) -> dict[str, Any]:
        """Everybody's, to a fresh application."""
        client = self.world.app("Some app")
        return {
            "clientId": client,
            "consentType": "AllPrincipals",
            "resourceId": GRAPH_RESOURCE,
            "scope": "Group.Read.All User.Read",
        }

    def consented(self) -> str:
        """Something that the subject allowed."""
        grant = PermissionGrant(
            self.world.new_id(),
            self.world.app("Some app"),
            GRAPH_RESOURCE,
            self.subject,
            ("User.Read",),
            self.world.now,
        )
        self.world.write(lambda tx: tx.permission_grants.put(grant))
        return grant.id

    def unit(self) -> str:
        return self.world.unit("Some unit").rsplit("/", 1)[1]

    def pending(self) -> Request:
        """A request of a fresh person that waits for the approver."""
        person = self.person()
        self.world.eligible(person)
        request = self.world.activate(person)
        assert isinstance(request, Request), request
        return request

    def policy(self) -> str:
        found = policies.get(self.world.deps, self.world.system, Provider.DIRECTORY, HELPDESK)
        assert isinstance(found, Policy), found
        return f"DirectoryRole_{self.world.tenant_id}_{found.id}"

    def reference(self) -> dict[str, str]:
        return {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{self.person()}"}

    def ask(self, principal: str, action: str = "adminAssign") -> dict[str, Any]:
        return {
            "action": action,
            "principalId": principal,
            "roleDefinitionId": HELPDESK,
            "directoryScopeId": "/",
            "justification": "because",
            "scheduleInfo": {"expiration": {"type": "afterDuration", "duration": "PT8H"}},
        }

    # -- groups under PIM
    def membership(self, kind: str, group: str, who: str, *, later: bool = False) -> dict[str, Any]:
        """An administrator makes somebody a member: "eligibility" or "assignment"."""
        start = (self.world.now + timedelta(days=1)).isoformat() if later else None
        body = {
            **self.group_ask(group, who),
            "scheduleInfo": {
                "startDateTime": start,
                "expiration": {"type": "afterDuration", "duration": "P5D"},
            },
        }
        answer = self.graph.post(f"/{GROUPS}/{kind}ScheduleRequests", self.world.ga, body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def group_ask(self, group: str, who: str, action: str = "adminAssign") -> dict[str, Any]:
        return {
            "action": action,
            "accessId": "member",
            "groupId": group,
            "principalId": who,
            "justification": "because",
            "scheduleInfo": {"expiration": {"type": "afterDuration", "duration": "PT4H"}},
        }

    def group_pending(self) -> str:
        """A request for membership that waits for the approver: its id."""
        group, person = self.group(), self.person()
        where = f"scopeId eq '{group}' and scopeType eq 'Group' and roleDefinitionId eq 'member'"
        rows = self.graph.rows(f"/policies/roleManagementPolicyAssignments?$filter={where}", self.world.ga)
        rule = {
            "setting": {
                "isApprovalRequired": True,
                "approvalStages": [{"primaryApprovers": [{"userId": self.approver}]}],
            }
        }
        address = f"/policies/roleManagementPolicies/{rows[0]['policyId']}/rules/Approval_EndUser_Assignment"
        answer = self.graph.patch(address, self.world.ga, rule)
        assert answer.status_code == 204, answer.text
        self.membership("eligibility", group, person)
        asked = self.graph.post(
            f"/{GROUPS}/assignmentScheduleRequests", person, self.group_ask(group, person, "selfActivate")
        )
        assert asked.json()["status"] == "PendingApproval", asked.text
        return str(asked.json()["id"])

    def client(self) -> Application:
        made = Application(
            self.world.new_id(),
            self.world.new_id(),
            "Some app",
            self.world.now,
            tenant_id=self.world.tenant_id,
        )
        self.world.write(lambda tx: tx.applications.add(made))
        return made

    def app_role(self, who: str = "", *, given: bool = False) -> tuple[str, str, str, str]:
        """(principal, service principal, role, assignment or "") of a fresh application with one role."""
        role = AppRole(
            self.world.new_id(), "Payroll.Write", "Payroll writer", members=("User", "Application")
        )
        made = replace(self.client(), app_roles=(role,))
        face = ServicePrincipal(self.world.new_id(), made.app_id, "Some app", True, self.world.now)
        principal = who or self.subject
        assignment = AppRoleAssignment(self.world.new_id(), principal, face.id, role.id, self.world.now)

        def work(tx: Any) -> None:
            tx.applications.save(made)
            tx.service_principals.add(face)
            if given:
                tx.app_role_assignments.add(assignment)

        self.world.write(work)
        return principal, face.id, role.id, assignment.id if given else ""


Made = tuple[str, Any]
Setup = Callable[[Stage], Made]


def _give_role(side: str) -> Setup:
    """side: the address, with {principal} or {resource}."""

    def made(stage: Stage) -> Made:
        principal, resource, role, _ = stage.app_role(_holder(stage, side))
        body = {"principalId": principal, "resourceId": resource, "appRoleId": role}
        return side.format(principal=principal, resource=resource), body

    return made


def _take_role(side: str) -> Setup:
    def made(stage: Stage) -> Made:
        principal, resource, _, assignment = stage.app_role(_holder(stage, side), given=True)
        return f"{side.format(principal=principal, resource=resource)}/{assignment}", None

    return made


def _see_roles(side: str) -> Setup:
    def made(stage: Stage) -> Made:
        principal, resource, _, _ = stage.app_role(_holder(stage, side), given=True)
        return side.format(principal=principal, resource=resource), None

    return made


def _holder(stage: Stage, side: str) -> str:
    if side.startswith("groups/"):
        return stage.world.group("Payroll team")
    return stage.robot if side.endswith("appRoleAssignments") and side.startswith("service") else ""


APP_ROLES: dict[str, Setup] = {
    f"{method} {kind}/{{id}}/{name}{rest}": setup(f"{kind}/{{{side}}}/{name}")
    for kind, name, side in (
        ("servicePrincipals", "appRoleAssignedTo", "resource"),
        ("servicePrincipals", "appRoleAssignments", "principal"),
        ("groups", "appRoleAssignments", "principal"),
        ("users", "appRoleAssignments", "principal"),
    )
    for method, rest, setup in (
        ("GET", "", _see_roles),
        ("POST", "", _give_role),
        ("DELETE", "/{assignment}", _take_role),
    )
}


def _audit(stage: Stage) -> Made:
    event = stage.world.read(lambda tx: tx.audit.page(Query(limit=1))).items[0]
    return f"auditLogs/directoryAudits/{event.id}", None


def _member(stage: Stage) -> Made:
    return f"groups/{stage.group()}/members/{stage.subject}/$ref", None


def _owned_application(stage: Stage) -> Made:
    made, owner = stage.client(), stage.person()
    stage.world.write(lambda tx: tx.applications.add_owner(made.id, owner))
    return f"applications/{made.id}/owners/{owner}/$ref", None


def _owned_group(stage: Stage) -> Made:
    group, one, two = stage.group(), stage.person(), stage.person()
    stage.world.write(lambda tx: [tx.groups.add_owner(group, each) for each in (one, two)])
    return f"groups/{group}/owners/{one}/$ref", None


def _unit_member(base: str) -> Setup:
    def make(stage: Stage) -> Made:
        unit, who = stage.unit(), stage.person()
        stage.world.write(lambda tx: tx.administrative_units.add_member(unit, who))
        return f"{base}/{unit}/members/{who}/$ref", None

    return make


def _managed(stage: Stage) -> Made:
    who = stage.world.user("Report", manager_id=stage.world.bob)
    return f"users/{who}/manager/$ref", None


def _role(stage: Stage) -> str:
    return stage.world.custom_role(f"Custom {stage.world.new_id()[-6:]}")


def _outside(stage: Stage) -> Made:
    who = stage.person()
    stage.world.assigned(who, HELPDESK)
    stage.world.forward(minutes=10)
    return f"{PIM}/roleAssignments/{encode_instance_id(HELPDESK, who)}", None


def _schedule(path: str) -> Setup:
    kind = "eligible" if "Eligib" in path else "assigned"

    def make(stage: Stage) -> Made:
        who = stage.person()
        made = getattr(stage.world, kind)(who, HELPDESK)
        if path.endswith("Instances"):
            return f"{path}/{encode_instance_id(HELPDESK, who, eligible=kind == 'eligible')}", None
        return f"{path}/{made.id}", None

    return make


def _cancelable(stage: Stage) -> Made:
    who = stage.person()
    made = stage.world.eligible(who, HELPDESK, start=stage.world.now + timedelta(days=1), permanent=True)
    return f"{PIM}/roleEligibilityScheduleRequests/{made.id}/cancel", None


def _stage_of(word: str, body: Any = None) -> Setup:
    def make(stage: Stage) -> Made:
        key = stage.pending().id
        return f"{PIM}/roleAssignmentApprovals/{key}/{word}/{key}", body

    return make


_DECISION = {"reviewResult": "Approve", "justification": "fine"}
_UNITS = ("directory/administrativeUnits", "administrativeUnits")


def _dead_letter(s: Stage) -> Made:
    """A notice that was given up."""
    now, one = s.world.now, s.world.new_id()
    letter = Delivery(
        id=one, key=one, topic="ended", audience="Admin", group="endings", channel="mail", recipient=s.world.bob,
        critical=False, facts="{}", created_at=now, since=now, due_at=None, status=DeliveryStatus.DEAD, ended_at=now,
    )  # fmt: skip
    s.world.write(lambda tx: tx.deliveries.add([letter]))
    return f"openPim/notifications/{one}/retry", None


SETUPS: dict[str, Setup] = {
    "POST users": lambda s: ("users", {"displayName": "New", "userPrincipalName": f"new.{s.world.new_id()[-6:]}@{s.world.read(lambda tx: tx.tenants.current()).domain}"}),
    "PATCH users/{id}": lambda s: (f"users/{s.person()}", {"jobTitle": "Engineer"}),
    "DELETE users/{id}": lambda s: (f"users/{s.person()}", None),
    "PUT users/{id}/manager/$ref": lambda s: (f"users/{s.person()}/manager/$ref", s.reference()),
    "DELETE users/{id}/manager/$ref": _managed,
    "GET users/{id}/manager": lambda s: (f"users/{s.world.user('Report', manager_id=s.world.bob)}/manager", None),
    "GET me/manager": lambda s: ("me/manager", None),
    "POST groups": lambda s: ("groups", {"displayName": "New group"}),
    "PATCH groups/{id}": lambda s: (f"groups/{s.group()}", {"description": "new"}),
    "DELETE groups/{id}": lambda s: (f"groups/{s.group()}", None),
    "POST groups/{id}/members/$ref": lambda s: (f"groups/{s.group()}/members/$ref", s.reference()),
    "DELETE groups/{id}/members/{member}/$ref": _member,
    "POST groups/{id}/owners/$ref": lambda s: (f"groups/{s.group()}/owners/$ref", s.reference()),
    "DELETE groups/{id}/owners/{owner}/$ref": _owned_group,
    "GET servicePrincipals/{id}": lambda s: (f"servicePrincipals/{s.robot}", None),
    "GET servicePrincipals()": lambda s: (f"servicePrincipals(appId='{s.world.read(lambda tx: tx.service_principals.get(s.robot)).app_id}')", None),
    "POST oauth2PermissionGrants": lambda s: ("oauth2PermissionGrants", s.consent()),
    "GET oauth2PermissionGrants/{id}": lambda s: (f"oauth2PermissionGrants/{s.consented()}", None),
    "PATCH oauth2PermissionGrants/{id}": lambda s: (f"oauth2PermissionGrants/{s.consented()}", {"scope": "User.Read"}),
    "DELETE oauth2PermissionGrants/{id}": lambda s: (f"oauth2PermissionGrants/{s.consented()}", None),
    "GET servicePrincipals/{id}/oauth2PermissionGrants": lambda s: (f"servicePrincipals/{s.robot}/oauth2PermissionGrants", None),
    "GET servicePrincipals/{id}/memberOf": lambda s: (f"servicePrincipals/{s.robot}/memberOf", None),
    "GET applications/{id}": lambda s: (f"applications/{s.application.id}", None),
    "GET applications()": lambda s: (f"applications(appId='{s.application.app_id}')", None),
    "GET directoryObjects/{id}": lambda s: (f"directoryObjects/{s.subject}", None),
    "POST directoryObjects/getByIds": lambda s: ("directoryObjects/getByIds", {"ids": [s.subject]}),
    "GET organization/{id}": lambda s: (f"organization/{s.world.tenant_id}", None),
    "GET tenantRelationships/findTenantInformationByTenantId()": lambda s: (f"tenantRelationships/findTenantInformationByTenantId(tenantId='{s.world.tenant_id}')", None),
    "GET tenantRelationships/findTenantInformationByDomainName()": lambda s: (f"tenantRelationships/findTenantInformationByDomainName(domainName='{s.world.read(lambda tx: tx.tenants.current()).domain}')", None),
    **{f"POST {base}": lambda s, base=base: (base, {"displayName": "New unit"}) for base in _UNITS},
    **{f"PATCH {base}/{{id}}": lambda s, base=base: (f"{base}/{s.unit()}", {"description": "new"}) for base in _UNITS},
    **{f"DELETE {base}/{{id}}": lambda s, base=base: (f"{base}/{s.unit()}", None) for base in _UNITS},
    **{f"GET {base}/{{id}}": lambda s, base=base: (f"{base}/{s.unit()}", None) for base in _UNITS},
    **{f"GET {base}/{{id}}/members": lambda s, base=base: (f"{base}/{s.unit()}/members", None) for base in _UNITS},
    **{f"POST {base}/{{id}}/members/$ref": lambda s, base=base: (f"{base}/{s.unit()}/members/$ref", s.reference()) for base in _UNITS},
    **{f"DELETE {base}/{{id}}/members/{{member}}/$ref": _unit_member(base) for base in _UNITS},
    "GET directoryRoles/{id}": lambda s: (f"directoryRoles/{GA}", None),
    "GET directoryRoles()": lambda s: (f"directoryRoles(roleTemplateId='{GA}')", None),
    "GET directoryRoles/{id}/members": lambda s: (f"directoryRoles/{GA}/members", None),
    "GET directoryRoles()/members": lambda s: (f"directoryRoles(roleTemplateId='{GA}')/members", None),
    "GET directoryRoleTemplates/{id}": lambda s: (f"directoryRoleTemplates/{GA}", None),
    f"POST {PIM}/roleDefinitions": lambda s: (f"{PIM}/roleDefinitions", {"displayName": f"New {s.world.new_id()[-6:]}", "rolePermissions": [{"allowedResourceActions": list(CUSTOM)}]}),
    f"GET {PIM}/roleDefinitions/{{id}}": lambda s: (f"{PIM}/roleDefinitions/{_role(s)}", None),
    f"PATCH {PIM}/roleDefinitions/{{id}}": lambda s: (f"{PIM}/roleDefinitions/{_role(s)}", {"description": "new"}),
    f"DELETE {PIM}/roleDefinitions/{{id}}": lambda s: (f"{PIM}/roleDefinitions/{_role(s)}", None),
    f"POST {PIM}/roleAssignments": lambda s: (f"{PIM}/roleAssignments", {"principalId": s.person(), "roleDefinitionId": HELPDESK, "directoryScopeId": "/"}),
    f"GET {PIM}/roleAssignments/{{id}}": _outside,
    f"DELETE {PIM}/roleAssignments/{{id}}": _outside,
    f"GET {PIM}/transitiveRoleAssignments": lambda s: (f"{PIM}/transitiveRoleAssignments?$count=true&$filter=principalId eq '{s.subject}'", None),
    **{f"GET {path}/{{id}}": _schedule(path) for path in (f"{PIM}/role{kind}Schedule{what}" for kind in ("Assignment", "Eligibility") for what in ("s", "Instances", "Requests"))},
    f"POST {PIM}/roleAssignmentScheduleRequests": lambda s: (f"{PIM}/roleAssignmentScheduleRequests", s.ask(s.person())),
    f"POST {PIM}/roleEligibilityScheduleRequests": lambda s: (f"{PIM}/roleEligibilityScheduleRequests", s.ask(s.person())),
    f"POST {PIM}/roleAssignmentScheduleRequests/{{id}}/cancel": lambda s: (f"{PIM}/roleAssignmentScheduleRequests/{s.pending().id}/cancel", None),
    f"POST {PIM}/roleEligibilityScheduleRequests/{{id}}/cancel": _cancelable,
    f"GET {PIM}/roleAssignmentApprovals/filterByCurrentUser()": lambda s: (f"{PIM}/roleAssignmentApprovals/filterByCurrentUser(on='approver')", None),
    f"GET {PIM}/roleAssignmentApprovals/{{id}}": lambda s: (f"{PIM}/roleAssignmentApprovals/{s.pending().id}", None),
    **{f"GET {PIM}/roleAssignmentApprovals/{{id}}/{word}": lambda s, word=word: (f"{PIM}/roleAssignmentApprovals/{s.pending().id}/{word}", None) for word in ("steps", "stages")},
    **{f"GET {PIM}/roleAssignmentApprovals/{{id}}/{word}/{{stage}}": _stage_of(word) for word in ("steps", "stages")},
    **{f"PATCH {PIM}/roleAssignmentApprovals/{{id}}/{word}/{{stage}}": _stage_of(word, _DECISION) for word in ("steps", "stages")},
    f"GET {POLICIES}": lambda s: (f"{POLICIES}?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'", None),
    f"GET {POLICIES}/{{id}}": lambda s: (f"{POLICIES}/{s.policy()}", None),
    f"PATCH {POLICIES}/{{id}}": lambda s: (f"{POLICIES}/{s.policy()}", {"rules": [{"id": "Expiration_EndUser_Assignment", "maximumDuration": "PT4H"}]}),
    **{f"GET {POLICIES}/{{id}}/{word}": lambda s, word=word: (f"{POLICIES}/{s.policy()}/{word}", None) for word in ("rules", "effectiveRules")},
    **{f"GET {POLICIES}/{{id}}/{word}/{{rule}}": lambda s, word=word: (f"{POLICIES}/{s.policy()}/{word}/Expiration_EndUser_Assignment", None) for word in ("rules", "effectiveRules")},
    f"PATCH {POLICIES}/{{id}}/rules/{{rule}}": lambda s: (f"{POLICIES}/{s.policy()}/rules/Expiration_EndUser_Assignment", {"maximumDuration": "PT4H"}),
    "GET policies/roleManagementPolicyAssignments": lambda s: ("policies/roleManagementPolicyAssignments?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'", None),
    "GET policies/roleManagementPolicyAssignments/{id}": lambda s: (f"policies/roleManagementPolicyAssignments/{s.policy()}_{HELPDESK}", None),
    "GET auditLogs/directoryAudits/{id}": _audit,
    "GET identity/conditionalAccess/authenticationContextClassReferences/{id}": lambda s: ("identity/conditionalAccess/authenticationContextClassReferences/c1", None),
    "PATCH identity/conditionalAccess/authenticationContextClassReferences/{id}": lambda s: ("identity/conditionalAccess/authenticationContextClassReferences/c2", {"displayName": "Stronger"}),
}  # fmt: skip
for _one in ("", "/members", "/transitiveMembers", "/owners", "/memberOf", "/transitiveMemberOf"):
    SETUPS[f"GET groups/{{id}}{_one}"] = lambda s, one=_one: (f"groups/{s.group()}{one}", None)
for _one in ("", "/directReports", "/memberOf", "/transitiveMemberOf", "/ownedObjects"):
    SETUPS[f"GET users/{{id}}{_one}"] = lambda s, one=_one: (f"users/{s.subject}{one}", None)


def _secret(stage: Stage) -> Made:
    made = stage.client()
    answer = stage.graph.post(f"/applications/{made.id}/addPassword", stage.world.ga, {})
    return f"applications/{made.id}/removePassword", {"keyId": answer.json()["keyId"]}


def _membership(kind: str, what: str) -> Setup:
    path = f"{GROUPS}/{kind}Schedule{what}"

    def make(stage: Stage) -> Made:
        made = stage.membership(kind, stage.group(), stage.person())
        return f"{path}/{made['id'] if what == 'Requests' else made['targetScheduleId']}", None

    return make


def _group_cancel(kind: str) -> Setup:
    def make(stage: Stage) -> Made:
        made = stage.membership(kind, stage.group(), stage.person(), later=True)
        return f"{GROUPS}/{kind}ScheduleRequests/{made['id']}/cancel", None

    return make


def _group_stage(rest: str, body: Any = None) -> Setup:
    def make(stage: Stage) -> Made:
        key = stage.group_pending()
        return f"{GROUPS}/assignmentApprovals/{key}{rest.replace('{stage}', key)}", body

    return make


def _delegation(stage: Stage) -> Made:
    """Each caller withdraws his own, so this one is nobody's."""
    return f"openPim/delegations/{stage.person()}", None


def _signed(stage: Stage) -> str:
    """The id of an event that the last checkpoint proves."""
    world = stage.world
    if world.read(lambda tx: tx.checkpoints.last()) is None:
        assert world.sign() is not None
    return world.read(lambda tx: tx.audit_log.since(0, 1))[0].event.id


def _rich_event(stage: Stage) -> Made:
    return f"openPim/auditEvents/{_signed(stage)}", None


def _checkpoint(stage: Stage) -> Made:
    _signed(stage)
    return "openPim/auditLog/checkpoints/0", None


def _included(stage: Stage) -> Made:
    return f"openPim/auditLog/inclusionProof?eventId={_signed(stage)}", None


def _provisioning_token(stage: Stage) -> str:
    client = stage.provisioner()
    deps = replace(stage.world.deps, secret=lambda _size: stage.world.new_id())
    return ok(provisioning.create(deps, stage.world.caller(stage.world.pra), client, "Entra")).token.id


def _mapping(s: Stage) -> Made:
    target = s.target()
    return f"openPim/targets/{target}/mappings/{s.world.rule(target)}", None


def _stream(stage: Stage) -> str:
    """A destination of the audit history; the one before it goes, because there are not endless many."""
    world = stage.world
    by = world.caller(world.ga)
    for view in ok(streams.all_of(world.deps, by)):
        streams.remove(world.deps, by, view.stream.id)
    wanted = streams.Wanted("siem", "https://siem.example.com/")
    return ok(streams.create(world.deps, by, StreamKind.OCSF, wanted)).stream.id


_ASKED: dict[str, dict[str, Any]] = {
    "getMemberGroups": {"securityEnabledOnly": True},
    "getMemberObjects": {},
    "checkMemberGroups": {"groupIds": [HELPDESK]},
    "checkMemberObjects": {"ids": [HELPDESK]},
}


def _of_kind(stage: Stage, path: str) -> str:
    if path.startswith("groups"):
        return stage.group()
    return stage.robot if path.startswith("service") else stage.subject


def _scoped(path: str, method: str, rest: str) -> Setup:
    def setup(stage: Stage) -> Made:
        unit, person = stage.unit(), stage.person()
        scope = f"/administrativeUnits/{unit}"
        body = {"roleId": HELPDESK, "roleMemberInfo": {"id": person}} if method == "POST" else None
        if method != "POST":
            made = role_assignments.create(stage.world.deps, stage.world.system, HELPDESK, person, scope)
            assert isinstance(made, Schedule), made
        key = encode_instance_id(HELPDESK, person, scope)
        return f"{path}/{unit}/scopedRoleMembers{rest.format(member=key)}", body

    return setup


KINDS = ("assignment", "eligibility")
SETUPS |= {
    **APP_ROLES,
    "GET servicePrincipals/{id}/appRoleAssignedTo/{assignment}": _take_role(
        "servicePrincipals/{resource}/appRoleAssignedTo"
    ),
    "POST applications": lambda s: ("applications", {"displayName": "New app"}),
    "PATCH applications/{id}": lambda s: (f"applications/{s.client().id}", {"displayName": "Renamed"}),
    "DELETE applications/{id}": lambda s: (f"applications/{s.client().id}", None),
    "GET applications/{id}/owners": lambda s: (f"applications/{s.application.id}/owners", None),
    "POST applications/{id}/owners/$ref": lambda s: (f"applications/{s.client().id}/owners/$ref", s.reference()),
    "DELETE applications/{id}/owners/{owner}/$ref": _owned_application,
    "POST applications/{id}/addPassword": lambda s: (f"applications/{s.client().id}/addPassword", {}),
    "POST applications/{id}/removePassword": _secret,
    "POST servicePrincipals": lambda s: ("servicePrincipals", {"appId": s.client().app_id}),
    "PATCH servicePrincipals/{id}": lambda s: (f"servicePrincipals/{s.world.app('Some app')}", {"accountEnabled": False}),
    "DELETE servicePrincipals/{id}": lambda s: (f"servicePrincipals/{s.world.app('Some app')}", None),
    **{
        f"POST {path}/{act}": lambda s, path=path, act=act: (f"{path.format(id=_of_kind(s, path))}/{act}", _ASKED[act])
        for path in ("me", "users/{id}", "groups/{id}", "servicePrincipals/{id}", "directoryObjects/{id}")
        for act in _ASKED
    },
    **{
        f"{method} {path}/{{id}}/scopedRoleMembers{rest}": _scoped(path, method, rest)
        for path in ("directory/administrativeUnits", "administrativeUnits")
        for method, rest in (("GET", ""), ("POST", ""), ("GET", "/{member}"), ("DELETE", "/{member}"))
    },
    "GET roleManagement/directory/roleDefinitions/{id}/inheritsPermissionsFrom": lambda s: (f"{PIM}/roleDefinitions/{HELPDESK}/inheritsPermissionsFrom", None),
    "GET roleManagement/directory/roleSchedules()": lambda s: (f"{PIM}/roleSchedules(directoryScopeId='%2F')", None),
    "GET roleManagement/directory/roleScheduleInstances()": lambda s: (f"{PIM}/roleScheduleInstances(directoryScopeId='%2F')", None),
    "POST me/revokeSignInSessions": lambda _s: ("me/revokeSignInSessions", None),
    "POST users/{id}/revokeSignInSessions": lambda s: (f"users/{s.person()}/revokeSignInSessions", None),
    "GET openPim/auditEvents/{id}": _rich_event,
    "PATCH openPim/auditSettings": lambda _s: ("openPim/auditSettings", {"retentionDays": 4000}),
    "GET openPim/auditLog/checkpoints/{id}": _checkpoint,
    "GET openPim/auditLog/consistencyProof": lambda _s: ("openPim/auditLog/consistencyProof?first=1&second=1", None),
    "GET openPim/auditLog/inclusionProof": _included,
    "POST openPim/delegations": lambda s: (
        "openPim/delegations",
        {"delegateId": s.world.bob, "endDateTime": (s.world.now + timedelta(days=9)).isoformat()},
    ),
    "DELETE openPim/delegations/{id}": _delegation,
    "PATCH openPim/notificationPreferences": lambda _s: ("openPim/notificationPreferences", {"channels": ["mail"]}),
    "PATCH openPim/notificationSettings": lambda _s: ("openPim/notificationSettings", {"isWeeklyDigestEnabled": True}),
    "POST openPim/notifications/{id}/retry": _dead_letter,
    "POST openPim/notifications/sendTest": lambda _s: ("openPim/notifications/sendTest", None),
    "POST openPim/channels": lambda s: (
        "openPim/channels",
        {"kind": "webhook", "displayName": s.name(), "address": "https://example.com/hook"},
    ),
    "GET openPim/channels/{id}": lambda s: (f"openPim/channels/{s.channel()}", None),
    "PATCH openPim/channels/{id}": lambda s: (f"openPim/channels/{s.channel()}", {"isEnabled": False}),
    "DELETE openPim/channels/{id}": lambda s: (f"openPim/channels/{s.channel()}", None),
    "POST openPim/channels/{id}/rotateSecret": lambda s: (f"openPim/channels/{s.channel()}/rotateSecret", None),
    "POST openPim/channels/{id}/test": lambda s: (f"openPim/channels/{s.channel('http://127.0.0.1:9/')}/test", None),
    "POST identityGovernance/privilegedAccess/customExtensions": lambda s: (
        "identityGovernance/privilegedAccess/customExtensions",
        {"displayName": s.name(), "endpointConfiguration": {"targetUrl": "https://example.com/ask"}},
    ),
    "GET identityGovernance/privilegedAccess/customExtensions/{id}": lambda s: (
        f"identityGovernance/privilegedAccess/customExtensions/{s.channel()}",
        None,
    ),
    "PATCH identityGovernance/privilegedAccess/customExtensions/{id}": lambda s: (
        f"identityGovernance/privilegedAccess/customExtensions/{s.channel()}",
        {"description": "Changed"},
    ),
    "DELETE identityGovernance/privilegedAccess/customExtensions/{id}": lambda s: (
        f"identityGovernance/privilegedAccess/customExtensions/{s.channel()}",
        None,
    ),
    "POST openPim/provisioningTokens": lambda s: ("openPim/provisioningTokens", {"servicePrincipalId": s.provisioner(), "displayName": "Entra"}),
    "DELETE openPim/provisioningTokens/{id}": lambda s: (f"openPim/provisioningTokens/{_provisioning_token(s)}", None),
    "PUT openPim/provisioningModes/{id}": lambda s: (f"openPim/provisioningModes/{s.group()}", {"membersBecome": "eligible"}),
    "DELETE openPim/provisioningModes/{id}": lambda s: (f"openPim/provisioningModes/{s.group()}", None),
    "POST openPim/targets": lambda s: ("openPim/targets", {"kind": "twin", "displayName": s.name(), "settings": {"host": "payroll"}}),
    **{f"{method} openPim/targets/{{id}}": lambda s, body=body: (f"openPim/targets/{s.target()}", body) for method, body in (("GET", None), ("PATCH", {"isEnabled": False}), ("DELETE", None))},
    **{f"POST openPim/targets/{{id}}/{act}": lambda s, act=act: (f"openPim/targets/{s.target()}/{act}", None) for act in ("probe", "plan", "apply", "credentials")},
    "POST openPim/targets/{id}/rotateSecret": lambda s: (f"openPim/targets/{s.target()}/rotateSecret", None),
    **{f"{method} openPim/targets/{{id}}/{what}": lambda s, what=what: (f"openPim/targets/{s.target()}/{what}", None) for method, what in (("GET", "agent"), ("DELETE", "agent"), ("POST", "agent/enrolment"))},
    "GET openPim/targets/{id}/effects": lambda s: (f"openPim/targets/{s.target()}/effects", None),
    "POST openPim/targets/{id}/mappings": lambda s: (f"openPim/targets/{s.target()}/mappings", {"provider": "directory", "roleDefinitionId": HELPDESK, "entitlement": "payroll_admin"}),
    "DELETE openPim/targets/{id}/mappings/{mapping}": _mapping,
    "PUT openPim/targets/{id}/subjects/{principal}": lambda s: (f"openPim/targets/{s.target()}/subjects/{s.person()}", {"subject": "some.body"}),
    "POST openPim/auditStreams": lambda s: ("openPim/auditStreams", {"displayName": f"siem {s.world.new_id()}", "kind": "ocsf", "address": "https://siem.example.com/"}),
    "GET openPim/auditStreams/{id}": lambda s: (f"openPim/auditStreams/{_stream(s)}", None),
    "PATCH openPim/auditStreams/{id}": lambda s: (f"openPim/auditStreams/{_stream(s)}", {"isPaused": True}),
    "DELETE openPim/auditStreams/{id}": lambda s: (f"openPim/auditStreams/{_stream(s)}", None),
    "POST invitations": lambda s: ("invitations", {"invitedUserEmailAddress": f"guest{s.world.new_id()[-6:]}@elsewhere.example"}),
    "POST users/{id}/createSetupLink": lambda s: (f"users/{s.person()}/createSetupLink", None),
    **{f"GET {GROUPS}/{kind}Schedule{what}": lambda s, kind=kind, what=what: (f"{GROUPS}/{kind}Schedule{what}?$filter=groupId eq '{s.group()}'", None) for kind in KINDS for what in ("s", "Instances", "Requests")},
    **{f"GET {GROUPS}/{kind}Schedule{what}/{{id}}": _membership(kind, what) for kind in KINDS for what in ("s", "Instances", "Requests")},
    **{f"POST {GROUPS}/{kind}ScheduleRequests": lambda s, kind=kind: (f"{GROUPS}/{kind}ScheduleRequests", s.group_ask(s.group(), s.person())) for kind in KINDS},
    **{f"POST {GROUPS}/{kind}ScheduleRequests/{{id}}/cancel": _group_cancel(kind) for kind in KINDS},
    f"GET {GROUPS}/assignmentApprovals/filterByCurrentUser()": lambda s: (f"{GROUPS}/assignmentApprovals/filterByCurrentUser(on='approver')", None),
    **{f"GET {GROUPS}/assignmentApprovals/{{id}}{rest}": _group_stage(rest) for rest in ("", "/steps", "/stages", "/steps/{stage}", "/stages/{stage}")},
    **{f"PATCH {GROUPS}/assignmentApprovals/{{id}}/{word}/{{stage}}": _group_stage(f"/{word}/{{stage}}", _DECISION) for word in ("steps", "stages")},
}  # fmt: skip
