"""An approver on leave lets somebody else decide in his place, for a time.

What is handed over is what names the approver himself or his groups; what he may decide because of a role he holds
stays with him. The delegate never decides the requests of the one he stands in for, nor his own.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from openpim.core.approval import Delegation
from openpim.core.audit import Target
from openpim.core.caller import Caller, CallerKind
from openpim.core.directory import UserType
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.recording import record

LONGEST = timedelta(days=180)
MOST = 10
DELEGATED = "Delegate approvals"
WITHDRAWN = "Withdraw delegation of approvals"


def mine(deps: Deps, caller: Caller) -> list[Delegation]:
    """What the caller has handed over, and what was handed to him; those that have ended are left out."""
    now = deps.clock()
    return deps.store.read(caller.tenant_id, lambda tx: tx.approvals.delegations(caller.principal_id, now))


def delegate(
    deps: Deps, caller: Caller, delegate_id: str, starts_at: datetime | None, ends_at: datetime
) -> Delegation | Refusal:
    """Hand over one's approvals from starts_at (None: now) until ends_at; a former one to the same person is replaced."""
    now = deps.clock()
    start = max(starts_at or now, now)

    def work(tx: Transaction) -> Delegation | Refusal:
        if caller.kind is not CallerKind.USER:
            return Refusal(Code.FORBIDDEN, "Only a person has approvals to hand over.")
        if delegate_id == caller.principal_id:
            return Refusal(Code.INVALID, "Name somebody else.", member="delegateId")
        if ends_at <= start or ends_at - start > LONGEST:
            return Refusal(
                Code.INVALID,
                f"It ends after it starts, and lasts at most {LONGEST.days} days.",
                member="endDateTime",
            )
        person = tx.users.get(delegate_id)
        if person is None or not person.enabled or person.user_type is UserType.GUEST:
            return Refusal(Code.INVALID, "The delegate must be an enabled member.", member="delegateId")
        given = [
            one
            for one in tx.approvals.delegations(caller.principal_id, now)
            if one.approver_id == caller.principal_id
        ]
        if len([one for one in given if one.delegate_id != delegate_id]) >= MOST:
            return Refusal(
                Code.INVALID, f"At most {MOST} people at once. Withdraw one first.", member="delegateId"
            )
        tx.approvals.delegate(caller.principal_id, delegate_id, start, ends_at)
        record(
            tx,
            deps,
            caller,
            now,
            activity=DELEGATED,
            category="RoleManagement",
            targets=(Target("User", delegate_id, person.display_name),),
            details=(("StartTime", start.isoformat()), ("ExpirationTime", ends_at.isoformat())),
        )
        return Delegation(caller.principal_id, delegate_id, start, ends_at)

    return deps.store.write(caller.tenant_id, work)


def withdraw(deps: Deps, caller: Caller, delegate_id: str) -> Refusal | None:
    """Take it back at once."""
    now = deps.clock()

    def work(tx: Transaction) -> Refusal | None:
        given = {
            one.delegate_id
            for one in tx.approvals.delegations(caller.principal_id, now)
            if one.approver_id == caller.principal_id
        }
        if delegate_id not in given:
            return Refusal(Code.NOT_FOUND, "You have handed nothing over to this person.")
        tx.approvals.undelegate(caller.principal_id, delegate_id)
        person = tx.principals.get(delegate_id, deleted=True)
        name = person.display_name if person is not None else ""
        record(
            tx,
            deps,
            caller,
            now,
            activity=WITHDRAWN,
            category="RoleManagement",
            targets=(Target("User", delegate_id, name),),
        )
        return None

    return deps.store.write(caller.tenant_id, work)
