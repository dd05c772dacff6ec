"""What another system is sent when it is asked: the request, in the shape that Graph and ARM give it (as Entra's custom
extensions get it), and beside it what is needed to answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from openpim.core.callouts import Callout
from openpim.core.grants import Action, Provider, Request
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.providers import PROVIDERS

VERSION = 1
_ARM_ACTIONS = {Action.SELF_ACTIVATE: "SelfActivate", Action.SELF_EXTEND: "SelfExtend"}


def callback_address(deps: Deps, tenant_id: str, channel_id: str) -> str:
    """Where a system calls back, signed with its secret."""
    return f"{deps.settings.clients_origin}/hooks/{tenant_id}/{channel_id}"


def about_request(
    tx: Transaction, deps: Deps, request: Request, callout: Callout, until: datetime | None
) -> dict[str, Any]:
    principal = tx.principals.get(request.principal_id)
    person = tx.users.get(request.principal_id)
    ours = {
        "type": "callout.asked",
        "version": VERSION,
        "calloutId": callout.id,
        "tenantId": tx.tenant_id,
        "callbackUrl": callback_address(deps, tx.tenant_id, callout.channel_id),
        "answerUntil": _when(until),
        "roleDisplayName": PROVIDERS[request.provider].role_name(tx, request.role_id, request.scope),
        "principalDisplayName": principal.display_name if principal is not None else None,
        "principalName": person.user_principal_name if person is not None else None,
    }
    window, ticket = request.window, request.ticket
    schedule = {
        "startDateTime": _when(window.start),
        "expiration": {
            "type": window.type.value,
            "endDateTime": _when(window.end),
            "duration": window.duration.iso if window.duration is not None else None,
        },
    }
    tickets = {"ticketNumber": ticket.number, "ticketSystem": ticket.system}
    if request.provider is Provider.RESOURCE:
        expiration = {**schedule["expiration"], "type": _pascal(window.type.value)}  # type: ignore[dict-item]
        return {
            "properties": {
                "principalId": request.principal_id,
                "principalType": "User",
                "requestType": _ARM_ACTIONS.get(request.action, request.action.value),
                "roleDefinitionId": f"{request.scope.rstrip('/')}/providers/Microsoft.Authorization/roleDefinitions/"
                f"{request.role_id}",
                "scope": request.scope,
                "justification": request.justification,
                "scheduleInfo": {**schedule, "expiration": expiration},
                "ticketInfo": tickets,
            },
            "name": request.id,
            "openPim": ours,
        }
    about: dict[str, Any] = {
        "id": request.id,
        "status": request.status.value,
        "action": request.action.value,
        "principalId": request.principal_id,
        "justification": request.justification,
        "scheduleInfo": schedule,
        "ticketInfo": tickets,
        "openPim": ours,
    }
    if request.provider is Provider.GROUP:
        kind = "privilegedAccessGroupAssignmentScheduleRequest"
        about |= {"accessId": request.role_id, "groupId": request.scope}
    else:
        kind = "unifiedRoleAssignmentScheduleRequest"
        about |= {"roleDefinitionId": request.role_id, "directoryScopeId": request.scope}
    return {"@odata.type": f"#microsoft.graph.{kind}", **about}


def _when(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def _pascal(text: str) -> str:
    return text[:1].upper() + text[1:]
