"""Settings → Notifications, for administrators: what could not be delivered, the digest, emergency accounts, a test mail."""

from __future__ import annotations

from typing import Final

from openpim.core.deliveries import DeliveryStatus
from openpim.core.notices import KINDS, Topic
from openpim.core.query import UnknownFieldError
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show, settled
from openpim.faces.portal.pick import exact
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import t
from openpim.services import picking
from openpim.services.notices import administration
from openpim.services.picking import PEOPLE

NAV: Final = "notifications"
HERE: Final = "/portal/notifications"
_LISTS: Final = (
    (DeliveryStatus.DEAD, "Not delivered"),
    (DeliveryStatus.WAITING, "Waiting"),
    (DeliveryStatus.SENT, "Sent"),
    (DeliveryStatus.DROPPED, "Not needed"),
)
_MOST_LINES: Final = 50


def show(call: Call) -> Answer:
    return _page(call, None, None)


def save(call: Call) -> Answer:
    typed = call.form.get("break_glass", "")[:10_000]
    lines = [line.strip() for line in typed.splitlines() if line.strip()][:_MOST_LINES]
    ids = []
    for line in lines:
        found = exact(picking.principals(call.deps, call.caller, line[:320], PEOPLE), line)
        if found is None:
            no = t("Nobody, or several people, are called “{name}”: write the sign-in name.", name=line[:80])
            return _page(call, Refusal(Code.INVALID, no, member="breakGlass"), typed)
        ids.append(found)
    digest = call.form.get("digest") == "on"
    done = administration.change(call.deps, call.caller, weekly_digest=digest, break_glass=ids)
    if isinstance(done, Refusal):
        return _page(call, done, typed)
    return Go(HERE, t("The settings are kept."))


def test(call: Call) -> Answer:
    done = administration.test(call.deps, call.caller)
    if isinstance(done, Refusal):
        return _page(call, done, None)
    return Go(
        f"{HERE}?list=waiting",
        t("A test mail to you is on its way. What becomes of it is in the lists below."),
    )


def retry(call: Call) -> Answer:
    done = administration.retry(call.deps, call.caller, call.params["id"][:36].lower())
    if isinstance(done, Refusal):
        if done.code is Code.CONFLICT:
            return Go(HERE, done.message, "note")
        raise RefusedError(done)
    return Go(HERE, t("It is tried again."))


def _page(call: Call, refusal: Refusal | None, typed: str | None) -> Show:
    found = settled(administration.settings(call.deps, call.caller))
    wanted = call.query.get("list", DeliveryStatus.DEAD.value)
    status = next((one for one, _ in _LISTS if one.value == wanted), DeliveryStatus.DEAD)
    after = call.query.get("after", "")[:500] or None
    try:
        page = settled(administration.listed(call.deps, call.caller, status, after=after))
    except UnknownFieldError:
        page = settled(administration.listed(call.deps, call.caller, status))
    if typed is None:
        typed = "\n".join(one.user_principal_name for one in found.break_glass)
    values = {
        "found": found,
        "typed": typed,
        "lists": [(f"{HERE}?list={one}", t(label), one is status) for one, label in _LISTS],
        "status": status.value,
        "page": page,
        "meanings": {topic.value: kind.meaning for topic, kind in KINDS.items()},
        "titles": {topic.value: _title(topic) for topic in Topic},
        "error": refusal.message if refusal is not None and refusal.member != "breakGlass" else "",
        "wrong": refusal.message if refusal is not None and refusal.member == "breakGlass" else "",
    }
    return Show("notifications.html", values, status_of(refusal) if refusal else 200, nav=NAV)


def _title(topic: Topic) -> str:
    """approvalWanted: Approval wanted."""
    words = "".join(f" {one.lower()}" if one.isupper() else one for one in topic.value)
    return words.capitalize()


PAGES = (
    Page("GET", HERE, show),
    Page("POST", HERE, save),
    Page("POST", f"{HERE}/test", test),
    Page("POST", f"{HERE}/{{id}}/retry", retry),
)
