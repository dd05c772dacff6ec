"""Answers one question of an application from the index: may this subject do this to that now?

    resource type    action                          the subject may, when
    role             use                             the role is in force for him at properties.scope or above it
                     activate                        he could activate it there
    group            use | member, owner             he is in the group, or owns it
                     activate                        he could become its member (properties.access: or its owner)
    scope            an action of a resource role    a role in force there or above allows it, and nothing denies it
    directoryScope   an action of a directory role   the same for directory roles
    any other        any                             as scope, with "{type}/{action}" as the action, at properties.scope
                                                     or at the id where it is a path; else at the root group

docs/reference/authzen.md says it for people. Everything unknown is a no. Nothing here reads the store.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from openpim.core.scopes import TENANT
from openpim.services.decisions.index import DIRECTORY, GROUP, RESOURCE, Index

SUBJECTS: Final = frozenset({"user", "servicePrincipal", "group"})
USE, ACTIVATE, MEMBER, OWNER = "use", "activate", "member", "owner"
ROLE, GROUP_TYPE, SCOPE, DIRECTORY_SCOPE = "role", "group", "scope", "directoryScope"
LONGEST: Final = 500
_GUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\Z")
_DIRECTORY_SCOPE = re.compile(
    r"/(?:(?:administrativeUnits/)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?\Z",
    re.IGNORECASE,
)
_ROOT: Final = (TENANT,)  # of the tree, too
_PLAIN: Final = (TENANT, "")
_PROVIDERS: Final = frozenset({"", DIRECTORY, RESOURCE})
_NONE: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Grantable:
    """What somebody could activate so that the answer is yes."""

    provider: str
    role: str
    scope: str


@dataclass(frozen=True, slots=True)
class Answer:
    """until: as long as nothing changes; microseconds since 1970, 0 for no. cure: of a no. error: (status, message) of a
    question that cannot be answered, which is a no too."""

    until: int = 0
    cure: Grantable | None = None
    error: tuple[int, str] | None = None

    @property
    def decision(self) -> bool:
        return self.until > 0


NO: Final = Answer()


def is_id(text: str) -> bool:
    return _GUID.match(text) is not None


def answer(
    index: Index,
    principal: str,
    action: str,
    type: str,
    id: str,
    properties: Mapping[str, Any] | None,
    now: int,
    *,
    data: bool = False,
) -> Answer:
    """principal: an object id. action, type, id, properties: as sent. data: a data action."""
    if type == ROLE:
        return _role(index, principal, action, id, properties or _NONE, now)
    if type == GROUP_TYPE:
        return _group(index, principal, action, id, properties or _NONE, now)
    return _action(index, principal, action, type, id, properties or _NONE, now, data=data)


def role_named(index: Index, text: str, scope: str, provider: str) -> tuple[str, str] | None:
    """(provider, role id) of a role by its id or its name. Which provider: as said, or as the scope tells."""
    rules = index.rules
    if scope == TENANT and provider != RESOURCE and text in rules.directory_roles:
        return DIRECTORY, text  # nearly always: the rest says the same of it
    wanted = provider or (DIRECTORY if _of_directory(scope) else RESOURCE)
    if wanted == DIRECTORY and text in rules.directory_roles:
        return DIRECTORY, text
    if wanted == RESOURCE and text in rules.resource_roles:
        return RESOURCE, text
    folded = text.lower()
    for one in (wanted,) if provider or scope != TENANT else (DIRECTORY, RESOURCE):
        known = index.role_names(one).get(folded)
        if known is not None:
            return one, known
    return None


def places_of(index: Index, provider: str, scope: str) -> tuple[str, ...]:
    """() for a place that cannot be, or is not there."""
    if scope == TENANT:
        return _ROOT
    if provider == RESOURCE:
        return index.resource_places(scope)
    return index.directory_places(scope) if _DIRECTORY_SCOPE.match(scope) else ()


def _role(
    index: Index, principal: str, action: str, id: str, properties: Mapping[str, Any], now: int
) -> Answer:
    scope, provider = (
        (properties.get("scope", TENANT), properties.get("provider", "")) if properties else _PLAIN
    )
    if not isinstance(scope, str) or provider not in _PROVIDERS:
        return Answer(
            error=(400, 'properties.scope is a path; properties.provider "directory" or "resource".')
        )
    found = role_named(index, id, scope, provider)
    if found is None:
        return Answer(error=(404, "There is no such role."))
    provider, role = found
    places = places_of(index, provider, scope)
    if not places:
        return Answer(error=(404, "There is no such place."))
    if action == USE:
        until = index.holds_until(provider, principal, role, places, now)
        if until:
            return Answer(until)
        if index.eligible_until(provider, principal, role, places, now):
            return Answer(cure=Grantable(provider, role, places[0]))
        return NO
    if action == ACTIVATE:
        return Answer(index.eligible_until(provider, principal, role, places, now))
    return NO


def _group(
    index: Index, principal: str, action: str, id: str, properties: Mapping[str, Any], now: int
) -> Answer:
    group = id.lower()
    access = OWNER if action == OWNER else properties.get("access", MEMBER)
    if access not in {MEMBER, OWNER}:
        return Answer(error=(400, 'properties.access is "member" or "owner".'))
    if action == ACTIVATE:
        return Answer(index.eligible_until(GROUP, principal, access, (group,), now))
    if action not in {USE, MEMBER, OWNER}:
        return NO
    asked = index.owner_until if access == OWNER else index.member_until
    until = asked(principal, group, now)
    if until:
        return Answer(until)
    if index.eligible_until(GROUP, principal, access, (group,), now):
        return Answer(cure=Grantable(GROUP, access, group))
    return NO


def action_of(type: str, action: str) -> str:
    """The action that is looked for in role definitions."""
    return action if type in {SCOPE, DIRECTORY_SCOPE} else f"{type}/{action}"


def place_of(index: Index, type: str, id: str, properties: Mapping[str, Any]) -> str | None:
    """Where it is asked about; None when that cannot be read."""
    if type in {SCOPE, DIRECTORY_SCOPE}:
        return id
    scope = properties.get("scope")
    if scope is None:
        return id if id.startswith("/") else index.top
    return scope if isinstance(scope, str) else None


def _action(
    index: Index,
    principal: str,
    action: str,
    type: str,
    id: str,
    properties: Mapping[str, Any],
    now: int,
    *,
    data: bool,
) -> Answer:
    provider = DIRECTORY if type == DIRECTORY_SCOPE else RESOURCE
    scope, wanted = place_of(index, type, id, properties), action_of(type, action)
    if scope is None:
        return Answer(error=(400, "properties.scope is a path."))
    if len(wanted) > LONGEST or "*" in wanted:
        return Answer(error=(400, f"An action is named whole, in at most {LONGEST} characters."))
    places = places_of(index, provider, scope)
    if not places:
        return Answer(error=(404, "There is no such place."))
    until = index.allowed_until(provider, principal, wanted, places, now, data=data)
    if until:
        return Answer(until)
    cure = index.curing(provider, principal, wanted, places, now, data=data)
    return NO if cure is None else Answer(cure=Grantable(provider, cure, places[0]))


def _of_directory(scope: str) -> bool:
    lowered = scope.lower()
    return not lowered.startswith(("/subscriptions/", "/providers/"))
