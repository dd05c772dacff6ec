"""Delegated permissions, as administrators see them: what applications may do for people. Given by those who give
application permissions; anybody sees and withdraws what he himself allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller, CallerKind
from openpim.core.query import All, Compare, Page, Query
from openpim.core.refusals import Code, Refusal
from openpim.core.roles import READERS
from openpim.core.signin.consent import OWN_RESOURCES, PermissionGrant
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.directory.performing import Done, invalid, not_found, perform
from openpim.services.directory.rights import APPLICATION_MANAGERS, may_grant_delegated, rights_of

_NAME = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}\Z")  # RFC 6749, 3.3
MOST = 200


@dataclass(frozen=True, slots=True)
class NewGrant:
    """principal_id None: for everybody."""

    client_id: str
    resource_id: str
    principal_id: str | None
    scope: tuple[str, ...]


def page(deps: Deps, caller: Caller, query: Query) -> Page[PermissionGrant]:
    """All of them for those who look after roles or applications; for others what they allowed themselves."""
    now = deps.clock()

    def work(tx: Transaction) -> Page[PermissionGrant]:
        asked = query
        if not sees_all(tx, caller, now):
            own = Compare("principal_id", "eq", caller.principal_id)
            asked = replace(query, where=own if query.where is None else All((query.where, own)))
        return tx.permission_grants.page(asked)

    return deps.store.read(caller.tenant_id, work)


def get(deps: Deps, caller: Caller, grant_id: str) -> PermissionGrant | Refusal:
    now = deps.clock()

    def work(tx: Transaction) -> PermissionGrant | Refusal:
        found = tx.permission_grants.get(grant_id)
        if found is None or not (sees_all(tx, caller, now) or _own(caller, found)):
            return not_found("permission grant", grant_id)
        return found

    return deps.store.read(caller.tenant_id, work)


def create(deps: Deps, caller: Caller, new: NewGrant) -> PermissionGrant | Refusal:
    """Refusals: FORBIDDEN, INVALID (unknown application, API or person; a name that is none), CONFLICT."""
    new_id = deps.new_id()

    def work(tx: Transaction, now: datetime) -> Done[PermissionGrant] | Refusal:
        tx.lock_tenant()
        refusal = may_grant_delegated(tx, caller, now) or invalid(_faults(tx, new))
        if refusal is not None:
            return refusal
        if tx.permission_grants.find(new.client_id, new.resource_id, new.principal_id) is not None:
            return Refusal(
                Code.CONFLICT,
                "Permission entry already exists. Change its scope instead.",
                member="client_id",
            )
        made = PermissionGrant(
            new_id, new.client_id, new.resource_id, new.principal_id, _tidy(new.scope), now
        )
        tx.permission_grants.put(made)
        return Done(made, (_target(tx, made, "", " ".join(made.scope)),))

    return perform(deps, caller, "Add delegated permission grant", "ApplicationManagement", work)


def update(deps: Deps, caller: Caller, grant_id: str, scope: tuple[str, ...]) -> PermissionGrant | Refusal:
    """The names it shall have from now on."""

    def work(tx: Transaction, now: datetime) -> Done[PermissionGrant] | Refusal:
        tx.lock_tenant()
        old = tx.permission_grants.get(grant_id)
        if old is None:
            return not_found("permission grant", grant_id)
        refusal = may_grant_delegated(tx, caller, now) or invalid(_scope_faults(scope))
        if refusal is not None:
            return refusal
        new = replace(old, scope=_tidy(scope))
        tx.permission_grants.put(new)
        return Done(new, (_target(tx, new, " ".join(old.scope), " ".join(new.scope)),))

    return perform(deps, caller, "Update delegated permission grant", "ApplicationManagement", work)


def delete(deps: Deps, caller: Caller, grant_id: str) -> Refusal | None:
    """Taken back, it is gone from the tokens that are out as well."""

    def work(tx: Transaction, now: datetime) -> Done[None] | Refusal:
        old = tx.permission_grants.get(grant_id)
        if old is None:
            return not_found("permission grant", grant_id)
        refusal = None if _own(caller, old) else may_grant_delegated(tx, caller, now)
        if refusal is not None:
            return refusal
        tx.permission_grants.remove(grant_id)
        return Done(None, (_target(tx, old, " ".join(old.scope), ""),))

    return perform(deps, caller, "Remove delegated permission grant", "ApplicationManagement", work)


def _own(caller: Caller, grant: PermissionGrant) -> bool:
    return caller.kind is CallerKind.USER and grant.principal_id == caller.principal_id


def sees_all(tx: Transaction, caller: Caller, now: datetime) -> bool:
    if caller.kind is CallerKind.SERVICE_PRINCIPAL and caller.permissions:
        return True  # each endpoint has asked for its own permission before
    return rights_of(tx, caller, now).any(READERS | APPLICATION_MANAGERS)


def _faults(tx: Transaction, new: NewGrant) -> list[tuple[str, str]]:
    found = _scope_faults(new.scope)
    if tx.service_principals.get(new.client_id) is None:
        found.append(("client_id", f"there is no service principal {new.client_id}"))
    if new.resource_id not in OWN_RESOURCES and tx.service_principals.get(new.resource_id) is None:
        found.append(("resource_id", f"there is no service principal {new.resource_id}"))
    if new.principal_id is not None and tx.users.get(new.principal_id) is None:
        found.append(("principal_id", f"there is no user {new.principal_id}"))
    return found


def _scope_faults(scope: Iterable[str]) -> list[tuple[str, str]]:
    names = tuple(scope)
    if len(names) > MOST:
        return [("names", f"at most {MOST} permissions in one grant")]
    return [
        ("names", f"{name[:60]!r} is not the name of a permission") for name in names if not _NAME.match(name)
    ]


def _tidy(scope: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(scope)))


def _target(tx: Transaction, grant: PermissionGrant, before: str, after: str) -> Target:
    face = tx.service_principals.get(grant.client_id)
    changes = (("DelegatedPermissionGrant.Scope", before or None, after or None),)
    return Target("ServicePrincipal", grant.client_id, face.display_name if face else "", changes)
