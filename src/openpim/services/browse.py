"""Reading the directory as a caller may see it: people, groups, applications, units, role definitions, the tenant.

Every member sees the directory; a guest sees himself, the groups he is in and whose they are, unless he holds a role
that reads. An application sees what its permissions say, which the face has checked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from openpim.core import query as q
from openpim.core.caller import Caller
from openpim.core.directory import (
    AdministrativeUnit,
    Application,
    Group,
    Principal,
    PrincipalKind,
    RoleDefinition,
    ServicePrincipal,
    Tenant,
    User,
)
from openpim.core.query import Page, Query
from openpim.core.refusals import Code, Refusal
from openpim.core.signin.consent import ARM_RESOURCE, GRAPH_RESOURCE
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import limited

T = TypeVar("T")
_EVER = datetime(2020, 1, 1, tzinfo=UTC)
DirectoryObject = User | Group | ServicePrincipal | AdministrativeUnit


# ---------------------------------------------------------------- who sees what


def _sees(tx: Transaction, caller: Caller, id: str, now: datetime) -> bool:
    if id == caller.principal_id or not limited(tx, caller, now):
        return True
    return id in tx.groups.groups_of(caller.principal_id, now)


def _only(query: Query, ids: Collection[str]) -> Query:
    mine = q.AnyOf("id", tuple(sorted(ids)))
    return replace(query, where=mine if query.where is None else q.All((query.where, mine)))


def unseen(tx: Transaction, caller: Caller, principal_id: str, now: datetime) -> Refusal | None:
    """Why the caller does not get to see this principal; None: he does."""
    if tx.principals.get(principal_id) is None:
        return _gone(principal_id)
    return None if _sees(tx, caller, principal_id, now) else _no()


def shut(tx: Transaction, caller: Caller, now: datetime) -> Refusal | None:
    """Why the caller does not get to see what guests do not see: applications, units, numbers; None: he does."""
    return _no() if limited(tx, caller, now) else None


def reading(deps: Deps, caller: Caller, work: Callable[[Transaction, datetime], T]) -> T:
    """Run `work` at one moment in the caller's tenant."""
    return _read(deps, caller, work)


def _read(deps: Deps, caller: Caller, work: Callable[[Transaction, datetime], T]) -> T:
    now = deps.clock()
    return deps.store.read(caller.tenant_id, lambda tx: work(tx, now))


def _gone(id: str) -> Refusal:
    return Refusal(Code.NOT_FOUND, f"There is nothing with the id {id:.100}.")


def _no() -> Refusal:
    return Refusal(
        Code.FORBIDDEN, "Guests see only themselves and their groups. Ask a member for what you need."
    )


# ---------------------------------------------------------------- people


def users(deps: Deps, caller: Caller, query: Query) -> Page[User]:
    """Guests get themselves."""

    def work(tx: Transaction, now: datetime) -> Page[User]:
        return tx.users.page(_only(query, {caller.principal_id}) if limited(tx, caller, now) else query)

    return _read(deps, caller, work)


def user(deps: Deps, caller: Caller, key: str) -> User | Refusal:
    """key: an id, or a sign-in name."""

    def work(tx: Transaction, now: datetime) -> User | Refusal:
        found = tx.users.get(key.lower()) or (tx.users.by_upn(key) if "@" in key else None)
        if found is None:
            return _gone(key)
        return found if _sees(tx, caller, found.id, now) else _no()

    return _read(deps, caller, work)


def manager(deps: Deps, caller: Caller, key: str) -> User | Refusal:
    def work(tx: Transaction, now: datetime) -> User | Refusal:
        found = tx.users.get(key.lower()) or (tx.users.by_upn(key) if "@" in key else None)
        if found is None:
            return _gone(key)
        if not _sees(tx, caller, found.id, now):
            return _no()
        above = tx.users.get(found.manager_id) if found.manager_id else None
        return above or Refusal(Code.NOT_FOUND, f"{found.display_name} has no manager.")

    return _read(deps, caller, work)


def direct_reports(deps: Deps, caller: Caller, key: str, query: Query) -> Page[User] | Refusal:
    def work(tx: Transaction, now: datetime) -> Page[User] | Refusal:
        found = tx.users.get(key.lower()) or (tx.users.by_upn(key) if "@" in key else None)
        if found is None:
            return _gone(key)
        return tx.users.direct_reports(found.id, query) if _sees(tx, caller, found.id, now) else _no()

    return _read(deps, caller, work)


def managers_of(deps: Deps, caller: Caller, people: Collection[User]) -> dict[str, User]:
    """The managers of several people, by the person's id."""
    ids = {one.manager_id for one in people if one.manager_id}
    found = _read(deps, caller, lambda tx, _now: tx.users.many(ids))
    return {one.id: found[one.manager_id] for one in people if one.manager_id in found}


# ---------------------------------------------------------------- groups and who is in them


def groups(deps: Deps, caller: Caller, query: Query) -> Page[Group]:
    def work(tx: Transaction, now: datetime) -> Page[Group]:
        little = limited(tx, caller, now)
        return tx.groups.page(
            _only(query, tx.groups.groups_of(caller.principal_id, now)) if little else query
        )

    return _read(deps, caller, work)


def group(deps: Deps, caller: Caller, group_id: str) -> Group | Refusal:
    def work(tx: Transaction, now: datetime) -> Group | Refusal:
        found = tx.groups.get(group_id)
        if found is None:
            return _gone(group_id)
        return found if _sees(tx, caller, group_id, now) else _no()

    return _read(deps, caller, work)


def members(
    deps: Deps, caller: Caller, group_id: str, query: Query, *, transitive: bool = False, owners: bool = False
) -> Page[Principal] | Refusal:
    """Who is in a group (or owns it); transitive: members of member groups too."""

    def work(tx: Transaction, now: datetime) -> Page[Principal] | Refusal:
        if tx.groups.get(group_id) is None:
            return _gone(group_id)
        if not _sees(tx, caller, group_id, now):
            return _no()
        if owners:
            return tx.groups.owners(group_id, now, query)
        if transitive:
            return tx.groups.transitive_members(group_id, now, query)
        return tx.groups.members(group_id, now, query)

    return _read(deps, caller, work)


def memberships(
    deps: Deps, caller: Caller, principal_id: str, query: Query, *, transitive: bool = False
) -> Page[Group] | Refusal:
    """The groups a principal is in."""

    def work(tx: Transaction, now: datetime) -> Page[Group] | Refusal:
        if tx.principals.get(principal_id) is None:
            return _gone(principal_id)
        if not _sees(tx, caller, principal_id, now):
            return _no()
        return tx.groups.memberships(principal_id, now, query, transitive=transitive)

    return _read(deps, caller, work)


def owned(deps: Deps, caller: Caller, principal_id: str, query: Query) -> Page[Group] | Refusal:
    """The groups a principal owns."""

    def work(tx: Transaction, now: datetime) -> Page[Group] | Refusal:
        if tx.principals.get(principal_id) is None:
            return _gone(principal_id)
        return tx.groups.owned(principal_id, now, query) if _sees(tx, caller, principal_id, now) else _no()

    return _read(deps, caller, work)


# ---------------------------------------------------------------- applications


def service_principals(deps: Deps, caller: Caller, query: Query) -> Page[ServicePrincipal] | Refusal:
    def work(tx: Transaction, now: datetime) -> Page[ServicePrincipal] | Refusal:
        return _no() if limited(tx, caller, now) else tx.service_principals.page(query)

    return _read(deps, caller, work)


def service_principal(
    deps: Deps, caller: Caller, key: str, *, by_app_id: bool = False
) -> ServicePrincipal | Refusal:
    def work(tx: Transaction, now: datetime) -> ServicePrincipal | Refusal:
        if limited(tx, caller, now):
            return _no()
        found = tx.service_principals.by_app_id(key) if by_app_id else tx.service_principals.get(key)
        return found or _own_api(key) or _gone(key)

    return _read(deps, caller, work)


def _own_api(key: str) -> ServicePrincipal | None:
    """Our own APIs are in every tenant, with the same id everywhere: the one permission grants name them by."""
    names = {GRAPH_RESOURCE: "Microsoft Graph", ARM_RESOURCE: "Windows Azure Service Management API"}
    if key not in names:
        return None
    return ServicePrincipal(key, key, names[key], enabled=True, created_at=_EVER)


def applications(deps: Deps, caller: Caller, query: Query) -> Page[Application] | Refusal:
    def work(tx: Transaction, now: datetime) -> Page[Application] | Refusal:
        return _no() if limited(tx, caller, now) else tx.applications.page(query)

    return _read(deps, caller, work)


def application(deps: Deps, caller: Caller, key: str, *, by_app_id: bool = False) -> Application | Refusal:
    """Those of this tenant only."""

    def work(tx: Transaction, now: datetime) -> Application | Refusal:
        if limited(tx, caller, now):
            return _no()
        if not by_app_id:
            return tx.applications.get(key) or _gone(key)
        found = tx.applications.by_app_id(key)
        return found if found is not None and found.tenant_id == tx.tenant_id else _gone(key)

    return _read(deps, caller, work)


# ---------------------------------------------------------------- units, roles, the tenant


def administrative_units(deps: Deps, caller: Caller, query: Query) -> Page[AdministrativeUnit] | Refusal:
    def work(tx: Transaction, now: datetime) -> Page[AdministrativeUnit] | Refusal:
        return _no() if limited(tx, caller, now) else tx.administrative_units.page(query)

    return _read(deps, caller, work)


def administrative_unit(deps: Deps, caller: Caller, unit_id: str) -> AdministrativeUnit | Refusal:
    def work(tx: Transaction, now: datetime) -> AdministrativeUnit | Refusal:
        if limited(tx, caller, now):
            return _no()
        return tx.administrative_units.get(unit_id) or _gone(unit_id)

    return _read(deps, caller, work)


def unit_members(deps: Deps, caller: Caller, unit_id: str, query: Query) -> Page[Principal] | Refusal:
    def work(tx: Transaction, now: datetime) -> Page[Principal] | Refusal:
        if limited(tx, caller, now):
            return _no()
        if tx.administrative_units.get(unit_id) is None:
            return _gone(unit_id)
        return tx.administrative_units.members(unit_id, query)

    return _read(deps, caller, work)


def role_definitions(deps: Deps, caller: Caller, query: Query) -> Page[RoleDefinition] | Refusal:
    """Guests see single roles, not the list."""

    def work(tx: Transaction, now: datetime) -> Page[RoleDefinition] | Refusal:
        return _no() if limited(tx, caller, now) else tx.roles.page(query)

    return _read(deps, caller, work)


def role_definition(deps: Deps, caller: Caller, role_id: str) -> RoleDefinition | Refusal:
    return _read(deps, caller, lambda tx, _now: tx.roles.get(role_id)) or _gone(role_id)


def tenant(deps: Deps, caller: Caller) -> Tenant | Refusal:
    return _read(deps, caller, lambda tx, _now: tx.tenants.current()) or _gone(caller.tenant_id)


def any_tenant(deps: Deps, caller: Caller, key: str) -> Tenant | Refusal:
    """Any tenant here, by its id or domain: its name and domain are public, as sign-in shows them to everybody."""

    def work(tx: Transaction, _now: datetime) -> Tenant | None:
        return tx.tenants.get(key.lower()) or tx.tenants.by_domain(key)

    return _read(deps, caller, work) or _gone(key)


# ---------------------------------------------------------------- several at once, for what rows refer to


def roles_by_id(deps: Deps, caller: Caller, ids: Collection[str]) -> dict[str, RoleDefinition]:
    return _read(deps, caller, lambda tx, _now: tx.roles.many(ids))


def units_by_id(deps: Deps, caller: Caller, ids: Collection[str]) -> dict[str, AdministrativeUnit]:
    return _read(deps, caller, lambda tx, _now: tx.administrative_units.many(ids))


def objects_by_id(deps: Deps, caller: Caller, ids: Collection[str]) -> dict[str, DirectoryObject]:
    """What rows that the caller may see refer to, whoever he is; so it is not limited again."""
    return _read(deps, caller, lambda tx, _now: _objects(tx, ids))


def objects(deps: Deps, caller: Caller, ids: Collection[str]) -> dict[str, DirectoryObject]:
    """The objects with these ids that the caller sees; the others are left out."""

    def work(tx: Transaction, now: datetime) -> dict[str, DirectoryObject]:
        seen = ids
        if limited(tx, caller, now):
            mine = tx.groups.groups_of(caller.principal_id, now) | {caller.principal_id}
            seen = mine.intersection(ids)
        return _objects(tx, seen)

    return _read(deps, caller, work)


def _objects(tx: Transaction, ids: Collection[str]) -> dict[str, DirectoryObject]:
    kinds: dict[PrincipalKind, list[str]] = {kind: [] for kind in PrincipalKind}
    principals = tx.principals.many(ids)
    for principal in principals.values():
        kinds[principal.kind].append(principal.id)
    found: dict[str, DirectoryObject] = {}
    if kinds[PrincipalKind.USER]:
        found.update(tx.users.many(kinds[PrincipalKind.USER]))
    if kinds[PrincipalKind.GROUP]:
        found.update(tx.groups.many(kinds[PrincipalKind.GROUP]))
    if kinds[PrincipalKind.SERVICE_PRINCIPAL]:
        found.update(tx.service_principals.many(kinds[PrincipalKind.SERVICE_PRINCIPAL]))
    others = set(ids) - principals.keys()
    if others:
        found.update(tx.administrative_units.many(others))
    return found
