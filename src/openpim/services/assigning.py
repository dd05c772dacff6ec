"""Finds the role, the place and the people that somebody names who wants to give a role: by exact names, addresses or ids.
Only for whoever may give it: to others nothing here tells what exists."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from openpim.core.caller import Caller
from openpim.core.directory import AdministrativeUnit, Group, Principal, PrincipalKind
from openpim.core.grants import Provider
from openpim.core.policy import Policy
from openpim.core.query import Compare, Order, Query
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import canonical
from openpim.core.scopes import ADMINISTRATIVE_UNITS, TENANT
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.eligibilities import Names
from openpim.services.providers import PROVIDERS
from openpim.services.resource_access import assigned_at

MOST_PEOPLE = 100
_GROUPS = (PrincipalKind.GROUP,)


@dataclass(frozen=True, slots=True)
class Target:
    """A role at a place, and what its policy allows of an assignment."""

    provider: Provider
    role_id: str
    scope: str
    role_name: str
    scope_name: str
    scope_path: str
    policy: Policy


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody to give it to. address: a person's."""

    id: str
    kind: PrincipalKind
    name: str
    address: str = ""

    @property
    def written(self) -> str:
        """What one types to mean nobody else."""
        return self.address or self.id


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be chosen: roles as (id, name), places as (scope, name); places that are too many are typed."""

    roles: tuple[tuple[str, str], ...]
    places: tuple[tuple[str, str], ...]


def offer(deps: Deps, caller: Caller, provider: Provider) -> Offer:
    """The roles there are, and (the first of) the places where the caller may give them."""
    now = deps.clock()

    def work(tx: Transaction) -> Offer:
        rules = PROVIDERS[provider]
        match provider:
            case Provider.DIRECTORY:
                if not rules.may_manage(tx, caller, "", TENANT, now):
                    return Offer((), ())
                roles = tuple((one.id, one.display_name) for one in tx.roles.all() if one.enabled)
                tenant = tx.tenants.current()
                units = tx.administrative_units.page(Query(order=(Order("display_name"),), limit=200)).items
                root = (TENANT, tenant.name if tenant is not None else TENANT)
                places = (root, *((ADMINISTRATIVE_UNITS + one.id, one.display_name) for one in units))
            case Provider.GROUP:
                roles = (("member", "Member"), ("owner", "Owner"))
                owned = tx.groups.owned(caller.principal_id, now, Query(limit=100)).items
                places = tuple(
                    (one.id, one.display_name) for one in owned if not one.dynamic and not one.synced
                )
            case Provider.RESOURCE:
                # What custom roles are called is for those to know who hold something in the tree.
                known = bool(assigned_at(tx, caller, now))
                roles = tuple((one.id, one.name) for one in tx.resource_roles.all() if one.built_in or known)
                places = ()
        return Offer(tuple(sorted(roles, key=lambda one: one[1].casefold())), places)

    return deps.store.read(caller.tenant_id, work)


def target(deps: Deps, caller: Caller, provider: Provider, role: str, scope: str) -> Target | Refusal:
    """role: its name or id. scope: "/" or nothing, a unit, a group (names or ids), a path of the tree. ROLE_MISSING,
    SCOPE_MISSING (`member` says which was typed wrong), FORBIDDEN."""
    now = deps.clock()

    def work(tx: Transaction) -> Target | Refusal:
        rules = PROVIDERS[provider]
        place = place_named(tx, provider, scope.strip())
        role_id = role_named(tx, provider, role.strip())
        if place is None or not rules.may_manage(tx, caller, role_id or "member", place, now):
            return Refusal(
                Code.FORBIDDEN,
                "There is no such place where you may give roles. Write its exact name, its id or its path; you may "
                "have to activate a role first.",
                member="scope",
            )
        if role_id is None:
            return Refusal(Code.ROLE_MISSING, f"There is no role {role:.100} here.", member="role")
        fault = rules.fault(tx, role_id, place)
        if fault is not None:
            return fault
        key = (provider, role_id, place)
        named = Names(tx, {key})
        return Target(
            provider,
            role_id,
            place,
            named.roles.get(key, role_id),
            named.scopes.get(key, place),
            named.paths.get(place, place),
            rules.policy(tx, deps, role_id, place),
        )

    return deps.store.read(caller.tenant_id, work)


def members(
    deps: Deps, caller: Caller, where: Target, named: Collection[str]
) -> tuple[tuple[Member, ...], dict[str, str]] | Refusal:
    """Those who are named, each once, and by each name that means nobody or several what is wrong with it."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[tuple[Member, ...], dict[str, str]] | Refusal:
        if not PROVIDERS[where.provider].may_manage(tx, caller, where.role_id, where.scope, now):
            return _FORBIDDEN
        found: dict[str, Principal] = {}
        faults: dict[str, str] = {}
        for text in dict.fromkeys(named):
            fitting = _called(tx, text)
            if len(fitting) == 1:
                found[fitting[0].id] = fitting[0]
            elif fitting:
                faults[text] = "Several have this name: write a user principal name or an id."
            else:
                faults[text] = "Nobody has this name. Write a user principal name, an exact name or an id."
        return _dressed(tx, found.values()), faults

    if len(named) > MOST_PEOPLE:
        return Refusal(Code.INVALID, f"At most {MOST_PEOPLE} members at a time.", member="members")
    return deps.store.read(caller.tenant_id, work)


def search(deps: Deps, caller: Caller, where: Target, text: str, limit: int = 20) -> tuple[Member, ...]:
    """People, groups and applications whose name (or address) begins so, by name."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[Member, ...]:
        if not PROVIDERS[where.provider].may_manage(tx, caller, where.role_id, where.scope, now):
            return ()
        found = {one.id: one for one in tx.principals.search(text, limit=limit)}
        also = [one.id for one in tx.users.search(text, limit) if one.id not in found]
        found |= tx.principals.many(also)
        return _dressed(tx, sorted(found.values(), key=lambda one: one.display_name.casefold())[:limit])

    return deps.store.read(caller.tenant_id, work) if text.strip() else ()


_FORBIDDEN = Refusal(Code.FORBIDDEN, "You may not give this role. Activate one that may, then try again.")


def _called(tx: Transaction, text: str) -> list[Principal]:
    user = tx.users.by_upn(text) if "@" in text else None
    known = tx.principals.get(user.id if user is not None else text.lower())
    return [known] if known is not None else list(tx.principals.find_by_name(text))


def _dressed(tx: Transaction, found: Collection[Principal]) -> tuple[Member, ...]:
    users = tx.users.many({one.id for one in found if one.kind is PrincipalKind.USER})
    return tuple(
        Member(
            one.id,
            one.kind,
            one.display_name,
            users[one.id].user_principal_name if one.id in users else "",
        )
        for one in found
    )


def place_named(tx: Transaction, provider: Provider, text: str) -> str | None:
    """The scope that is called so: by its exact name or id, or its path. It need not exist where it is a path."""
    match provider:
        case Provider.RESOURCE:
            return canonical(text) if text.startswith("/") else None
        case Provider.GROUP:
            return _one(tx.groups.get(text.lower()), tx.principals.find_by_name(text, PrincipalKind.GROUP))
        case Provider.DIRECTORY:
            tenant = tx.tenants.current()
            if text in {"", TENANT} or (tenant is not None and text.casefold() == tenant.name.casefold()):
                return TENANT
            if text.startswith("/"):
                return text
            called = tx.administrative_units.page(Query(Compare("display_name", "eq", text), limit=2)).items
            unit = _one(tx.administrative_units.get(text.lower()), called)
            return ADMINISTRATIVE_UNITS + unit if unit is not None else None


def _one(
    by_id: Group | AdministrativeUnit | None, called: Collection[Principal | AdministrativeUnit]
) -> str | None:
    if by_id is not None:
        return by_id.id
    return next(iter(called)).id if len(called) == 1 else None


def role_named(tx: Transaction, provider: Provider, text: str) -> str | None:
    """The id of the role that is called so: by its exact name or id."""
    match provider:
        case Provider.GROUP:
            return text.lower() if text.lower() in {"member", "owner"} else None
        case Provider.DIRECTORY:
            role = tx.roles.get(text.lower()) or tx.roles.find_by_name(text)
            return role.id if role is not None else None
        case Provider.RESOURCE:
            known = tx.resource_roles.get(text.lower()) or tx.resource_roles.by_name(text)
            return known.id if known is not None else None
