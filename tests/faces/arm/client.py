"""A client of the resource manager's face for tests: a world with a small tree, the face in front of it, and callers
without tokens.

    /  >  root group  >  it  >  prod (subscription)  >  web (resource group)  >  vm1
                                                        data
                         hr  >  staff (subscription)

`arm.get("/subscriptions", who)` asks as that person, with an api-version where none is said.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field, replace
from typing import Any

from openpim.core.caller import Caller, CallerKind
from openpim.core.grants import Action, Kind, Provider, Request
from openpim.core.permissions import CONTRIBUTOR, OWNER, READER, USER_ACCESS_ADMINISTRATOR
from openpim.core.policy import ApprovalSettings, Reviewers, Stage
from openpim.core.refusals import Code, Refusal
from openpim.faces import arm
from openpim.services import policies, role_assignments
from openpim.services.resources import shaping
from openpim.services.resources.shaping import Wanted
from tests.world import World, ok

with warnings.catch_warnings():
    # Starlette would rather have httpx2; httpx does.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

ORIGIN = "https://localhost:8444"
VERSION = "2020-10-01"
UAA = USER_ACCESS_ADMINISTRATOR
AUTH = "providers/Microsoft.Authorization"
__all__ = ["AUTH", "CONTRIBUTOR", "OWNER", "READER", "UAA", "VERSION", "Arm", "Who", "error"]


@dataclass(frozen=True)
class Who:
    """Somebody who asks, and how he had signed in."""

    id: str
    tenant_id: str = ""
    kind: CallerKind = CallerKind.USER
    amr: frozenset[str] = frozenset({"pwd", "mfa"})
    acrs: frozenset[str] = frozenset()
    capabilities: frozenset[str] = frozenset()


@dataclass
class Arm:
    world: World
    client: Any = None
    known: dict[str, Who] = field(default_factory=dict)
    prod: str = ""
    staff: str = ""

    def __post_init__(self) -> None:
        app = arm.application(self.world.deps, self.authenticate)
        self.client = TestClient(app, base_url=ORIGIN, raise_server_exceptions=True)

    # -- the tree
    def plant(self) -> None:
        self.it = self.place("/providers/Microsoft.Management/managementGroups/IT", display_name="IT")
        self.hr = self.place("/providers/Microsoft.Management/managementGroups/HR")
        self.prod = self.place(
            f"/subscriptions/{self.world.new_id()}", display_name="Production", parent_id=self.it
        )
        self.staff = self.place(
            f"/subscriptions/{self.world.new_id()}", display_name="Staff", parent_id=self.hr
        )
        self.web = self.place(f"{self.prod}/resourceGroups/Web", location="westeurope")
        self.data = self.place(f"{self.prod}/resourceGroups/data", location="westeurope")
        self.vm = self.place(f"{self.web}/providers/Microsoft.Compute/virtualMachines/VM1")
        self.owner = self.world.user("Olga")
        self.assigned(self.owner, OWNER, self.root)

    @property
    def root(self) -> str:
        return shaping.root_group(self.world.tenant_id)

    def place(self, path: str, **wanted: Any) -> str:
        made = ok(shaping.put(self.world.deps, self.world.system, path, Wanted(**wanted)))
        return made.resource.id

    def path(self, scope: str) -> str:
        return self.world.read(lambda tx: tx.resources.get(scope)).path

    # -- grants, by the acts
    def assigned(self, who: str, role: str, scope: str) -> str:
        made = role_assignments.create(
            self.world.deps, self.world.system, role, who, scope, Provider.RESOURCE
        )
        self.world.forward(minutes=6)
        return ok(made).id

    def eligible(self, who: str, role: str, scope: str, **when: Any) -> Request:
        ask = self.world.ask(
            Action.ADMIN_ASSIGN, who, role, scope, kind=Kind.ELIGIBILITY, **(when or {"permanent": True})
        )
        return ok(self.world.submit(replace(ask, provider=Provider.RESOURCE), self.world.system))

    def policy(self, role: str, scope: str, **changes: Any) -> None:
        deps, system = self.world.deps, self.world.system
        present = ok(policies.get(deps, system, Provider.RESOURCE, role, scope))
        ok(
            policies.update(
                deps, system, present.id, lambda policy: replace(policy, **changes), Provider.RESOURCE, scope
            )
        )

    def approval(self, role: str, scope: str, *people: str) -> None:
        stage = Stage(primary=Reviewers(people))
        self.policy(role, scope, approval=ApprovalSettings(required=True, stages=(stage,)))

    # -- asking
    def authenticate(self, header: str | None, **facts: Any) -> Caller | Refusal:
        who = self.known.get((header or "").removeprefix("Bearer "))
        if who is None:
            return Refusal(Code.SIGN_IN, "Access token is empty.")
        tenant = who.tenant_id or self.world.tenant_id
        principal = self.world.database.read(tenant, lambda tx: tx.principals.get(who.id))
        return Caller(
            tenant_id=tenant,
            principal_id=who.id,
            kind=who.kind,
            display_name=principal.display_name if principal else "",
            amr=who.amr,
            acrs=who.acrs,
            capabilities=who.capabilities,
            **facts,
        )

    def headers(self, who: str | Who | None) -> dict[str, str]:
        if who is None:
            return {}
        person = Who(who) if isinstance(who, str) else who
        key = str(hash(person))
        self.known[key] = person
        return {"Authorization": f"Bearer {key}"}

    def send(self, method: str, path: str, who: str | Who | None, body: Any = None, **more: Any) -> Any:
        headers = {**self.headers(who), **more.pop("headers", {})}
        if "api-version" not in path and not more.pop("plain", False):
            path += ("&" if "?" in path else "?") + f"api-version={VERSION}"
        if isinstance(body, bytes | str):
            more["content"] = body
        elif body is not None:
            more["content"] = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        return self.client.request(
            method, ORIGIN + path if path.startswith("//") else path, headers=headers, **more
        )

    def get(self, path: str, who: str | Who | None, **more: Any) -> Any:
        return self.send("GET", path, who, **more)

    def ok(self, path: str, who: str | Who | None, **more: Any) -> dict[str, Any]:
        answer = self.get(path, who, **more)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def rows(self, path: str, who: str | Who | None, **more: Any) -> list[dict[str, Any]]:
        return list(self.ok(path, who, **more)["value"])

    def put(self, path: str, who: str | Who | None, body: Any = None, **more: Any) -> Any:
        return self.send("PUT", path, who, body, **more)

    def patch(self, path: str, who: str | Who | None, body: Any, **more: Any) -> Any:
        return self.send("PATCH", path, who, body, **more)

    def post(self, path: str, who: str | Who | None, body: Any = None, **more: Any) -> Any:
        return self.send("POST", path, who, body, **more)

    def delete(self, path: str, who: str | Who | None, **more: Any) -> Any:
        return self.send("DELETE", path, who, **more)

    def request(self, kind: str, who: str, scope: str, by: str | Who, *, name: str = "", **more: Any) -> Any:
        """PUT of a schedule request. kind: "Assignment" or "Eligibility"."""
        role = more.pop("role", READER)
        body = {
            "principalId": who,
            "roleDefinitionId": f"/{AUTH}/roleDefinitions/{role}",
            "requestType": "AdminAssign",
            "justification": "because",
            "scheduleInfo": {"expiration": {"type": "AfterDuration", "duration": "PT4H"}},
            **more,
        }
        name = name or self.world.new_id()
        return self.put(f"{scope}/{AUTH}/role{kind}ScheduleRequests/{name}", by, {"properties": body})

    def activate(self, who: str, scope: str, role: str = READER, **more: Any) -> Any:
        return self.request("Assignment", who, scope, who, role=role, requestType="SelfActivate", **more)


def error(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The error of an answer, which must be this one, in the resource manager's shape."""
    body = answer.json()
    assert answer.status_code == status, answer.text
    assert set(body) == {"error"}
    assert body["error"]["code"] == code, answer.text
    assert body["error"]["message"]
    return dict(body["error"])
