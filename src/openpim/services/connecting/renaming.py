"""What somebody is called in a real system says whose his access there is: who changes the one decides on the other
(docs/decisions/0096-a-name-there-is-access.md)."""

from __future__ import annotations

from datetime import datetime

from openpim.core.connecting import subject_of
from openpim.core.directory import User
from openpim.core.grants import Provider
from openpim.ports.store import Transaction
from openpim.services.power import could_be


def called_otherwise(tx: Transaction, old: User, new: User, now: datetime) -> str:
    """The name of a target in which he has access, or could get it, and would be called otherwise; "": there is none."""
    targets = [
        one for one in tx.targets.all() if subject_of(old, one.subject) != subject_of(new, one.subject)
    ]
    rules = {
        one.name: found
        for one in targets
        if old.id not in tx.targets.subjects(one.id) and (found := tx.targets.rules(one.id))
    }
    if not rules:
        return ""
    who = could_be(tx, {old.id}, now)
    held = {(one.provider, one.role_id) for one in tx.schedules.of(who, live_at=now)}
    for name, found in rules.items():
        for rule in found:
            if rule.provider is Provider.GROUP:
                reaches = rule.scope in who or tx.groups.is_owner(rule.scope, old.id, now)
            else:
                reaches = (rule.provider, rule.role_id) in held
            if reaches:
                return name
    return ""
