"""How somebody proved who he is, and which authentication contexts that proof still stands for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from openpim.core.signin.claims import Proof, contexts_in
from openpim.core.signin.values import Grant, Session
from openpim.ports.store import Transaction
from openpim.services.signin.context import SignIn


def lifetime(signin: SignIn) -> timedelta:
    """How long a proof stands for an authentication context."""
    return timedelta(minutes=signin.settings.authentication_context_minutes)


def mfa_contexts(tx: Transaction, names: Iterable[str]) -> frozenset[str]:
    """Of these contexts, those that require a second factor. One that has no row does. tx: of the tenant."""
    found = {name: tx.authentication_contexts.get(name) for name in names}
    return frozenset(name for name, row in found.items() if row is None or row.requires_mfa)


def of_session(session: Session, tenant_id: str) -> Proof:
    """Contexts belong to the tenant they were granted in."""
    contexts = contexts_in(session.acrs, tenant_id)
    return Proof(frozenset(session.amr), contexts, session.auth_time, session.mfa_at)


def of_grant(grant: Grant, tenant_id: str) -> Proof:
    """What was proven in one tenant is proven, but contexts belong to the tenant they were granted in."""
    contexts = frozenset(grant.acrs) if tenant_id == grant.tenant_id else frozenset[str]()
    return Proof(frozenset(grant.amr), contexts, grant.auth_time, grant.mfa_at)
