"""Stand-ins: whom one has handed one's approvals to, for whom one stands in oneself, and taking it back."""

from __future__ import annotations

from typing import Final

from openpim.core.refusals import Refusal
from openpim.faces.portal import pick
from openpim.faces.portal.assignment_period import read_moment_field
from openpim.faces.portal.call import Answer, Call, Go, Show
from openpim.faces.portal.policy_form import Typed
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import t, utc
from openpim.services import browse, delegation, picking

HERE: Final = "/portal/approvals/stand-ins"
_FIELDS: Final = {"delegateId": "person", "endDateTime": "until"}


def listing(call: Call) -> Answer:
    return _show(call, Typed({}))


def hand_over(call: Call) -> Answer:
    typed = Typed(dict(call.form))
    name = typed.text("person")
    found = picking.principals(call.deps, call.caller, name, picking.PEOPLE)
    who = pick.exact(found, name)
    if who is None:
        typed.wrong("person", t("Nobody is called so, or several: write a user principal name."))
    begins = read_moment_field(typed, "start")
    ends = read_moment_field(typed, "until")
    if not typed.text("until"):
        typed.wrong("until", t("Say until when."))
    if typed.errors or who is None or ends is None:
        return _show(call, typed, 400)
    done = delegation.delegate(call.deps, call.caller, who, begins, ends)
    if isinstance(done, Refusal):
        typed.wrong(_FIELDS.get(done.member or "", ""), done.message)
        return _show(call, typed, status_of(done))
    shown = next(one.name for one in found if one.id == who)
    return Go(HERE, t("{person} decides in your place until {end}.", person=shown, end=utc(ends)))


def withdraw(call: Call) -> Answer:
    refusal = delegation.withdraw(call.deps, call.caller, call.form.get("person", "").lower()[:36])
    if refusal is not None:
        return _show(call, Typed({}, {"": refusal.message}), status_of(refusal))
    return Go(HERE, t("It is taken back."))


def _show(call: Call, typed: Typed, status: int = 200) -> Show:
    known = delegation.mine(call.deps, call.caller)
    ids = {one for each in known for one in (each.approver_id, each.delegate_id)}
    people = browse.objects_by_id(call.deps, call.caller, ids)
    me = call.caller.principal_id
    values = {
        "typed": typed,
        "given": [one for one in known if one.approver_id == me],
        "received": [one for one in known if one.delegate_id == me],
        "names": {key: one.display_name for key, one in people.items()},
        "longest": delegation.LONGEST.days,
    }
    return Show("delegations.html", values, status, nav="approvals")


PAGES: Final = (
    Page("GET", HERE, listing),
    Page("POST", HERE, hand_over),
    Page("POST", f"{HERE}/withdraw", withdraw),
)
