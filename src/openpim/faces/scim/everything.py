"""`POST /.search`: people first, then groups, as one list (RFC 7644 3.4.2.1)."""

from __future__ import annotations

from typing import Any

from scim2_models import InvalidFilterException, InvalidPathException, SearchRequest

from openpim.core.query import Page
from openpim.faces.scim import groups, users
from openpim.faces.scim.call import Answer, Call
from openpim.faces.scim.filters import GROUPS, USERS, condition_of, order_of
from openpim.faces.scim.models import MOST, FullUser, Group
from openpim.faces.scim.paging import listed


def search(call: Call) -> Answer:
    asked = call.search(FullUser | Group, call.json())
    wanted = MOST if asked.count is None else min(asked.count, MOST)
    people: Page[Any] = Page((), total=0)
    teams: Page[Any] = Page((), total=0)
    if _askable(asked, USERS, GROUPS):
        people = users.matching(call, asked)
    if _askable(asked, GROUPS, USERS):
        start = max(1, (asked.start_index or 1) - (people.total or 0))
        rest = asked.model_copy(update={"start_index": start, "count": wanted - len(people.items)})
        teams = groups.matching(call, rest)
    both = Page((*people.items, *teams.items), total=(people.total or 0) + (teams.total or 0))
    found = {id(one) for one in people.items}
    return listed(
        asked,
        both,
        lambda one: (users if id(one) in found else groups).rendered(call, one, asked),
    )


def _askable(asked: SearchRequest[Any], here: Any, there: Any) -> bool:
    """An attribute that one type alone has is false of the other; one that neither can be asked for is an error."""
    try:
        condition_of(asked, here)
        order_of(asked, here)
    except (InvalidFilterException, InvalidPathException):
        condition_of(asked, there)
        order_of(asked, there)
        return False
    return True
