"""What somebody is called in a real system says whose his access there is: who changes the one decides on the other
(docs/decisions/0096-a-name-there-is-access.md)."""

from __future__ import annotations

from datetime import datetime

from openpim.core.connecting import Rule, subject_of
from openpim.core.directory import User
from openpim.core.grants import Provider
from openpim.ports.store import Transaction
from openpim.services.power import could_be, owned_by


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
    who = could_be(tx, {old.id} | owned_by(tx, old.id, now), now)
    held = {(one.provider, one.role_id) for one in tx.schedules.of(who, live_at=now)}

    def reaches(rule: Rule) -> bool:
        return rule.scope in who if rule.provider is Provider.GROUP else (rule.provider, rule.role_id) in held

    return next((name for name, found in rules.items() if any(map(reaches, found))), "")
