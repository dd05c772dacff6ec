"""A person's favourites and bundles: kept, changed, and matched with what he may activate now. Nobody else sees them, and
they give nothing, so they leave no trace in the history."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from openpim.core.bundles import FAVOURITES, LONGEST_NAME, MOST_BUNDLES, MOST_ROLES, Bundle
from openpim.core.caller import Caller, CallerKind
from openpim.core.grants import Provider
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.eligibilities import Activatable
from openpim.services.recording import storable

Key = tuple[Provider, str, str]


def key_of(item: Activatable) -> Key:
    return item.eligibility.provider, item.eligibility.role_id, item.eligibility.scope


def mine(deps: Deps, caller: Caller) -> tuple[Bundle, ...]:
    """The favourites first (if there are any), then the bundles by name."""
    return deps.store.read(caller.tenant_id, lambda tx: tx.bundles.of(caller.principal_id))


def favourite(deps: Deps, caller: Caller, key: Key, *, wanted: bool) -> Refusal | None:
    """Put a role among the favourites, or take it out."""

    def work(tx: Transaction) -> Refusal | None:
        tx.lock_principal(caller.principal_id)
        before = next((one for one in tx.bundles.of(caller.principal_id) if one.name == FAVOURITES), None)
        roles = [one for one in (before.roles if before else ()) if one != key]
        if wanted:
            roles.append(key)
        return _put(tx, caller, Bundle(FAVOURITES, tuple(roles)))

    return deps.store.write(caller.tenant_id, work)


def save(deps: Deps, caller: Caller, name: str, roles: Sequence[Key]) -> Refusal | None:
    """Keep roles under a name, instead of what was kept under it."""
    given = " ".join(name.split())

    def work(tx: Transaction) -> Refusal | None:
        tx.lock_principal(caller.principal_id)
        if not given or len(given) > LONGEST_NAME or not storable(given):
            return Refusal(
                Code.INVALID, f"Give the bundle a name of at most {LONGEST_NAME} characters.", member="name"
            )
        known = {one.name for one in tx.bundles.of(caller.principal_id)} - {FAVOURITES}
        if len(known | {given}) > MOST_BUNDLES:
            return Refusal(Code.INVALID, f"At most {MOST_BUNDLES} bundles. Remove one first.", member="name")
        return _put(tx, caller, Bundle(given, tuple(dict.fromkeys(roles))))

    return deps.store.write(caller.tenant_id, work)


def remove(deps: Deps, caller: Caller, name: str) -> Refusal | None:
    def work(tx: Transaction) -> Refusal | None:
        if name == FAVOURITES or not tx.bundles.remove(caller.principal_id, name):
            return Refusal(Code.NOT_FOUND, "There is no such bundle.")
        return None

    return deps.store.write(caller.tenant_id, work)


def inside(bundle: Bundle | None, items: Collection[Activatable]) -> tuple[Activatable, ...]:
    """What of it one may activate now, in the bundle's order."""
    by_key = {key_of(one): one for one in items}
    return tuple(by_key[one] for one in (bundle.roles if bundle else ()) if one in by_key)


def _put(tx: Transaction, caller: Caller, bundle: Bundle) -> Refusal | None:
    if caller.kind is not CallerKind.USER:
        return Refusal(Code.FORBIDDEN, "Only a person keeps favourites.")
    if len(bundle.roles) > MOST_ROLES:
        return Refusal(Code.INVALID, f"At most {MOST_ROLES} roles together.", member="roles")
    if bundle.roles:
        tx.bundles.put(caller.principal_id, bundle)
    else:
        tx.bundles.remove(caller.principal_id, bundle.name)
    return None
