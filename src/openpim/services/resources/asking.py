"""What a request for a grant in the tree may name besides itself: the eligibility that an activation is to rest on."""

from __future__ import annotations

from collections.abc import Sequence

from openpim.core.ask import Ask
from openpim.core.caller import Caller
from openpim.core.grants import Action, Kind, Provider, Request
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import identities


def check(deps: Deps, caller: Caller, ask: Ask) -> Refusal | None:
    """An activation that names an eligibility (schedule_id) must name one that carries it."""
    if ask.action is not Action.SELF_ACTIVATE or ask.schedule_id is None:
        return None
    now, named = deps.clock(), ask.schedule_id

    def work(tx: Transaction) -> Refusal | None:
        found = tx.schedules.get(named)
        carries = (
            found is not None
            and found.kind is Kind.ELIGIBILITY
            and found.provider is Provider.RESOURCE
            and found.role_id == ask.role_id
            and found.live(now)
            and found.scope in tx.resources.chain(ask.scope)
            and found.principal_id in identities(tx, ask.principal_id, now)
        )
        if carries:
            return None
        return Refusal(
            Code.ASSIGNMENT_MISSING,
            f"The eligible assignment {named} does not carry this activation: it is somebody else's, of another role "
            "or place, or has ended. List yours with $filter=asTarget().",
            member="linkedRoleEligibilityScheduleId",
        )

    return deps.store.read(caller.tenant_id, work)


def linked(deps: Deps, caller: Caller, asked: Sequence[Request]) -> dict[str, str]:
    """The eligibility behind each activation that was made, by the request's id."""
    ids = {one.schedule_id for one in asked if one.schedule_id and one.action is Action.SELF_ACTIVATE}
    if not ids:
        return {}

    def work(tx: Transaction) -> dict[str, str]:
        found = tx.schedules.many(ids)
        return {
            one.id: found[one.schedule_id].linked_id or ""
            for one in asked
            if one.schedule_id in found and found[one.schedule_id].linked_id
        }

    return deps.store.read(caller.tenant_id, work)
