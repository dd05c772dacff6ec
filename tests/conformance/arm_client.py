"""azure-mgmt-authorization as a user points it at a server of his own, and a tree of places for one file of tests.

Both current majors: `SDK_MAJOR` says which this run has. They differ in where the models are, not in what is called.
"""

from __future__ import annotations

import os
import uuid
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from azure.core.exceptions import HttpResponseError
from azure.identity import DeviceCodeCredential
from azure.mgmt.authorization import AuthorizationManagementClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.live.robot import Robot
    from tests.live.server import LiveServer

MAJOR = int(os.environ.get("SDK_MAJOR", "4"))
# The older major has the models of each api-version in a place of its own; these are what its client uses by default.
_PLACES = (
    ("models",) if MAJOR > 4 else ("v2020_10_01.models", "v2022_04_01.models", "v2021_01_01_preview.models")
)

ROOT = "/providers/Microsoft.Authorization"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
USER_ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"


def model(name: str, **members: Any) -> Any:
    """A model of the SDK, from wherever this major keeps it."""
    for place in _PLACES:
        found = getattr(import_module(f"azure.mgmt.authorization.{place}"), name, None)
        if found is not None:
            return found(**members)
    raise LookupError(name)


class Desk:
    """A person at his machine, with a client for one subscription; signed in by device code, unless a credential is
    given. options: of the client."""

    def __init__(
        self,
        server: LiveServer,
        robot: Robot,
        subscription_id: str,
        credential: Any = None,
        **options: Any,
    ) -> None:
        self.server, self.robot, self.person = server, robot, robot.person
        self.id = robot.person.id
        self.credential = credential or DeviceCodeCredential(
            authority=server.origin,
            disable_instance_discovery=True,
            tenant_id=server.tenant_id,
            prompt_callback=lambda _address, code, _expires: robot.device(code),
        )
        self.client = AuthorizationManagementClient(
            self.credential,
            subscription_id,
            base_url=server.arm_origin,
            credential_scopes=[f"{server.arm_origin}/.default"],
            **options,
        )

    def close(self) -> None:
        self.client.close()
        self.credential.close()

    # -- what the SDK has no operation for
    def send(self, method: str, path: str, body: Any = None, version: str = "2020-10-01") -> httpx.Response:
        token = self.credential.get_token(f"{self.server.arm_origin}/.default").token
        if "api-version" not in path:
            path += f"{'&' if '?' in path else '?'}api-version={version}"
        return httpx.request(
            method,
            f"{self.server.arm_origin}{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            verify=self.server.trust(),
            timeout=30,
        )

    def graph_get(self, path: str) -> dict[str, Any]:
        token = self.credential.get_token("https://graph.microsoft.com/.default").token
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.get(self.server.origin + path, headers=headers, verify=self.server.trust(), timeout=30)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    # -- requests
    def ask(
        self,
        kind: str,
        scope: str,
        action: str,
        who: str,
        role: str = READER,
        *,
        name: str = "",
        hours: float | None = 1,
        start: datetime | None = None,
        **more: Any,
    ) -> Any:
        """kind: "assignment" or "eligibility". hours: None for ever; of no meaning for what ends something."""
        return self.requests(kind).create(
            scope, name or str(uuid.uuid4()), self.body(kind, scope, action, who, role, hours, start, **more)
        )

    def requests(self, kind: str) -> Any:
        return getattr(self.client, f"role_{kind}_schedule_requests")

    def body(
        self,
        kind: str,
        scope: str,
        action: str,
        who: str,
        role: str = READER,
        hours: float | None = 1,
        start: datetime | None = None,
        **more: Any,
    ) -> Any:
        noun = f"Role{kind.capitalize()}ScheduleRequest"
        properties = f"{noun}Properties"
        info = None
        if not action.endswith(("Remove", "Deactivate")):
            given: dict[str, Any] = {"type": "NoExpiration"}
            if hours is not None:
                given = {"type": "AfterDuration", "duration": f"PT{round(hours * 60)}M"}
            info = model(
                f"{properties}ScheduleInfo",
                start_date_time=start or datetime.now(UTC),
                expiration=model(f"{properties}ScheduleInfoExpiration", **given),
            )
        return model(
            noun,
            principal_id=who,
            role_definition_id=role_id(scope, role),
            request_type=action,
            schedule_info=info,
            **{"justification": "Conformance", **more},
        )

    def activate(self, scope: str, role: str = READER, **more: Any) -> Any:
        return self.ask("assignment", scope, "SelfActivate", self.id, role, **more)

    def deactivate(self, scope: str, role: str = READER) -> Any:
        return self.ask("assignment", scope, "SelfDeactivate", self.id, role)

    # -- reading
    def listed(self, group: str, scope: str, filter_: str | None = None) -> list[Any]:
        """Everything of one of the six collections, page after page."""
        return list(getattr(self.client, group).list_for_scope(scope, filter=filter_))

    def active(self, scope: str, who: str = "") -> list[Any]:
        """The instances of assignments in force at a scope for somebody, himself by default."""
        return self.listed("role_assignment_schedule_instances", scope, f"assignedTo('{who or self.id}')")


def role_id(scope: str, role: str) -> str:
    prefix = "/".join(scope.split("/")[:3]) if scope.startswith("/subscriptions/") else ""
    return f"{prefix}{ROOT}/roleDefinitions/{role}"


def minutes(count: float) -> datetime:
    """From now."""
    return datetime.now(UTC) + timedelta(minutes=count)


@contextmanager
def refused(code: str, status: int = 400, message: str = "") -> Iterator[HttpResponseError]:
    """The call inside is refused, and the SDK has read the code from the answer."""
    with pytest.raises(HttpResponseError) as caught:
        yield caught  # type: ignore[misc]
    error = caught.value
    assert error.status_code == status, error
    assert error.error is not None, error
    assert error.error.code == code, error
    assert message in error.error.message, error


class Field:
    """A subscription of this file's own in a management group of its own, and people's desks in front of it.

    /  >  group  >  subscription  >  rg-a  >  vm1
                                     rg-b
    """

    def __init__(self, server: LiveServer, robots: Callable[..., Robot], boss: str = "emergency1") -> None:
        self._stack = ExitStack()
        self.server, self._robots = server, robots
        self.mark = uuid.uuid4().hex[:8]
        self.subscription_id = str(uuid.uuid4())
        self.group = f"/providers/Microsoft.Management/managementGroups/conformance-{self.mark}"
        self.subscription = f"/subscriptions/{self.subscription_id}"
        self.rg_a = f"{self.subscription}/resourceGroups/rg-a"
        self.rg_b = f"{self.subscription}/resourceGroups/rg-b"
        self.vm = f"{self.rg_a}/providers/Microsoft.Compute/virtualMachines/vm1"
        self._desks: dict[str, Desk] = {}
        self.boss = self.desk(boss)
        self.boss.client.global_administrator.elevate_access()
        alias = {
            "subscriptionId": self.subscription_id,
            "displayName": f"Conformance {self.mark}",
            "additionalProperties": {"managementGroupId": self.group},
        }
        for path, properties in (
            (self.group, {"displayName": f"Conformance {self.mark}"}),
            (f"/providers/Microsoft.Subscription/aliases/{self.mark}", alias),
        ):
            self.made(self.boss.send("PUT", path, {"properties": properties}))
        # Who administers access is not yet somebody who makes things in the subscription.
        self.boss.client.role_assignments.create(
            self.subscription,
            str(uuid.uuid4()),
            model(
                "RoleAssignmentCreateParameters",
                role_definition_id=role_id(self.subscription, CONTRIBUTOR),
                principal_id=self.boss.id,
                principal_type="User",
            ),
        )
        for path in (self.rg_a, self.rg_b, self.vm):
            self.made(self.boss.send("PUT", path, {"location": "westeurope"}))

    @staticmethod
    def made(answer: httpx.Response) -> None:
        assert answer.status_code in {200, 201}, answer.text

    def desk(self, key: str) -> Desk:
        if key not in self._desks:
            made = Desk(self.server, self._robots(key), self.subscription_id)
            self._stack.callback(made.close)
            self._desks[key] = made
        return self._desks[key]

    def close(self) -> None:
        self._stack.close()

    def policy(self, scope: str, role: str) -> Any:
        """The policy of a role at a place, found as tools find it."""
        (found,) = self.boss.client.role_management_policy_assignments.list_for_scope(
            scope, params={"$filter": f"roleDefinitionId eq '{role_id(scope, role)}'"}
        )
        return self.boss.client.role_management_policies.get(scope, found.policy_id.rsplit("/", 1)[-1])

    def set_rules(self, scope: str, role: str, *rules: Any) -> Any:
        name = self.policy(scope, role).name
        body = model("RoleManagementPolicy", rules=list(rules))
        return self.boss.client.role_management_policies.update(scope, name, body)

    def demand_approval(self, scope: str, role: str, *approvers: str) -> None:
        people = [model("UserSet", user_type="User", id=each, is_backup=False) for each in approvers]
        stage = model(
            "ApprovalStage",
            approval_stage_time_out_in_days=1,
            is_approver_justification_required=True,
            primary_approvers=people,
        )
        setting = model(
            "ApprovalSettings",
            is_approval_required=True,
            approval_mode="SingleStage",
            approval_stages=[stage],
        )
        self.set_rules(
            scope,
            role,
            model("RoleManagementPolicyApprovalRule", id="Approval_EndUser_Assignment", setting=setting),
        )

    def eligible(self, who: str, scope: str, role: str = READER, **more: Any) -> Any:
        return self.boss.ask("eligibility", scope, "AdminAssign", who, role, **{"hours": 24 * 30, **more})
