"""The claims that follow what a person holds: read from the store at each call, with the instants at which they end.

`roles` are the application's own roles where it has any: given to the person or to a group he is in now, so that activating
a group gives an application role. An application without roles of its own is told the names of the directory roles.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from openpim.core.directory import Application
from openpim.core.first_party import APPLICATIONS as FIRST_PARTY
from openpim.core.grants import Kind, Provider
from openpim.core.relying import ALL, ASSIGNED, PLAIN, SECURITY, Claim, ClaimSettings, Place, Placed, placed
from openpim.core.relying import AppRoleAssignment as Assignment
from openpim.core.scopes import TENANT
from openpim.core.signin.consent import OWN_RESOURCES, Audience
from openpim.ports.store import Transaction
from openpim.services.authority import identities
from openpim.services.membership import left_at
from openpim.services.signin.roles import union_ends

EVERYTHING = Placed(frozenset(Claim))
_OWN_APIS = Placed(frozenset({Claim.WIDS}))
End = datetime | None  # None: for good


@dataclass(frozen=True, slots=True)
class Values:
    """claims: as they stand in a token. ends: of each value that is time-bound."""

    claims: dict[str, list[str]]
    ends: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class _Person:
    """who: he and every group he is in. left: when he leaves each of them, as far as that is known."""

    id: str
    who: frozenset[str]
    left: Mapping[str, datetime]
    now: datetime

    @property
    def groups(self) -> frozenset[str]:
        return self.who - {self.id}


def wanted_in(application: Application, place: Place) -> Placed:
    """What this application is told there. The clients that everybody has are told all by userinfo, and nothing in ID
    tokens: they show no one's claims."""
    return placed(application.claims, place, has_roles=bool(application.app_roles))


def in_access_token(tx: Transaction, audience: Audience, user_id: str, now: datetime) -> Values:
    """What an access token for this API carries: `wids` for our own, whatever the application behind another one is to be
    told."""
    if audience.resource_id in OWN_RESOURCES:
        return values_of(tx, None, user_id, now, _OWN_APIS)
    application = tx.applications.by_app_id(audience.address)
    if application is None:
        return Values({})
    return values_of(tx, application, user_id, now, wanted_in(application, Place.ACCESS_TOKEN))


def wanted_anywhere(application: Application) -> frozenset[Claim]:
    return frozenset(claim for place in Place for claim in wanted_in(application, place).claims)


def values_of(
    tx: Transaction, application: Application | None, user_id: str, now: datetime, wanted: Placed
) -> Values:
    """tx: of the tenant in which the application is used. application None: nothing is narrowed to it."""
    if not wanted.claims:
        return Values({})
    person = _person(tx, user_id, now)
    return _values(tx, application, person, wanted, person.groups)


def values_by(
    tx: Transaction,
    application: Application,
    user_id: str,
    now: datetime,
    wanted: Placed,
    *,
    role_id: str = "",
    group_id: str = "",
) -> Values:
    """Only what comes by one directory role (role_id), or by being in one group (group_id)."""
    person = _person(tx, user_id, now)
    if group_id:
        by_group = frozenset({group_id}) | tx.groups.groups_of(group_id, now)
        narrowed = _Person(user_id, person.who & by_group, person.left, now)
        return _values(tx, application, narrowed, wanted, narrowed.who)
    return _dressed(tx, application, wanted, {}, {role_id: None} if role_id else {}, {})


def _person(tx: Transaction, user_id: str, now: datetime) -> _Person:
    who = identities(tx, user_id, now)
    return _Person(user_id, who, left_at(tx, user_id, who, who - {user_id}, now), now)


def _values(
    tx: Transaction,
    application: Application | None,
    person: _Person,
    wanted: Placed,
    groups: Collection[str],
) -> Values:
    own_roles = application is not None and bool(application.app_roles)
    at_application = _assignments(tx, application, person, wanted) if application is not None else []
    wids: dict[str, End] = {}
    if Claim.WIDS in wanted.claims or (Claim.ROLES in wanted.claims and not own_roles):
        wids = _directory_roles(tx, person)
    roles: dict[str, End] = {}
    if Claim.ROLES in wanted.claims and own_roles and application is not None:
        roles = _app_roles(application, at_application, person)
    told: dict[str, End] = {}
    if wanted.claims & {Claim.GROUPS, Claim.GROUP_NAMES}:
        settings = application.claims if application is not None else PLAIN
        told = _groups(tx, settings, person, groups, at_application)
    return _dressed(tx, application, wanted, told, wids, roles)


def _dressed(
    tx: Transaction,
    application: Application | None,
    wanted: Placed,
    groups: Mapping[str, End],
    wids: Mapping[str, End],
    roles: Mapping[str, End],
) -> Values:
    claims: dict[str, list[str]] = {}
    ends: list[datetime] = []

    def tell(claim: Claim, values: Iterable[str], held: Mapping[str, End]) -> None:
        if claim in wanted.claims:
            claims[claim.value] = sorted(values)
            ends.extend(end for end in held.values() if end is not None)

    if application is not None and application.app_roles:
        tell(Claim.ROLES, roles, roles)
    else:
        names = tx.roles.many(wids) if Claim.ROLES in wanted.claims else {}
        tell(Claim.ROLES, {one.display_name for one in names.values()}, wids)
    tell(Claim.WIDS, wids, wids)
    named = Claim.GROUP_NAMES in wanted.claims or (wanted.by_name and Claim.GROUPS in wanted.claims)
    found = tx.groups.many(groups) if named else {}
    names_of_groups = [group.display_name for group in found.values()]
    tell(Claim.GROUPS, names_of_groups if wanted.by_name else groups, groups)
    tell(Claim.GROUP_NAMES, names_of_groups, groups)
    return Values(claims, tuple(ends))


def _directory_roles(tx: Transaction, person: _Person) -> dict[str, End]:
    held = tx.schedules.of(person.who, provider=Provider.DIRECTORY, kind=Kind.ASSIGNMENT, live_at=person.now)
    return union_ends(
        (one.role_id, _earlier(one.ends_at, person.left.get(one.principal_id)))
        for one in held
        if one.in_force(person.now) and one.scope == TENANT
    )


def _earlier(one: End, other: End) -> End:
    return min((end for end in (one, other) if end is not None), default=None)


def _assignments(
    tx: Transaction, application: Application, person: _Person, wanted: Placed
) -> list[Assignment]:
    own = Claim.ROLES in wanted.claims and application.app_roles
    if not own and not (
        ASSIGNED in application.claims.sources and wanted.claims & {Claim.GROUPS, Claim.GROUP_NAMES}
    ):
        return []
    if application.app_id in FIRST_PARTY:
        return []
    face = tx.service_principals.by_app_id(application.app_id)
    return tx.app_role_assignments.of(person.who, face.id) if face is not None else []


def _app_roles(
    application: Application, assignments: Iterable[Assignment], person: _Person
) -> dict[str, End]:
    values = {one.id: one.value for one in application.app_roles if one.enabled and "User" in one.members}
    return union_ends(
        (values[one.app_role_id], person.left.get(one.principal_id))
        for one in assignments
        if one.app_role_id in values
    )


def _groups(
    tx: Transaction,
    settings: ClaimSettings,
    person: _Person,
    groups: Collection[str],
    assignments: Iterable[Assignment],
) -> dict[str, End]:
    found = tx.groups.many(groups)
    if ASSIGNED in settings.sources:
        kept = {one.principal_id for one in assignments}
    elif SECURITY in settings.sources and ALL not in settings.sources:
        kept = {one.id for one in found.values() if one.security_enabled}
    else:
        kept = set(found)
    return {key: person.left.get(key) for key in found if key in kept}


def roles_of_client(
    tx: Transaction, application: Application, service_principal_id: str, now: datetime
) -> dict[str, End]:
    """The roles that an application acting as itself has at another: values, each with its end."""
    face = tx.service_principals.by_app_id(application.app_id)
    values = {
        one.id: one.value for one in application.app_roles if one.enabled and "Application" in one.members
    }
    if face is None or not values:
        return {}
    client = _person(tx, service_principal_id, now)
    return union_ends(
        (values[one.app_role_id], client.left.get(one.principal_id))
        for one in tx.app_role_assignments.of(client.who, face.id)
        if one.app_role_id in values
    )


def still_held(tx: Transaction, claims: Mapping[str, Any], now: datetime) -> bool:
    """Whether all that an access token says of what its person, or application, holds is so now. tx: of its tenant."""
    told = {one for one in Claim if isinstance(claims.get(one.value), list)}
    if not told:
        return True
    subject = str(claims.get("oid"))
    application = None
    if claims.get("rid") not in OWN_RESOURCES:
        application = tx.applications.by_app_id(str(claims.get("aud")))
        if application is None:
            return False
    if claims.get("idtyp") == "app":
        if application is None:  # application permissions: bearer.py has looked at the principal
            face = tx.service_principals.get(subject)
            return face is not None and set(claims[Claim.ROLES]) <= set(face.permissions)
        return set(claims[Claim.ROLES]) <= roles_of_client(tx, application, subject, now).keys()
    by_name = application is not None and wanted_in(application, Place.ACCESS_TOKEN).by_name
    held = values_of(tx, application, subject, now, Placed(frozenset(told), by_name)).claims
    return all(set(claims[one.value]) <= set(held[one.value]) for one in told)
