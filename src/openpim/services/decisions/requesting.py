"""From a no to a yes: what a denial says about how to ask (AuthZEN's access request profile), and the asking.

A denial that an activation would cure carries a sealed token that says who was denied what, and which role at which place
would help. Sent back, it becomes an ordinary activation: every rule of the role's settings applies, as on every road.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from openpim.core.ask import Ask
from openpim.core.caller import Caller
from openpim.core.deciding import best_eligibility
from openpim.core.decisions import micros
from openpim.core.grants import Action, ExpirationType, Kind, Provider, Request, Schedule, Ticket, Window
from openpim.core.lifecycle import RequestStatus
from openpim.core.policy import Requirement
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import cancel as cancelling
from openpim.services.authority import identities
from openpim.services.basis import policy_for
from openpim.services.decisions.asking import Grantable
from openpim.services.providers import PROVIDERS
from openpim.services.submit import submit

GOOD_FOR: Final = timedelta(minutes=10)
PURPOSE: Final = "access-request"
TEMPLATE: Final = "activation"
_ORIGIN: Final = "authzen"
STATUSES: Final[Mapping[RequestStatus, str]] = {
    RequestStatus.PENDING_APPROVAL: "pending",
    RequestStatus.PENDING_APPROVAL_PROVISIONING: "pending",
    RequestStatus.PENDING_ADMIN_DECISION: "pending",
    RequestStatus.GRANTED: "approved",
    RequestStatus.PROVISIONED: "approved",
    RequestStatus.REVOKED: "approved",
    RequestStatus.DENIED: "denied",
    RequestStatus.CANCELED: "cancelled",
    RequestStatus.TIMED_OUT: "expired",
    RequestStatus.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class Denied:
    """What was denied to whom, as the token says it."""

    evaluation_id: str
    principal: str
    question: str  # digest of subject, action and resource
    cure: Grantable
    until: datetime


@dataclass(frozen=True, slots=True)
class Task:
    """A request, and until when what it gave lasts (None while there is nothing, or for good)."""

    request: Request
    schedule: Schedule | None

    @property
    def status(self) -> str:
        return STATUSES[self.request.status]


def digest_of(*parts: Any) -> str:
    """Equal for what is equal as JSON, whatever the order of members."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def seal(deps: Deps, tenant_id: str, denied: Denied) -> str:
    cure = denied.cure
    return deps.sealer.seal_json(
        PURPOSE,
        {
            "t": tenant_id,
            "e": denied.evaluation_id,
            "s": denied.principal,
            "q": denied.question,
            "c": [cure.provider, cure.role, cure.scope],
            "x": denied.until.isoformat(),
        },
    )


def unseal(deps: Deps, tenant_id: str, token: str) -> Denied | None:
    """None when it was not sealed here, or for another tenant."""
    said = deps.sealer.unseal_json(PURPOSE, token) if len(token) < 8_000 else None
    if said is None or said.get("t") != tenant_id:
        return None
    return Denied(said["e"], said["s"], said["q"], Grantable(*said["c"]), datetime.fromisoformat(said["x"]))


def request(
    deps: Deps,
    caller: Caller,
    denied: Denied,
    *,
    key: str,
    body: str,
    justification: str | None,
    ticket: Ticket,
    until: datetime | None,
) -> Task | Refusal:
    """Ask for what would cure the denial. key: of idempotency, "" for none; body: a digest of all that was sent.

    Refusal: as services/submit; CONFLICT: the key was used for something else."""
    now = deps.clock()
    window = Window() if until is None else Window(type=ExpirationType.AFTER_DATE_TIME, end=until)
    mark = json.dumps({"origin": _ORIGIN, "evaluation_id": denied.evaluation_id, "body": body})
    ask = Ask(
        kind=Kind.ASSIGNMENT,
        provider=Provider(denied.cure.provider),
        action=Action.SELF_ACTIVATE,
        principal_id=denied.principal,
        role_id=denied.cure.role,
        scope=denied.cure.scope,
        justification=justification,
        ticket=ticket,
        window=window,
        custom_data=mark,
        request_id=_id_of(deps, caller, key) if key else None,
    )
    if until is not None and until <= now:
        return Refusal(Code.INVALID, "requested_until is not later than now.", member="requested_until")
    outcome = submit(deps, caller, ask)
    if isinstance(outcome, Refusal):
        return outcome
    if key and _body_of(outcome) != body:
        return Refusal(Code.CONFLICT, "This Idempotency-Key was used for another request.", member="key")
    return deps.store.read(caller.tenant_id, lambda tx: _task(tx, outcome))


def find(deps: Deps, caller: Caller, task_id: str, *, everybody: bool) -> Task | Refusal:
    """A task of the caller's own; everybody: of anybody in the tenant."""

    def work(tx: Transaction) -> Task | Refusal:
        found = tx.requests.get(task_id)
        if found is None or not (everybody or found.principal_id == caller.principal_id) or not _ours(found):
            return Refusal(Code.REQUEST_MISSING, "There is no such task.")
        return _task(tx, found)

    return deps.store.read(caller.tenant_id, work)


def cancel(deps: Deps, caller: Caller, task_id: str) -> Task | Refusal:
    """Only one's own."""
    task = find(deps, caller, task_id, everybody=False)
    if isinstance(task, Refusal):
        return task
    outcome = cancelling.cancel(deps, caller, task.request.provider, task.request.kind, task_id)
    return outcome if isinstance(outcome, Refusal) else find(deps, caller, task_id, everybody=False)


def missing_proofs(
    deps: Deps, caller: Caller, cures: Sequence[Grantable]
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """For each activation: (acr values, amr values) that the person's sign-in lacks for it."""
    now = deps.clock()

    def work(tx: Transaction) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        return [_missing(tx, deps, caller, cure, now) for cure in cures]

    return deps.store.read(caller.tenant_id, work)


def _missing(
    tx: Transaction, deps: Deps, caller: Caller, cure: Grantable, now: datetime
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    provider = Provider(cure.provider)
    found = tx.schedules.of(
        identities(tx, caller.principal_id, now),
        provider=provider,
        kind=Kind.ELIGIBILITY,
        role_id=cure.role,
        scopes=PROVIDERS[provider].chain(tx, cure.scope),
        live_at=now,
    )
    ask = Ask(Kind.ASSIGNMENT, provider, Action.SELF_ACTIVATE, caller.principal_id, cure.role, cure.scope)
    policy = policy_for(tx, deps, ask, best_eligibility(found, now))
    acr = tuple(one for one in policy.contexts if one not in caller.acrs)
    amr = ("mfa",) if Requirement.MFA in policy.activation_requires and not caller.has_mfa else ()
    return acr, amr


def _task(tx: Transaction, found: Request) -> Task:
    return Task(found, tx.schedules.get(found.schedule_id) if found.schedule_id else None)


def in_force(task: Task, now: datetime) -> bool:
    return task.schedule is not None and task.schedule.in_force(now)


def matches(task: Task, cure: Grantable) -> bool:
    """Whether a request was for this role at this place."""
    one = task.request
    return (one.provider.value, one.role_id, one.scope) == (cure.provider, cure.role, cure.scope)


def _ours(found: Request) -> bool:
    return found.action is Action.SELF_ACTIVATE


def _body_of(found: Request) -> str:
    try:
        said = json.loads(found.custom_data or "")
    except ValueError:
        return ""
    return str(said.get("body", "")) if isinstance(said, dict) else ""


def _id_of(deps: Deps, caller: Caller, key: str) -> str:
    """The same for the same key of the same person, and nobody else can tell which."""
    said = f"{caller.tenant_id}\x1f{caller.principal_id}\x1f{key}"
    mark = bytearray(deps.sealer.mac(PURPOSE, said.encode("utf-8", "surrogatepass"))[:16])
    mark[6], mark[8] = mark[6] & 0x0F | 0x40, mark[8] & 0x3F | 0x80
    text = mark.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def expires(now: datetime) -> datetime:
    return (now + GOOD_FOR).replace(microsecond=0)


def fresh(denied: Denied, now: datetime) -> bool:
    return micros(now) < micros(denied.until)
