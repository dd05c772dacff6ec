"""Suggestions for the fields where a person, a group, a role or a place is typed, as JSON for static/picker.mjs.

Who may be told what is decided by the act, as for the lists of the same things; without a script nobody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from openpim.core.grants import Provider
from openpim.faces.portal.call import Answer, Call, Data
from openpim.faces.portal.resources import KINDS as PLACE_KINDS
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import t
from openpim.services import picking
from openpim.services.picking import Choice

KINDS: Final[Mapping[str, str]] = {
    "group": "Group",
    "servicePrincipal": "Application",
    "tenant": "The whole tenant",
    "unit": "Administrative unit",
    "custom": "Custom role",
    **{kind.value: words for kind, words in PLACE_KINDS.items()},
}


def suggest(call: Call) -> Answer:
    """q: what is typed. of: a key of OF; anything else is nothing."""
    text = call.query.get("q", "")[:200]
    fitting = OF.get(call.query.get("of", ""))
    found = fitting(call, text) if fitting is not None else ()
    return Data({"items": [_item(one) for one in found]})


def _item(one: Choice) -> dict[str, str]:
    sort = t(KINDS[one.kind]) if one.kind in KINDS else t(KINDS.get(one.more, ""))
    more = one.more if one.more not in KINDS else ""
    return {"value": one.written, "name": one.name, "more": " · ".join(part for part in (sort, more) if part)}


def meant(call: Call, text: str) -> str | None:
    """The id of the one person, group or application that is called exactly so; None where that is not clear."""
    return exact(picking.principals(call.deps, call.caller, text), text)


def exact(found: tuple[Choice, ...], text: str) -> str | None:
    """Of what fits, the id of the one thing that is meant by these very words."""
    wanted = text.strip().casefold()
    fitting = {one.id for one in found if wanted in {one.id, one.written.casefold(), one.name.casefold()}}
    return fitting.pop() if len(fitting) == 1 else None


def provider_of(call: Call) -> Provider:
    return next((one for one in Provider if one.value == call.query.get("provider")), Provider.DIRECTORY)


OF: Final[Mapping[str, Callable[[Call, str], tuple[Choice, ...]]]] = {
    "person": lambda call, text: picking.principals(call.deps, call.caller, text, picking.PEOPLE),
    "group": lambda call, text: picking.principals(call.deps, call.caller, text, picking.GROUPS),
    "application": lambda call, text: picking.principals(call.deps, call.caller, text, picking.APPLICATIONS),
    "approver": lambda call, text: picking.principals(call.deps, call.caller, text, picking.APPROVERS),
    "principal": lambda call, text: picking.principals(call.deps, call.caller, text),
    "role": lambda call, text: picking.roles(call.deps, call.caller, provider_of(call), text),
    "place": lambda call, text: picking.places(call.deps, call.caller, provider_of(call), text),
}
PAGES = (Page("GET", "/portal/pick", suggest),)
