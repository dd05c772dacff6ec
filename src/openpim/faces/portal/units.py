"""Administrative units: the list, and one unit: who is in it, and who can become what for it."""

from __future__ import annotations

from openpim.core.grants import Provider
from openpim.core.query import Query
from openpim.core.scopes import ADMINISTRATIVE_UNITS
from openpim.faces.portal.call import Answer, Call, Show, settled
from openpim.faces.portal.finding import asked, here, search
from openpim.faces.portal.table import Page
from openpim.services import browse

NAV = "units"
MEMBERS = 25


def listing(call: Call) -> Answer:
    values = search(call, lambda query: browse.administrative_units(call.deps, call.caller, query))
    return Show("units.html", values, nav=NAV)


def one(call: Call) -> Answer:
    key = call.params["id"].lower()[:36]
    unit = settled(browse.administrative_unit(call.deps, call.caller, key))
    query = Query(limit=MEMBERS, after=call.query.get("members") or None)
    values = {
        "unit": unit,
        "members": asked(lambda query: browse.unit_members(call.deps, call.caller, key, query), query),
        **here(call, Provider.DIRECTORY, ADMINISTRATIVE_UNITS + key),
    }
    return Show("unit.html", values, nav=NAV)


PAGES = (
    Page("GET", "/portal/units", listing),
    Page("GET", "/portal/units/{id}", one),
)
