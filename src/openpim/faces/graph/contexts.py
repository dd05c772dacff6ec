"""`identity/conditionalAccess/authenticationContextClassReferences`: c1 to c99, what a policy can ask of a sign-in."""

from __future__ import annotations

from openpim.core.signin.values import AuthenticationContext
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.faults import missing, settled
from openpim.faces.graph.resource import Resource, Row, plain_page
from openpim.faces.graph.table import Endpoint
from openpim.services import contexts
from openpim.wire.claims import is_context_id
from openpim.wire.odata import matches

PATH = "identity/conditionalAccess/authenticationContextClassReferences"


def row(_call: Call, context: AuthenticationContext) -> Row:
    return {
        "id": context.id,
        "displayName": context.display_name,
        "description": context.description,
        "isAvailable": context.available,
    }


CONTEXTS: Resource[AuthenticationContext] = Resource(
    path="identity/conditionalAccess/authenticationContextClassReferences",
    type="authenticationContextClassReference",
    render=row,
)


def index(call: Call) -> Answer:
    found = contexts.all_of(call.deps, call.caller)
    expr = call.options.filter
    kept = [one for one in found if expr is None or matches(expr, row(call, one))]
    return CONTEXTS.collection(call, plain_page(kept, call.options))


def _key(call: Call) -> str:
    key = call.params["id"].lower()
    if not is_context_id(key):
        raise missing(key)
    return key


def show(call: Call) -> Answer:
    key = _key(call)
    return CONTEXTS.entity(call, settled(contexts.get(call.deps, call.caller, key), key))


def update(call: Call) -> Answer:
    """Changes it, or makes it, as Graph does."""
    body = call.json()
    nested = body.objects("value", most=1)  # the documented example wraps the members so
    source = nested[0] if nested else body
    name = source.text("displayName", max_length=256)
    description = source.text("description", max_length=1024)
    settled(
        contexts.put(
            call.deps,
            call.caller,
            _key(call),
            name=name,
            description=description,
            available=source.boolean("isAvailable"),
        )
    )
    return NO_CONTENT


ENDPOINTS = (
    Endpoint("GET", PATH, index, p.CONTEXTS_READ),
    Endpoint("GET", f"{PATH}/{{id}}", show, p.CONTEXTS_READ),
    Endpoint("PATCH", f"{PATH}/{{id}}", update, p.CONTEXTS_WRITE),
)
