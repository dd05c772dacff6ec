"""One road for all nine actions: check what is named, decide, apply, record; a refusal is recorded too.

The work runs in one unit of work. Validation only: the same work, undone at the end.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from openpim.core.ask import Ask
from openpim.core.audit import Target
from openpim.core.caller import Caller, CallerKind
from openpim.core.grants import Action, Kind, Request
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.actions import activate, administer, deactivate, extend
from openpim.services.channels import tickets
from openpim.services.channels.tickets import NOT_ASKED, UNTIL_NEEDED, Checked, NotAskedYet
from openpim.services.providers import PROVIDERS
from openpim.services.recording import grant_targets, record_refusal, storable

_MAX_TEXT = 10_000
_MAX_ID = 500


def submit(deps: Deps, caller: Caller, ask: Ask) -> Request | Refusal:
    """Carry out, or open, one request.

    Returns the request with its status (Provisioned, Granted, Revoked, or one of the Pending ones), or a Refusal:
    INVALID, FORBIDDEN, ROLE_MISSING, SUBJECT_MISSING, SCOPE_MISSING, SUBJECT_NOT_ALLOWED, ASSIGNMENT_EXISTS,
    ASSIGNMENT_MISSING, REQUEST_PENDING, TOO_SHORT, POLICY, STEP_UP, LAST_ADMINISTRATOR.
    """
    own = ask.principal_id == caller.principal_id  # nobody has numbers tried out in another's name
    try:
        return _submit(deps, caller, ask, UNTIL_NEEDED if own else NOT_ASKED)
    except NotAskedYet:
        return _submit(deps, caller, ask, tickets.check(deps, caller.tenant_id, ask))


def _submit(deps: Deps, caller: Caller, ask: Ask, checked: Checked) -> Request | Refusal:
    now = deps.clock()

    def work(tx: Transaction) -> Request | Refusal:
        outcome: Request | Refusal
        if not ask.validation_only:
            outcome = in_transaction(tx, deps, caller, ask, now, checked)
        else:
            with tx.savepoint() as point:
                outcome = in_transaction(tx, deps, caller, ask, now, checked)
                point.roll_back()
            if isinstance(outcome, Request):
                outcome = replace(outcome, validation_only=True)
        if isinstance(outcome, Refusal) and not ask.validation_only:
            record_refused(tx, deps, caller, ask, outcome, now)
        return outcome

    return deps.store.write(caller.tenant_id, work)


def in_transaction(
    tx: Transaction, deps: Deps, caller: Caller, ask: Ask, now: datetime, checked: Checked = NOT_ASKED
) -> Request | Refusal:
    """The same inside a unit of work that is already open (seeding, imports). checked: see `activate`."""
    unreadable = _unreadable(ask)
    if unreadable is not None:
        return unreadable
    if ask.provider in PROVIDERS:
        PROVIDERS[ask.provider].hold(tx, ask.scope)
    tx.lock_principal(ask.principal_id)  # first, so that nothing that is read below changes before the commit
    refusal = _named_things(tx, caller, ask)
    if refusal is not None:
        return refusal
    if ask.request_id is not None:
        known = _asked_before(tx, caller, ask, ask.request_id)
        if known is not None:
            return known
    match ask.action:
        case Action.SELF_ACTIVATE:
            return activate.activate(tx, deps, caller, ask, now, checked)
        case Action.SELF_DEACTIVATE:
            return deactivate.deactivate(tx, deps, caller, ask, now)
        case Action.SELF_EXTEND:
            return extend.ask_extension(tx, deps, caller, ask, now, checked)
        case Action.SELF_RENEW:
            return extend.ask_renewal(tx, deps, caller, ask, now)
        case Action.ADMIN_REMOVE:
            return administer.remove(tx, deps, caller, ask, now)
        case _:
            return administer.give(tx, deps, caller, ask, now)


def _named_things(tx: Transaction, caller: Caller, ask: Ask) -> Refusal | None:
    """Everything the ask names must exist, and the caller must be the one who may ask for it."""
    principal = tx.principals.get(ask.principal_id)
    if principal is None:
        return Refusal(
            Code.SUBJECT_MISSING, f"There is no principal {ask.principal_id}.", member="principalId"
        )
    rules = PROVIDERS.get(ask.provider)
    if rules is None:
        return Refusal(Code.INVALID, f"The provider {ask.provider} is not served here.", member="provider")
    ending = ask.action in {Action.ADMIN_REMOVE, Action.SELF_DEACTIVATE}
    if ask.action.by_self:
        if caller.kind is not CallerKind.USER or caller.principal_id != ask.principal_id:
            return Refusal(
                Code.FORBIDDEN,
                f"{ask.action} is for oneself: principalId must be your own id.",
                member="principalId",
            )
        if not principal.able:
            return Refusal(Code.FORBIDDEN, "Your account is disabled.")
    if not ending:
        fault = rules.fault(tx, ask.role_id, ask.scope)
        if fault is not None:
            return fault
        return rules.subject_fault(tx, principal, ask.kind, ask.role_id, ask.scope)
    return None


def _asked_before(tx: Transaction, caller: Caller, ask: Ask, request_id: str) -> Request | Refusal | None:
    """A client that heard no answer asks again under the same id: it gets the request it made."""
    known = tx.requests.get(request_id)
    if known is None and tx.schedules.get(request_id) is None:
        return None
    same = known is not None and (
        known.created_by == caller.principal_id
        and (known.kind, known.provider, known.action) == (ask.kind, ask.provider, ask.action)
        and (known.principal_id, known.role_id, known.scope) == (ask.principal_id, ask.role_id, ask.scope)
    )
    if known is not None and same:
        return known
    return Refusal(
        Code.CONFLICT, f"There is something else with the id {request_id}. Choose a new one.", member="id"
    )


def _unreadable(ask: Ask) -> Refusal | None:
    """Texts that no database could keep."""
    for member, text, longest in (
        ("principalId", ask.principal_id, _MAX_ID),
        ("roleDefinitionId", ask.role_id, _MAX_ID),
        ("directoryScopeId", ask.scope, _MAX_ID),
        ("targetScheduleId", ask.schedule_id, _MAX_ID),
        ("id", ask.request_id, 36),
        ("justification", ask.justification, _MAX_TEXT),
        ("customData", ask.custom_data, _MAX_TEXT),
        ("ticketNumber", ask.ticket.number, _MAX_TEXT),
        ("ticketSystem", ask.ticket.system, _MAX_TEXT),
    ):
        if text is not None and (len(text) > longest or not storable(text)):
            return Refusal(
                Code.INVALID,
                f"{member} is longer than {longest} characters, or has a character that cannot be stored.",
                member=member,
            )
    return None


def record_refused(
    tx: Transaction, deps: Deps, caller: Caller, ask: Ask, refusal: Refusal, now: datetime
) -> None:
    rules = PROVIDERS.get(ask.provider)
    readable = _unreadable(ask) is None
    name = rules.role_name(tx, ask.role_id, ask.scope) if rules is not None and readable else ""
    targets = (
        grant_targets(
            tx,
            role_id=ask.role_id,
            role_name=name,
            principal_id=ask.principal_id,
            scope=ask.scope,
            request_id=None,
        )
        if readable
        else (Target("Directory", tx.tenant_id),)
    )
    record_refusal(
        tx,
        deps,
        caller,
        now,
        refusal,
        activity=REFUSED_ELIGIBILITY[ask.action] if ask.kind is Kind.ELIGIBILITY else REFUSED[ask.action],
        provider=ask.provider,
        targets=targets,
        details=(
            ("Action", ask.action.value),
            ("Justification", (ask.justification or "") if readable else ""),
        ),
    )


REFUSED: dict[Action, str] = {
    Action.SELF_ACTIVATE: "Add member to role requested (PIM activation)",
    Action.SELF_DEACTIVATE: "Remove member from role requested (PIM deactivate)",
    Action.SELF_EXTEND: "Update member in PIM requested (extend)",
    Action.SELF_RENEW: "Add member to role in PIM requested (renew)",
    Action.ADMIN_ASSIGN: "Add member to role in PIM requested (timebound)",
    Action.ADMIN_UPDATE: "Process role update request",
    Action.ADMIN_REMOVE: "Remove member from role in PIM requested (timebound)",
    Action.ADMIN_EXTEND: "Update member in PIM requested (extend)",
    Action.ADMIN_RENEW: "Add member to role in PIM requested (renew)",
}

REFUSED_ELIGIBILITY: dict[Action, str] = {
    Action.SELF_ACTIVATE: "Add member to role requested (PIM activation)",
    Action.SELF_DEACTIVATE: "Remove member from role requested (PIM deactivate)",
    Action.ADMIN_UPDATE: "Process role update request",
    Action.SELF_EXTEND: "Update eligible member in PIM requested (extend)",
    Action.SELF_RENEW: "Add eligible member to role in PIM requested (renew)",
    Action.ADMIN_ASSIGN: "Add eligible member to role in PIM requested (timebound)",
    Action.ADMIN_REMOVE: "Remove eligible member from role in PIM requested (timebound)",
    Action.ADMIN_EXTEND: "Update eligible member in PIM requested (extend)",
    Action.ADMIN_RENEW: "Add eligible member to role in PIM requested (renew)",
}
