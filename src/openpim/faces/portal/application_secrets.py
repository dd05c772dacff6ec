"""Secrets of an application: adding one, which is shown on the page that answers and never again, and removing one."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from openpim.core.directory import Application
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal.applications import HERE, NAV, of_path
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show
from openpim.faces.portal.policy_form import Typed
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import plural, t
from openpim.services.directory.application_views import ApplicationView, CredentialView
from openpim.services.signin import client_secrets

DAYS: Final = (30, 90, 180, 365, 730)
USUAL: Final = 180
_LONGEST_NAME: Final = 100


def form(call: Call) -> Answer:
    return _form(of_path(call), Typed({"days": str(USUAL), "once": call.deps.new_id()}))


def added(call: Call) -> Answer:
    """The one page that shows the secret. No cache keeps it, and sending the form again makes no second one."""
    view = of_path(call)
    application = _application(view)
    typed = Typed(dict(call.form))
    name, once = typed.text("name", _LONGEST_NAME), typed.text("once", 40)
    days = typed.text("days", 4)
    if not name:
        typed.wrong("name", t("Say what it is for, so that others know it later."))
    if days not in {str(one) for one in DAYS}:
        typed.wrong("days", t("Choose how long it shall be valid."))
    if not once:
        typed.wrong("", t("This form is not complete: open it again."))
    if typed.errors:
        return _form(view, typed, 400)
    ends = call.now + timedelta(days=int(days))
    made = client_secrets.add_secret(
        call.signin, call.caller, application.id, name=name, expires_at=ends, once=once
    )
    if isinstance(made, Refusal):
        typed.wrong({"end": "days"}.get(made.member or "", ""), made.message)
        return _form(view, typed, status_of(made))
    values = {
        "application": application,
        "secret": made.secret,
        "secret_id": made.id,
        "name": name,
        "ends": ends,
        "back": f"{HERE}/{application.id}",
    }
    return Show("application_secret_made.html", values, nav=NAV)


def removal(call: Call) -> Answer:
    view = of_path(call)
    return _removal(view, _credential(call, view))


def removed(call: Call) -> Answer:
    view = of_path(call)
    credential = _credential(call, view)
    key = _application(view).id
    refusal = client_secrets.remove_secret(call.signin, call.caller, key, credential.id)
    if refusal is not None:
        return _removal(view, credential, refusal)
    return Go(f"{HERE}/{key}", t("{name} is removed.", name=credential.name or t("The credential")))


def _application(view: ApplicationView) -> Application:
    if view.application is None:
        raise RefusedError(Refusal(Code.NOT_FOUND, "This application is not registered here."))
    return view.application


def _credential(call: Call, view: ApplicationView) -> CredentialView:
    if view.credentials is None:
        no = "Only those who manage applications see their credentials. Activate Application Administrator first."
        raise RefusedError(Refusal(Code.FORBIDDEN, no))
    wanted = call.params["key"].lower()[:36]
    found = next((one for one in view.credentials if one.id == wanted), None)
    if found is None:
        no = "This credential is not there any more. Look at the application again."
        raise RefusedError(Refusal(Code.NOT_FOUND, no))
    return found


def _form(view: ApplicationView, typed: Typed, status: int = 200) -> Show:
    application = _application(view)
    values = {
        "view": view,
        "application": application,
        "typed": typed,
        "lengths": [(str(one), plural(one, "{count} day", "{count} days")) for one in DAYS],
        "back": f"{HERE}/{application.id}",
    }
    return Show("application_secret.html", values, status, nav=NAV)


def _removal(view: ApplicationView, credential: CredentialView, refusal: Refusal | None = None) -> Show:
    application = _application(view)
    values = {
        "view": view,
        "application": application,
        "credential": credential,
        "back": f"{HERE}/{application.id}",
        "problem": refusal.message if refusal is not None else "",
    }
    status = status_of(refusal) if refusal is not None else 200
    return Show("application_secret_remove.html", values, status, nav=NAV)


PAGES: Final = (
    Page("GET", f"{HERE}/{{id}}/secrets/new", form),
    Page("POST", f"{HERE}/{{id}}/secrets/new", added),
    Page("GET", f"{HERE}/{{id}}/secrets/{{key}}/remove", removal),
    Page("POST", f"{HERE}/{{id}}/secrets/{{key}}/remove", removed),
)
