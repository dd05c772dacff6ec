"""A Global Administrator takes hold of the tree: User Access Administrator at its root, on record."""

from __future__ import annotations

from openpim.core.caller import Caller, CallerKind
from openpim.core.grants import Kind, Provider, Schedule
from openpim.core.permissions import USER_ACCESS_ADMINISTRATOR
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import ROOT
from openpim.core.roles import GLOBAL_ADMINISTRATOR
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import roles_of
from openpim.services.recording import record_refusal
from openpim.services.resources.direct import give
from openpim.services.resources.shaping import ensure_root

ELEVATED = "Assigns the caller to User Access Administrator role"


def elevate(deps: Deps, caller: Caller) -> Schedule | Refusal:
    """Lasts until it is deleted as any role assignment. Who has it keeps it."""
    now = deps.clock()

    def work(tx: Transaction) -> Schedule | Refusal:
        if caller.kind is not CallerKind.USER or GLOBAL_ADMINISTRATOR not in roles_of(tx, caller, now):
            refusal = Refusal(
                Code.FORBIDDEN,
                "Only a Global Administrator can elevate his access. Activate that role first.",
                member=ROOT,
                detail="Microsoft.Authorization/elevateAccess/action",
            )
            record_refusal(
                tx, deps, caller, now, refusal, activity=ELEVATED, provider=Provider.RESOURCE, targets=()
            )
            return refusal
        ensure_root(tx, now)
        tx.lock_principal(caller.principal_id)
        held = tx.schedules.of(
            [caller.principal_id],
            provider=Provider.RESOURCE,
            kind=Kind.ASSIGNMENT,
            role_id=USER_ACCESS_ADMINISTRATOR,
            scopes=[ROOT],
            live_at=now,
        )
        lasting = next((one for one in held if one.in_force(now) and one.ends_at is None), None)
        return lasting or give(tx, deps, caller, USER_ACCESS_ADMINISTRATOR, ROOT, ELEVATED, now)

    return deps.store.write(caller.tenant_id, work)
