"""How long an organisation keeps its audit history, and who else witnesses its checkpoints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.organisation_settings import OrganisationSettings
from openpim.core.refusals import Code, Refusal
from openpim.core.roles import GLOBAL_ADMINISTRATOR
from openpim.core.webhooks import new_secret
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.audits import may_read_all
from openpim.services.authority import roles_of
from openpim.services.recording import record

PURPOSE: Final = "audit-witness"
UPDATED: Final = "Update audit settings"
SHORTEST_DAYS: Final = 30
LONGEST_DAYS: Final = 36_500
_FORBIDDEN = Refusal(
    Code.FORBIDDEN, "Only a Global Administrator may change how the audit history is kept and witnessed."
)


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """retention_days: None = for ever. secret: of the witness, only in the answer that made it."""

    retention_days: int | None
    witness_url: str
    timestamp_url: str
    secret: str = ""


class Unchanged:
    """Stands for a value that is to stay as it is."""


UNCHANGED: Final = Unchanged()


def get(deps: Deps, caller: Caller) -> AuditSettings | Refusal:
    """For whoever may read the whole history."""
    now = deps.clock()

    def work(tx: Transaction) -> AuditSettings | Refusal:
        if not may_read_all(tx, caller, now):
            return Refusal(Code.FORBIDDEN, "Only who may read the whole audit history sees its settings.")
        return _shown(tx.organisation_settings.get())

    return deps.store.read(caller.tenant_id, work)


def may_change(deps: Deps, caller: Caller) -> bool:
    """Whether a form for it is worth showing."""
    now = deps.clock()
    return deps.store.read(caller.tenant_id, lambda tx: _may(tx, caller, now))


def change(
    deps: Deps,
    caller: Caller,
    *,
    retention_days: int | Unchanged | None = UNCHANGED,
    witness_url: str | Unchanged = UNCHANGED,
    timestamp_url: str | Unchanged = UNCHANGED,
) -> AuditSettings | Refusal:
    """Change what is given; an empty address switches off. A new witness gets a new secret."""
    now = deps.clock()

    def work(tx: Transaction) -> AuditSettings | Refusal:
        if not _may(tx, caller, now):
            _refused(tx, deps, caller, now)
            return _FORBIDDEN
        fault = _fault(deps, retention_days, witness_url, timestamp_url)
        if fault is not None:
            return fault
        tx.lock_tenant()
        before = tx.organisation_settings.get()
        after, secret = before, ""
        if not isinstance(retention_days, Unchanged):
            after = replace(after, audit_retention_days=retention_days)
        if not isinstance(timestamp_url, Unchanged):
            after = replace(after, audit_timestamp_url=timestamp_url)
        if not isinstance(witness_url, Unchanged) and witness_url != before.audit_witness_url:
            secret = new_secret(deps.secret(32)) if witness_url else ""
            sealed = deps.sealer.seal(PURPOSE, secret) if secret else ""
            after = replace(after, audit_witness_url=witness_url, audit_witness_secret=sealed)
        if after != before:
            tx.organisation_settings.save(after)
            _note(tx, deps, caller, now, before, after)
        return replace(_shown(after), secret=secret)

    return deps.store.write(caller.tenant_id, work)


def _may(tx: Transaction, caller: Caller, now: datetime) -> bool:
    return GLOBAL_ADMINISTRATOR in roles_of(tx, caller, now)


def _shown(one: OrganisationSettings) -> AuditSettings:
    return AuditSettings(one.audit_retention_days, one.audit_witness_url, one.audit_timestamp_url)


def _fault(
    deps: Deps, days: int | Unchanged | None, witness: str | Unchanged, timestamp: str | Unchanged
) -> Refusal | None:
    if isinstance(days, int) and not SHORTEST_DAYS <= days <= LONGEST_DAYS:
        message = f"Keep the history for {SHORTEST_DAYS} to {LONGEST_DAYS} days, or for ever (null)."
        return Refusal(Code.INVALID, message, member="retentionDays")
    for member, url in (("witnessUrl", witness), ("timeStampUrl", timestamp)):
        if isinstance(url, str) and url:
            wrong = deps.outbound.fault(url)
            if wrong is not None or len(url) > 2000:
                return Refusal(Code.INVALID, wrong or "The address is too long.", member=member)
    return None


def _refused(tx: Transaction, deps: Deps, caller: Caller, now: datetime) -> None:
    record(
        tx, deps, caller, now, activity=UPDATED, category="Policy", result="failure", reason=_FORBIDDEN.message,
        targets=(Target("Directory", tx.tenant_id, "Audit settings"),),
    )  # fmt: skip


def _note(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    now: datetime,
    before: OrganisationSettings,
    after: OrganisationSettings,
) -> None:
    changes = tuple(
        (name, _text(getattr(before, field)), _text(getattr(after, field)))
        for name, field in (
            ("RetentionDays", "audit_retention_days"),
            ("WitnessUrl", "audit_witness_url"),
            ("TimeStampUrl", "audit_timestamp_url"),
        )
        if getattr(before, field) != getattr(after, field)
    )
    target = Target("Directory", tx.tenant_id, "Audit settings", changes)
    record(tx, deps, caller, now, activity=UPDATED, category="Policy", targets=(target,))


def _text(value: object) -> str | None:
    """An address without what may be a secret in it."""
    return None if value in {None, ""} else str(value).partition("?")[0]
