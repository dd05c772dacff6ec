"""Secrets and certificates of an application: adding a secret, which is shown on the page that answers and never again, adding a
certificate, and removing either."""

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
from openpim.services.signin.certificates import LARGEST

DAYS: Final = (30, 90, 180, 365, 730)
USUAL: Final = 180
_LONGEST_NAME: Final = client_secrets.LONGEST_NAME


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


def certificate_form(call: Call) -> Answer:
    return _certificate_form(of_path(call), Typed({}))


def certificate_added(call: Call) -> Answer:
    """A file that was chosen, or text that was pasted."""
    view = of_path(call)
    application = _application(view)
    typed = Typed(dict(call.form))
    file = call.files.get("file")
    chosen = file.body if file is not None else b""
    pasted = typed.text("pem", LARGEST + 1).encode("utf-8", "replace")
    if "PRIVATE KEY" in typed.text("pem", LARGEST + 1):
        typed.fields["pem"] = ""  # it is not shown again either
    if chosen and pasted:
        typed.wrong("pem", t("Choose a file or paste a text, not both."))
    elif not (chosen or pasted):
        typed.wrong("file", t("Choose the certificate's file, or paste it below."))
    if typed.errors:
        return _certificate_form(view, typed, 400)
    made = client_secrets.add_certificate(
        call.signin, call.caller, application.id, chosen or pasted, name=typed.text("name", _LONGEST_NAME)
    )
    if isinstance(made, Refusal):
        where = "file" if chosen else "pem"
        typed.wrong({"certificate": where, "name": "name"}.get(made.member or "", ""), made.message)
        return _certificate_form(view, typed, status_of(made))
    return Go(f"{HERE}/{application.id}", t("The certificate {name} is added.", name=made.display_name))


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


def _certificate_form(view: ApplicationView, typed: Typed, status: int = 200) -> Show:
    application = _application(view)
    values = {
        "view": view,
        "application": application,
        "typed": typed,
        "pem": typed.text("pem", LARGEST),
        "back": f"{HERE}/{application.id}",
    }
    return Show("application_certificate.html", values, status, nav=NAV)


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
    Page("GET", f"{HERE}/{{id}}/certificates/new", certificate_form),
    Page("POST", f"{HERE}/{{id}}/certificates/new", certificate_added),
    Page("GET", f"{HERE}/{{id}}/secrets/{{key}}/remove", removal),
    Page("POST", f"{HERE}/{{id}}/secrets/{{key}}/remove", removed),
)
