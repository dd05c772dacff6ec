"""People (and the applications that hold roles): the list, and one of them with all it can become."""

from __future__ import annotations

from openpim.core.directory import ServicePrincipal, User
from openpim.core.query import Order, Query
from openpim.core.refusals import Refusal
from openpim.faces.portal.call import Answer, Call, RefusedError, Show, settled
from openpim.faces.portal.finding import holder_address, rights_of, search
from openpim.faces.portal.table import Page
from openpim.services import browse

NAV = "people"
GROUPS = 100


def listing(call: Call) -> Answer:
    values = search(
        call,
        lambda query: browse.users(call.deps, call.caller, query),
        ("display_name", "user_principal_name"),
    )
    return Show("people.html", values, nav=NAV)


def one(call: Call) -> Answer:
    key = call.params["id"].lower()[:36]
    person = _who(call, key)
    managed = isinstance(person, User) and person.manager_id is not None
    above = browse.manager(call.deps, call.caller, key) if managed else None
    query = Query(order=(Order("display_name"),), limit=GROUPS)
    values = {
        "person": person,
        "manager": above if isinstance(above, User) else None,
        "rights": rights_of(call, key),
        "groups": settled(browse.memberships(call.deps, call.caller, key, query)),
        "address": holder_address,
        "is_user": isinstance(person, User),
    }
    return Show("person.html", values, nav=NAV)


def _who(call: Call, key: str) -> User | ServicePrincipal:
    person = browse.user(call.deps, call.caller, key)
    if not isinstance(person, Refusal):
        return person
    app = browse.objects(call.deps, call.caller, [key]).get(key)
    if not isinstance(app, ServicePrincipal):
        raise RefusedError(person)
    return app


PAGES = (
    Page("GET", "/portal/people", listing),
    Page("GET", "/portal/people/{id}", one),
)
