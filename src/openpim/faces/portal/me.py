"""My sessions: where and when I am signed in, with which proof, which applications that let in; and the end of each."""

from __future__ import annotations

import re
from typing import Final

from openpim.faces.portal.call import Answer, Call, Go, Show
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import plural, t
from openpim.services.signin.my_sessions import end_application, end_others, my_sessions
from openpim.services.signin.sessions import end_own_session

HERE: Final = "/portal/me"
_BROWSERS: Final = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip
_PROOFS: Final = (
    ("pwd", "Password"), ("otp", "Authenticator"), ("fido", "Passkey"), ("mfa", "MFA"),
)  # fmt: skip


def listing(call: Call) -> Answer:
    browsers, kept = my_sessions(call.signin, call.presence.session.account)
    mine = call.presence.session.id
    values = {
        "browsers": sorted(browsers, key=lambda one: one.session.id != mine),
        "kept": kept,
        "mine": mine,
        "name_of": browser_name,
        "proofs": proof_words,
    }
    return Show("me.html", values, nav="sessions")


def end(call: Call) -> Answer:
    """Ending the session one is in is a sign-out, everywhere it led."""
    wanted = call.form.get("session", "")[:36]
    refusal = end_own_session(call.deps, call.presence.session.account, wanted, call.origin)
    if refusal is not None:
        return Go(HERE, refusal.message, "note")
    if wanted == call.presence.session.id:
        return Go("/portal", signed_out=True)
    return Go(HERE, t("The session is ended, with everything that was signed in through it."))


def end_all_others(call: Call) -> Answer:
    session = call.presence.session
    ended = end_others(call.deps, session.account, session.id, call.origin)
    said = plural(ended, "{count} other browser is signed out", "{count} other browsers are signed out")
    return Go(HERE, f"{said}, {t('and every application that was not let in from here.')}")


def end_one_application(call: Call) -> Answer:
    wanted = call.form.get("grant", "")[:36]
    refusal = end_application(call.deps, call.presence.session.account, wanted, call.origin)
    if refusal is not None:
        return Go(HERE, refusal.message, "note")
    return Go(HERE, t("The application is signed out."))


def browser_name(user_agent: str) -> str:
    """Firefox on Linux: what a person knows his browser by, as far as it says so."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return t("{browser} on {system}", browser=browser, system=system)
    plain = re.split(r"[\s/(]", user_agent, maxsplit=1)[0]
    return browser or plain[:40] or t("Unknown browser")


def proof_words(amr: tuple[str, ...]) -> list[str]:
    return [t(label) for name, label in _PROOFS if name in amr]


PAGES = (
    Page("GET", HERE, listing),
    Page("POST", "/portal/me/sessions/end", end),
    Page("POST", "/portal/me/sessions/end-others", end_all_others),
    Page("POST", "/portal/me/applications/end", end_one_application),
)
