"""Agents of Linux hosts: let in once by a token that works once, from then on by a secret of their own. One secret opens one
target, and that target alone: what it should have goes out, what it has comes in.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from openpim.core import caller as callers
from openpim.core.audit import Target as AuditTarget
from openpim.core.caller import Caller
from openpim.core.connecting import Target
from openpim.core.hosts import (
    AGENT,
    DESIRED,
    ENROLMENT,
    KIND,
    REPORT,
    STALE,
    DesiredState,
    HostReport,
    read_desired,
    read_report,
    report_text,
    said,
)
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.connecting.doorbell import BELL
from openpim.services.connecting.manage import MANAGERS, VIEWERS, may, missing
from openpim.services.recording import record

ALLOWED: Final = "Create agent enrolment"
ENROLLED: Final = "Enrol agent"
WITHDRAWN: Final = "Withdraw agent"
_LIFE: Final = timedelta(hours=1)
_FRESH: Final = timedelta(seconds=10)  # a report that says the same is kept anew after this
_NO: Final = Refusal(Code.SIGN_IN, "This host is not enrolled here. Enrol it: pim agent enroll")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """token: for `pim agent enroll`; works once, until then."""

    token: str
    until: datetime


@dataclass(frozen=True, slots=True)
class AgentView:
    """host: the name it gave. enrolled_at None: none is enrolled. report: the last; None before the first. fresh: whether
    the agent is there."""

    host: str = ""
    enrolled_at: datetime | None = None
    report: HostReport | None = None
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """now: our clock. lease: for how long the host keeps what it has without hearing of us."""

    desired: DesiredState
    now: datetime
    lease: timedelta


def allow(deps: Deps, caller: Caller, target_id: str) -> Enrolment | Refusal:
    """A token for one host; the one before it works no longer. An agent that is enrolled stays so until the new one is."""
    now = deps.clock()
    secret = deps.secret(32)

    def work(tx: Transaction) -> Enrolment | Refusal:
        target = _managed(tx, caller, target_id, now)
        if isinstance(target, Refusal):
            return target
        until = now + _LIFE
        row = {"hash": _hash(secret), "until": until.isoformat()}
        tx.targets.remember(target.id, ENROLMENT, json.dumps(row))
        tell(tx, deps, caller, now, ALLOWED, target, (("ExpirationTime", until.isoformat()),))
        return Enrolment(f"{caller.tenant_id}.{target.id}.{secret}", until)

    return deps.store.write(caller.tenant_id, work)


def withdraw(deps: Deps, caller: Caller, target_id: str) -> Refusal | None:
    """The agent is heard no longer. What it has given ends there by its lease."""
    now = deps.clock()

    def work(tx: Transaction) -> Refusal | None:
        target = _managed(tx, caller, target_id, now)
        if isinstance(target, Refusal):
            return target
        for name in (AGENT, ENROLMENT):
            tx.targets.remember(target.id, name, "")
        tell(tx, deps, caller, now, WITHDRAWN, target, ())
        return None

    return deps.store.write(caller.tenant_id, work)


def show(deps: Deps, caller: Caller, target_id: str) -> AgentView | Refusal:
    now = deps.clock()

    def work(tx: Transaction) -> AgentView | Refusal:
        refusal = may(tx, caller, now, VIEWERS)
        if refusal is not None:
            return refusal
        target = tx.targets.get(target_id)
        if target is None or target.kind != KIND:
            return missing(target_id)
        row = json.loads(tx.targets.memory(target.id, AGENT) or "{}")
        report = read_report(tx.targets.memory(target.id, REPORT))
        enrolled = datetime.fromisoformat(row["at"]) if row else None
        fresh = report is not None and now - report.at < STALE
        return AgentView(row.get("host", ""), enrolled, report, fresh)

    return deps.store.read(caller.tenant_id, work)


# ---------------------------------------------------------------- the agent's own side


def enrol(deps: Deps, tenant_id: str, target_id: str, token: str, host: str) -> str | Refusal:
    """The agent's secret. token: the last part of what `allow` gave."""
    now = deps.clock()
    secret = deps.secret(32)

    def work(tx: Transaction) -> str | Refusal:
        tx.lock_tenant()  # of two with one token, one
        target = _let_in(tx, target_id, token, now)
        if target is None:
            return _NO
        tx.targets.remember(target_id, ENROLMENT, "")
        tx.targets.remember(target_id, REPORT, "")
        name = "".join(letter if letter.isprintable() else "?" for letter in host)[:200]
        agent = {"hash": _hash(secret), "host": name, "at": now.isoformat()}
        tx.targets.remember(target_id, AGENT, json.dumps(agent))
        tx.targets.wake(target_id, now)
        tell(tx, deps, callers.system(tenant_id), now, ENROLLED, target, (("Host", name),))
        return secret

    # Anybody may guess: whoever does never waits for, or holds, the one writer.
    guessed = deps.store.read(tenant_id, lambda tx: _let_in(tx, target_id, token, now)) is None
    return _NO if guessed else deps.store.write(tenant_id, work)


def _let_in(tx: Transaction, target_id: str, token: str, now: datetime) -> Target | None:
    """The target that this token is for, while it is good."""
    target = tx.targets.get(target_id)
    row = json.loads(tx.targets.memory(target_id, ENROLMENT) or "{}") if target is not None else {}
    if target is None or target.kind != KIND or not row or datetime.fromisoformat(row["until"]) <= now:
        return None
    return target if hmac.compare_digest(str(row["hash"]), _hash(token)) else None


def sync(deps: Deps, tenant_id: str, target_id: str, secret: str, report: Any) -> Answer | Refusal:
    """Take in what the host has, give out what it should have. report: as it was sent; None: nothing new."""
    now = deps.clock()
    found = deps.store.read(tenant_id, lambda tx: _known(tx, target_id, secret))
    if found is None:
        return _NO
    target, old = found
    if report is not None:
        new = said(report, now)
        if new is None:
            return Refusal(Code.INVALID, "This is not a report. Is the agent's version the server's?")
        same = new.same_as(old)
        if old is None or not same or now - old.at >= _FRESH:

            def keep(tx: Transaction) -> bool:
                if _known(tx, target_id, secret) is None:
                    return False  # it was withdrawn meanwhile
                tx.targets.remember(target_id, REPORT, report_text(new))
                if not same:
                    tx.targets.wake(target_id, now)
                return True

            if not deps.store.write(tenant_id, keep):
                return _NO
            if not same:
                BELL.ring((tenant_id, target_id))
    desired = read_desired(deps.store.read(tenant_id, lambda tx: tx.targets.memory(target_id, DESIRED)))
    minutes = target.settings.get("lease_minutes") or "60"
    return Answer(desired, now, timedelta(minutes=int(minutes)))


def _known(tx: Transaction, target_id: str, secret: str) -> tuple[Target, HostReport | None] | None:
    target = tx.targets.get(target_id)
    if target is None or target.kind != KIND:
        return None
    row = json.loads(tx.targets.memory(target_id, AGENT) or "{}")
    if not row or not hmac.compare_digest(str(row["hash"]), _hash(secret)):
        return None
    return target, read_report(tx.targets.memory(target_id, REPORT))


def _managed(tx: Transaction, caller: Caller, target_id: str, now: datetime) -> Target | Refusal:
    refusal = may(tx, caller, now, MANAGERS)
    if refusal is not None:
        return refusal
    target = tx.targets.get(target_id)
    if target is None:
        return missing(target_id)
    if target.kind != KIND:
        return Refusal(Code.INVALID, f"{target.name} has no agent: only targets of kind {KIND} have.")
    return target


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def tell(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    now: datetime,
    activity: str,
    target: Target,
    details: tuple[tuple[str, str], ...],
) -> None:
    record(
        tx,
        deps,
        caller,
        now,
        activity=activity,
        category="ApplicationManagement",
        targets=(AuditTarget("Other", target.id, target.name),),
        details=details,
    )
