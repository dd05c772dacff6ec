"""The ids of everything a principal is in, directly or not: what applications ask before they decide something."""

from __future__ import annotations

from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.refusals import Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import browse
from openpim.services.authority import may_read_roles, roles_of_principal


def groups_of(
    deps: Deps, caller: Caller, principal_id: str, *, security_only: bool = False
) -> frozenset[str] | Refusal:
    """Groups alone. security_only: without those that are no security groups."""

    def work(tx: Transaction, now: datetime) -> frozenset[str] | Refusal:
        return browse.unseen(tx, caller, principal_id, now) or _groups(
            tx, principal_id, now, security_only=security_only
        )

    return browse.reading(deps, caller, work)


def all_of(
    deps: Deps, caller: Caller, principal_id: str, *, security_only: bool = False, roles: bool = False
) -> frozenset[str] | Refusal:
    """Groups, administrative units and the directory roles in force over the whole tenant, where the caller may see
    them. roles: his token lets him read those of others."""

    def work(tx: Transaction, now: datetime) -> frozenset[str] | Refusal:
        refusal = browse.unseen(tx, caller, principal_id, now)
        if refusal is not None:
            return refusal
        found = _groups(tx, principal_id, now, security_only=security_only)
        if security_only:
            return found
        if principal_id == caller.principal_id or (roles and may_read_roles(tx, caller, now)):
            found |= roles_of_principal(tx, principal_id, now)
        return found | tx.administrative_units.units_of(principal_id)

    return browse.reading(deps, caller, work)


def _groups(tx: Transaction, principal_id: str, now: datetime, *, security_only: bool) -> frozenset[str]:
    found = tx.groups.many(tx.groups.groups_of(principal_id, now))
    return frozenset(group.id for group in found.values() if group.security_enabled or not security_only)
