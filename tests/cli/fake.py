"""A small OpenPIM in memory, speaking the contract over HTTP on loopback, for the tests of the client.

Only what `pim` asks for: sign-in by all flows with rotation of refresh tokens, PIM for directory roles,
policies, approvals, audits, `$batch`.  A test looks at `fake.seen` and turns the knobs.
"""

from __future__ import annotations

import json
import re
import ssl
import sys
import threading
import uuid
from base64 import b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

TENANT = "11111111-1111-4111-8111-111111111111"
BERLIN = "/administrativeUnits/aaaaaaaa-0000-4000-8000-000000000001"
ROLES = {
    "Teams Administrator": "69091246-20e8-4a56-aa4d-066075b2a7a8",
    "Teams Communications Administrator": "baf37b3a-610e-45da-9e62-d9d1e5e8914b",
    "Exchange Administrator": "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "User Administrator": "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "Security Administrator": "194ae4cb-b126-40b2-bd5b-6091b380977d",
    "Privileged Role Administrator": "e8611ab8-c189-46e8-94e1-60213ab1f814",
}
NAMES = {role_id: name for name, role_id in ROLES.items()}
ANNA, BEN = "aaaa0001-0000-4000-8000-000000000001", "aaaa0002-0000-4000-8000-000000000002"
HELPDESK = "bbbb0001-0000-4000-8000-000000000001"
PEOPLE = {
    ANNA: {
        "@odata.type": "#microsoft.graph.user",
        "id": ANNA,
        "displayName": "Anna Arendt",
        "userPrincipalName": "anna@contoso.com",
    },
    BEN: {
        "@odata.type": "#microsoft.graph.user",
        "id": BEN,
        "displayName": "Ben Brandt",
        "userPrincipalName": "ben@contoso.com",
    },
    HELPDESK: {
        "@odata.type": "#microsoft.graph.group",
        "id": HELPDESK,
        "displayName": "Helpdesk",
        "isAssignableToRole": True,
    },
}
UNITS = {BERLIN: {"id": BERLIN.rpartition("/")[2], "displayName": "Berlin"}}


def stamp(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat()[:-6] + "Z" if moment else None


def jwt(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none"}, claims)
    return (
        ".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + ".x"
    )


class Refused(Exception):
    def __init__(
        self,
        status: int,
        code: str,
        message: str = "",
        headers: dict[str, str] | None = None,
        *,
        wrap: bool = False,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.headers = headers or {}
        if wrap:
            message = json.dumps({"errorCode": code, "message": message, "instanceAnnotations": []})
            code = "UnknownError"
        self.body = {"error": {"code": code, "message": message, "innerError": {}}}


class Fake:
    """The server's state and its answers."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.bodies: list[tuple[str, dict[str, Any]]] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.refresh: dict[str, str] = {}  # token -> account
        self.spent: set[str] = set()
        self.revoked: list[str] = []
        self.lifetime = 3600
        self.account = ANNA
        self.amr = ["pwd"]
        self.device_polls = 1
        self.throttle = 0  # this many 429 answers come first
        self.broken = 0  # this many 503 answers come first
        self.page = 0
        self.foreign_next = False
        self.no_batch = False
        self.ours = True  # has OpenPIM's own list of everything a person may activate
        self.cae = False  # challenge by 401 instead of 400
        self.denied_paths: set[str] = set()
        self.eligible: list[dict[str, Any]] = []
        self.active: list[dict[str, Any]] = []
        self.requests: dict[str, dict[str, Any]] = {}
        self.eligibility_requests: dict[str, dict[str, Any]] = {}
        self.steps: dict[str, dict[str, Any]] = {}
        self.audits: list[dict[str, Any]] = []
        self.provision_after = 0
        self.approve_after: int | None = None
        self.policies = {role: self.default_rules() for role in NAMES}
        self.patched: list[tuple[str, dict[str, Any]]] = []

    # -- facts -----------------------------------------------------------------------------------

    @staticmethod
    def default_rules() -> dict[str, dict[str, Any]]:
        def target(caller: str, level: str) -> dict[str, Any]:
            return {
                "caller": caller,
                "operations": ["all"],
                "level": level,
                "inheritableSettings": [],
                "enforcedSettings": [],
            }

        prefix = "#microsoft.graph.unifiedRoleManagementPolicy"
        rules: list[dict[str, Any]] = []
        for name, caller, level, longest, required in (
            ("Expiration_EndUser_Assignment", "EndUser", "Assignment", "PT8H", True),
            ("Expiration_Admin_Eligibility", "Admin", "Eligibility", "P365D", False),
            ("Expiration_Admin_Assignment", "Admin", "Assignment", "P180D", False),
        ):
            rules.append(
                {
                    "@odata.type": prefix + "ExpirationRule",
                    "id": name,
                    "isExpirationRequired": required,
                    "maximumDuration": longest,
                    "target": target(caller, level),
                }
            )
        for name, caller, level in (
            ("Enablement_EndUser_Assignment", "EndUser", "Assignment"),
            ("Enablement_Admin_Assignment", "Admin", "Assignment"),
            ("Enablement_Admin_Eligibility", "Admin", "Eligibility"),
        ):
            rules.append(
                {
                    "@odata.type": prefix + "EnablementRule",
                    "id": name,
                    "enabledRules": [],
                    "target": target(caller, level),
                }
            )
        rules.append(
            {
                "@odata.type": prefix + "AuthenticationContextRule",
                "id": "AuthenticationContext_EndUser_Assignment",
                "isEnabled": False,
                "claimValue": None,
                "target": target("EndUser", "Assignment"),
            }
        )
        rules.append({
            "@odata.type": prefix + "ApprovalRule", "id": "Approval_EndUser_Assignment", "target": target("EndUser", "Assignment"),
            "setting": {"isApprovalRequired": False, "isApprovalRequiredForExtension": False, "isRequestorJustificationRequired": True, "approvalMode": "SingleStage",
                        "approvalStages": [{"approvalStageTimeOutInDays": 1, "isApproverJustificationRequired": True, "escalationTimeInMinutes": 0, "isEscalationEnabled": False, "primaryApprovers": [], "escalationApprovers": []}]},
        })  # fmt: skip
        return {rule["id"]: rule for rule in rules}

    def rule(self, role: str, name: str) -> dict[str, Any]:
        return self.policies[ROLES[role]][name]

    def demand(self, role: str, *names: str) -> None:
        self.rule(role, "Enablement_EndUser_Assignment")["enabledRules"] = list(names)

    def approval(self, role: str, *approvers: str) -> None:
        setting = self.rule(role, "Approval_EndUser_Assignment")["setting"]
        setting["isApprovalRequired"] = True
        setting["approvalStages"][0]["primaryApprovers"] = [
            {
                "@odata.type": "#microsoft.graph.singleUser",
                "userId": who,
                "description": PEOPLE[who]["displayName"],
            }
            for who in approvers
        ]

    def context(self, role: str, value: str) -> None:
        self.rule(role, "AuthenticationContext_EndUser_Assignment").update(isEnabled=True, claimValue=value)

    def make_eligible(
        self, role: str, *, scope: str = "/", via: str = "", ends: timedelta | None = None
    ) -> None:
        self.eligible.append({
            "id": f"e{len(self.eligible)}", "principalId": via or ANNA, "roleDefinitionId": ROLES.get(role, role), "directoryScopeId": scope, "appScopeId": None,
            "startDateTime": "2026-01-01T00:00:00Z", "endDateTime": stamp(datetime.now(UTC) + ends) if ends else None,
            "memberType": "Group" if via else "Direct", "roleEligibilityScheduleId": str(uuid.uuid4()),
        })  # fmt: skip

    def make_active(
        self, role: str, *, scope: str = "/", minutes: int | None = 60, activated: bool = True
    ) -> None:
        self.active.append({
            "id": f"a{len(self.active)}", "principalId": ANNA, "roleDefinitionId": ROLES.get(role, role), "directoryScopeId": scope, "appScopeId": None,
            "startDateTime": stamp(datetime.now(UTC)), "endDateTime": stamp(datetime.now(UTC) + timedelta(minutes=minutes)) if minutes else None,
            "assignmentType": "Activated" if activated else "Assigned", "memberType": "Direct", "roleAssignmentScheduleId": str(uuid.uuid4()),
        })  # fmt: skip

    def ask(
        self, role: str, *, who: str = BEN, status: str = "PendingApproval", action: str = "selfActivate"
    ) -> str:
        return str(self._request({
            "action": action, "principalId": who, "roleDefinitionId": ROLES[role], "directoryScopeId": "/", "justification": "please",
            "scheduleInfo": {"startDateTime": stamp(datetime.now(UTC)), "expiration": {"type": "afterDuration", "duration": "PT1H"}},
        }, status)["id"])  # fmt: skip

    # -- sign-in ---------------------------------------------------------------------------------

    def token(self, form: dict[str, str], base: str) -> tuple[int, dict[str, Any]]:
        grant = form.get("grant_type", "")
        extra: dict[str, Any] = {}
        account = self.account
        if grant == "authorization_code":
            made = self.codes.pop(form.get("code", ""), None)
            if made is None or made["redirect_uri"] != form.get("redirect_uri"):
                return 400, {"error": "invalid_grant", "error_description": "unknown code"}
            digest = (
                urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest())
                .rstrip(b"=")
                .decode()
            )
            if digest != made["code_challenge"]:
                return 400, {"error": "invalid_grant", "error_description": "PKCE"}
            extra = {"nonce": made["nonce"], **json.loads(made["granted"])}
        elif grant.endswith("device_code"):
            self.device_polls -= 1
            if self.device_polls >= 0:
                return 400, {"error": "authorization_pending"}
        elif grant == "refresh_token":
            given = form.get("refresh_token", "")
            if given in self.spent:
                self.refresh.clear()  # reuse: the whole family is withdrawn
                return 400, {
                    "error": "invalid_grant",
                    "error_description": "the refresh token was used before",
                }
            if given not in self.refresh:
                return 400, {"error": "invalid_grant", "error_description": "unknown refresh token"}
            wanted = json.loads(form.get("claims") or "{}").get("access_token", {})
            if "acrs" in wanted:
                return 400, {
                    "error": "interaction_required",
                    "error_description": "step up",
                    "claims": form["claims"],
                }
            account = self.refresh.pop(given)
            self.spent.add(given)
        elif grant == "client_credentials":
            if form.get("client_secret") != "s3cret":
                return 401, {"error": "invalid_client", "error_description": "wrong secret"}
        else:
            return 400, {"error": "unsupported_grant_type"}
        person = PEOPLE[account]
        common = {
            "oid": account,
            "tid": TENANT,
            "iss": f"{base}/{TENANT}/v2.0",
            "nonce": extra.pop("nonce", None),
        }
        access = jwt(
            {**common, "n": uuid.uuid4().hex, "amr": self.amr, **extra, "upn": person["userPrincipalName"]}
        )
        answer: dict[str, Any] = {
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "access_token": access,
            "scope": form.get("scope", ""),
        }
        if grant != "client_credentials":
            refresh = uuid.uuid4().hex
            self.refresh[refresh] = account
            answer["refresh_token"] = refresh
            answer["id_token"] = jwt(
                {
                    **common,
                    "aud": form["client_id"],
                    "preferred_username": person["userPrincipalName"],
                    "name": person["displayName"],
                }
            )
        return 200, answer

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent: signs in at once, as a person who does all that is asked."""
        wanted = json.loads(query.get("claims") or "{}").get("access_token", {})
        granted: dict[str, Any] = {}
        if "acrs" in wanted:
            granted["acrs"] = [wanted["acrs"].get("value") or wanted["acrs"]["values"][0]]
        if "amr" in wanted or query.get("prompt") == "login":
            granted["amr"] = ["pwd", "otp", "mfa"]
        code = uuid.uuid4().hex
        self.codes[code] = {
            "redirect_uri": query["redirect_uri"], "code_challenge": query["code_challenge"], "nonce": query["nonce"], "granted": json.dumps(granted),
        }  # fmt: skip
        return f"{query['redirect_uri']}/?code={code}&state={quote(query['state'])}"

    # -- Graph -----------------------------------------------------------------------------------

    def graph(
        self,
        method: str,
        url: str,
        body: dict[str, Any] | None,
        claims: dict[str, Any],
        base: str,
        version: str,
    ) -> tuple[int, Any]:
        path, _, raw = url.partition("?")
        path = unquote(path)
        options = {key: values[0] for key, values in parse_qs(raw).items()}
        self.seen.append((method, path))
        if body is not None:
            self.bodies.append((path, body))
        for denied in self.denied_paths:
            if denied in path:
                raise Refused(
                    403,
                    "PermissionScopeNotGranted",
                    "Authorization failed due to missing permission scope X.",
                    wrap=True,
                )
        for pattern, handler in self.routes():
            match = re.fullmatch(pattern, path)
            if match:
                return handler(method, match, body or {}, options, claims, base, version)  # type: ignore[no-any-return]
        raise Refused(400, "BadRequest", f"Resource not found for the segment '{path.rpartition('/')[2]}'.")

    def routes(self) -> list[tuple[str, Any]]:
        pim = "/roleManagement/directory/"
        return [
            (
                pim + r"role(Eligibility|Assignment)ScheduleInstances/filterByCurrentUser\(on='principal'\)",
                self._instances,
            ),
            (pim + r"role(Eligibility|Assignment)ScheduleInstances", self._instances),
            (
                pim
                + r"role(Assignment|Eligibility)ScheduleRequests/filterByCurrentUser\(on='(principal|approver|createdBy)'\)",
                self._my_requests,
            ),
            (pim + r"role(Assignment|Eligibility)ScheduleRequests", self._requests),
            (pim + r"role(Assignment|Eligibility)ScheduleRequests/([^/]+)", self._one_request),
            (pim + r"role(Assignment|Eligibility)ScheduleRequests/([^/]+)/cancel", self._cancel),
            (pim + r"roleAssignmentApprovals/([^/]+)", self._approval),
            (pim + r"roleAssignmentApprovals/([^/]+)/(?:steps|stages)/([^/]+)", self._decide),
            ("/openPim/eligibilities", self._everything),
            # Groups are shown by a real server (test_real_server.py); here nobody is eligible for any.
            (
                r"/identityGovernance/privilegedAccess/group/\w+/filterByCurrentUser\(on='\w+'\)",
                lambda _method, match, _body, options, _claims, base, _version: self._list(
                    [], options, base, match[0]
                ),
            ),
            (pim + r"roleDefinitions", self._role_definitions),
            ("/policies/roleManagementPolicyAssignments", self._policies),
            (r"/policies/roleManagementPolicies/([^/]+)/rules/([^/]+)", self._patch_rule),
            (r"/policies/roleManagementPolicies/([^/]+)", self._patch_policy),
            (r"/users/([^/]+)", self._user),
            (r"/(users|groups|servicePrincipals)", self._people),
            (r"/directory/administrativeUnits", self._units),
            (r"/auditLogs/directoryAudits", self._audits),
            ("/me", lambda *_: (200, PEOPLE[self.account])),
        ]

    @staticmethod
    def _expanded(row: dict[str, Any]) -> dict[str, Any]:
        role, scope = row["roleDefinitionId"], row.get("directoryScopeId") or "/"
        return {
            **row, "roleDefinition": {"id": role, "displayName": NAMES.get(role, role)}, "principal": PEOPLE.get(row["principalId"]),
            "directoryScope": UNITS.get(scope, {"id": scope}),
        }  # fmt: skip

    def _list(
        self, rows: list[dict[str, Any]], options: dict[str, str], base: str, path: str
    ) -> tuple[int, Any]:
        answer: dict[str, Any] = {"@odata.context": "x", "value": rows}
        skip = int(options.get("$skiptoken", "0"))
        if self.page and len(rows) > skip + self.page:
            host = "https://evil.example" if self.foreign_next else base
            answer["@odata.nextLink"] = f"{host}/v1.0{path}?$skiptoken={skip + self.page}"
        answer["value"] = rows[skip : skip + self.page] if self.page else rows
        return 200, answer

    def _instances(
        self,
        method: str,
        match: re.Match[str],
        body: Any,
        options: dict[str, str],
        claims: Any,
        base: str,
        version: str,
    ) -> tuple[int, Any]:
        rows = self.eligible if match[1] == "Eligibility" else self.active
        return self._list([self._expanded(row) for row in rows], options, base, match[0])

    def _everything(
        self, _method: str, match: Any, _body: Any, options: Any, _claims: Any, base: str, _version: str
    ) -> tuple[int, Any]:
        """OpenPIM's one list; what a policy demands stands beside each."""
        if not self.ours:
            raise Refused(404, "ResourceNotFound", "Resource not found for the segment 'openPim'.")
        rows = []
        for held in map(self._expanded, self.eligible):
            rules = self.policies.get(held["roleDefinitionId"]) or self.default_rules()
            enabled = rules["Enablement_EndUser_Assignment"]["enabledRules"]
            context = rules["AuthenticationContext_EndUser_Assignment"]
            through = held["principalId"] != ANNA
            rows.append({
                **{name: held[name] for name in ("id", "principalId", "roleDefinitionId", "startDateTime", "endDateTime", "memberType")},
                "provider": "directory", "roleDisplayName": held["roleDefinition"]["displayName"], "scope": held["directoryScopeId"],
                "scopeDisplayName": (held.get("directoryScope") or {}).get("displayName") or "Contoso", "eligibilityScheduleId": held["roleEligibilityScheduleId"],
                "through": [{"id": held["principalId"], "displayName": held["principal"]["displayName"]}] if through else [],
                "state": "eligible", "assignments": [], "requests": [],
                "policy": {
                    "maximumDuration": rules["Expiration_EndUser_Assignment"]["maximumDuration"],
                    "isMultiFactorAuthenticationRequired": "MultiFactorAuthentication" in enabled,
                    "isJustificationRequired": "Justification" in enabled, "isTicketRequired": "Ticketing" in enabled,
                    "isApprovalRequired": rules["Approval_EndUser_Assignment"]["setting"]["isApprovalRequired"],
                    "authenticationContext": context["claimValue"] if context["isEnabled"] else None,
                },
            })  # fmt: skip
        return self._list(rows, options, base, match[0])

    def _book(self, which: str) -> dict[str, dict[str, Any]]:
        return self.requests if which == "Assignment" else self.eligibility_requests

    def _my_requests(
        self,
        method: str,
        match: re.Match[str],
        body: Any,
        options: dict[str, str],
        claims: Any,
        base: str,
        version: str,
    ) -> tuple[int, Any]:
        wanted = re.findall(r"status eq '(\w+)'", options.get("$filter", ""))
        rows = [self._expanded(row) for row in self._book(match[1]).values()]
        if match[2] == "approver":
            rows = [
                row
                for row in rows
                if row["principalId"] != self.account and row["status"].startswith("PendingA")
            ]
        else:
            rows = [row for row in rows if row["principalId"] == self.account]
        return self._list(
            [row for row in rows if not wanted or row["status"] in wanted], options, base, match[0]
        )

    def _request(self, body: dict[str, Any], status: str) -> dict[str, Any]:
        made = str(uuid.uuid4())
        row = {
            "id": made, "status": status, "createdDateTime": stamp(datetime.now(UTC)), "approvalId": made if "Approval" in status else None,
            "targetScheduleId": made, "createdBy": {"user": {"id": body["principalId"]}}, "ticketInfo": {}, **body,
        }  # fmt: skip
        row.setdefault("scheduleInfo", {"startDateTime": None, "expiration": {}})
        row["scheduleInfo"] = {
            "startDateTime": stamp(datetime.now(UTC)),
            **{k: v for k, v in (row["scheduleInfo"] or {}).items() if v},
        }
        self.requests[made] = row
        if "Approval" in status:
            self.steps[made] = {
                "id": made,
                "reviewResult": "NotReviewed",
                "status": "InProgress",
                "assignedToMe": True,
                "justification": "",
            }
        return row

    def _requests(
        self,
        method: str,
        match: re.Match[str],
        body: dict[str, Any],
        options: dict[str, str],
        claims: dict[str, Any],
        base: str,
        version: str,
    ) -> tuple[int, Any]:
        book = self._book(match[1])
        if method == "GET":
            return self._list([self._expanded(row) for row in book.values()], options, base, match[0])
        action = body["action"]
        key = (body["principalId"], body["roleDefinitionId"], body["directoryScopeId"])
        if action == "selfActivate":
            return self._activate(body, claims)
        if action == "selfDeactivate":
            held = [
                row
                for row in self.active
                if row["roleDefinitionId"] == key[1] and row["directoryScopeId"] == key[2]
            ]
            if not held:
                raise Refused(400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.")
            if held[0].get("young"):
                raise Refused(
                    400,
                    "ActiveDurationTooShort",
                    "The Active duration is too short. Miniumum Required is 5 minutes.",
                )
            self.active.remove(held[0])
            return 201, self._request(body, "Revoked")
        if action == "selfExtend" and match[1] == "Assignment" and not self.ours:
            raise Refused(400, "InvalidRoleAssignmentRequest", "The role assignment request is invalid.")
        if action == "adminRemove" and not any(
            row["roleDefinitionId"] == key[1] for row in (*self.eligible, *self.active)
        ):
            raise Refused(400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.")
        made = self._request(body, "Revoked" if action == "adminRemove" else "Provisioned")
        book[made["id"]] = made
        return 201, made

    def _activate(self, body: dict[str, Any], claims: dict[str, Any]) -> tuple[int, Any]:
        role = body["roleDefinitionId"]
        rules = self.policies[role]
        enabled = rules["Enablement_EndUser_Assignment"]["enabledRules"]
        mine = [
            row
            for row in self.eligible
            if row["roleDefinitionId"] == role and row["directoryScopeId"] in {"/", body["directoryScopeId"]}
        ]
        if body["principalId"] != self.account or not mine:
            raise Refused(400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.")
        if any(
            row["roleDefinitionId"] == role and row["directoryScopeId"] == body["directoryScopeId"]
            for row in self.active
        ):
            raise Refused(400, "RoleAssignmentExists", "The Role assignment already exists.")
        failed = []
        if "Justification" in enabled and not body.get("justification"):
            failed.append("JustificationRule")
        if "Ticketing" in enabled and not (body.get("ticketInfo") or {}).get("ticketNumber"):
            failed.append("TicketingRule")
        if "MultiFactorAuthentication" in enabled and "mfa" not in claims.get("amr", []):
            failed.append("MfaRule")
        if failed:
            raise Refused(
                400,
                "RoleAssignmentRequestPolicyValidationFailed",
                f"The following policy rules failed: {json.dumps(failed, separators=(',', ':'))}",
            )
        context = rules["AuthenticationContext_EndUser_Assignment"]
        if context["isEnabled"] and context["claimValue"] not in claims.get("acrs", []):
            asked = {"access_token": {"acrs": {"essential": True, "value": context["claimValue"]}}}
            if self.cae:
                encoded = urlsafe_b64encode(json.dumps(asked).encode()).decode()
                raise Refused(
                    401,
                    "InvalidAuthenticationToken",
                    "more",
                    {"WWW-Authenticate": f'Bearer realm="", error="insufficient_claims", claims="{encoded}"'},
                )
            raise Refused(
                400, "RoleAssignmentRequestAcrsValidationFailed", "&claims=" + quote(json.dumps(asked))
            )
        if body.get("isValidationOnly"):
            return 201, {**body, "id": str(uuid.uuid4()), "status": "Granted"}
        if rules["Approval_EndUser_Assignment"]["setting"]["isApprovalRequired"]:
            return 201, self._request(body, "PendingApproval")
        made = self._request(body, "PendingProvisioning" if self.provision_after else "Provisioned")
        self._in_force(made)
        return 201, made

    def _in_force(self, made: dict[str, Any]) -> None:
        role = NAMES[made["roleDefinitionId"]]
        self.make_active(role, scope=made["directoryScopeId"], minutes=60)

    def _one_request(self, method: str, match: re.Match[str], *_: Any) -> tuple[int, Any]:
        row = self._book(match[1]).get(match[2])
        if row is None:
            raise Refused(404, "RoleAssignmentRequestNotFound", "no such request")
        if row["status"] == "PendingProvisioning":
            self.provision_after -= 1
            if self.provision_after <= 0:
                row["status"] = "Provisioned"
        if row["status"] == "PendingApproval" and self.approve_after is not None:
            self.approve_after -= 1
            if self.approve_after <= 0:
                row["status"] = "Provisioned"
                self._in_force(row)
        return 200, row

    def _cancel(self, method: str, match: re.Match[str], *_: Any) -> tuple[int, Any]:
        row = self._book(match[1])[match[2]]
        if row["status"] not in {
            "Granted",
            "PendingApproval",
            "PendingApprovalProvisioning",
            "PendingAdminDecision",
        }:
            raise Refused(
                400,
                "RequestCannotBeCancelled",
                "only Granted, PendingApproval, PendingApprovalProvisioning and PendingAdminDecision can be",
            )
        row["status"] = "Canceled"
        return 204, None

    def _approval(
        self, method: str, match: re.Match[str], body: Any, options: Any, claims: Any, base: str, version: str
    ) -> tuple[int, Any]:
        if version != "beta":
            raise Refused(400, "BadRequest", "Resource not found for the segment 'roleAssignmentApprovals'.")
        if match[1] not in self.steps:
            raise Refused(404, "Request_ResourceNotFound", "no such approval")
        return 200, {"id": match[1], "steps": [self.steps[match[1]]]}

    def _decide(
        self,
        method: str,
        match: re.Match[str],
        body: dict[str, Any],
        options: Any,
        claims: Any,
        base: str,
        version: str,
    ) -> tuple[int, Any]:
        step = self.steps[match[2]]
        if step["reviewResult"] != "NotReviewed":
            raise Refused(400, "RoleAssignmentRequestAlreadyApproved", "already decided")
        step.update(
            reviewResult=body["reviewResult"],
            justification=body["justification"],
            status="Completed",
            assignedToMe=False,
        )
        self.requests[match[1]]["status"] = "Provisioned" if body["reviewResult"] == "Approve" else "Denied"
        return 204, None

    def _role_definitions(
        self,
        method: str,
        match: re.Match[str],
        body: Any,
        options: dict[str, str],
        claims: Any,
        base: str,
        version: str,
    ) -> tuple[int, Any]:
        return self._list(
            [
                {"id": role_id, "displayName": name, "isBuiltIn": True, "templateId": role_id}
                for role_id, name in NAMES.items()
            ],
            options,
            base,
            match[0],
        )

    def _policies(
        self,
        method: str,
        match: re.Match[str],
        body: Any,
        options: dict[str, str],
        claims: Any,
        base: str,
        version: str,
    ) -> tuple[int, Any]:
        if "scopeType" not in options.get("$filter", ""):
            raise Refused(400, "MissingProvider", "The provider is missing.", wrap=True)
        wanted = re.findall(r"roleDefinitionId eq '([^']+)'", options["$filter"])
        rows = []
        for role in wanted or NAMES:
            policy = f"DirectoryRole_{TENANT}_{role}"
            rows.append(
                {
                    "id": f"{policy}_{role}",
                    "policyId": policy,
                    "scopeId": "/",
                    "scopeType": "DirectoryRole",
                    "roleDefinitionId": role,
                    "policy": {"id": policy, "rules": list(self.policies[role].values())},
                }
            )
        return self._list(rows, options, base, match[0])

    def _patch_rule(
        self, method: str, match: re.Match[str], body: dict[str, Any], *_: Any
    ) -> tuple[int, Any]:
        if "@odata.type" not in body or "target" not in body:
            raise Refused(500, "", "An error has occurred.")
        self.patched.append((match[2], body))
        self.policies[match[1].rpartition("_")[2]][match[2]].update(body)
        return 204, None

    def _patch_policy(
        self, method: str, match: re.Match[str], body: dict[str, Any], *_: Any
    ) -> tuple[int, Any]:
        if len(body["rules"]) != len(self.default_rules()):
            raise Refused(400, "InvalidPolicy", "The policy is invalid.")
        for rule in body["rules"]:
            self.policies[match[1].rpartition("_")[2]][rule["id"]].update(rule)
        return 204, None

    def _user(self, method: str, match: re.Match[str], *_: Any) -> tuple[int, Any]:
        for person in PEOPLE.values():
            if match[1] in {person["id"], person.get("userPrincipalName")}:
                return 200, person
        raise Refused(404, "Request_ResourceNotFound", f"Resource '{match[1]}' does not exist.")

    def _people(
        self,
        method: str,
        match: re.Match[str],
        body: Any,
        options: dict[str, str],
        claims: Any,
        base: str,
        version: str,
    ) -> tuple[int, Any]:
        kind = {"users": "user", "groups": "group"}.get(match[1], "servicePrincipal")
        start = re.search(r"startswith\(displayName,'([^']*)'\)", options.get("$filter", ""))
        rows = [row for row in PEOPLE.values() if str(row["@odata.type"]).endswith(kind)]
        if start:
            rows = [row for row in rows if str(row["displayName"]).lower().startswith(start[1].lower())]
        return self._list(rows, options, base, match[0])

    def _units(
        self,
        method: str,
        match: re.Match[str],
        body: Any,
        options: dict[str, str],
        claims: Any,
        base: str,
        version: str,
    ) -> tuple[int, Any]:
        return self._list(list(UNITS.values()), options, base, match[0])

    def _audits(
        self,
        method: str,
        match: re.Match[str],
        body: Any,
        options: dict[str, str],
        claims: Any,
        base: str,
        version: str,
    ) -> tuple[int, Any]:
        return self._list(self.audits, options, base, match[0])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet per answer, sent at once
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if status != 204:
            self.wfile.write(data)

    def _handle(self) -> None:
        fake = self.server.fake
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        split = urlsplit(self.path)
        base = f"{self.server.scheme}://{self.headers['Host']}"
        if "/oauth2/" in split.path or ".well-known" in split.path:
            self._sign_in(fake, split.path, split.query, raw, base)
            return
        version, _, rest = self.path[1:].partition("/")
        if fake.throttle or fake.broken:
            status = 429 if fake.throttle else 503
            fake.throttle, fake.broken = max(0, fake.throttle - 1), fake.broken - (0 if fake.throttle else 1)
            self._send(
                status, {"error": {"code": "TooManyRequests", "message": "slowly"}}, {"Retry-After": "0"}
            )
            return
        given = self.headers.get("Authorization", "").partition("Bearer ")[2]
        if not given or given in fake.revoked:
            self._send(
                401,
                {"error": {"code": "InvalidAuthenticationToken", "message": "the token is not accepted"}},
                {"WWW-Authenticate": "Bearer"},
            )
            return
        part = given.split(".")[1]
        claims = json.loads(b64decode(part.replace("-", "+").replace("_", "/") + "=" * (-len(part) % 4)))
        body = json.loads(raw) if raw else None
        if rest == "$batch" and fake.no_batch:
            self._send(404, {"error": {"code": "NotFound", "message": "no batch here"}})
            return
        if rest == "$batch" and body is not None:
            fake.seen.append(("POST", "/$batch"))
            responses = []
            for item in body["requests"]:
                status, answer, headers = self._one(
                    item["method"], item["url"], item.get("body"), claims, base, version
                )
                responses.append({"id": item["id"], "status": status, "headers": headers, "body": answer})
            responses.reverse()  # the order of answers is free
            self._send(200, {"responses": responses})
            return
        self._send(*self._one(self.command, "/" + rest, body, claims, base, version))

    def _one(
        self, method: str, url: str, body: Any, claims: dict[str, Any], base: str, version: str
    ) -> tuple[int, Any, dict[str, str]]:
        try:
            status, answer = self.server.fake.graph(method, url, body, claims, base, version)
            return status, answer, {}
        except Refused as error:
            return error.status, error.body, error.headers

    def _sign_in(self, fake: Fake, path: str, query: str, raw: bytes, base: str) -> None:
        fields = {key: values[0] for key, values in parse_qs(raw.decode() or query).items()}
        fake.seen.append((self.command, path))
        if path.endswith("/authorize"):
            self.send_response(302)
            self.send_header("Location", fake.authorize(fields))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif path.endswith("/token"):
            self._send(*fake.token(fields, base))
        elif path.endswith("/devicecode"):
            self._send(
                200,
                {
                    "device_code": "d",
                    "user_code": "ABCD-EFGH",
                    "verification_uri": base + "/devicelogin",
                    "interval": 0,
                    "expires_in": 60,
                },
            )
        elif path.endswith("/revoke"):
            fake.refresh.pop(fields.get("token", ""), None)
            self._send(200, {})
        elif ".well-known" in path:
            tenant = path.split("/")[1]
            root = f"{base}/{tenant}"
            self._send(
                200,
                {
                    "issuer": f"{base}/{TENANT}/v2.0",
                    "token_endpoint": f"{root}/oauth2/v2.0/token",
                    "revocation_endpoint": f"{root}/oauth2/v2.0/revoke",
                    "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
                    "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
                    "jwks_uri": f"{root}/discovery/v2.0/keys",
                },
            )
        else:
            self._send(404, {"error": "not found"})

    do_GET = do_POST = do_PATCH = do_DELETE = _handle


class QuietServer(ThreadingHTTPServer):
    """Prints nothing about clients that hang up: `pim` ends without a goodbye, and what is printed is looked at."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Server(QuietServer):
    def __init__(self, fake: Fake, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.fake = fake
        self.tls = tls
        self.scheme = "https" if tls else "http"

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.tls:
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except OSError:
                return
        with request:
            super().finish_request(request, client_address)

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.server_address[1]}"


def start(fake: Fake, tls: ssl.SSLContext | None = None) -> Server:
    server = Server(fake, tls)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server
