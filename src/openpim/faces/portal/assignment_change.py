"""One assignment of somebody: change its end or start, extend it, renew it when it has ended, take it away."""

from __future__ import annotations

from typing import Final

from openpim.core.ask import Ask
from openpim.core.grants import NO_TICKET, UNBOUNDED, Action, AssignmentType, Ticket, Window
from openpim.core.lifecycle import RequestStatus
from openpim.core.policy import Policy
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal import assignment_period as period
from openpim.faces.portal.assignments import HERE, NAV, list_of, renewable, state_of, type_of
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show, settled
from openpim.faces.portal.marks import proof_needed
from openpim.faces.portal.policy_form import Typed
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import t
from openpim.services import assignments, policies
from openpim.services.assignments import Row, Tab
from openpim.services.submit import submit

VERBS: Final = {
    "update": (Action.ADMIN_UPDATE, "Update", "changed"),
    "extend": (Action.ADMIN_EXTEND, "Extend", "extended"),
    "renew": (Action.ADMIN_RENEW, "Renew", "renewed"),
}
_GONE = Refusal(
    Code.ASSIGNMENT_MISSING, "This cannot be done with this assignment any more. Look at the list again."
)


def form(call: Call) -> Answer:
    verb, row = _verb(call), _row(call)
    return _show(call, verb, row, Typed(_fields(call, verb, row)))


def changed(call: Call) -> Answer:
    verb, row = _verb(call), _row(call)
    one = row.schedule
    typed = Typed(dict(call.form))
    window = period.read_window(typed, {"start": one.starts_at, "until": one.ends_at})
    if window is None:
        return _show(call, verb, row, typed)
    action, _, done_word = VERBS[verb]
    ask = _ask(row, action, period.read_reason(typed), period.read_ticket(typed), window)
    done = submit(call.deps, call.caller, ask)
    if isinstance(done, Refusal):
        again = proof_needed(call, done, f"{HERE}/{one.id}/{verb}")
        if again is not None:
            return again
        typed.wrong("", done.message)
        return _show(call, verb, row, typed, status_of(done))
    words = t("{role} of {person} is {done}.", role=row.role_name, person=row.who_name, done=t(done_word))
    if done.status is RequestStatus.GRANTED:
        words = t("{role} of {person} is scheduled.", role=row.role_name, person=row.who_name)
    return Go(list_of(one), words)


def removal(call: Call) -> Answer:
    return _removal(call, _row(call))


def removed(call: Call) -> Answer:
    row = _row(call)
    reason = call.form.get("reason", "")[:10_000].strip() or None
    done = submit(call.deps, call.caller, _ask(row, Action.ADMIN_REMOVE, reason))
    if isinstance(done, Refusal):
        again = proof_needed(call, done, f"{HERE}/{row.schedule.id}/remove")
        return again or _removal(call, row, done.message, status_of(done))
    words = t("{role} of {person} is removed.", role=row.role_name, person=row.who_name)
    return Go(list_of(row.schedule), words)


# ---------------------------------------------------------------- the pages


def _verb(call: Call) -> str:
    verb = call.params["verb"]
    if verb not in VERBS:
        raise RefusedError(
            Refusal(Code.NOT_FOUND, "An assignment can be updated, extended, renewed, removed.")
        )
    return verb


def _row(call: Call) -> Row:
    return settled(assignments.get(call.deps, call.caller, call.params["id"][:36].lower()))


def _possible(call: Call, verb: str, row: Row) -> bool:
    one = row.schedule
    if one.assignment_type is AssignmentType.ACTIVATED:
        return False
    if verb == "renew":
        return not one.live(call.now) and renewable(one)
    return one.live(call.now) and (verb != "extend" or one.ends_at is not None)


def _fields(call: Call, verb: str, row: Row) -> dict[str, str]:
    one = row.schedule
    policy = _policy(call, row)
    found = period.usual(policy, one.kind, call.now)
    if verb == "update":
        ends = period.field_of(one.ends_at) or found["until"]
        found |= {"how": period.UNTIL if one.ends_at else period.PERMANENT, "until": ends}
        found["start"] = period.field_of(one.starts_at) if one.starts_at > call.now else ""
    return found


def _policy(call: Call, row: Row) -> Policy:
    one = row.schedule
    return settled(policies.get(call.deps, call.caller, one.provider, one.role_id, one.scope))


def _show(call: Call, verb: str, row: Row, typed: Typed, status: int = 400) -> Show:
    if not _possible(call, verb, row):
        raise RefusedError(_GONE)
    one = row.schedule
    values = {
        "row": row,
        "verb": verb,
        "word": t(VERBS[verb][1]),
        "typed": typed,
        "with_start": verb == "renew" or (verb == "update" and one.starts_at > call.now),
        "list": _back(call, row),
        "type": type_of(row),
        "state": state_of(row, call),
        **period.choices(_policy(call, row), one.kind),
    }
    return Show("assignment_change.html", values, status if typed.errors else 200, nav=NAV)


def _removal(call: Call, row: Row, problem: str = "", status: int = 200) -> Show:
    if not row.schedule.live(call.now):
        raise RefusedError(_GONE)
    values = {
        "row": row,
        "problem": problem,
        "reason": call.form.get("reason", "")[:1000],
        "list": _back(call, row),
        "type": type_of(row),
        "state": state_of(row, call),
    }
    return Show("assignment_remove.html", values, status, nav=NAV)


def _back(call: Call, row: Row) -> str:
    over = not row.schedule.live(call.now)
    return list_of(row.schedule, tab=Tab.EXPIRED if over else None)


def _ask(
    row: Row, action: Action, reason: str | None, ticket: Ticket = NO_TICKET, window: Window = UNBOUNDED
) -> Ask:
    one = row.schedule
    return Ask(
        kind=one.kind,
        provider=one.provider,
        action=action,
        principal_id=one.principal_id,
        role_id=one.role_id,
        scope=one.scope,
        justification=reason,
        ticket=ticket,
        window=window,
        schedule_id=None if action is Action.ADMIN_RENEW else one.id,
    )


PAGES: Final[tuple[Page, ...]] = (
    Page("GET", f"{HERE}/{{id}}/remove", removal),
    Page("POST", f"{HERE}/{{id}}/remove", removed),
    Page("GET", f"{HERE}/{{id}}/{{verb}}", form),
    Page("POST", f"{HERE}/{{id}}/{{verb}}", changed),
)
