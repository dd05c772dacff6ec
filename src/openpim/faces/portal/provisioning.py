"""Provisioning by SCIM: the tokens that other directories are given, and what becomes of the memberships they write. A token's
secret is shown on the page that answers and never again."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from openpim.core.provisioning import PROVISION, TOKEN_PREFIX, Mode, Token
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal.application_secrets import DAYS
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show, settled
from openpim.faces.portal.pick import exact
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.typed import Typed
from openpim.faces.portal.words import plural, t
from openpim.services import picking
from openpim.services.provisioning import tokens

NAV: Final = "provisioning"
HERE: Final = "/portal/provisioning"
MODES: Final = {Mode.ELIGIBLE: "Is eligible", Mode.MEMBER: "Is a member at once"}
USUAL: Final = "usual"
_USUAL_DAYS: Final = 365
_FIELDS: Final = {"client_id": "application", "name": "name", "expires_at": "days"}


def listing(call: Call) -> Answer:
    return _listing(call, Typed({}))


def blank(call: Call) -> Answer:
    settled(tokens.all_of(call.deps, call.caller))  # whoever may not see them sees no form either
    return _form(Typed({"days": str(_USUAL_DAYS), "once": call.deps.new_id()}))


def added(call: Call) -> Answer:
    """The one page that shows the secret. Sending the form again makes no second one."""
    typed = Typed(dict(call.form))
    who = typed.text("application")
    found = exact(picking.principals(call.deps, call.caller, who, picking.APPLICATIONS), who)
    days = typed.text("days", 4)
    if found is None:
        typed.wrong("application", t("No application, or more than one, is called so. Write its exact name."))
    if days not in {str(one) for one in DAYS}:
        typed.wrong("days", t("Choose how long it shall be valid."))
    once = typed.text("once", 40)
    if not once:
        typed.wrong("", t("This form is not complete: open it again."))
    if found is None or typed.errors:
        settled(tokens.all_of(call.deps, call.caller))
        return _form(typed, 400)
    ends = call.now + timedelta(days=int(days))
    made = tokens.create(call.deps, call.caller, found, typed.text("name", 200), ends, once=once)
    if isinstance(made, Refusal):
        typed.wrong(_FIELDS.get(made.member or "", ""), made.message)
        return _form(typed, status_of(made))
    values = {
        "token": made.token,
        "secret": made.text,
        "address": _address(call),
        "back": HERE,
        "application": who,
    }
    return Show("provisioning_token_made.html", values, nav=NAV)


def removal(call: Call) -> Answer:
    token, application = _of_path(call)
    return Show(
        "provisioning_token_remove.html", {"token": token, "application": application, "back": HERE}, nav=NAV
    )


def removed(call: Call) -> Answer:
    token, _ = _of_path(call)
    settled(tokens.remove(call.deps, call.caller, token.id))
    return Go(HERE, t("The token {name} is removed: it opens nothing any more.", name=token.name))


def group_set(call: Call) -> Answer:
    """What memberships that are written into a group become."""
    typed = Typed(dict(call.form))
    who, wanted = typed.text("group"), typed.text("mode", 10)
    if wanted not in {*Mode, USUAL}:
        raise RefusedError(Refusal(Code.INVALID, "Choose what members become."))
    found = exact(picking.principals(call.deps, call.caller, who, picking.GROUPS), who)
    if found is None:
        typed.wrong("group", t("No group, or more than one, is called so. Write its exact name or its id."))
        return _listing(call, typed, 400)
    done = tokens.set_mode(call.deps, call.caller, found, None if wanted == USUAL else Mode(wanted))
    if isinstance(done, Refusal):
        typed.wrong("group", done.message)
        return _listing(call, typed, status_of(done))
    if done is None:
        return Go(HERE, t("The group is as usual again."))
    return Go(
        HERE, t("Whoever is written into {group}: {mode}.", group=done.group_name, mode=t(MODES[done.mode]))
    )


# ---------------------------------------------------------------- inside


def _of_path(call: Call) -> tuple[Token, str]:
    key = call.params["id"].lower()[:36]
    for token, application in settled(tokens.named(call.deps, call.caller)):
        if token.id == key:
            return token, application.display_name if application is not None else ""
    raise RefusedError(Refusal(Code.NOT_FOUND, "This token is not there any more. Look at the list again."))


def _address(call: Call) -> str:
    return f"{call.deps.settings.clients_origin}/scim/v2"


def _listing(call: Call, typed: Typed, status: int = 200) -> Show:
    values = {
        "tokens": settled(tokens.named(call.deps, call.caller)),
        "modes": settled(tokens.modes(call.deps, call.caller)),
        "prefix": TOKEN_PREFIX,
        "words": MODES,
        "choices": [*((mode.value, t(words)) for mode, words in MODES.items()), (USUAL, t("As usual"))],
        "address": _address(call),
        "typed": typed,
    }
    return Show("provisioning.html", values, status, nav=NAV)


def _form(typed: Typed, status: int = 200) -> Show:
    values = {
        "typed": typed,
        "permission": PROVISION,
        "lengths": [(str(one), plural(one, "{count} day", "{count} days")) for one in DAYS],
        "back": HERE,
    }
    return Show("provisioning_token.html", values, status, nav=NAV)


PAGES: Final = (
    Page("GET", HERE, listing),
    Page("GET", f"{HERE}/new", blank),
    Page("POST", f"{HERE}/new", added),
    Page("POST", f"{HERE}/groups", group_set),
    Page("GET", f"{HERE}/{{id}}/remove", removal),
    Page("POST", f"{HERE}/{{id}}/remove", removed),
)
