"""`/Users`: people as a provisioner reads and writes them."""

from __future__ import annotations

import dataclasses
from typing import Any

from scim2_models import Context, PatchOp, SearchRequest

from openpim.core.provisioning import Person
from openpim.core.query import Page, Query
from openpim.core.refusals import Refusal
from openpim.faces.scim import dialects
from openpim.faces.scim.call import Answer, Call, refused, version_of
from openpim.faces.scim.documents import ENTERPRISE, Doc, document_of, wanted_of
from openpim.faces.scim.filters import USERS, condition_of, order_of
from openpim.faces.scim.models import FullUser, User
from openpim.faces.scim.paging import listed, modified, page_of, selected
from openpim.services.provisioning import people
from openpim.services.provisioning.people import Wanted
from openpim.wire.instants import render_datetime

_SCHEMA = str(User.__schema__)


def index(call: Call) -> Answer:
    return _found(call, call.search(FullUser))


def search(call: Call) -> Answer:
    """`POST /Users/.search`."""
    return _found(call, call.search(FullUser, call.json()))


def show(call: Call, user_id: str) -> Answer:
    person = people.get(call.deps, call.caller, user_id)
    if isinstance(person, Refusal):
        refused(person)
    return _answer(call, person, 200)


def create(call: Call) -> Answer:
    body = dialects.resource(call.json())
    resource = FullUser.model_validate(body, scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    made = people.create(call.deps, call.caller, wanted_of(_plain(resource)))
    if isinstance(made, Refusal):
        refused(made)
    return _answer(call, made, 201)


def replace(call: Call, user_id: str) -> Answer:
    body = dialects.resource(call.json())
    resource = FullUser.model_validate(body, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)
    wanted = wanted_of(_plain(resource))

    def decide(before: Person) -> Wanted:
        call.check_version(version_of(document(call, before)))
        if resource.active is None:  # not said: nobody is let in, or locked out, by leaving it away
            return dataclasses.replace(wanted, enabled=before.user.enabled)
        return wanted

    return _changed(call, people.change(call.deps, call.caller, user_id, decide))


def patch(call: Call, user_id: str) -> Answer:
    """The answer is the resource, as RFC 7644 3.5.2 allows: provisioners then need not read it again."""
    body = dialects.operations(call.json())
    asked = PatchOp[FullUser].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST)

    def decide(before: Person) -> Wanted:
        doc = document(call, before)
        call.check_version(version_of(doc))
        resource = FullUser.model_validate(doc)
        asked.patch(resource)
        return wanted_of(_plain(resource))

    return _changed(call, people.change(call.deps, call.caller, user_id, decide))


def delete(call: Call, user_id: str) -> Answer:
    def allow(before: Person) -> None:
        call.check_version(version_of(document(call, before)))

    refusal = people.delete(call.deps, call.caller, user_id, allow)
    if refusal is not None:
        refused(refusal)
    return Answer(204)


def document(call: Call, person: Person) -> Doc:
    """The whole resource without meta: what its version is of."""
    doc = document_of(person, person.domain)
    manager = doc.get(ENTERPRISE, {}).get("manager")
    if isinstance(manager, dict) and manager.get("value"):
        manager["$ref"] = call.address("Users", manager["value"])
    return doc


def rendered(call: Call, person: Person, search: SearchRequest[Any]) -> Doc:
    doc = document(call, person)
    schemas = [_SCHEMA, *([ENTERPRISE] if doc.get(ENTERPRISE) else [])]
    meta = {
        "resourceType": "User",
        "created": render_datetime(person.user.created_at),
        "lastModified": render_datetime(modified(person.user, person.record)),
        "location": call.address("Users", person.user.id),
        "version": version_of(doc),
    }
    return selected(FullUser, {"schemas": schemas, **doc, "meta": meta}, search)


def _found(call: Call, search: SearchRequest[Any]) -> Answer:
    return listed(search, matching(call, search), lambda one: rendered(call, one, search))


def matching(call: Call, search: SearchRequest[Any]) -> Page[Person]:
    where, order = condition_of(search, USERS), order_of(search, USERS)

    def ask(limit: int, skip: int) -> Page[Person] | Refusal:
        query = Query(where, order, limit=limit, skip=skip, count=True)
        return people.page(call.deps, call.caller, query)

    return page_of(search, ask)


def _changed(call: Call, outcome: Person | Refusal) -> Answer:
    if isinstance(outcome, Refusal):
        refused(outcome)
    return _answer(call, outcome, 200)


def _answer(call: Call, person: Person, status: int) -> Answer:
    doc = rendered(call, person, call.search(FullUser))
    meta = {"location": call.address("Users", person.user.id), "version": version_of(document(call, person))}
    headers = {"ETag": meta["version"], "Content-Location": meta["location"]}
    if status == 201:
        headers["Location"] = meta["location"]
    elif call.known(meta["version"]) and not call.body:
        return Answer(304, None, {"ETag": meta["version"]})
    return Answer(status, doc, headers)


def _plain(resource: Any) -> Doc:
    found: Doc = resource.model_dump()
    return found
