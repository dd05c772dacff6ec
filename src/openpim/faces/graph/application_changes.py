"""`/applications` and `/servicePrincipals`: making, changing and deleting them; secrets and permissions.

A service principal's application permissions stand in a member of ours, `openPim.permissions`, by name: Graph grants
them one by one, by ids of app roles that do not exist here.
"""

from __future__ import annotations

from typing import Any

from openpim.faces.graph import grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.application_claims import read_claims
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.dispatch import location
from openpim.faces.graph.faults import bad, settled
from openpim.faces.graph.objects import APPLICATIONS, SERVICE_PRINCIPALS
from openpim.faces.graph.references import reference
from openpim.faces.graph.table import Endpoint
from openpim.services.directory.application_owners import add_owner, remove_owner
from openpim.services.directory.applications import (
    NewApplication,
    create_application,
    delete_application,
    update_application,
)
from openpim.services.directory.service_principals import (
    create_service_principal,
    delete_service_principal,
    update_service_principal,
)
from openpim.services.signin import client_secrets
from openpim.wire.jsonbody import Body


def _key(call: Call) -> str:
    return call.params["id"].lower()


# ---------------------------------------------------------------- applications


def _application(body: Body) -> dict[str, Any]:
    """The members of the body that the model knows, in its words."""
    found: dict[str, Any] = {}
    if body.has("displayName"):
        found["display_name"] = body.need_text("displayName", max_length=256)
    if body.has("isFallbackPublicClient"):
        found["public"] = bool(body.boolean("isFallbackPublicClient"))
    if body.has("identifierUris"):
        found["identifier_uris"] = tuple(body.texts("identifierUris", most=256, max_length=255) or ())
    web, public = body.object("web"), body.object("publicClient")
    if web is not None and web.has("logoutUrl"):
        found["logout_uri"] = web.text("logoutUrl", max_length=1024)
    uris = [one.texts("redirectUris", most=256, max_length=1024) for one in (web, public) if one is not None]
    if any(one is not None for one in uris):
        found["redirect_uris"] = tuple(dict.fromkeys(uri for one in uris for uri in one or ()))
    if public is not None and public.texts("redirectUris"):
        found.setdefault("public", True)
    return found | read_claims(body)


def create(call: Call) -> Answer:
    body = call.json()
    body.need_text("displayName", max_length=256)
    made = settled(create_application(call.deps, call.caller, NewApplication(**_application(body))))
    answer = APPLICATIONS.entity(call, made, status=201)
    return Answer(201, answer.body, {"Location": location(call, "applications", made.id)})


def update(call: Call) -> Answer:
    changes = _application(call.json())
    if not changes:
        raise bad("The body names nothing that can be changed.")
    settled(update_application(call.deps, call.caller, _key(call), changes), _key(call))
    return NO_CONTENT


def delete(call: Call) -> Answer:
    settled(delete_application(call.deps, call.caller, _key(call)), _key(call))
    return NO_CONTENT


def add_password(call: Call) -> Answer:
    """The secret stands in this answer and in no other."""
    body = call.json(allow_empty=True)
    given = body.object("passwordCredential") or Body({})
    name = given.text("displayName", max_length=256) or ""
    ends = given.datetime("endDateTime")
    signin = call.need_signin()
    made = settled(
        client_secrets.add_secret(signin, call.caller, _key(call), name=name, expires_at=ends), _key(call)
    )
    return Answer(
        200,
        {
            "@odata.context": call.context("microsoft.graph.passwordCredential"),
            "customKeyIdentifier": None,
            "displayName": name or None,
            "endDateTime": grants.when(ends),
            "hint": made.secret[:3],
            "keyId": made.id,
            "secretText": made.secret,
            "startDateTime": grants.when(call.now),
        },
    )


def remove_password(call: Call) -> Answer:
    key = call.json().need_guid("keyId")
    settled(client_secrets.remove_secret(call.need_signin(), call.caller, _key(call), key), key)
    return NO_CONTENT


def add_owner_ref(call: Call) -> Answer:
    who = reference(call.json())
    settled(add_owner(call.deps, call.caller, _key(call), who), who)
    return NO_CONTENT


def remove_owner_ref(call: Call) -> Answer:
    who = call.params["owner"].lower()
    settled(remove_owner(call.deps, call.caller, _key(call), who), who)
    return NO_CONTENT


# ---------------------------------------------------------------- service principals


def create_principal(call: Call) -> Answer:
    made = settled(create_service_principal(call.deps, call.caller, call.json().need_guid("appId")))
    answer = SERVICE_PRINCIPALS.entity(call, made, status=201)
    return Answer(201, answer.body, {"Location": location(call, "servicePrincipals", made.id)})


def update_principal(call: Call) -> Answer:
    body = call.json()
    changes: dict[str, Any] = {}
    if body.has("displayName"):
        changes["display_name"] = body.need_text("displayName", max_length=256)
    if body.has("accountEnabled"):
        changes["enabled"] = body.need("accountEnabled", body.boolean("accountEnabled"))
    ours = body.object("openPim")
    if ours is not None:
        wanted = ours.need("permissions", ours.texts("permissions", most=100, max_length=128))
        changes["permissions"] = tuple(dict.fromkeys(wanted))
    if not changes:
        raise bad("The body names nothing that can be changed.")
    settled(update_service_principal(call.deps, call.caller, _key(call), changes), _key(call))
    return NO_CONTENT


def delete_principal(call: Call) -> Answer:
    settled(delete_service_principal(call.deps, call.caller, _key(call)), _key(call))
    return NO_CONTENT


ENDPOINTS = (
    Endpoint("POST", "applications", create, p.APPLICATIONS_WRITE),
    Endpoint("PATCH", "applications/{id}", update, p.APPLICATIONS_WRITE),
    Endpoint("DELETE", "applications/{id}", delete, p.APPLICATIONS_WRITE),
    Endpoint("POST", "applications/{id}/addPassword", add_password, p.APPLICATIONS_WRITE),
    Endpoint("POST", "applications/{id}/removePassword", remove_password, p.APPLICATIONS_WRITE),
    Endpoint("POST", "applications/{id}/owners/$ref", add_owner_ref, p.APPLICATIONS_WRITE),
    Endpoint("DELETE", "applications/{id}/owners/{owner}/$ref", remove_owner_ref, p.APPLICATIONS_WRITE),
    Endpoint("POST", "servicePrincipals", create_principal, p.APPLICATIONS_WRITE),
    Endpoint("PATCH", "servicePrincipals/{id}", update_principal, p.PRINCIPALS_WRITE),
    Endpoint("DELETE", "servicePrincipals/{id}", delete_principal, p.APPLICATIONS_WRITE),
)
