"""What people send with `az rest`, since `az` has no commands of its own for PIM: paths and bodies."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlsplit

from openpim.faces.arm.endpoints import ENDPOINTS
from openpim.faces.arm.table import Match, Table
from tests.conformance.azure_cli.az import Az

AUTHORIZATION = "providers/Microsoft.Authorization"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
VERSIONS = (
    "2020-10-01-preview",
    "2020-10-01",
    "2022-04-01-preview",
    "2024-02-01-preview",
    "2024-09-01-preview",
)
APPROVALS = "2021-01-01-preview"
# The parts of Microsoft.Authorization that are PIM.
NOUNS = (
    "roleAssignmentSchedule",
    "roleEligibilitySchedule",
    "roleManagementPolic",
    "roleAssignmentApprovals",
    "eligibleChildResources",
)


def role(scope: str, guid: str) -> str:
    return f"{scope}/{AUTHORIZATION}/roleDefinitions/{guid}"


class Pim:
    """One person's calls; `called` gathers the endpoints of the server's own table that answered."""

    def __init__(self, az: Az, called: set[str] | None = None, version: str = "2020-10-01") -> None:
        self.az, self.version = az, version
        self.called = called if called is not None else set()
        self._table = Table(ENDPOINTS)

    def __call__(
        self,
        method: str,
        scope: str,
        below: str,
        body: Any = None,
        *,
        version: str = "",
        refused: bool = False,
    ) -> Any:
        """below: what stands after Microsoft.Authorization, a `$filter` in it as people type it."""
        joint = "&" if "?" in below else "?"
        path = f"{scope}/{AUTHORIZATION}/{below}{joint}api-version={version or self.version}"
        found = self.az.rest(method, path, body, refused=refused)
        match = self._table.find(method.upper(), tuple(urlsplit(path).path.strip("/").split("/")))
        assert isinstance(match, Match), path
        if not refused:
            self.called.add(f"{match.endpoint.method} {match.endpoint.address}")
        return found

    def get(self, scope: str, below: str, **more: Any) -> Any:
        return self("get", scope, below, **more)

    def ask(
        self, kind: str, action: str, scope: str, role_id: str, principal_id: str, *, name: str = "",
        refused: bool = False, validate: bool = False, **properties: Any,
    ) -> Any:  # fmt: skip
        """kind: "Assignment" or "Eligibility". name: the guid that the client chooses for the request."""
        body = {
            "principalId": principal_id,
            "roleDefinitionId": role(scope, role_id),
            "requestType": action,
            "justification": "Weld 7 is down",
            **properties,
        }
        below = f"role{kind}ScheduleRequests/{name or uuid.uuid4()}"
        method, below = ("post", f"{below}/validate") if validate else ("put", below)
        return self(method, scope, below, {"properties": body}, refused=refused)

    def policy(self, scope: str, role_id: str) -> Any:
        """The one policy of a role at a place, found as every tool finds it."""
        asked = f"roleManagementPolicyAssignments?$filter=roleDefinitionId eq '{role(scope, role_id)}'"
        (found,) = self.get(scope, asked)["value"]
        return self.get(scope, f"roleManagementPolicies/{found['properties']['policyId'].rpartition('/')[2]}")


def every_endpoint() -> set[str]:
    """The rows of the server's table that are PIM's."""
    return {
        f"{one.method} {one.address}"
        for one in ENDPOINTS
        if one.address.rpartition(f"{AUTHORIZATION}/")[2].startswith(NOUNS)
    }


def lasting(duration: str, start: str | None = None) -> dict[str, Any]:
    return {"startDateTime": start, "expiration": {"type": "AfterDuration", "duration": duration}}


def approval_rule(*approvers: tuple[str, str]) -> dict[str, Any]:
    """approvers: (kind of principal, id)."""
    stage = {
        "approvalStageTimeOutInDays": 1,
        "isApproverJustificationRequired": True,
        "escalationTimeInMinutes": 0,
        "isEscalationEnabled": False,
        "primaryApprovers": [
            {"userType": kind, "isBackup": False, "id": id, "description": "Approver"}
            for kind, id in approvers
        ],
    }
    return {
        "id": "Approval_EndUser_Assignment",
        "ruleType": "RoleManagementPolicyApprovalRule",
        "target": {"caller": "EndUser", "operations": ["All"], "level": "Assignment"},
        "setting": {
            "isApprovalRequired": True,
            "isApprovalRequiredForExtension": False,
            "isRequestorJustificationRequired": True,
            "approvalMode": "SingleStage",
            "approvalStages": [stage],
        },
    }


def enablement_rule(*rules: str) -> dict[str, Any]:
    """What a person must bring to activate: Justification, Ticketing, MultiFactorAuthentication."""
    return {
        "id": "Enablement_EndUser_Assignment",
        "ruleType": "RoleManagementPolicyEnablementRule",
        "enabledRules": list(rules),
        "target": {"caller": "EndUser", "operations": ["All"], "level": "Assignment"},
    }
