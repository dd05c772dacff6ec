"""The activity log: `Microsoft.Insights/eventtypes/management/values`, from the audit history.

Its `$filter` is a grammar of its own: `name op value` joined by `and`, values with or without quotes.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote_to_bytes
from uuid import UUID, uuid5

from openpim.core.audit import AuditEvent
from openpim.core.resources import ROOT
from openpim.faces.arm import grants
from openpim.faces.arm.call import Answer, Call, Row
from openpim.faces.arm.faults import settled
from openpim.faces.arm.table import SCOPE, Endpoint
from openpim.services.resources import history
from openpim.wire import instants
from openpim.wire.errors import WireError, shown
from openpim.wire.odata import ODataError

_TERM: Final = re.compile(
    r"\s*(?P<name>[A-Za-z]+)\s+(?P<op>eq|ge|le|gt|lt)\s+(?P<value>'[^']*'|[^\s']+)\s*\Z", re.IGNORECASE
)
_AND: Final = re.compile(r"\s+and\s+", re.IGNORECASE)
_TIMES: Final = frozenset({"eventtimestamp"})
_TEXTS: Final = frozenset(
    {"resourceprovider", "resourcegroupname", "resourceuri", "resourceid", "resourcetype", "caller", "status",
     "correlationid", "operationname", "eventchannels", "levels", "category"}
)  # fmt: skip


def index(call: Call) -> Answer:
    since, until, wanted = _asked(call)
    page = settled(
        history.page(
            call.deps, call.caller, call.scope, since=since, until=until, after=call.options.skiptoken
        )
    )
    names = grants.Names(history.places(call.deps, call.caller, page.items))
    rows = [told for one in page.items for told in rows_of(call, names, one)]
    return grants.listed(call, [one for one in rows if _keeps(one, wanted)], page.next)


def rows_of(call: Call, names: grants.Names, event: AuditEvent) -> list[Row]:
    """One row; two for a plain role assignment, made or removed: of what is told with bodies, `az role assignment
    list-changelogs` shows only what has begun and ended under one operationId."""
    ended = row(call, names, event)
    method = _DIRECT.get(ended["operationName"]["value"])
    if method is None:
        return [ended]
    scope = history.scope_of(event) or ROOT
    facts: Row = {"scope": ended["resourceId"]}
    for target in event.targets:
        if target.kind == "Role":
            facts["roleDefinitionId"] = names.role_id(target.id, scope)
        elif target.kind in _SUBJECTS:
            facts["principalId"] = target.id
    if facts.keys() < {"scope", "roleDefinitionId", "principalId"}:
        return [ended]
    body = json.dumps({"properties": facts})
    ended["httpRequest"]["method"] = method
    begun: Row = {
        **ended,
        "eventDataId": str(uuid5(UUID(event.id), "begun")),
        "eventName": {"value": "BeginRequest", "localizedValue": "Begin request"},
        "status": {"value": "Started", "localizedValue": "Started"},
        "level": "Informational",
        "properties": {**ended["properties"], "requestbody": body if method == "PUT" else ""},
    }
    ended["properties"]["responseBody"] = body
    return [ended, begun]


def row(call: Call, names: grants.Names, event: AuditEvent) -> Row:
    scope = history.scope_of(event) or ROOT
    path = names.path(scope) or ROOT
    details = dict(event.details)
    failed = event.result != "success"
    operation = _operation(event)
    claims: Row = {
        "name": event.actor_name,
        "http://schemas.microsoft.com/identity/claims/objectidentifier": event.actor_id,
    }
    parts = path.split("/")
    group = parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else ""
    return {
        "id": f"{names.path(scope)}/events/{event.id}/ticks/{int(event.at.timestamp() * 1e7)}",
        "eventDataId": event.id,
        "eventTimestamp": grants.when(event.at),
        "submissionTimestamp": grants.when(event.at),
        "correlationId": event.correlation_id,
        "operationId": event.id,
        "caller": event.actor_upn or event.actor_id or event.actor_name,
        "claims": claims,
        "category": {"value": "Administrative", "localizedValue": "Administrative"},
        "channels": "Operation",
        "level": "Error" if failed else "Informational",
        "description": event.reason,
        "eventName": {"value": "EndRequest", "localizedValue": event.activity},
        "operationName": {"value": operation, "localizedValue": event.activity},
        "resourceProviderName": {"value": operation.split("/")[0], "localizedValue": operation.split("/")[0]},
        "resourceType": {"value": operation.rsplit("/", 1)[0], "localizedValue": operation.rsplit("/", 1)[0]},
        "resourceId": path,
        "resourceUri": path,
        "resourceGroupName": group,
        "subscriptionId": parts[2] if len(parts) > 2 and parts[1] == "subscriptions" else "",
        "tenantId": call.caller.tenant_id,
        "status": {
            "value": "Failed" if failed else "Succeeded",
            "localizedValue": "Failed" if failed else "Succeeded",
        },
        "subStatus": {"value": "", "localizedValue": ""},
        "httpRequest": {"clientIpAddress": event.ip or "", "clientRequestId": event.correlation_id},
        "authorization": {"action": operation, "scope": path},
        "properties": {
            "activity": event.activity,
            **{name: value for name, value in details.items() if value},
            "targets": "; ".join(f"{one.kind} {one.name or one.id}" for one in event.targets),
        },
    }


def _operation(event: AuditEvent) -> str:
    """The nearest name among the resource manager's own operations."""
    activity = event.activity.lower()
    for words, operation in _OPERATIONS:
        if words in activity:
            return operation
    return "Microsoft.Authorization/roleAssignmentScheduleRequests/write"


_OPERATIONS: Final = (
    ("elevat", "Microsoft.Authorization/elevateAccess/action"),
    ("assigns the caller", "Microsoft.Authorization/elevateAccess/action"),
    ("role definition", "Microsoft.Authorization/roleDefinitions/write"),
    ("deny assignment", "Microsoft.Authorization/denyAssignments/write"),
    ("role setting", "Microsoft.Authorization/roleManagementPolicies/write"),
    ("outside of pim", "Microsoft.Authorization/roleAssignments/write"),
    ("direct role assignment", "Microsoft.Authorization/roleAssignments/delete"),
    ("create resource", "Microsoft.Resources/resources/write"),
    ("move resource", "Microsoft.Resources/resources/write"),
    ("delete resource", "Microsoft.Resources/resources/delete"),
    ("eligible", "Microsoft.Authorization/roleEligibilityScheduleRequests/write"),
)

_DIRECT: Final = {
    "Microsoft.Authorization/roleAssignments/write": "PUT",
    "Microsoft.Authorization/roleAssignments/delete": "DELETE",
}
_SUBJECTS: Final = frozenset({"User", "Group", "ServicePrincipal"})

# ---------------------------------------------------------------- the filter


def _asked(call: Call) -> tuple[datetime | None, datetime | None, dict[str, str]]:
    since = until = None
    wanted: dict[str, str] = {}
    for term in filter(None, _AND.split(_filter(call.raw.query))):
        found = _TERM.match(term)
        name = found["name"].lower() if found else ""
        if found is None or name not in _TIMES | _TEXTS:
            raise ODataError("$filter", f"{shown(term)} cannot be understood")
        value = found["value"].strip("'")
        if name in _TIMES:
            at = _instant(value)
            if found["op"].lower() in {"ge", "gt"}:
                since = at
            elif found["op"].lower() in {"le", "lt"}:
                until = at
            else:
                since = until = at
        elif found["op"].lower() != "eq":
            raise ODataError("$filter", f"{shown(name)} can only be compared with eq")
        else:
            wanted[name] = value.lower()
    return since, until, wanted


def _instant(text: str) -> datetime:
    try:
        return instants.parse_datetime(
            text if re.search(r"(Z|[+-]\d\d:?\d\d)\Z", text, re.IGNORECASE) else text + "Z"
        )
    except WireError as error:
        raise ODataError("$filter", str(error)) from None


def _filter(query: bytes) -> str:
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        try:
            key = unquote_to_bytes(name).decode("utf-8").strip().lower()
            if key in {"$filter", "filter"}:
                return unquote_to_bytes(value.replace(b"+", b" ")).decode("utf-8").strip()
        except UnicodeDecodeError:
            raise ODataError("$filter", "is not UTF-8") from None
    return ""


def _keeps(found: Row, wanted: dict[str, str]) -> bool:
    values: dict[str, Any] = {
        "resourceprovider": found["resourceProviderName"]["value"],
        "resourcegroupname": found["resourceGroupName"],
        "resourceuri": found["resourceId"],
        "resourceid": found["resourceId"],
        "resourcetype": found["resourceType"]["value"],
        "caller": found["caller"],
        "status": found["status"]["value"],
        "correlationid": found["correlationId"],
        "operationname": found["operationName"]["value"],
    }
    return all(str(values[name]).lower() == value for name, value in wanted.items() if name in values)


ENDPOINTS = (
    Endpoint(
        "GET",
        f"{SCOPE}/providers/Microsoft.Insights/eventtypes/management/values",
        index,
        "Microsoft.Insights/eventtypes/values/read",
    ),
)
