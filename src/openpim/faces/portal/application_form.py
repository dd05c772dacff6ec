"""Registering an application, with its service principal; changing and deleting one; its owners. What was typed stays when it is
refused; who has been overtaken by another's change is told so."""

from __future__ import annotations

from typing import Any, Final

from openpim.core.directory import Application
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal.applications import HERE, NAV, address_of, of_path, show
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show
from openpim.faces.portal.pick import exact
from openpim.faces.portal.policy_form import Typed
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import t
from openpim.services import picking
from openpim.services.directory import application_views as views
from openpim.services.directory.application_owners import add_owner, remove_owner
from openpim.services.directory.application_views import ApplicationView
from openpim.services.directory.applications import (
    NewApplication,
    create_application,
    delete_application,
    update_application,
)
from openpim.services.directory.performing import stamp
from openpim.services.directory.service_principals import create_service_principal

# field of the form -> the attribute of the application
_FIELDS: Final = {
    "name": "display_name",
    "kind": "public",
    "redirects": "redirect_uris",
    "logout": "logout_uri",
    "identifiers": "identifier_uris",
}
_MOST: Final = 300_000  # characters of a list that are looked at: more than a form may have


def new(call: Call) -> Answer:
    return _form(call, None, Typed({"kind": "web"}))


def created(call: Call) -> Answer:
    typed = Typed(dict(call.form))
    made = create_application(call.deps, call.caller, NewApplication(**_read(typed)))
    if isinstance(made, Refusal):
        return _refused(call, None, typed, made)
    face = create_service_principal(call.deps, call.caller, made.app_id)
    address = f"{HERE}/{made.id}"
    if isinstance(face, Refusal):
        said = t("{name} is registered, but has no service principal yet:", name=made.display_name)
        return Go(address, f"{said} {face.message}", "note")
    return Go(address, t("{name} is registered.", name=made.display_name))


def edit(call: Call) -> Answer:
    view = of_path(call)
    application = registered(view)
    fields = {
        "name": application.display_name,
        "kind": "public" if application.public else "web",
        "redirects": "\n".join(application.redirect_uris),
        "logout": application.logout_uri or "",
        "identifiers": "\n".join(application.identifier_uris),
        "seen": stamp(application),
    }
    return _form(call, view, Typed(fields))


def changed(call: Call) -> Answer:
    view = of_path(call)
    typed = Typed(dict(call.form))
    key = registered(view).id
    done = update_application(
        call.deps, call.caller, key, _read(typed), seen=typed.text("seen", 16) or "none"
    )
    if isinstance(done, Refusal):
        return _refused(call, view, typed, done)
    return Go(f"{HERE}/{key}", t("{name} is changed.", name=done.display_name))


def removal(call: Call) -> Answer:
    return _removal(of_path(call))


def removed(call: Call) -> Answer:
    view = of_path(call)
    application = registered(view)
    refusal = delete_application(call.deps, call.caller, application.id)
    if refusal is not None:
        return _removal(view, refusal)
    return Go(HERE, t("{name} is deleted.", name=application.display_name))


def service_principal(call: Call) -> Answer:
    """Let the application into this organisation."""
    view = of_path(call)
    made = create_service_principal(call.deps, call.caller, registered(view).app_id)
    if isinstance(made, Refusal):
        raise RefusedError(made)
    return Go(address_of(view), t("{name} may be used in this organisation now.", name=made.display_name))


# ---------------------------------------------------------------- owners


def owner_added(call: Call) -> Answer:
    view = of_path(call)
    application, typed = registered(view), Typed(dict(call.form))
    who = typed.text("who")
    found = exact(picking.principals(call.deps, call.caller, who, picking.PEOPLE), who)
    if found is None:
        typed.wrong("who", t("Nobody, or more than one person, is called so. Write the sign-in name."))
        return show(call, view, typed)
    refusal = add_owner(call.deps, call.caller, application.id, found)
    if refusal is None:
        return Go(address_of(view), t("{name} has another owner.", name=application.display_name))
    if refusal.member != "owner_id":
        raise RefusedError(refusal)
    typed.wrong("who", refusal.message)
    return show(call, view, typed)


def owner_removed(call: Call) -> Answer:
    view = of_path(call)
    refusal = remove_owner(
        call.deps, call.caller, registered(view).id, call.form.get("owner", "").lower()[:36]
    )
    if refusal is not None:
        raise RefusedError(refusal)
    return Go(address_of(view), t("The owner is removed."))


# ---------------------------------------------------------------- the form


def registered(view: ApplicationView) -> Application:
    """The registration of the page; a refusal where it is of another organisation."""
    if view.application is None:
        raise RefusedError(Refusal(Code.NOT_FOUND, "This application is not registered here."))
    return view.application


def _read(typed: Typed) -> dict[str, Any]:
    return {
        "display_name": typed.text("name", 300),
        "public": typed.text("kind") == "public",
        "redirect_uris": _lines(typed, "redirects"),
        "logout_uri": typed.text("logout", 1100) or None,
        "identifier_uris": _lines(typed, "identifiers"),
    }


def _lines(typed: Typed, name: str) -> tuple[str, ...]:
    lines = (line.strip() for line in typed.text(name, _MOST).splitlines())
    return tuple(dict.fromkeys(line for line in lines if line))


def _refused(call: Call, view: ApplicationView | None, typed: Typed, refusal: Refusal) -> Answer:
    field = next((name for name, attribute in _FIELDS.items() if attribute == refusal.member), "")
    typed.wrong(field, refusal.message)
    return _form(call, view, typed, status_of(refusal))


def _form(call: Call, view: ApplicationView | None, typed: Typed, status: int = 200) -> Show:
    may = view.may_manage if view is not None else views.may_register(call.deps, call.caller)
    values = {
        "view": view,
        "typed": typed,
        "may": may,
        "action": f"{HERE}/{view.application.id}/edit" if view and view.application else f"{HERE}/new",
        "back": address_of(view) if view is not None else HERE,
    }
    return Show("application_form.html", values, status, nav=NAV)


def _removal(view: ApplicationView, refusal: Refusal | None = None) -> Show:
    application = registered(view)
    values = {
        "view": view,
        "name": application.display_name,
        "action": f"{HERE}/{application.id}/delete",
        "back": address_of(view),
        "problem": refusal.message if refusal is not None else "",
    }
    status = status_of(refusal) if refusal is not None else 200
    return Show("application_delete.html", values, status, nav=NAV)


PAGES: Final = (
    Page("GET", f"{HERE}/new", new),
    Page("POST", f"{HERE}/new", created),
    Page("GET", f"{HERE}/{{id}}/edit", edit),
    Page("POST", f"{HERE}/{{id}}/edit", changed),
    Page("GET", f"{HERE}/{{id}}/delete", removal),
    Page("POST", f"{HERE}/{{id}}/delete", removed),
    Page("POST", f"{HERE}/{{id}}/service-principal", service_principal),
    Page("POST", f"{HERE}/{{id}}/owners/add", owner_added),
    Page("POST", f"{HERE}/{{id}}/owners/remove", owner_removed),
)
