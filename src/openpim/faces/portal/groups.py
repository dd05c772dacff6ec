"""Groups: the list, and one group: who is in it, who can become a member or owner, and what that brings."""

from __future__ import annotations

from openpim.core.grants import Provider
from openpim.core.query import Query
from openpim.faces.portal.call import Answer, Call, Show, settled
from openpim.faces.portal.finding import asked, here, rights_of, search
from openpim.faces.portal.table import Page
from openpim.services import browse

NAV = "groups"
MEMBERS = 25
OWNERS = 25


def listing(call: Call) -> Answer:
    return Show(
        "groups.html", search(call, lambda query: browse.groups(call.deps, call.caller, query)), nav=NAV
    )


def one(call: Call) -> Answer:
    key = call.params["id"].lower()[:36]
    group = settled(browse.group(call.deps, call.caller, key))
    query = Query(limit=MEMBERS, after=call.query.get("members") or None)
    members = asked(lambda query: browse.members(call.deps, call.caller, key, query), query)
    owners = browse.members(call.deps, call.caller, key, Query(limit=OWNERS), owners=True)
    values = {
        "group": group,
        "members": members,
        "owners": settled(owners),
        "rights": rights_of(call, key),
        "decided_elsewhere": group.dynamic or group.synced,
        **here(call, Provider.GROUP, key),
    }
    return Show("group.html", values, nav=NAV)


PAGES = (
    Page("GET", "/portal/groups", listing),
    Page("GET", "/portal/groups/{id}", one),
)
