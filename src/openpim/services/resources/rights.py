"""May the caller do this to a place in the tree, whether or not it is there already? Refusals name action and scope."""

from __future__ import annotations

from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import ROOT, canonical, read_path
from openpim.core.roles import GLOBAL_ADMINISTRATOR
from openpim.ports.store import Transaction
from openpim.services.authority import roles_of
from openpim.services.resource_access import allowed


def denied(action: str, scope: str) -> Refusal:
    """detail: the action; member: the scope. For the face, which words it as its dialect does."""
    return Refusal(
        Code.FORBIDDEN,
        f"You may not do {action} at {scope}. Ask for a role that has it, or activate one.",
        member=scope,
        detail=action,
    )


def missing(scope: str) -> Refusal:
    return Refusal(Code.SCOPE_MISSING, f"There is no resource {scope}.", member=scope)


def nearest(tx: Transaction, scope: str) -> str:
    """The place itself or, when there is none, the nearest one above it that is there."""
    at = canonical(scope)
    while at != ROOT:
        if tx.resources.get(at) is not None:
            return at
        place = read_path(at)
        at = place.parent_id if place is not None and place.parent_id is not None else ROOT
    return ROOT


def may(tx: Transaction, caller: Caller, action: str, scope: str, now: datetime) -> Refusal | None:
    """None when the action is allowed there; at a place that is not there, what holds above it counts."""
    at = nearest(tx, scope)
    return None if allowed(tx, caller, action, at, now) else denied(action, scope)


def reads(tx: Transaction, caller: Caller, action: str, scope: str, now: datetime) -> Refusal | None:
    """The same, for something that must be there: who may not know is told no, who may know is told it is missing."""
    refusal = may(tx, caller, action, scope, now)
    if refusal is not None:
        return refusal
    return None if tx.resources.chain(scope) else missing(scope)


def may_shape(tx: Transaction, caller: Caller, action: str, scope: str, now: datetime) -> Refusal | None:
    """For management groups and subscriptions: a Global Administrator may too, so that a tree can be begun."""
    if GLOBAL_ADMINISTRATOR in roles_of(tx, caller, now):
        return None
    return may(tx, caller, action, scope, now)
