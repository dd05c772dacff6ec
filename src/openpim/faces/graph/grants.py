"""What the resources of the life of a grant share: ids, scopes, windows of time, and the things that rows refer to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from openpim.core import query as q
from openpim.core.grants import ExpirationType, Kind, Provider, Request, Schedule, Window
from openpim.core.refusals import Refusal
from openpim.core.scopes import ADMINISTRATIVE_UNITS, TENANT
from openpim.faces.graph import filters
from openpim.faces.graph.call import Call
from openpim.faces.graph.faults import Fault
from openpim.faces.graph.objects import UNITS, expanded
from openpim.faces.graph.resource import Row
from openpim.faces.graph.role_definitions import ROLES
from openpim.services import browse, schedules
from openpim.services.reading import Whose
from openpim.wire.enums import CurrentUserRole, lookup
from openpim.wire.ids import IdError, decode_instance_id, encode_instance_id, is_guid
from openpim.wire.instants import render_datetime
from openpim.wire.odata import ODataError, QueryOptions

DIRECTORY: Final = Provider.DIRECTORY
BASE: Final = "roleManagement/directory"
_UNITS_LOW: Final = ADMINISTRATIVE_UNITS.lower()


def when(at: datetime | None) -> str | None:
    return render_datetime(at) if at is not None else None


def scope_of(text: str) -> str:
    """A directory scope in the model's spelling: units in camelCase, ids in lower case."""
    plain = text.strip()
    if plain.lower().startswith(_UNITS_LOW):
        return ADMINISTRATIVE_UNITS + plain[len(_UNITS_LOW) :].lower()
    return plain.lower()


def scope_property() -> filters.Property:
    plain = filters.text("scope")

    def compare(op: q.Operator, literal: Any) -> q.Condition:
        found = plain.compare(op, literal)
        if isinstance(found, q.Compare) and isinstance(found.value, str):
            return q.Compare("scope", op, scope_of(found.value))
        return found

    return filters.Property(compare, "scope")


# ---------------------------------------------------------------- ids


def instance_id(schedule: Schedule) -> str:
    """The encoded id of the instance: role, principal, scope."""
    eligible = schedule.kind is Kind.ELIGIBILITY
    return encode_instance_id(schedule.role_id, schedule.principal_id, schedule.scope, eligible=eligible)


def schedule_id(schedule: Schedule) -> str:
    """The schedule's guid; made outside PIM, the id of the instance."""
    return schedule.id if schedule.request_id is not None else instance_id(schedule)


def _encoded(text: str, kind: Kind) -> q.Condition | None:
    """The condition that an encoded id states, or None when it is none of this kind."""
    try:
        decoded = decode_instance_id(text)
    except IdError:
        return None
    if decoded.eligible is not (kind is Kind.ELIGIBILITY):
        return None
    return q.All(
        (
            q.Compare("role_id", "eq", decoded.role_id),
            q.Compare("principal_id", "eq", decoded.principal_id),
            q.Compare("scope", "eq", decoded.directory_scope_id),
        )
    )


def instance_key(kind: Kind) -> filters.Property:
    """`id` of an instance in a filter."""
    return filters.decided(lambda text: (_encoded(text, kind) if text else None) or filters.NONE)


def schedule_key(kind: Kind, field: str = "id") -> filters.Property:
    """`id` of a schedule in a filter, or `createdUsing`."""

    def choose(text: str | None) -> q.Condition:
        if text is None:
            return q.Compare(field, "eq", None)
        if is_guid(text):
            return q.Compare(field, "eq", text.lower())
        outside = _encoded(text, kind)
        return q.All((outside, q.Compare("request_id", "eq", None))) if outside is not None else filters.NONE

    return filters.decided(choose)


def find_instance(call: Call, kind: Kind, text: str) -> Schedule | Refusal | None:
    """The instance with an encoded id; None when the text is no such id."""
    try:
        decoded = decode_instance_id(text)
    except IdError:
        return None
    if decoded.eligible is not (kind is Kind.ELIGIBILITY):
        return None
    return schedules.instance(
        call.deps,
        call.caller,
        DIRECTORY,
        kind,
        role_id=decoded.role_id,
        principal_id=decoded.principal_id,
        scope=decoded.directory_scope_id,
    )


# ---------------------------------------------------------------- whose


def whose(call: Call) -> Whose:
    """The argument of `filterByCurrentUser(on='…')`."""
    given = call.args.get("on", call.args.get(""))
    found = lookup(CurrentUserRole, given) if isinstance(given, str) else None
    words = {
        CurrentUserRole.PRINCIPAL: Whose.PRINCIPAL,
        CurrentUserRole.APPROVER: Whose.APPROVER,
        CurrentUserRole.CREATED_BY: Whose.CREATED_BY,
    }
    if found is None or found not in words:
        raise ODataError("path", "filterByCurrentUser needs on='principal', on='approver' or on='createdBy'")
    return words[found]


def member_type(call: Call, schedule: Schedule, through: Whose) -> str:
    """Group, where the caller holds it through a group of his; elsewhere the holder itself is shown: Direct."""
    inherited = through is Whose.PRINCIPAL and schedule.principal_id != call.caller.principal_id
    return "Group" if inherited else "Direct"


def member_type_property(call: Call, through: Whose) -> filters.Property:
    me = q.Compare("principal_id", "eq", call.caller.principal_id)

    def choose(text: str | None) -> q.Condition:
        word = (text or "").lower()
        if through is not Whose.PRINCIPAL:
            return filters.EVERY if word == "direct" else filters.NONE
        if word == "direct":
            return me
        return q.Not(me) if word == "group" else filters.NONE

    return filters.decided(choose)


# ---------------------------------------------------------------- windows of time


def schedule_info(schedule: Schedule) -> Row:
    """From when until when, as it really is (an activation may end earlier than was asked)."""
    return {
        "startDateTime": when(schedule.starts_at),
        "recurrence": None,
        "expiration": {
            "type": "noExpiration" if schedule.ends_at is None else "afterDateTime",
            "endDateTime": when(schedule.ends_at),
            "duration": None,
        },
    }


def asked_info(request: Request) -> Row | None:
    """What was asked for; the start is the real one where it was left to us, or lay in the past."""
    window = request.window
    if request.action.value in {"adminRemove", "selfDeactivate"} and window == Window():
        return None
    start = window.start
    if start is None or start < request.created_at:
        start = request.completed_at or request.created_at
    return {
        "startDateTime": when(start),
        "recurrence": None,
        "expiration": {
            "type": window.type.value,
            "endDateTime": when(window.end) if window.type is ExpirationType.AFTER_DATE_TIME else None,
            "duration": window.duration.iso if window.duration is not None else None,
        },
    }


# ---------------------------------------------------------------- what rows refer to


def expand_principal(call: Call, items: Sequence[Any], options: QueryOptions) -> list[Any]:
    return expanded(call, [one.principal_id for one in items], options)


def expand_role(call: Call, items: Sequence[Any], options: QueryOptions) -> list[Any]:
    found = browse.roles_by_id(call.deps, call.caller, {one.role_id for one in items})
    rows = {role.id: ROLES.rows(call, (role,), options)[0] for role in found.values()}
    return [rows.get(one.role_id) for one in items]


def expand_scope(call: Call, items: Sequence[Any], options: QueryOptions) -> list[Any]:
    """The tenant is shown as `{"id": "/"}`, as Graph does."""
    units = {
        one.scope.removeprefix(ADMINISTRATIVE_UNITS)
        for one in items
        if one.scope.startswith(ADMINISTRATIVE_UNITS)
    }
    found = browse.units_by_id(call.deps, call.caller, units) if units else {}
    others = [
        one.scope[1:]
        for one in items
        if one.scope != TENANT and not one.scope.startswith(ADMINISTRATIVE_UNITS)
    ]
    objects = dict(zip(others, expanded(call, others, options), strict=True)) if others else {}
    rows: list[Any] = []
    for one in items:
        unit = found.get(one.scope.removeprefix(ADMINISTRATIVE_UNITS))
        if one.scope == TENANT:
            rows.append({"id": TENANT})
        elif unit is not None:
            rows.append(UNITS.rows(call, (unit,), options, typed=True)[0])
        else:
            rows.append(objects.get(one.scope[1:]))
    return rows


def expand_nothing(_call: Call, items: Sequence[Any], _options: QueryOptions) -> list[Any]:
    """`appScope`: roles of applications' own scopes are not kept."""
    return [None for _ in items]


def schedules_by_id(
    call: Call,
    kind: Kind,
    ids: Collection[str],
    provider: Provider = DIRECTORY,
    scopes: Collection[str] | None = None,
) -> dict[str, Schedule]:
    """Live schedules with these ids, as far as the caller may see them. scopes: where they all are, if known."""
    if not ids:
        return {}
    where: q.Condition = q.AnyOf("id", tuple(sorted(ids)))
    if scopes is not None:
        where = q.All((where, q.AnyOf("scope", tuple(sorted(scopes)))))
    query = q.Query(where, limit=len(ids))
    for through in (Whose.ANYONE, Whose.PRINCIPAL):
        page = schedules.page(call.deps, call.caller, provider, kind, through, query)
        if not isinstance(page, Refusal):
            return {one.id: one for one in page.items}
    return {}


def no_such(what: str, key: str) -> Fault:
    return Fault("ResourceNotFound", f"There is no {what} with the id {key[:120]}.")
