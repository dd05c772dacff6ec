"""Audit events of signing in: who tried, from where, how it ended. Written in the same commit as the thing itself."""

from __future__ import annotations

from dataclasses import dataclass

from openpim.core.audit import AuditEvent, Target
from openpim.core.signin.values import Account
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import recording


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from. base: our public address as the client wrote it."""

    base: str
    ip: str = ""
    user_agent: str = ""
    request_id: str = ""


def record(
    deps: Deps,
    tx: Transaction,
    account: Account,
    activity: str,
    origin: Origin,
    *,
    reason: str = "",
    app_id: str | None = None,
    amr: tuple[str, ...] = (),
    details: tuple[tuple[str, str], ...] = (),
) -> None:
    """reason: why it failed; empty for a success. tx: of the tenant whose history it belongs to."""
    user = tx.in_tenant(account.tenant_id).users.get(account.user_id)
    name = user.display_name if user else ""
    recording.add(
        tx,
        deps,
        AuditEvent(
            id=deps.new_id(),
            at=deps.clock(),
            activity=activity,
            category="Authentication",
            result="failure" if reason else "success",
            reason=reason,
            actor_id=account.user_id,
            actor_kind="user",
            actor_name=name,
            actor_upn=user.user_principal_name if user else None,
            app_id=app_id,
            ip=origin.ip or None,
            client=origin.user_agent or None,
            amr=amr,
            correlation_id=origin.request_id,
            targets=(Target("User", account.user_id, name),),
            details=details,
            request_id=origin.request_id,
        ),
    )
