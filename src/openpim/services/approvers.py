"""Who approves for powerful roles: by saying yes they give them, so they, and the groups that name them, are looked after
by those who look after the powerful (docs/decisions/0031-approvers-are-privileged.md)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from openpim.core.directory import Group
from openpim.core.grants import Provider
from openpim.ports.store import Transaction


def approve_power(tx: Transaction, ids: Collection[str]) -> bool:
    """Whether a policy names one of these as approver of a directory role, of a role on resources, or of being in a
    group that roles can be assigned to. (Who approves for an ordinary group has no more say than its managers.)"""
    named = tx.policies.approver_in(ids)
    if any(provider is not Provider.GROUP for provider, _ in named):
        return True
    groups = tx.groups.many({scope for _, scope in named})
    return any(group.role_assignable for group in groups.values())


def is_approver(tx: Transaction, principal_id: str, groups: Collection[str], now: datetime) -> bool:
    """Named himself or through one of his groups, or stands in for somebody who is."""
    if approve_power(tx, {principal_id, *groups}):
        return True
    for delegator in tx.approvals.delegators_of(principal_id, now):
        if approve_power(tx, {delegator} | tx.groups.groups_of(delegator, now)):
            return True
    return False


def protected(tx: Transaction, group: Group, now: datetime) -> bool:
    """Whether whoever puts himself into this group gets more than the managers of groups may give."""
    return group.role_assignable or approve_power(tx, {group.id} | tx.groups.groups_of(group.id, now))
