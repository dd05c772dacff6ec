"""What an activation rests on: the eligibilities that give it, and the settings it goes by. An approval goes by them when it
follows the settings of today, and again when it grants: both in one commit, so they are read once for both."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from openpim.core.ask import Ask
from openpim.core.deciding import best_eligibility
from openpim.core.grants import Action, Provider, Schedule
from openpim.core.policy import Policy, stricter
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.actions.common import eligibilities_for
from openpim.services.providers import PROVIDERS


def policy_for(tx: Transaction, deps: Deps, ask: Ask, eligibility: Schedule | None) -> Policy:
    """The policy at the asked scope; where the eligibility lies above it, the stricter of both."""
    rules = PROVIDERS[ask.provider]
    policy = rules.policy(tx, deps, ask.role_id, ask.scope)
    if ask.provider is not Provider.RESOURCE or eligibility is None or eligibility.scope == ask.scope:
        return policy
    above = rules.policy(tx, deps, ask.role_id, eligibility.scope)
    return stricter(policy, above, extending=ask.action is Action.SELF_EXTEND)


class Basis:
    """Of what is asked, at one moment of one unit of work; each part is read when it is first asked for."""

    def __init__(self, tx: Transaction, deps: Deps, ask: Ask, now: datetime) -> None:
        self._tx = tx
        self._deps = deps
        self._ask = ask
        self._now = now
        self._policies: dict[str | None, Policy] = {}

    @cached_property
    def eligibilities(self) -> list[Schedule]:
        """Live ones, shared until the commit."""
        return eligibilities_for(self._tx, self._ask, self._now)

    def policy(self, begins: datetime) -> Policy:
        """The settings for an activation that begins then."""
        best = best_eligibility(self.eligibilities, begins)
        scope = best.scope if best is not None else None
        if scope not in self._policies:
            self._policies[scope] = policy_for(self._tx, self._deps, self._ask, best)
        return self._policies[scope]
