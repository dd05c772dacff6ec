"""What the lists of people, groups, units and places share: searching by name, a page at a time, and who can become what
at the thing that is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlencode

from openpim.core.grants import Kind, Provider
from openpim.core.query import Compare, Order, Page, Query, Some, UnknownFieldError
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal.call import Call, RefusedError, settled
from openpim.faces.portal.paging import page_number
from openpim.services import becoming
from openpim.services.becoming import Becoming

A_PAGE = 50
ANYWHERE = "anywhere"
T = TypeVar("T")


def search(
    call: Call,
    ask: Callable[[Query], Page[T] | Refusal],
    anywhere: tuple[str, ...] = ("display_name",),
) -> dict[str, Any]:
    """The page that was asked for: by name, those that begin with what was typed, and where none does, those that have
    it anywhere in these fields. The values that `finding.html` needs."""
    text = call.query.get("q", "").strip()[:100]
    mode = call.query.get("in", "")
    query = Query(order=(Order("display_name"),), limit=A_PAGE, after=call.query.get("after") or None)
    field = "user_principal_name" if "@" in text and "user_principal_name" in anywhere else "display_name"
    if text and mode != ANYWHERE:
        found = asked(ask, replace(query, where=Compare(field, "startswith", text)))
        if not found.items and query.after is None:
            mode = ANYWHERE
    if text and mode == ANYWHERE:
        within = Some(tuple(Compare(one, "contains", text) for one in anywhere))
        found = asked(ask, replace(query, where=within))
    if not text:
        found = asked(ask, query)
    kept = {name: value for name, value in (("q", text), ("in", mode if text else "")) if value}
    return {
        "rows": found.items,
        "q": text,
        "first": query.after is None,
        "query": urlencode(kept) + "&" if kept else "",
        "next": found.next,
    }


def asked(ask: Callable[[Query], Page[T] | Refusal], query: Query) -> Page[T]:
    try:
        return settled(ask(query))
    except UnknownFieldError as error:
        raise RefusedError(NOT_OURS) from error


def here(call: Call, provider: Provider, scope: str) -> Mapping[str, Any]:
    """Who can become what at a place, as far as the caller may know: the values that `rights_here.html` needs."""
    kind = Kind.ASSIGNMENT if call.query.get("kind") == "active" else Kind.ELIGIBILITY
    try:
        found = becoming.at_place(
            call.deps, call.caller, provider, scope, kind, call.query.get("rights") or None
        )
    except UnknownFieldError as error:
        raise RefusedError(NOT_OURS) from error
    return {"here": settled(found), "kind": kind, "address": holder_address}


def rights_of(call: Call, key: str) -> Becoming:
    """What somebody can become and is: the pages that the address asks for (`can`, `holds`)."""
    can, holds = (page_number(call.query.get(name, "")) for name in ("can", "holds"))
    return settled(becoming.of_principal(call.deps, call.caller, key, eligible=can, active=holds))


def holder_address(kind: str, principal_id: str) -> str:
    """The page of a person, an application or a group."""
    return f"/portal/{'groups' if kind == 'group' else 'people'}/{principal_id}"


NOT_OURS = Refusal(Code.INVALID, "The address of this page is not one of ours. Begin again at the list.")
