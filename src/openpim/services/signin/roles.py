"""Which directory roles a person holds now, and until when: for `wids`, and for how long a token may live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from openpim.ports.store import Transaction


@dataclass(frozen=True, slots=True)
class InForce:
    """wids: ids of the roles. names: their display names. ends: when each activation among them ends."""

    wids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    ends: tuple[datetime, ...] = ()


def roles_in_force(tx: Transaction, tenant_id: str, principal_id: str, now: datetime) -> InForce:
    return InForce()
