"""A credential for somebody's own access to a target: a password, a certificate. Only while the access is effective, never
valid for longer than it, shown once and kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from openpim.core.audit import Target as AuditTarget
from openpim.core.caller import Caller, CallerKind
from openpim.core.connecting import Edge, EffectState, Target, Wanted
from openpim.core.refusals import Code, Refusal
from openpim.ports.connector import BadNameError, Fault, Fence, Issuing, TargetError
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.connecting.manage import missing
from openpim.services.connecting.opening import capabilities_of, kind_of, opened
from openpim.services.connecting.wanting import wish
from openpim.services.recording import record

ISSUED = "Issue credential for target"
_SECONDS = timedelta(seconds=30)
_MOST_VALUES = 20
_LONGEST_VALUE = 20_000
# What is on record of a credential, and how it is called there: enough to find it again in the target's own log.
_ON_RECORD = {"serial": "SerialNumber", "keyId": "KeyId", "user": "Login"}


@dataclass(frozen=True, slots=True)
class Credential:
    edge: Edge
    target: Target
    values: Mapping[str, str]


def issue(
    deps: Deps, caller: Caller, target_id: str, given: Mapping[str, str], entitlement: str = ""
) -> Credential | Refusal:
    """target_id: or its name. given: what the person sends (a public key). entitlement: which one, where he has several; ""
    takes the one that lasts longest."""
    now = deps.clock()
    if len(given) > _MOST_VALUES or any(len(text) > _LONGEST_VALUE for text in given.values()):
        return Refusal(Code.INVALID, "This is too much. Send the public key alone.", member="values")
    try:
        found = deps.store.read(
            caller.tenant_id, lambda tx: _mine(tx, deps, caller, target_id, entitlement, now)
        )
        if isinstance(found, Refusal):
            return found
        target, edge = found
        connector = opened(deps, caller.tenant_id, target)
        try:
            if not isinstance(connector, Issuing):
                return Refusal(Code.INVALID, f"{target.name} gives no credentials: sign in there as usual.")
            values = connector.issue(edge, given, Fence(target.epoch, now + _SECONDS))
        finally:
            connector.close()
    except BadNameError as error:
        return Refusal(Code.INVALID, str(error), member="values")
    except TargetError as error:
        if error.fault is Fault.UNREACHABLE:
            return Refusal(Code.CONFLICT, f"{error.message} Try again in a moment.", retry_after=1)
        return Refusal(Code.CONFLICT, error.message)
    refusal = deps.store.write(
        caller.tenant_id, lambda tx: _told(tx, deps, caller, target, edge, values, entitlement)
    )
    return refusal or Credential(edge, target, values)


def _mine(
    tx: Transaction, deps: Deps, caller: Caller, target_id: str, entitlement: str, now: datetime
) -> tuple[Target, Edge] | Refusal:
    target = tx.targets.get(target_id.lower()) or next(
        (one for one in tx.targets.all() if one.name.casefold() == target_id.casefold()), None
    )
    if target is None or caller.kind is CallerKind.SYSTEM:
        return missing(target_id)
    kind = kind_of(deps, target)
    if not target.enabled:
        return Refusal(Code.CONFLICT, f"{target.name} is switched off at the moment.")
    wanted = [one for one in wish(tx, kind, target, now).edges.values() if _fits(one, caller, entitlement)]
    if not wanted:
        return Refusal(
            Code.FORBIDDEN,
            f"You have no active access to {target.name}. Activate a role that gives it first; "
            "pim list shows what you are eligible for.",
        )
    best = max(wanted, key=lambda one: (one.edge.until is None, one.edge.until or now))
    effect = tx.effects.named(target.id, [best.edge.name]).get(best.edge.name)
    if effect is None or effect.state is not EffectState.EFFECTIVE:
        return Refusal(
            Code.CONFLICT,
            f"Your access to {target.name} is on its way. Try again in a moment.",
            retry_after=1,
        )
    if not capabilities_of(kind, target).issues:
        return Refusal(Code.INVALID, f"{target.name} gives no credentials: sign in there as usual.")
    return target, best.edge


def _fits(one: Wanted, caller: Caller, entitlement: str) -> bool:
    return one.principal_id == caller.principal_id and entitlement in {"", one.edge.entitlement}


def _told(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    target: Target,
    edge: Edge,
    values: Mapping[str, str],
    entitlement: str,
) -> Refusal | None:
    """On record, or not given: what it rests on may have ended while the target was asked."""
    now = deps.clock()
    again = _mine(tx, deps, caller, target.id, entitlement, now)
    if isinstance(again, Refusal):
        return again
    details = [("Subject", edge.subject), ("Entitlement", edge.entitlement)]
    if edge.until is not None:
        details.append(("ExpirationTime", edge.until.isoformat()))
    details += [(said, values[name]) for name, said in _ON_RECORD.items() if values.get(name)]
    record(
        tx,
        deps,
        caller,
        now,
        activity=ISSUED,
        category="ApplicationManagement",
        targets=(AuditTarget("Other", target.id, target.name),),
        details=tuple(details),
    )
    return None
