"""Applications: those registered here, those that may be used here, and one of them with all that belongs to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from openpim.core.directory import Application
from openpim.core.query import Compare, Query, UnknownFieldError
from openpim.core.query import Page as Rows
from openpim.core.refusals import Refusal
from openpim.faces.portal import client_ways
from openpim.faces.portal.call import Answer, Call, RefusedError, Show, settled
from openpim.faces.portal.finding import NOT_OURS, holder_address, search
from openpim.faces.portal.policy_form import Typed
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import t
from openpim.services import browse
from openpim.services.directory import application_owners
from openpim.services.directory import application_views as views
from openpim.services.directory.application_views import ApplicationView
from openpim.services.directory.performing import stamp

NAV: Final = "applications"
HERE: Final = "/portal/applications"
ENTERPRISE: Final = "/portal/enterprise"
_ID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def listing(call: Call) -> Answer:
    values = _found(call, lambda query: browse.applications(call.deps, call.caller, query))
    return Show("applications.html", {**values, "owned": False}, nav=NAV)


def owned_listing(call: Call) -> Answer:
    values = _found(call, lambda query: application_owners.owned(call.deps, call.caller, query))
    return Show("applications.html", {**values, "owned": True}, nav=NAV)


def enterprise_listing(call: Call) -> Answer:
    values = _found(call, lambda query: browse.service_principals(call.deps, call.caller, query))
    return Show("enterprise.html", values, nav=NAV)


def one(call: Call) -> Answer:
    return show(call, of_path(call))


def enterprise_one(call: Call) -> Answer:
    return show(call, face_of_path(call))


# ---------------------------------------------------------------- what the other files of these screens share


def of_path(call: Call) -> ApplicationView:
    """The registration that the path names."""
    return _view(call, views.registration)


def face_of_path(call: Call) -> ApplicationView:
    """The service principal that the path names."""
    return _view(call, views.enterprise)


def _view(call: Call, look: Callable[..., ApplicationView | Refusal]) -> ApplicationView:
    key = call.params["id"].lower()[:36]
    try:
        return settled(look(call.deps, call.caller, key, call.query.get("consents") or None))
    except UnknownFieldError as error:
        raise RefusedError(NOT_OURS) from error


def show(call: Call, view: ApplicationView, typed: Typed | None = None) -> Show:
    """The page of one application: by its registration where it has one here and was asked for by it. typed: what was
    typed for another owner."""
    by_face = call.path.startswith(ENTERPRISE)
    values = {
        "view": view,
        "by_face": by_face,
        "base": f"{ENTERPRISE if by_face else HERE}/{call.params['id'].lower()[:36]}",
        "redirects": redirects_of(view.application),
        "first": "consents" not in call.query,
        "address": holder_address,
        "typed": typed or Typed({}),
        "seen": stamp(view.application) if view.application is not None else "",
        "told": client_ways.told(view.application) if view.application is not None and not by_face else (),
        "ways": client_ways.of_application(call.deps.settings, call.presence.tenant, view.application)
        if view.application is not None and not by_face
        else None,
    }
    return Show("application.html", values, 400 if typed is not None else 200, nav=NAV)


def name_of(view: ApplicationView) -> str:
    found = view.application or view.face
    return found.display_name if found is not None else ""


def address_of(view: ApplicationView) -> str:
    """The page of an application: that of its registration, where it has one here."""
    if view.application is not None:
        return f"{HERE}/{view.application.id}"
    return f"{ENTERPRISE}/{view.face.id}" if view.face is not None else ENTERPRISE


def platform_of(uri: str, *, public: bool) -> str:
    """What sort of program waits at a redirect address, in Entra's words."""
    if not public:
        return t("Web")
    parts = urlsplit(uri)
    if parts.scheme == "https":
        return t("Single-page application")
    return t("Mobile and desktop applications")


def redirects_of(application: Application | None) -> list[tuple[str, list[str]]]:
    """The redirect addresses, by platform."""
    found: dict[str, list[str]] = {}
    for uri in application.redirect_uris if application is not None else ():
        found.setdefault(platform_of(uri, public=application is not None and application.public), []).append(
            uri
        )
    return list(found.items())


def _found(call: Call, ask: Any) -> dict[str, Any]:
    """By name, or by the client id where one was typed."""
    text = call.query.get("q", "").strip()
    if not _ID.fullmatch(text):
        return search(call, ask)
    rows: Rows[Any] | Refusal = ask(Query(where=Compare("app_id", "eq", text.lower()), limit=1))
    return {"rows": settled(rows).items, "q": text, "first": True, "query": "", "next": None}


PAGES = (
    Page("GET", HERE, listing),
    Page("GET", f"{HERE}/owned", owned_listing),
    Page("GET", ENTERPRISE, enterprise_listing),
    Page("GET", f"{HERE}/{{id}}", one),
    Page("GET", f"{ENTERPRISE}/{{id}}", enterprise_one),
)
