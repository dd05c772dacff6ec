"""What a person asks for, before anybody has decided: the one input of all nine actions."""

from __future__ import annotations

from dataclasses import dataclass

from openpim.core.grants import NO_TICKET, UNBOUNDED, Action, Kind, Provider, Request, Ticket, Window


@dataclass(frozen=True, slots=True)
class Ask:
    """principal_id: who is to hold it. scope: a path (see core/scopes.py). schedule_id: the schedule meant, when
    several could be. validation_only: decide and answer, change nothing. request_id: the id that the client gave the
    request; the schedule it makes has the same."""

    kind: Kind
    provider: Provider
    action: Action
    principal_id: str
    role_id: str
    scope: str
    justification: str | None = None
    ticket: Ticket = NO_TICKET
    window: Window = UNBOUNDED
    validation_only: bool = False
    custom_data: str | None = None
    schedule_id: str | None = None
    request_id: str | None = None


def ask_of(request: Request) -> Ask:
    """The ask a request was made from, to decide it again."""
    return Ask(
        kind=request.kind,
        provider=request.provider,
        action=request.action,
        principal_id=request.principal_id,
        role_id=request.role_id,
        scope=request.scope,
        justification=request.justification,
        ticket=request.ticket,
        window=request.window,
    )
