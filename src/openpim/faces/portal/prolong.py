"""Extend what ends soon, renew what has ended: a running activation under the rules of an activation, what an
administrator gave by asking one."""

from __future__ import annotations

from typing import Any

from openpim.core.ask import Ask
from openpim.core.grants import Action, AssignmentType, Duration, ExpirationType, Ticket, Window
from openpim.core.lifecycle import AWAITING_DECISION
from openpim.core.policy import Policy
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal.activate import steps_up_to
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show
from openpim.faces.portal.marks import longest, proof_needed
from openpim.faces.portal.moments import read_moment, read_offset
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.services import my_grants, policies
from openpim.services.my_grants import Held
from openpim.services.submit import submit
from openpim.wire import durations

_GONE = Refusal(
    Code.ASSIGNMENT_MISSING, "This cannot be extended or renewed any more: look at your roles anew."
)


def extend_form(call: Call) -> Answer:
    return _show(call, _held(call, "extend"), "extend")


def renew_form(call: Call) -> Answer:
    return _show(call, _held(call, "renew"), "renew")


def extend(call: Call) -> Answer:
    return _asked(call, "extend")


def renew(call: Call) -> Answer:
    return _asked(call, "renew")


def _held(call: Call, verb: str) -> Held:
    found = my_grants.one(call.deps, call.caller, call.params["id"].lower())
    if found is None or not (found.extendable if verb == "extend" else found.renewable):
        raise RefusedError(_GONE)
    return found


def _asked(call: Call, verb: str) -> Answer:
    held = _held(call, verb)
    window = _window(call, held)
    if window is None:
        return _show(call, held, verb, problem="Say until when as 2026-11-21T14:30.", status=400)
    schedule = held.schedule
    ask = Ask(
        kind=schedule.kind,
        provider=schedule.provider,
        action=Action.SELF_EXTEND if verb == "extend" else Action.SELF_RENEW,
        principal_id=call.caller.principal_id,
        role_id=schedule.role_id,
        scope=schedule.scope,
        justification=call.form.get("reason", "")[:10_000].strip() or None,
        ticket=Ticket(
            call.form.get("ticket_number", "")[:200].strip() or None,
            call.form.get("ticket_system", "")[:200].strip() or None,
        ),
        window=window,
    )
    done = submit(call.deps, call.caller, ask)
    if isinstance(done, Refusal):
        again = proof_needed(call, done, f"/portal/roles/{verb}/{schedule.id}")
        return again or _show(call, held, verb, problem=done.message, status=status_of(done))
    if done.status in AWAITING_DECISION:
        return Go(f"/portal/requests/{done.id}", "Your request waits for a decision.")
    return Go("/portal/roles/active", f"{held.role_name} · {held.scope_name} is extended.")


def _window(call: Call, held: Held) -> Window | None:
    if held.schedule.assignment_type is AssignmentType.ACTIVATED:
        text = call.form.get("duration", "")
        minutes = int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 6 else 0
        if not minutes:
            return Window()
        length = Duration(durations.render(minutes * 60), 0, minutes * 60)
        return Window(None, ExpirationType.AFTER_DURATION, duration=length)
    text = call.form.get("until", "")[:40].strip()
    if not text:
        return Window()
    until = read_moment(text, read_offset(call.form))
    return None if until is None else Window(None, ExpirationType.AFTER_DATE_TIME, end=until)


def _policy(call: Call, held: Held) -> Policy | None:
    one = held.schedule
    found = policies.get(call.deps, call.caller, one.provider, one.role_id, one.scope)
    return None if isinstance(found, Refusal) else found


def _show(call: Call, held: Held, verb: str, *, problem: str = "", status: int = 200) -> Show:
    activated = held.schedule.assignment_type is AssignmentType.ACTIVATED
    policy = _policy(call, held)
    most = longest(policy) if policy is not None else 24 * 60
    values: dict[str, Any] = {
        "held": held,
        "verb": verb,
        "activated": activated,
        "steps": steps_up_to(most),
        "most": most,
        "typed": call.form,
        "reasons": my_grants.recent_reasons(call.deps, call.caller) if activated else (),
        "problem": problem,
    }
    return Show("prolong.html", values, status, nav="roles")


PAGES = (
    Page("GET", "/portal/roles/extend/{id}", extend_form),
    Page("POST", "/portal/roles/extend/{id}", extend),
    Page("GET", "/portal/roles/renew/{id}", renew_form),
    Page("POST", "/portal/roles/renew/{id}", renew),
)
