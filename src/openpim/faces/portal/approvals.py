"""Approve requests: what waits for one's decision, one or several at once; and the page a notification mail links to."""

from __future__ import annotations

from typing import Any

from openpim.core.approval import Verdict
from openpim.core.refusals import Refusal
from openpim.core.risk import Risk
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show
from openpim.faces.portal.paging import page_number
from openpim.faces.portal.requests import steps
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.services import approval_inbox, request_story
from openpim.services.approval_inbox import Item
from openpim.services.review import review

NAV = "approvals"
MOST_AT_ONCE = 50
RISK_WORDS = {
    Risk.FIRST_TIME: ("First time", "This person has never activated this role here"),
    Risk.OUT_OF_HOURS: ("Out of hours", "It starts outside working hours"),
    Risk.LONG: ("Unusually long", "It is asked for longer than ever before"),
}
_VERDICTS = {"approve": Verdict.APPROVE, "deny": Verdict.DENY}


def inbox(call: Call) -> Answer:
    return _inbox(call)


def count(_call: Call) -> Answer:
    """How many wait: what the menu of an open page asks for when there is news."""
    return Show("waiting.html")


def decide(call: Call) -> Answer:
    """Approve or deny those that are ticked; what is refused stays, with the reason."""
    verdict = _VERDICTS.get(call.form.get("verdict", ""))
    picked = call.picked("pick")[:MOST_AT_ONCE]
    reason = call.form.get("reason", "")[:10_000]
    if not picked or verdict is None:
        return _inbox(call, problem="Tick the requests to decide first.", status=400)
    errors: dict[str, str] = {}
    for approval_id in picked:
        outcome = review(call.deps, call.caller, approval_id[:36], None, verdict, reason)
        if isinstance(outcome, Refusal):
            errors[approval_id] = outcome.message
    done = len(picked) - len(errors)
    word = "approved" if verdict is Verdict.APPROVE else "denied"
    said = f"{done} request{'' if done == 1 else 's'} {word}."
    if not errors:
        return Go("/portal/approvals", said)
    known = approval_inbox.waiting(call.deps, call.caller).ids
    gone = [message for one, message in errors.items() if one not in known]
    problem = " ".join(dict.fromkeys([*([said] if done else []), *gone])) or "Some could not be decided."
    return _inbox(call, problem=problem, errors=errors, status=400)


def one(call: Call) -> Answer:
    return _one(call)


def decide_one(call: Call) -> Answer:
    approval_id = call.params["id"].lower()
    verdict = _VERDICTS.get(call.form.get("verdict", ""))
    if verdict is None:
        return _one(call, problem="Choose Approve or Deny.", status=400)
    outcome = review(call.deps, call.caller, approval_id, None, verdict, call.form.get("reason", "")[:10_000])
    if isinstance(outcome, Refusal):
        return _one(call, problem=outcome.message, status=status_of(outcome))
    word = "approved" if verdict is Verdict.APPROVE else "denied"
    return Go(f"/portal/approvals/{approval_id}", f"You {word} the request.")


def _inbox(call: Call, *, problem: str = "", errors: dict[str, str] | None = None, status: int = 200) -> Show:
    found = approval_inbox.waiting(call.deps, call.caller, page_number(call.query.get("page", "")))
    values: dict[str, Any] = {
        "items": found.items,
        "page": found.number,
        "pages": found.pages,
        "risk_words": RISK_WORDS,
        "picked": frozenset(call.picked("pick")),
        "reason": call.form.get("reason", "")[:10_000],
        "reason_required": _reason_required(found.items),
        "problem": problem,
        "errors": errors or {},
    }
    return Show("approvals.html", values, status, nav=NAV)


def _one(call: Call, *, problem: str = "", status: int = 200) -> Show:
    approval_id = call.params["id"].lower()
    item = approval_inbox.get(call.deps, call.caller, approval_id)
    if isinstance(item, Refusal):
        raise RefusedError(item)
    story = request_story.get(call.deps, call.caller, approval_id)
    if isinstance(story, Refusal):
        raise RefusedError(story)
    values: dict[str, Any] = {
        "item": item,
        "request": item.request,
        "story": story,
        "steps": steps(story, call.now),
        "risk_words": RISK_WORDS,
        "reason": call.form.get("reason", "")[:10_000],
        "reason_required": _reason_required((item,)),
        "problem": problem,
    }
    return Show("approval.html", values, status, nav=NAV)


def _reason_required(items: tuple[Item, ...]) -> bool:
    return any(item.stage is not None and item.stage.settings.justification_required for item in items)


PAGES = (
    Page("GET", "/portal/approvals", inbox),
    Page("POST", "/portal/approvals", decide),
    Page("GET", "/portal/approvals/count", count),
    Page("GET", "/portal/approvals/{id}", one),
    Page("POST", "/portal/approvals/{id}", decide_one),
)
