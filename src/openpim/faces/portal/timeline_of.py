"""Of whom or what a timeline is: what an address names by ids, and what a person types, who then may have to say which of
several he means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from openpim.core.directory import ServicePrincipal, User
from openpim.core.grants import Provider
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import ROOT, canonical
from openpim.core.scopes import ADMINISTRATIVE_UNITS, TENANT
from openpim.faces.portal import pick
from openpim.faces.portal.call import Call, RefusedError, settled
from openpim.faces.portal.words import t
from openpim.services import browse, picking, timeline
from openpim.services.picking import Choice
from openpim.services.resources import browse as places
from openpim.services.timeline import Timeline

FIELDS = ("person", "role", "scope")
_ID = re.compile(r"[0-9a-fA-F-]{36}")
_ASK_FOR = Refusal(
    Code.NOT_FOUND, "Ask for a person, a role or a place: person=…, role=directory:…, scope=resource:/…"
)


@dataclass(frozen=True, slots=True)
class Time:
    """Which, and how many of the newest stretches in it are shown."""

    since: datetime
    until: datetime
    most: int


@dataclass(frozen=True, slots=True)
class Subject:
    """What it is the timeline of. query: as it stands in the address. written: as a person types it; provider: in which
    list of roles or places that is."""

    kind: str
    name: str
    query: tuple[tuple[str, str], ...]
    found: Timeline
    written: str
    provider: Provider = Provider.DIRECTORY


@dataclass(frozen=True, slots=True)
class Question:
    """What was typed means nothing, or several things: these, with the address of each one's timeline."""

    field: str
    choices: tuple[tuple[Choice, str], ...]


def subject(call: Call, time: Time, rest: dict[str, str]) -> Subject | Question:
    """rest: what else stands in the addresses that a question offers."""
    typed = {name: call.query.get(name, "").strip()[:620] for name in FIELDS}
    provider = pick.provider_of(call)
    if typed["role"]:
        if not _is_key(typed["role"]):
            found = picking.roles(call.deps, call.caller, provider, typed["role"])
            return _meant(call, "role", found, typed["role"], time, rest)
        return _role(call, typed["role"], time)
    if typed["scope"]:
        if not _is_key(typed["scope"]):
            return _scope_typed(call, provider, typed["scope"], time, rest)
        return _scope(call, typed["scope"], time)
    if typed["person"] and not _ID.fullmatch(typed["person"]):
        found = picking.principals(call.deps, call.caller, typed["person"])
        return _meant(call, "person", found, typed["person"], time, rest)
    return _person(call, typed["person"].lower() or call.caller.principal_id, time)


def _meant(
    call: Call,
    field: str,
    found: tuple[Choice, ...],
    text: str,
    time: Time,
    rest: dict[str, str],
) -> Subject | Question:
    """What fits, if it is one thing or one thing is called exactly so."""
    provider = pick.provider_of(call)
    only = found[0].id if len(found) == 1 else pick.exact(found, text)
    if only is None:
        prefix = "" if field == "person" else f"{provider.value}:"
        asked = [(one, "/portal/timeline?" + urlencode({field: prefix + one.id, **rest})) for one in found]
        return Question(field, tuple(asked))
    match field:
        case "role":
            return _role(call, f"{provider.value}:{only}", time)
        case "scope":
            return _scope(call, f"{provider.value}:{only}", time)
        case _:
            return _person(call, only, time)


def _scope_typed(
    call: Call, provider: Provider, text: str, time: Time, rest: dict[str, str]
) -> Subject | Question:
    if text.startswith("/") and provider is not Provider.GROUP:
        return _scope(call, f"{provider.value}:{text}", time)
    found = picking.places(call.deps, call.caller, provider, text)
    return _meant(call, "scope", found, text, time, rest)


def _is_key(text: str) -> bool:
    """provider:what, as our own links have it."""
    return text.partition(":")[0] in {one.value for one in Provider} and ":" in text


# ---------------------------------------------------------------- by ids


def _person(call: Call, key: str, time: Time) -> Subject:
    key = key[:36]
    found = settled(timeline.of_person(call.deps, call.caller, key, time.since, time.until, time.most))
    who = browse.objects(call.deps, call.caller, [key]).get(key)
    name = who.display_name if who is not None else key
    (known, *_) = picking.principals(call.deps, call.caller, key) or (None,)
    return Subject(
        "person" if isinstance(who, User | ServicePrincipal) else "group",
        name,
        (("person", key),),
        found,
        known.written if known is not None else key,
    )


def _role(call: Call, text: str, time: Time) -> Subject:
    provider, role_id = _read(text)
    role_id = role_id.lower()
    found = timeline.of_role(call.deps, call.caller, provider, role_id, time.since, time.until, time.most)
    match provider:
        case Provider.DIRECTORY:
            written = name = settled(browse.role_definition(call.deps, call.caller, role_id)).display_name
        case Provider.RESOURCE:
            roles = places.facts(call.deps, call.caller, roles=[role_id]).roles
            # What such a role is called is for those to know who see where it is held.
            if role_id not in roles or not (found.everything or found.stretches or roles[role_id].built_in):
                raise RefusedError(_ASK_FOR)
            written = name = roles[role_id].name
        case Provider.GROUP:
            if role_id not in {"member", "owner"}:
                raise RefusedError(_ASK_FOR)
            name = t("Members of groups") if role_id == "member" else t("Owners of groups")
            written = role_id.capitalize()
    return Subject("role", name, (("role", f"{provider.value}:{role_id}"),), found, written, provider)


def _scope(call: Call, text: str, time: Time) -> Subject:
    provider, scope = _read(text)
    written = scope
    match provider:
        case Provider.GROUP:
            scope = scope.lower()
            name = settled(browse.group(call.deps, call.caller, scope)).display_name
            (known, *_) = picking.principals(call.deps, call.caller, scope) or (None,)
            written = known.written if known is not None else scope
        case Provider.RESOURCE:
            scope = canonical(scope)
            name = t("Tenant root")
            if scope != ROOT:
                name = settled(places.get(call.deps, call.caller, scope)).display_name
        case Provider.DIRECTORY:
            scope, name = _directory_scope(call, scope)
    found = timeline.of_scope(call.deps, call.caller, provider, scope, time.since, time.until, time.most)
    return Subject("scope", name, (("scope", f"{provider.value}:{scope}"),), found, written, provider)


def _directory_scope(call: Call, scope: str) -> tuple[str, str]:
    if scope in {"", TENANT}:
        return TENANT, settled(browse.tenant(call.deps, call.caller)).name
    if not scope.lower().startswith(ADMINISTRATIVE_UNITS.lower()):
        raise RefusedError(_ASK_FOR)
    key = scope[len(ADMINISTRATIVE_UNITS) :].lower()
    unit = settled(browse.administrative_unit(call.deps, call.caller, key))
    return ADMINISTRATIVE_UNITS + unit.id, unit.display_name


def _read(text: str) -> tuple[Provider, str]:
    """provider:what"""
    kind, _, rest = text.partition(":")
    provider = next((one for one in Provider if one.value == kind), None)
    if provider is None or not rest:
        raise RefusedError(_ASK_FOR)
    return provider, rest.strip()
