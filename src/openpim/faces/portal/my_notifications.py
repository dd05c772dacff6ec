"""My notifications: by which channels I am told, and in which hours not."""

from __future__ import annotations

from typing import Final

from openpim.core.notification_preferences import Preferences, Quiet
from openpim.core.refusals import Refusal
from openpim.faces.portal.call import Answer, Call, Go, Show, settled
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import t
from openpim.services.notices import preferences

NAV: Final = "my-notifications"
HERE: Final = "/portal/me/notifications"


def show(call: Call) -> Answer:
    found = settled(preferences.mine(call.deps, call.caller))
    return _page(call, found, found.preferences, None)


def save(call: Call) -> Answer:
    found = settled(preferences.mine(call.deps, call.caller))
    known = {one.key for one in found.choices}
    # A channel that is not offered at the moment was not on the page: what was chosen about it stays.
    hidden = tuple(key for key in found.preferences.channels if key not in known)
    zone = call.form.get("zone", "").strip()[:64]
    quiet = None
    if call.form.get("quiet") == "on":
        begins, ends = (call.form.get(name, "").strip()[:8] for name in ("begins", "ends"))
        quiet = Quiet(begins, ends, zone or call.deps.settings.work_zone)
    wanted = Preferences((*(key for key in call.picked("use") if key in known), *hidden), quiet, zone)
    done = preferences.choose(call.deps, call.caller, wanted)
    if isinstance(done, Refusal):
        return _page(call, found, wanted, done)
    return Go(HERE, t("Your choice is kept."))


def _page(call: Call, found: preferences.Mine, shown: Preferences, refusal: Refusal | None) -> Show:
    values = {
        "choices": found.choices,
        "used": frozenset(shown.channels),
        "address": found.address,
        "quiet": shown.quiet,
        "zone": shown.zone,
        "default_zone": call.deps.settings.work_zone,
        "mail": bool(call.deps.settings.mail_host),
        "wrong": {refusal.member: refusal.message} if refusal is not None and refusal.member else {},
        "error": refusal.message if refusal is not None and not refusal.member else "",
    }
    return Show("my_notifications.html", values, status_of(refusal) if refusal else 200, nav=NAV)


PAGES = (Page("GET", HERE, show), Page("POST", HERE, save))
