"""The roles of an application, and who has them: people, groups (an activated group gives its role), applications."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from openpim.core.directory import Application, ServicePrincipal
from openpim.core.query import Compare, Order, Query, UnknownFieldError
from openpim.core.refusals import Code, Refusal
from openpim.core.relying import DEFAULT_ROLE, AppRole
from openpim.faces.portal.application_form import registered
from openpim.faces.portal.applications import ENTERPRISE, HERE, NAV, face_of_path, of_path
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show
from openpim.faces.portal.finding import NOT_OURS, holder_address
from openpim.faces.portal.pick import meant
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.typed import Typed
from openpim.faces.portal.words import t
from openpim.services.directory import app_roles
from openpim.services.directory.application_views import ApplicationView
from openpim.services.directory.applications import update_application
from openpim.services.directory.performing import stamp

SHOWN: Final = 25
_MEMBERS: Final = {"people": ("User",), "applications": ("Application",), "both": ("User", "Application")}


# ---------------------------------------------------------------- the roles


def new(call: Call) -> Answer:
    view = of_path(call)
    typed = Typed({"members": "people", "seen": stamp(registered(view))})
    return _form(view, typed)


def added(call: Call) -> Answer:
    view = of_path(call)
    application, typed = registered(view), Typed(dict(call.form))
    role = AppRole(
        id=call.deps.new_id(),
        value=typed.text("value", 200),
        display_name=typed.text("name", 200),
        description=typed.text("description", 1100),
        members=_MEMBERS.get(typed.text("members", 20), ("User",)),
    )
    done = _saved(call, application, (*application.app_roles, role), typed.text("seen", 16))
    if isinstance(done, Refusal):
        typed.wrong("value" if done.member == "app_roles" else "", done.message)
        return _form(view, typed, status_of(done))
    return Go(f"{HERE}/{application.id}#roles", t("The role {name} is there.", name=role.display_name))


def switched(call: Call) -> Answer:
    view = of_path(call)
    application, role = registered(view), _role(call, view)
    on = call.form.get("on") == "yes"
    roles = tuple(replace(one, enabled=on) if one.id == role.id else one for one in application.app_roles)
    done = _saved(call, application, roles, call.form.get("seen", "")[:16])
    if isinstance(done, Refusal):
        raise RefusedError(done)
    said = (
        t("The role {name} counts.", name=role.display_name)
        if on
        else t("The role {name} counts no more.", name=role.display_name)
    )
    return Go(f"{HERE}/{application.id}#roles", said)


def removed(call: Call) -> Answer:
    view = of_path(call)
    application, role = registered(view), _role(call, view)
    kept = tuple(one for one in application.app_roles if one.id != role.id)
    done = _saved(call, application, kept, call.form.get("seen", "")[:16])
    if isinstance(done, Refusal):
        raise RefusedError(done)
    return Go(f"{HERE}/{application.id}#roles", t("The role {name} is removed.", name=role.display_name))


def _saved(
    call: Call, application: Application, roles: tuple[AppRole, ...], seen: str
) -> Application | Refusal:
    return update_application(
        call.deps, call.caller, application.id, {"app_roles": roles}, seen=seen or "none"
    )


def _role(call: Call, view: ApplicationView) -> AppRole:
    wanted = call.form.get("role", "").lower()[:36]
    found = next((one for one in registered(view).app_roles if one.id == wanted), None)
    if found is None:
        raise RefusedError(Refusal(Code.NOT_FOUND, "The application has no such role any more."))
    return found


def _form(view: ApplicationView, typed: Typed, status: int = 200) -> Show:
    application = registered(view)
    values = {
        "view": view,
        "application": application,
        "typed": typed,
        "back": f"{HERE}/{application.id}",
    }
    return Show("application_role.html", values, status, nav=NAV)


# ---------------------------------------------------------------- who has them


def holders(call: Call) -> Answer:
    return _holders(call, face_of_path(call), Typed({}))


def assigned(call: Call) -> Answer:
    view = face_of_path(call)
    face, typed = _face(view), Typed(dict(call.form))
    who = typed.text("who")
    found = meant(call, who)
    if found is None:
        typed.wrong("who", t("Nobody, or more than one, is called so. Write the sign-in name, or the ID."))
        return _holders(call, view, typed, 400)
    role = typed.text("role", 36)
    known = {one.id for one in _roles(call, face)} | {DEFAULT_ROLE}
    if role not in known:
        typed.wrong("role", t("Choose one of the roles."))
        return _holders(call, view, typed, 400)
    done = app_roles.assign(call.deps, call.caller, found, face.id, role)
    if isinstance(done, Refusal):
        field = {"principal_id": "who", "app_role_id": "role"}.get(done.member or "", "")
        typed.wrong(field, done.message)
        return _holders(call, view, typed, status_of(done))
    return Go(f"{ENTERPRISE}/{face.id}/roles", t("The role is given."))


def taken(call: Call) -> Answer:
    face = _face(face_of_path(call))
    key = call.form.get("assignment", "").lower()[:36]
    refusal = app_roles.unassign(call.deps, call.caller, key, of=face.id)
    if refusal is not None:
        raise RefusedError(refusal)
    return Go(f"{ENTERPRISE}/{face.id}/roles", t("The role is taken back."))


def _face(view: ApplicationView) -> ServicePrincipal:
    if view.face is None:
        raise RefusedError(Refusal(Code.NOT_FOUND, "This application may not be used here."))
    return view.face


def _roles(call: Call, face: ServicePrincipal) -> tuple[AppRole, ...]:
    return app_roles.roles_of(call.deps, call.caller, face.app_id)


def _holders(call: Call, view: ApplicationView, typed: Typed, status: int = 200) -> Show:
    face = _face(view)
    after = call.query.get("after") or None
    query = Query(where=Compare("resource_id", "eq", face.id), order=(Order("id"),), limit=SHOWN, after=after)
    try:
        rows = app_roles.page(call.deps, call.caller, query)
    except UnknownFieldError as error:
        raise RefusedError(NOT_OURS) from error
    values: dict[str, Any] = {
        "view": view,
        "face": face,
        "rows": rows.items,
        "next": rows.next,
        "first": after is None,
        "roles": [one for one in _roles(call, face) if one.enabled],
        "access": DEFAULT_ROLE,
        "typed": typed,
        "may": app_roles.may_assign(call.deps, call.caller, face.id),
        "address": holder_address,
        "back": f"{ENTERPRISE}/{face.id}",
    }
    return Show("application_holders.html", values, status, nav=NAV)


PAGES: Final = (
    Page("GET", f"{HERE}/{{id}}/roles/new", new),
    Page("POST", f"{HERE}/{{id}}/roles/new", added),
    Page("POST", f"{HERE}/{{id}}/roles/switch", switched),
    Page("POST", f"{HERE}/{{id}}/roles/remove", removed),
    Page("GET", f"{ENTERPRISE}/{{id}}/roles", holders),
    Page("POST", f"{ENTERPRISE}/{{id}}/roles/assign", assigned),
    Page("POST", f"{ENTERPRISE}/{{id}}/roles/unassign", taken),
)
