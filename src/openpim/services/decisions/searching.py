"""Who, what and which: the three searches. Candidates come from the store or the index, and each is asked about before it
is told, so that a result that is evaluated right afterwards is a yes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from openpim.core.decisions import micros
from openpim.core.grants import Kind, Provider
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.decisions.asking import (
    ACTIVATE,
    DIRECTORY_SCOPE,
    GROUP_TYPE,
    MEMBER,
    OWNER,
    ROLE,
    SCOPE,
    SUBJECTS,
    USE,
    action_of,
    answer,
    is_id,
    place_of,
    places_of,
    role_named,
)
from openpim.services.decisions.index import DIRECTORY, RESOURCE, Index

MOST: Final = 100_000  # candidates that one search looks at


@dataclass(frozen=True, slots=True)
class Found:
    """key: what the results are in the order of. type "" and properties none for an action."""

    key: str
    id: str
    properties: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked about, without what is looked for. properties: of the resource."""

    action: str = ""
    type: str = ""
    id: str = ""
    properties: Mapping[str, Any] | None = None
    data: bool = False


def subjects(
    deps: Deps, tenant_id: str, index: Index, kind: str, wanted: Wanted, now: datetime
) -> list[Found]:
    """Everybody of the kind who may do it, by id."""
    if kind not in SUBJECTS:
        return []

    def work(tx: Transaction) -> list[Found]:
        ids = set(islice(_holders(tx, index, wanted, now), MOST))
        known = tx.principals.many(ids)
        instant = micros(now)
        return [
            Found(one, one, {"displayName": known[one].display_name})
            for one in sorted(known)
            if known[one].kind.value == kind and _may(index, one, wanted, instant)
        ]

    return deps.store.read(tenant_id, work)


def resources(index: Index, principal: str, type: str, wanted: Wanted, now: datetime) -> list[Found]:
    """Everything of a type on which he may do it. Roles come once for each place."""
    at, action = micros(now), wanted.action
    found: dict[str, Found] = {}
    if type == ROLE and action in {USE, ACTIVATE}:
        asked = index.held_by if action == USE else index.eligible_for
        for provider in (DIRECTORY, RESOURCE):
            for role, scope, _ in asked(provider, principal, at):
                properties = {"provider": provider, "scope": scope}
                found[f"{role} {scope}"] = Found(f"{role} {scope}", role, properties)
    elif type == GROUP_TYPE:
        if action in {USE, MEMBER}:
            ids = list(index.groups_of(principal, at))
        elif action == OWNER:
            ids = index.owned_by(principal, at)
        elif action == ACTIVATE:
            ids = [group for role, group, _ in index.eligible_for("group", principal, at) if role == MEMBER]
        else:
            ids = []
        found = {one: Found(one, one) for one in ids}
    else:
        provider = DIRECTORY if type == DIRECTORY_SCOPE else RESOURCE
        places = {scope for _, scope, _ in index.held_by(provider, principal, at)}
        found = {one: Found(one, one) for one in places}
    return [
        found[key]
        for key in sorted(found)
        if answer(
            index, principal, action, type, found[key].id, found[key].properties, at, data=wanted.data
        ).decision
    ]


def actions(index: Index, principal: str, wanted: Wanted, now: datetime) -> list[Found]:
    """What he may do to it. Of actions with wildcards in role definitions only those without are named."""
    at = micros(now)
    if wanted.type == ROLE:
        names: set[str] = {USE, ACTIVATE}
    elif wanted.type == GROUP_TYPE:
        names = {USE, MEMBER, OWNER, ACTIVATE}
    else:
        names = _action_names(index, principal, wanted, at)
    return [
        Found(name, name)
        for name in sorted(names)
        if answer(index, principal, name, wanted.type, wanted.id, wanted.properties, at).decision
    ]


def _may(index: Index, principal: str, wanted: Wanted, now: int) -> bool:
    return answer(
        index,
        principal,
        wanted.action,
        wanted.type,
        wanted.id,
        wanted.properties,
        now,
        data=wanted.data,
    ).decision


def _action_names(index: Index, principal: str, wanted: Wanted, now: int) -> set[str]:
    provider = DIRECTORY if wanted.type == DIRECTORY_SCOPE else RESOURCE
    prefix = "" if wanted.type in {SCOPE, DIRECTORY_SCOPE} else f"{wanted.type}/".lower()
    found = set()
    for role_id, _, _ in index.held_by(provider, principal, now):
        if provider == DIRECTORY:
            definition = index.rules.directory_roles.get(role_id)
            given: tuple[str, ...] = definition.actions if definition is not None else ()
        else:
            role = index.rules.resource_roles.get(role_id)
            given = tuple(action for part in role.permissions for action in part.actions) if role else ()
        found |= {one[len(prefix) :] for one in given if "*" not in one and one.lower().startswith(prefix)}
    return found


def _holders(tx: Transaction, index: Index, wanted: Wanted, now: datetime) -> Iterator[str]:
    """Whoever comes into question, himself or through a group, perhaps more than once."""
    for provider, kind, role, place in _grants(index, wanted):
        for schedule in tx.schedules.of_role(provider, kind, role, place, now=now):
            yield schedule.principal_id
            yield from tx.groups.transitive_member_ids(schedule.principal_id, now)
    if wanted.type == GROUP_TYPE and is_id(wanted.id):
        yield from tx.groups.transitive_member_ids(wanted.id.lower(), now)
        yield from tx.decisions.owners_of([wanted.id.lower()])


def _grants(index: Index, wanted: Wanted) -> Iterator[tuple[Provider, Kind, str, str]]:
    """The roles and places whose holders may do it."""
    properties = wanted.properties or {}
    kind = Kind.ELIGIBILITY if wanted.action == ACTIVATE else Kind.ASSIGNMENT
    if wanted.type == GROUP_TYPE:
        for access in (MEMBER, OWNER) if is_id(wanted.id) else ():
            yield Provider.GROUP, kind, access, wanted.id.lower()
        return
    if wanted.type == ROLE:
        scope, provider = properties.get("scope", "/"), properties.get("provider", "")
        found = role_named(index, wanted.id, scope, provider) if isinstance(scope, str) else None
        if found is not None:
            for place in places_of(index, found[0], scope):
                yield Provider(found[0]), kind, found[1], place
        return
    provider = DIRECTORY if wanted.type == DIRECTORY_SCOPE else RESOURCE
    at, action = place_of(index, wanted.type, wanted.id, properties), action_of(wanted.type, wanted.action)
    for place in places_of(index, provider, at) if at is not None else ():
        for role in index.roles_giving(provider, action, data=wanted.data):
            yield Provider(provider), Kind.ASSIGNMENT, role, place
