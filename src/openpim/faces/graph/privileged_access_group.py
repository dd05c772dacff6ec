"""What the resources of PIM for Groups share: `identityGovernance/privilegedAccess/group/*`.

The engine is that of roles: `accessId` (member, owner) is the role, `groupId` the scope. Only names and ids differ:
`{groupId}_{member|owner}_{guid}` for schedules and instances. A list must say of which group, or of whom.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from openpim.core import query as q
from openpim.core.directory import Group
from openpim.core.grants import Kind, Provider, Request, Schedule
from openpim.faces.graph import filters, grants
from openpim.faces.graph.call import Call
from openpim.faces.graph.faults import bad, settled
from openpim.faces.graph.objects import GROUPS
from openpim.services import browse, schedules
from openpim.wire.enums import AccessId
from openpim.wire.ids import IdError, group_schedule_id, is_guid, parse_group_schedule_id
from openpim.wire.odata import QueryOptions, pinned

PATH: Final = "identityGovernance/privilegedAccess/group"
GROUP: Final = Provider.GROUP


def word(kind: Kind) -> str:
    """`assignment` or `eligibility`, as paths begin."""
    return "assignment" if kind is Kind.ASSIGNMENT else "eligibility"


def type_word(kind: Kind) -> str:
    return word(kind).capitalize()


# ---------------------------------------------------------------- ids


def schedule_id(schedule: Schedule) -> str:
    """The id of a schedule, and of its instance."""
    return group_schedule_id(schedule.scope, schedule.role_id, schedule.id)


def key_property(field: str = "id") -> filters.Property:
    """The id of a schedule in a filter: the whole of it, or its guid alone."""

    def choose(text: str | None) -> q.Condition:
        if text is None:
            return q.Compare(field, "eq", None)
        if is_guid(text):
            return q.Compare(field, "eq", text.lower())
        try:
            parsed = parse_group_schedule_id(text)
        except IdError:
            return filters.NONE
        return q.All(
            (
                q.Compare(field, "eq", parsed.guid),
                q.Compare("scope", "eq", parsed.group_id),
                q.Compare("role_id", "eq", parsed.access),
            )
        )

    return filters.decided(choose)


def find(call: Call, kind: Kind, key: str) -> Schedule:
    """The live schedule with this id."""
    if is_guid(key):
        return settled(schedules.get(call.deps, call.caller, GROUP, kind, key.lower()), key)
    try:
        parsed = parse_group_schedule_id(key)
    except IdError:
        raise grants.no_such("schedule", key) from None
    found = settled(schedules.get(call.deps, call.caller, GROUP, kind, parsed.guid), key)
    if (found.scope, found.role_id) != (parsed.group_id, parsed.access):
        raise grants.no_such("schedule", key)
    return found


# ---------------------------------------------------------------- lists


def properties() -> dict[str, filters.Property]:
    """What schedules, instances and requests can all be asked about."""
    return {
        "principalid": filters.guid("principal_id"),
        "groupid": filters.guid("scope"),
        "accessid": filters.word("role_id", AccessId),
    }


def check_pinned(call: Call) -> None:
    """Graph lists nobody everything: a group or a principal must be named."""
    expr = call.options.filter
    if pinned(expr, "groupId") is None and pinned(expr, "principalId") is None:
        raise bad(
            "A $filter by groupId or principalId is required: $filter=groupId eq '{id}'. "
            "Your own are under filterByCurrentUser(on='principal').",
            "$filter",
        )


# ---------------------------------------------------------------- what rows refer to


def expand_group(call: Call, items: Sequence[Any], options: QueryOptions) -> list[Any]:
    found = browse.objects_by_id(call.deps, call.caller, {one.scope for one in items})
    rows = {
        key: GROUPS.rows(call, (group,), options)[0]
        for key, group in found.items()
        if isinstance(group, Group)
    }
    return [rows.get(one.scope) for one in items]


def schedules_by_id(
    call: Call, kind: Kind, ids: set[str], items: Sequence[Schedule | Request]
) -> dict[str, Schedule]:
    """Live schedules that these items refer to, as far as the caller may see them."""
    scopes = {one.scope for one in items}
    return grants.schedules_by_id(call, kind, ids, GROUP, scopes) if ids else {}
