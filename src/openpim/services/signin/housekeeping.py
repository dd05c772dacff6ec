"""Drops what can no longer matter: expired codes, tokens, sessions, counters. Nothing depends on it having run."""

from __future__ import annotations

from datetime import timedelta

from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.relying.changes import TOPIC
from openpim.services.relying.sessions import KEPT

# Kept a while after their end, so that a replay is still told from a guess.
_AFTER = timedelta(days=7)


def forget_old(deps: Deps) -> int:
    """How many rows went. Safe to run in several processes, at any time, in any rhythm (daily is plenty)."""
    now = deps.clock()
    before = now - _AFTER

    def work(tx: Transaction) -> int:
        return (
            tx.authorization_codes.forget(before)
            + tx.device_codes.forget(before)
            + tx.refresh_tokens.forget(before)
            + tx.grants.forget(before)
            + tx.sessions.forget(before)
            + tx.throttle.forget(now - timedelta(days=1))
            + tx.revocations.forget(now)
            + tx.client_credentials.forget(now)
            + tx.client_sessions.forget(now - KEPT)
            + tx.outbox.forget(before, (TOPIC,))
        )

    return deps.store.write("", work)
