"""Where it leads what a person may activate: so that who wants to get into a system need not know which role opens it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.connecting import Rule, Target
from openpim.core.grants import Provider
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services import eligibilities
from openpim.services.connecting.wanting import giving
from openpim.services.eligibilities import Activatable, Key
from openpim.services.providers import PROVIDERS

_MEMBER = "member"


@dataclass(frozen=True, slots=True)
class Way:
    """What the caller may activate, and what that gives him where."""

    through: Activatable
    target: Target
    entitlement: str


def ways(deps: Deps, caller: Caller) -> list[Way]:
    """By target, then by role. Only his own eligibilities, and only targets that are in use: what else a target gives to whom
    is told to nobody here."""
    able = {_key(one): one for one in eligibilities.mine(deps, caller)}
    now = deps.clock()

    def work(tx: Transaction) -> list[Way]:
        found: dict[tuple[str, str, Key], Way] = {}
        for target in sorted(tx.targets.all(), key=lambda one: (one.name.casefold(), one.id)):
            rules = tx.targets.rules(target.id) if target.enabled else []
            for rule in rules:
                if rule.entitlement in target.managed:
                    for key in _leading(tx, rule, able, now):
                        way = Way(able[key], target, rule.entitlement)
                        found.setdefault((target.id, rule.entitlement, key), way)
        return list(found.values())

    return deps.store.read(caller.tenant_id, work) if able else []


def _leading(tx: Transaction, rule: Rule, able: Mapping[Key, Activatable], now: datetime) -> Iterator[Key]:
    """Those that give what the rule asks for: at its scope or above it, or by a group that has it."""
    for scope in PROVIDERS[rule.provider].chain(tx, rule.scope):
        if (key := (rule.provider, rule.role_id, scope)) in able:
            yield key
    groups = {scope for provider, role_id, scope in able if (provider, role_id) == (Provider.GROUP, _MEMBER)}
    for group in sorted(groups & giving(tx, rule, now)) if groups else ():
        yield Provider.GROUP, _MEMBER, group


def _key(one: Activatable) -> Key:
    held = one.eligibility
    return held.provider, held.role_id, held.scope
