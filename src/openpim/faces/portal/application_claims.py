"""What an application is told of people: which claim stands where, groups by id or by name, and when it is told that a
session is over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from openpim.core.directory import Application
from openpim.core.refusals import Refusal
from openpim.core.relying import (
    ALL,
    ASSIGNED,
    BY_NAME,
    NONE,
    SECURITY,
    Claim,
    ClaimSettings,
    LogoutWhen,
    Named,
    Place,
    placed,
)
from openpim.faces.portal.application_form import registered
from openpim.faces.portal.applications import HERE, NAV, of_path
from openpim.faces.portal.call import Answer, Call, Go, Show
from openpim.faces.portal.client_ways import FOLLOWING, PLACES
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.typed import Typed
from openpim.faces.portal.words import t
from openpim.services.directory.application_views import ApplicationView
from openpim.services.directory.applications import update_application
from openpim.services.directory.performing import stamp

SOURCES: Final = (
    (ALL, "All groups"),
    (SECURITY, "Security groups"),
    (ASSIGNED, "Groups that have a role of the application, or access to it"),
    (NONE, "No groups"),
)
WHEN: Final = (
    (LogoutWhen.CHANGE, "When something it is told of begins or ends, and at sign-out"),
    (LogoutWhen.LOSS, "When something it is told of ends, and at sign-out"),
    (LogoutWhen.SIGN_OUT, "At sign-out alone"),
)


def edit(call: Call) -> Answer:
    view = of_path(call)
    application = registered(view)
    return _form(view, Typed({**_fields(application), "seen": stamp(application)}))


def changed(call: Call) -> Answer:
    view = of_path(call)
    application, typed = registered(view), Typed(dict(call.form))
    done = update_application(
        call.deps,
        call.caller,
        application.id,
        {"claims": _read(application.claims, typed)},
        seen=typed.text("seen", 16) or "none",
    )
    if isinstance(done, Refusal):
        typed.wrong("", done.message)
        return _form(view, typed, status_of(done))
    return Go(f"{HERE}/{application.id}", t("What {name} is told is changed.", name=done.display_name))


def box(place: Place, claim: Claim) -> str:
    return f"{place.value}-{claim.value}"


def _fields(application: Application) -> dict[str, str]:
    """The settings as they work now, whatever words they are in."""
    settings = application.claims
    found = {"source": _source(settings), "when": settings.logout_when.value}
    for place, _ in PLACES:
        here = placed(settings, place, has_roles=bool(application.app_roles))
        found |= {box(place, claim): "on" for claim in here.claims}
        if here.by_name:
            found[f"{place.value}-by-name"] = "on"
    return found


def _source(settings: ClaimSettings) -> str:
    known = settings.sources
    return next((one for one in (NONE, ASSIGNED, ALL, SECURITY) if one in known), ALL)


def _read(present: ClaimSettings, typed: Typed) -> ClaimSettings:
    """Everything is named, and what other claims the tokens name stays."""
    source = typed.text("source", 40)
    when = typed.text("when", 20)
    chosen: dict[Place, tuple[Named, ...]] = {}
    for place, _ in PLACES:
        others = tuple(
            one for one in present.named(place) if one.name not in {claim.value for claim in Claim}
        )
        mine = tuple(_named(place, claim, typed) for claim, _ in FOLLOWING if typed.on(box(place, claim)))
        chosen[place] = (*others, *mine)
    return replace(
        present,
        group_claims=source if source in dict(SOURCES) else present.group_claims,
        id_token=chosen[Place.ID_TOKEN],
        access_token=chosen[Place.ACCESS_TOKEN],
        userinfo=chosen[Place.USERINFO],
        only_named=True,
        logout_when=next((one for one, _ in WHEN if one.value == when), present.logout_when),
    )


def _named(place: Place, claim: Claim, typed: Typed) -> Named:
    by_name = claim is Claim.GROUPS and typed.on(f"{place.value}-by-name")
    return Named(claim.value, (BY_NAME,) if by_name else ())


def _form(view: ApplicationView, typed: Typed, status: int = 200) -> Show:
    application = registered(view)
    values: dict[str, Any] = {
        "view": view,
        "application": application,
        "typed": typed,
        "places": PLACES,
        "claims": FOLLOWING,
        "heads": [t("Claim"), *(t(words) for _, words in PLACES)],
        "sources": SOURCES,
        "when": WHEN,
        "box": box,
        "back": f"{HERE}/{application.id}",
    }
    return Show("application_claims.html", values, status, nav=NAV)


PAGES: Final = (
    Page("GET", f"{HERE}/{{id}}/claims", edit),
    Page("POST", f"{HERE}/{{id}}/claims", changed),
)
