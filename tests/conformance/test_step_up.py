"""Step-up as tools do it that sign in with MSAL and call Graph themselves: the claims stand in the error's message."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import unquote

import httpx
import msal

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
GRAPH = ["https://graph.microsoft.com/.default"]
MINE = "roleManagement/directory/roleEligibilitySchedules/filterByCurrentUser(on='principal')?$expand=roleDefinition"
REQUESTS = "roleManagement/directory/roleAssignmentScheduleRequests"


class Tool:
    def __init__(self, server, **options):
        self.server = server
        authority = f"{server.origin}/{server.tenant_id}"
        self.app = msal.PublicClientApplication(
            AZURE_CLI, authority=authority, instance_discovery=False, **options
        )
        self.token = ""

    def sign_in(self, claims=None):
        made = self.app.acquire_token_interactive(GRAPH, timeout=30, claims_challenge=claims)
        self.token = made["access_token"]

    def call(self, method, path, body=None):
        return httpx.request(
            method,
            f"{self.server.origin}/v1.0/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.token}"},
            verify=self.server.trust(),
            timeout=30,
        )

    def activation(self, role, **more):
        me = self.call("GET", "me").json()["id"]
        eligible = self.call("GET", MINE).json()["value"]
        held = next(each for each in eligible if each["roleDefinition"]["displayName"] == role)
        return {
            "action": "selfActivate",
            "principalId": me,
            "roleDefinitionId": held["roleDefinitionId"],
            "directoryScopeId": held["directoryScopeId"],
            "justification": "Alert 1",
            "scheduleInfo": {
                "startDateTime": None,
                "expiration": {"type": "AfterDuration", "duration": "PT30M"},
            },
            **more,
        }


def test_claims_in_the_message(server, browsers, robots):
    """A client that did not say CP1: 400 RoleAssignmentRequestAcrsValidationFailed, the claims behind `&claims=`."""
    browsers.robot = robots("lucia")
    tool = Tool(server)
    tool.sign_in()
    body = tool.activation("Security Administrator")
    refused = tool.call("POST", REQUESTS, body)
    assert refused.status_code == 400, refused.text
    error = refused.json()["error"]
    assert error["code"] == "RoleAssignmentRequestAcrsValidationFailed"
    claims = unquote(re.search(r"&claims=(\S+)", error["message"])[1])
    assert json.loads(claims)["access_token"]["acrs"]["value"] == "c1"
    tool.sign_in(claims)
    accepted = tool.call("POST", REQUESTS, body)
    assert accepted.status_code == 201, accepted.text
    tool.call("POST", REQUESTS, {**body, "action": "selfDeactivate"})


def test_claims_in_the_challenge(server, browsers, robots):
    """A client that said CP1: 401 with WWW-Authenticate, the claims in base64."""
    browsers.robot = robots("yuki")
    admin = Tool(server, client_capabilities=["CP1"])
    admin.sign_in()
    # Yuki holds no role with a context; so does a role of which he becomes eligible for this test.
    browsers.robot = robots("emergency1")
    boss = Tool(server)
    boss.sign_in()
    teams = boss.call(
        "GET", "roleManagement/directory/roleDefinitions?$filter=displayName eq 'Security Administrator'"
    )
    given = boss.call(
        "POST",
        "roleManagement/directory/roleEligibilityScheduleRequests",
        {
            "action": "adminAssign",
            "principalId": server.people["yuki"].id,
            "roleDefinitionId": teams.json()["value"][0]["id"],
            "directoryScopeId": "/",
            "justification": "Conformance",
            "scheduleInfo": {"expiration": {"type": "afterDuration", "duration": "P10D"}},
        },
    )
    assert given.status_code == 201, given.text
    body = admin.activation("Security Administrator")
    refused = admin.call("POST", REQUESTS, body)
    assert refused.status_code == 401, refused.text
    challenge = refused.headers["www-authenticate"]
    assert 'error="insufficient_claims"' in challenge
    claims = base64.b64decode(re.search(r'claims="([^"]+)"', challenge)[1]).decode()
    browsers.robot = robots("yuki")
    admin.sign_in(claims)
    accepted = admin.call("POST", REQUESTS, body)
    assert accepted.status_code == 201, accepted.text
    admin.call("POST", REQUESTS, {**body, "action": "selfDeactivate"})


def test_mfa_is_named_and_given(server, browsers, robots):
    """MfaRule among the failed rules; a token with amr mfa passes."""
    browsers.robot = robots("callum")
    tool = Tool(server)
    tool.sign_in()
    mine = {each["roleDefinition"]["displayName"] for each in tool.call("GET", MINE).json()["value"]}
    assert {"Cloud Application Administrator", "Reports Reader"} <= mine  # through a group
    browsers.robot = robots("kwame")
    tool = Tool(server)
    tool.sign_in()
    body = tool.activation("Application Administrator", ticketInfo={"ticketNumber": "1", "ticketSystem": "x"})
    refused = tool.call("POST", REQUESTS, body)
    assert refused.status_code == 400, refused.text
    assert refused.json()["error"]["code"] == "RoleAssignmentRequestPolicyValidationFailed"
    assert "MfaRule" in refused.json()["error"]["message"]
    tool.sign_in('{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}')
    accepted = tool.call("POST", REQUESTS, body)
    assert accepted.status_code == 201, accepted.text
    tool.call("POST", REQUESTS, {**body, "action": "selfDeactivate"})


def test_the_address_may_be_written_otherwise(server, robots):
    """By IP address: issuer, endpoints and links follow the name that was called, from the list of allowed ones."""
    origin = server.origin.replace("localhost", "127.0.0.1")
    app = msal.PublicClientApplication(AZURE_CLI, authority=f"{origin}/adfs")
    flow = app.initiate_device_flow([f"{origin}/.default"])
    assert flow["verification_uri"].startswith(origin)
    robots("oskar").device(flow["user_code"])
    token = app.acquire_token_by_device_flow(flow)["access_token"]
    answer = httpx.get(
        f"{origin}/v1.0/users?$top=2", headers={"Authorization": f"Bearer {token}"}, verify=server.trust()
    )
    assert answer.json()["@odata.nextLink"].startswith(f"{origin}/v1.0/users")
