"""What an application may do here: as itself, and for the people who sign in to it; whether it may be used at all."""

from __future__ import annotations

import re
from typing import Final

from openpim.core.directory import ServicePrincipal
from openpim.core.refusals import Code, Refusal
from openpim.core.signin.consent import ARM_RESOURCE, GRAPH_RESOURCE, IMPERSONATION, PermissionGrant
from openpim.core.signin.permission_names import GRAPH_PERMISSIONS, OWN_PERMISSIONS
from openpim.core.signin.scopes import GRAPH_DELEGATED, OIDC_SCOPES
from openpim.faces.portal.applications import ENTERPRISE, NAV, address_of, face_of_path, name_of
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show
from openpim.faces.portal.policy_form import Typed
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import t
from openpim.services.directory import application_views as views
from openpim.services.directory import permission_grants as grants
from openpim.services.directory.application_views import ApplicationView, Consent
from openpim.services.directory.performing import stamp
from openpim.services.directory.service_principals import (
    delete_service_principal,
    update_service_principal,
)

OTHER: Final = "other"
AS_ITSELF: Final = (
    *(one for one in GRAPH_PERMISSIONS if one not in {"User.Read", "User.ReadWrite"}),
    *OWN_PERMISSIONS,
)
FOR_PEOPLE: Final = tuple(sorted({*GRAPH_PERMISSIONS, *GRAPH_DELEGATED, *OIDC_SCOPES}, key=str.casefold))
_BOX: Final = "may"


# ---------------------------------------------------------------- as itself


def permissions(call: Call) -> Answer:
    view = face_of_path(call)
    face = _face(view)
    typed = Typed({"seen": stamp(face), **_ticked(face.permissions, AS_ITSELF)})
    return _permissions(view, typed)


def permit(call: Call) -> Answer:
    view = face_of_path(call)
    typed = Typed(dict(call.form))
    face = _face(view)
    done = update_service_principal(
        call.deps,
        call.caller,
        face.id,
        {"permissions": _wanted(call, typed)},
        seen=typed.text("seen", 16) or "none",
    )
    if isinstance(done, Refusal):
        typed.wrong("more" if done.member == "permissions" else "", done.message)
        return _permissions(view, typed, status_of(done))
    return Go(address_of(view), t("What {name} may do as itself is changed.", name=name_of(view)))


def _permissions(view: ApplicationView, typed: Typed, status: int = 200) -> Show:
    values = {
        "view": view,
        "face": _face(view),
        "typed": typed,
        "groups": _groups(AS_ITSELF),
        "back": address_of(view),
    }
    return Show("application_permissions.html", values, status, nav=NAV)


# ---------------------------------------------------------------- for people


def consent(call: Call) -> Answer:
    """With `grant`: to change that one; without: for everybody, at an API to choose."""
    view = face_of_path(call)
    chosen = _grant(call, view, call.query.get("grant", ""))
    if chosen is None:
        return _consent(view, Typed({"api": GRAPH_RESOURCE}), None)
    return _consent(view, Typed(_ticked(chosen.grant.scope, FOR_PEOPLE)), chosen)


def allow(call: Call) -> Answer:
    view = face_of_path(call)
    typed = Typed(dict(call.form))
    chosen = _grant(call, view, typed.text("grant", 36))
    wanted = _wanted(call, typed)
    if not wanted:
        typed.wrong(
            "more", t("Choose what it shall be allowed. To take everything back, revoke the consent.")
        )
        return _consent(view, typed, chosen, 400)
    done = (
        grants.update(call.deps, call.caller, chosen.grant.id, wanted)
        if chosen is not None
        else _for_everybody(call, view, typed, wanted)
    )
    if isinstance(done, Refusal):
        field = {"names": "more", "resource_id": "named"}.get(done.member or "", "")
        typed.wrong(field, done.message)
        return _consent(view, typed, chosen, status_of(done))
    return Go(address_of(view), t("What {name} may do for people is changed.", name=name_of(view)))


def _for_everybody(
    call: Call, view: ApplicationView, typed: Typed, wanted: tuple[str, ...]
) -> PermissionGrant | Refusal:
    """A grant for everybody at this API: a new one, or more in the one that is there."""
    api = typed.text("api", 36)
    named = typed.text("named", 300)
    resource = views.find_api(call.deps, call.caller, named if api == OTHER else api)
    if resource is None:
        said = t("There is no API here that goes by that name. Write its identifier URI or its client ID.")
        return Refusal(Code.INVALID, said, member="resource_id")
    there = next(
        (
            one.grant
            for one in view.consents
            if one.grant.resource_id == resource and one.grant.principal_id is None
        ),
        None,
    )
    if there is not None:
        return grants.update(call.deps, call.caller, there.id, (*there.scope, *wanted))
    return grants.create(call.deps, call.caller, grants.NewGrant(_face(view).id, resource, None, wanted))


def _consent(view: ApplicationView, typed: Typed, chosen: Consent | None, status: int = 200) -> Show:
    values = {
        "view": view,
        "face": _face(view),
        "typed": typed,
        "chosen": chosen,
        "groups": _groups(FOR_PEOPLE),
        "apis": [
            (GRAPH_RESOURCE, views.OWN_APIS[GRAPH_RESOURCE]),
            (ARM_RESOURCE, views.OWN_APIS[ARM_RESOURCE]),
        ],
        "other": OTHER,
        "impersonation": IMPERSONATION,
        "back": address_of(view),
    }
    return Show("application_consent.html", values, status, nav=NAV)


def revoke(call: Call) -> Answer:
    view = face_of_path(call)
    chosen = _grant(call, view, call.form.get("grant", "") or "none")
    refusal = grants.delete(call.deps, call.caller, chosen.grant.id) if chosen is not None else _GONE
    if refusal is not None:
        raise RefusedError(refusal)
    return Go(address_of(view), t("The consent is revoked. It is gone from the tokens that are out as well."))


# ---------------------------------------------------------------- whether it may be used


def switch(call: Call) -> Answer:
    """on: whether it shall be able to sign in."""
    view = face_of_path(call)
    on = call.form.get("on") == "yes"
    done = update_service_principal(call.deps, call.caller, _face(view).id, {"enabled": on})
    if isinstance(done, Refusal):
        raise RefusedError(done)
    name = name_of(view)
    if on:
        return Go(address_of(view), t("{name} may be used again.", name=name))
    return Go(address_of(view), t("{name} is switched off: there are no tokens for it.", name=name))


def removal(call: Call) -> Answer:
    return _removal(face_of_path(call))


def removed(call: Call) -> Answer:
    view = face_of_path(call)
    refusal = delete_service_principal(call.deps, call.caller, _face(view).id)
    if refusal is not None:
        return _removal(view, refusal)
    back = address_of(view) if view.application is not None else ENTERPRISE
    return Go(back, t("{name} is removed from this organisation.", name=name_of(view)))


def _removal(view: ApplicationView, refusal: Refusal | None = None) -> Show:
    face = _face(view)
    values = {
        "view": view,
        "name": face.display_name,
        "action": f"{ENTERPRISE}/{face.id}/delete",
        "back": address_of(view),
        "problem": refusal.message if refusal is not None else "",
    }
    status = status_of(refusal) if refusal is not None else 200
    return Show("enterprise_delete.html", values, status, nav=NAV)


# ---------------------------------------------------------------- names of permissions


def _face(view: ApplicationView) -> ServicePrincipal:
    if view.face is None:
        raise RefusedError(Refusal(Code.NOT_FOUND, "This application may not be used here."))
    return view.face


def _grant(call: Call, view: ApplicationView, wanted: str) -> Consent | None:
    """The consent of this application with this id; None where none was named."""
    if not wanted:
        return None
    found = views.consent(call.deps, call.caller, _face(view).id, wanted.lower()[:36])
    if found is None:
        raise RefusedError(_GONE)
    return found


def _ticked(names: tuple[str, ...], known: tuple[str, ...]) -> dict[str, str]:
    """These permissions as the form has them: a box each, and the field for those that have none."""
    boxes = {f"{_BOX}-{one}": "on" for one in names if one in known}
    return {**boxes, "more": " ".join(one for one in names if one not in known)}


def _wanted(call: Call, typed: Typed) -> tuple[str, ...]:
    more = re.split(r"[\s,]+", typed.text("more", 20_000))
    return tuple(dict.fromkeys(one for one in (*call.picked(_BOX), *more) if one))


def _groups(names: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """By what they are about: the word before the first dot; those of signing in first."""
    found: dict[str, list[str]] = {t("Sign-in"): [one for one in names if "." not in one]}
    for one in names:
        if "." in one:
            found.setdefault(one.partition(".")[0], []).append(one)
    return [(label, several) for label, several in found.items() if several]


_GONE: Final = Refusal(Code.NOT_FOUND, "This consent is not there any more. Look at the application again.")

PAGES: Final = (
    Page("GET", f"{ENTERPRISE}/{{id}}/permissions", permissions),
    Page("POST", f"{ENTERPRISE}/{{id}}/permissions", permit),
    Page("GET", f"{ENTERPRISE}/{{id}}/consent", consent),
    Page("POST", f"{ENTERPRISE}/{{id}}/consent", allow),
    Page("POST", f"{ENTERPRISE}/{{id}}/revoke", revoke),
    Page("POST", f"{ENTERPRISE}/{{id}}/switch", switch),
    Page("GET", f"{ENTERPRISE}/{{id}}/delete", removal),
    Page("POST", f"{ENTERPRISE}/{{id}}/delete", removed),
)
