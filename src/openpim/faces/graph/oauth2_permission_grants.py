"""`/oauth2PermissionGrants`: what applications may do for people. `resourceId` of our own APIs is their well-known client
id (see docs/divergences/graph.md)."""

from __future__ import annotations

from openpim.core import query as q
from openpim.core.signin.consent import PermissionGrant
from openpim.faces.graph import filters
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.dispatch import location
from openpim.faces.graph.faults import settled
from openpim.faces.graph.resource import Resource, Row
from openpim.faces.graph.table import Endpoint
from openpim.services.directory import permission_grants as acts
from openpim.wire.jsonbody import Body

PATH = "oauth2PermissionGrants"


def row(_call: Call, grant: PermissionGrant) -> Row:
    return {
        "clientId": grant.client_id,
        "consentType": "Principal" if grant.principal_id else "AllPrincipals",
        "id": grant.id,
        "principalId": grant.principal_id,
        "resourceId": grant.resource_id,
        "scope": " ".join(grant.scope),
    }


def _of_principal(value: str | None) -> q.Condition:
    return q.Compare("principal_id", "eq", (value or "").lower())


def _of_type(value: str | None) -> q.Condition:
    everybody = q.Compare("principal_id", "eq", "")
    kind = (value or "").lower()
    if kind == "allprincipals":
        return everybody
    return q.Not(everybody) if kind == "principal" else filters.NONE


GRANTS: Resource[PermissionGrant] = Resource(
    path=PATH,
    type="oAuth2PermissionGrant",
    render=row,
    properties={
        "id": filters.guid("id"),
        "clientid": filters.guid("client_id"),
        "resourceid": filters.guid("resource_id"),
        "principalid": filters.decided(_of_principal),
        "consenttype": filters.decided(_of_type),
    },
)


def index(call: Call) -> Answer:
    return GRANTS.collection(call, acts.page(call.deps, call.caller, GRANTS.query(call)))


def of_client(call: Call) -> Answer:
    own = q.Compare("client_id", "eq", call.params["id"].lower())
    return GRANTS.collection(call, acts.page(call.deps, call.caller, GRANTS.query(call, extra=own)))


def mine(call: Call) -> Answer:
    own = q.Compare("principal_id", "eq", call.caller.principal_id)
    return GRANTS.collection(call, acts.page(call.deps, call.caller, GRANTS.query(call, extra=own)))


def show(call: Call) -> Answer:
    key = call.params["id"].lower()
    return GRANTS.entity(call, settled(acts.get(call.deps, call.caller, key), key))


def _scope(body: Body) -> tuple[str, ...]:
    return tuple(dict.fromkeys(body.need("scope", body.text("scope", max_length=20_000)).split()))


def create(call: Call) -> Answer:
    body = call.json()
    kind = body.need_text("consentType", max_length=20).lower()
    if kind not in {"allprincipals", "principal"}:
        raise body.fail("consentType", "must be AllPrincipals or Principal")
    person = body.need_guid("principalId") if kind == "principal" else None
    new = acts.NewGrant(body.need_guid("clientId"), body.need_guid("resourceId"), person, _scope(body))
    made = settled(acts.create(call.deps, call.caller, new))
    answer = GRANTS.entity(call, made, status=201)
    return Answer(201, answer.body, {"Location": location(call, PATH, made.id)})


def update(call: Call) -> Answer:
    key = call.params["id"].lower()
    settled(acts.update(call.deps, call.caller, key, _scope(call.json())), key)
    return NO_CONTENT


def delete(call: Call) -> Answer:
    key = call.params["id"].lower()
    settled(acts.delete(call.deps, call.caller, key), key)
    return NO_CONTENT


ENDPOINTS = (
    Endpoint("GET", PATH, index, p.CONSENTS_READ),
    Endpoint("POST", PATH, create, p.CONSENTS_WRITE),
    Endpoint("GET", f"{PATH}/{{id}}", show, p.CONSENTS_READ),
    Endpoint("PATCH", f"{PATH}/{{id}}", update, p.CONSENTS_WRITE),
    Endpoint("DELETE", f"{PATH}/{{id}}", delete, p.CONSENTS_WRITE),
    Endpoint("GET", f"servicePrincipals/{{id}}/{PATH}", of_client, p.CONSENTS_READ),
    Endpoint("GET", f"me/{PATH}", mine, p.CONSENTS_READ, people_only=True),
)
