"""What fits what somebody types where he chooses a person, a group, a role or a place: the first few, for suggestions and
for "which do you mean". Nobody is told of more than the lists of the same things show him.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from openpim.core.caller import Caller
from openpim.core.directory import Principal, PrincipalKind
from openpim.core.grants import Provider
from openpim.core.query import Compare, Order, Query
from openpim.core.resources import ROOT, Resource, ResourceKind
from openpim.core.scopes import ADMINISTRATIVE_UNITS, TENANT
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import browse
from openpim.services.providers import PROVIDERS
from openpim.services.resources import browse as places_seen

MOST = 12
_LONGEST_NAME = 200  # what the fields take
_ID = re.compile("[0-9a-f-]{36}")
PEOPLE = (PrincipalKind.USER,)
GROUPS = (PrincipalKind.GROUP,)
APPLICATIONS = (PrincipalKind.SERVICE_PRINCIPAL,)
APPROVERS = (PrincipalKind.USER, PrincipalKind.GROUP)
EVERYBODY = tuple(PrincipalKind)


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing. written: what one types to mean it and nothing else. kind: of what sort it is (a user, a subscription).
    more: what tells it from others of the same name."""

    id: str
    written: str
    name: str
    kind: str
    more: str = ""


def principals(
    deps: Deps, caller: Caller, text: str, kinds: Collection[PrincipalKind] = EVERYBODY
) -> tuple[Choice, ...]:
    """The one whose id it is, or those whose name or address begins so, by name. Guests: themselves and their groups."""
    text = text.strip()
    now = deps.clock()

    def work(tx: Transaction) -> tuple[Choice, ...]:
        found: dict[str, Principal] = {}
        known = tx.principals.get(text.lower())
        if known is not None:
            found[known.id] = known
        if browse.shut(tx, caller, now) is not None:
            own = tx.groups.groups_of(caller.principal_id, now) | {caller.principal_id}
            begins = text.casefold()
            mine = tx.principals.many(sorted(own)).values()
            found = {one.id: one for one in mine if one.display_name.casefold().startswith(begins)}
        elif known is None:
            found = {one.id: one for one in tx.principals.search(text, kinds, MOST)}
            if PrincipalKind.USER in kinds:
                also = [one.id for one in tx.users.search(text, MOST) if one.id not in found]
                found |= tx.principals.many(also)
        fitting = sorted(
            (one for one in found.values() if one.kind in kinds),
            key=lambda one: (one.display_name.casefold(), one.id),
        )
        return _written(tx, fitting[:MOST])

    return deps.store.read(caller.tenant_id, work) if text else ()


def roles(deps: Deps, caller: Caller, provider: Provider, text: str) -> tuple[Choice, ...]:
    """The one with this id; or those with every word of it in their name, those that begin with it first. A custom role of resources is for those
    to know who read all assignments."""
    words, asked = text.casefold().split(), text.strip().lower()
    now = deps.clock()

    def work(tx: Transaction) -> tuple[Choice, ...]:
        match provider:
            case Provider.GROUP:
                found = [("member", "Member", ""), ("owner", "Owner", "")]
            case Provider.DIRECTORY:
                known = tx.roles.get(asked) if _ID.fullmatch(asked) else None
                every = (known,) if known is not None else tx.roles.all()
                found = [
                    (one.id, one.display_name, "" if one.built_in else "custom")
                    for one in (every if browse.shut(tx, caller, now) is None else ())
                    if one.enabled
                ]
            case Provider.RESOURCE:
                all_of_them = PROVIDERS[provider].may_read(tx, caller, ROOT, now)
                found = [
                    (one.id, one.name, "" if one.built_in else "custom")
                    for one in tx.resource_roles.all()
                    if one.built_in or all_of_them
                ]
        meant = [one for one in found if one[0] == asked]
        fitting = [
            Choice(role_id, name, name, "role", more)
            for role_id, name, more in meant or found
            if meant or all(word in name.casefold() for word in words)
        ]
        return _first(fitting, text)

    return deps.store.read(caller.tenant_id, work)


def places(deps: Deps, caller: Caller, provider: Provider, text: str) -> tuple[Choice, ...]:
    """The tenant and its units, groups, or management groups and subscriptions (and what is in a place whose path is
    typed): as far as the caller sees them."""
    text = text.strip()
    if provider is Provider.GROUP:
        return principals(deps, caller, text, GROUPS)
    if provider is Provider.RESOURCE:
        return _in_tree(deps, caller, text)
    now = deps.clock()

    def work(tx: Transaction) -> tuple[Choice, ...]:
        tenant = tx.tenants.current()
        name = tenant.name if tenant is not None else TENANT
        found = (
            [Choice(TENANT, TENANT, name, "tenant")] if text.casefold() in {"", TENANT, *_heads(name)} else []
        )
        if browse.shut(tx, caller, now) is None:
            begins = Compare("display_name", "startswith", text) if text and text != TENANT else None
            query = Query(begins, order=(Order("display_name"),), limit=MOST)
            found += [
                Choice(ADMINISTRATIVE_UNITS + one.id, ADMINISTRATIVE_UNITS + one.id, one.display_name, "unit")
                for one in tx.administrative_units.page(query).items
            ]
        return tuple(found[:MOST])

    return deps.store.read(caller.tenant_id, work)


def _in_tree(deps: Deps, caller: Caller, text: str) -> tuple[Choice, ...]:
    above, _, rest = text.rpartition("/")
    if above.lower().endswith("/resourcegroups"):  # the path of a resource group that is being typed
        subscription = above.rpartition("/")[0].lower()
        inside = places_seen.children(
            deps, caller, subscription, (ResourceKind.RESOURCE_GROUP,),
            Query(Compare("name", "startswith", rest) if rest else None, limit=MOST),
        )  # fmt: skip
        return tuple(map(_place, getattr(inside, "items", ())))
    seen = (*places_seen.management_groups(deps, caller), *places_seen.subscriptions(deps, caller))
    words = text.casefold().split()
    fitting = [
        one
        for one in seen
        if all(word in one.display_name.casefold() or word in one.path.casefold() for word in words)
    ]
    return _first(map(_place, fitting), text)


def _place(one: Resource) -> Choice:
    return Choice(one.id, one.path, one.display_name, one.kind.value, one.path)


def _heads(name: str) -> set[str]:
    """All that a name begins with."""
    return {name[:length].casefold() for length in range(1, len(name) + 1)}


def _first(found: Iterable[Choice], text: str) -> tuple[Choice, ...]:
    begins = text.strip().casefold()
    order = sorted(found, key=lambda one: (not one.name.casefold().startswith(begins), one.name.casefold()))
    return tuple(order[:MOST])


def _written(tx: Transaction, found: Collection[Principal]) -> tuple[Choice, ...]:
    users = tx.users.many({one.id for one in found if one.kind is PrincipalKind.USER})
    choices = []
    for one in found:
        if one.id in users:
            user = users[one.id]
            choices.append(
                Choice(
                    one.id,
                    user.user_principal_name,
                    one.display_name,
                    one.kind.value,
                    user.user_principal_name,
                )
            )
        else:
            name = one.display_name
            plain = name == name.strip() and len(name) <= _LONGEST_NAME and not set(name) & set(";\r\n@")
            alone = plain and len(tx.principals.find_by_name(name)) == 1
            choices.append(Choice(one.id, name if alone else one.id, name, one.kind.value))
    return tuple(choices)
