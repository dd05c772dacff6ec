"""PIM for Groups in a simulated world: `world` speaks of directory roles; this says the same of groups."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from openpim.core.ask import Ask
from openpim.core.caller import Caller
from openpim.core.grants import Action, Kind, Provider, Request
from openpim.core.policy import ApprovalSettings, Policy, Reviewers, Stage
from openpim.core.query import Query
from openpim.core.refusals import Refusal
from openpim.services import policies
from tests.world import World, ok


@dataclass
class GroupWorld:
    world: World

    def ask(self, action: Action, group: str, principal: str, access: str = "member", **more: Any) -> Ask:
        return replace(self.world.ask(action, principal, access, group, **more), provider=Provider.GROUP)

    def give(
        self,
        group: str,
        principal: str,
        access: str = "member",
        kind: Kind = Kind.ELIGIBILITY,
        *,
        by: str | Caller | None = None,
        action: Action = Action.ADMIN_ASSIGN,
        **more: Any,
    ) -> Request | Refusal:
        """For thirty days unless something else is said (permanent eligibility is not allowed by default)."""
        when = (
            more if {"days", "hours", "minutes", "until", "permanent"} & more.keys() else {**more, "days": 30}
        )
        ask = self.ask(action, group, principal, access, kind=kind, **when)
        return self.world.submit(ask, by or self.world.pra)

    def take(
        self, group: str, principal: str, access: str = "member", kind: Kind = Kind.ELIGIBILITY, **more: Any
    ) -> Request | Refusal:
        by = more.pop("by", None) or self.world.pra
        return self.world.submit(
            self.ask(Action.ADMIN_REMOVE, group, principal, access, kind=kind, **more), by
        )

    def activate(
        self, group: str, user: str, access: str = "member", *, by: Caller | None = None, **more: Any
    ) -> Request | Refusal:
        return self.world.submit(self.ask(Action.SELF_ACTIVATE, group, user, access, **more), by or user)

    def deactivate(self, group: str, user: str, access: str = "member") -> Request | Refusal:
        return self.world.submit(self.ask(Action.SELF_DEACTIVATE, group, user, access), user)

    def policy(
        self, group: str, access: str = "member", *, by: str | Caller | None = None, **changes: Any
    ) -> Policy | Refusal:
        deps = self.world.deps
        present = ok(policies.get(deps, self.world.system, Provider.GROUP, access, group))
        caller = self.world.caller(by or self.world.pra)
        return policies.update(
            deps, caller, present.id, lambda policy: replace(policy, **changes), Provider.GROUP, group
        )

    def approval(
        self, group: str, *users: str, access: str = "member", groups: tuple[str, ...] = (), **stage: Any
    ) -> Policy:
        one = Stage(primary=Reviewers(tuple(users), groups), **stage)
        return ok(self.policy(group, access, approval=ApprovalSettings(required=True, stages=(one,))))

    def members(self, group: str, *, transitive: bool = False) -> set[str]:
        now = self.world.now

        def work(tx: Any) -> set[str]:
            walk = tx.groups.transitive_members if transitive else tx.groups.members
            return {one.id for one in walk(group, now, Query(limit=500)).items}

        return self.world.read(work)

    def owners(self, group: str) -> set[str]:
        now = self.world.now
        return {
            one.id for one in self.world.read(lambda tx: tx.groups.owners(group, now, Query(limit=500))).items
        }


def give_group(world: World, group: str, principal: str, access: str = "member", **more: Any) -> Request:
    """Eligible for a group, by an administrator."""
    return ok(GroupWorld(world).give(group, principal, access, **more))
