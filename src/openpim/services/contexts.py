"""Authentication contexts (c1 to c99): what a role's policy can ask of a sign-in. Read by all, changed by few."""

from __future__ import annotations

from dataclasses import replace

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.refusals import Code, Refusal
from openpim.core.roles import CONDITIONAL_ACCESS_ADMINISTRATOR, GLOBAL_ADMINISTRATOR, SECURITY_ADMINISTRATOR
from openpim.core.signin.values import AuthenticationContext
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import roles_of
from openpim.services.recording import record

MANAGERS = frozenset({GLOBAL_ADMINISTRATOR, SECURITY_ADMINISTRATOR, CONDITIONAL_ACCESS_ADMINISTRATOR})
PERMISSIONS = frozenset({"AuthenticationContext.ReadWrite.All", "Policy.ReadWrite.ConditionalAccess"})


def all_of(deps: Deps, caller: Caller) -> list[AuthenticationContext]:
    """Those that have been named, c1 first."""
    found = deps.store.read(caller.tenant_id, lambda tx: tx.authentication_contexts.all())
    return sorted(found, key=lambda one: int(one.id[1:]))


def get(deps: Deps, caller: Caller, context_id: str) -> AuthenticationContext | Refusal:
    found = deps.store.read(caller.tenant_id, lambda tx: tx.authentication_contexts.get(context_id))
    return found or Refusal(Code.NOT_FOUND, f"The authentication context {context_id} has not been set up.")


def put(
    deps: Deps,
    caller: Caller,
    context_id: str,
    *,
    name: str | None = None,
    description: str | None = None,
    available: bool | None = None,
) -> AuthenticationContext | Refusal:
    """Change one, or set it up; None leaves a member as it is. context_id: c1 to c99."""
    now = deps.clock()

    def work(tx: Transaction) -> AuthenticationContext | Refusal:
        if not (roles_of(tx, caller, now) & MANAGERS or caller.permissions & PERMISSIONS):
            return Refusal(
                Code.FORBIDDEN,
                "Changing authentication contexts needs the role Conditional Access Administrator or Security "
                "Administrator. Activate it first.",
            )
        before = tx.authentication_contexts.get(context_id)
        if before is None and not name:
            return Refusal(Code.INVALID, "A new authentication context needs a name.", member="display_name")
        after = before or AuthenticationContext(context_id, name or "")
        after = replace(
            after,
            display_name=name or after.display_name,
            description=after.description if description is None else description,
            available=after.available if available is None else available,
        )
        tx.authentication_contexts.put(after)
        changes = (("displayName", before.display_name if before else None, after.display_name),)
        record(
            tx,
            deps,
            caller,
            now,
            activity="Update authentication context" if before else "Add authentication context",
            category="Policy",
            targets=(Target("Policy", context_id, after.display_name, changes),),
        )
        return after

    return deps.store.write(caller.tenant_id, work)
