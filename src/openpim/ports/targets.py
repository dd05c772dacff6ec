"""Targets, the rules that map roles and groups to their entitlements, people's own names there, and what became of each edge."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from openpim.core.connecting import Effect, EffectState, Holder, Link, Rule, Target
from openpim.core.grants import Provider


class Targets(Protocol):
    def all(self) -> list[Target]:
        """By name."""
        ...

    def get(self, target_id: str) -> Target | None: ...

    def put(self, target: Target) -> None:
        """A new one, or what its administrators set of one that is there; what looking at it keeps is left alone."""
        ...

    def remove(self, target_id: str) -> None:
        """With its rules, names, effects and memories."""
        ...

    def enabled(self) -> list[tuple[str, Target]]:
        """(tenant id, target) of every tenant (unit of work of tenant "")."""
        ...

    def paused(self, limit: int) -> list[tuple[str, Target]]:
        """(tenant id, target) of every tenant (unit of work of tenant ""): those that are not looked at."""
        ...

    def lease(self, target_id: str, now: datetime, until: datetime) -> Target | None:
        """Take it, with the next epoch; None when somebody else holds it, or it is disabled or gone."""
        ...

    def wake(self, target_id: str, now: datetime) -> None:
        """Look at it at once, whatever pause it is in."""
        ...

    def renew(self, target: Target, until: datetime) -> bool:
        """False when somebody else has taken it over since."""
        ...

    def release(self, target: Target, now: datetime, next_at: datetime, failures: int, fault: str) -> bool:
        """A fault of "": the look went well. False when somebody else has taken it over since."""
        ...

    def failing(self) -> int:
        """How many could not be looked at the last time (any tenant, in the unit of work of tenant "")."""
        ...

    # -- rules
    def rules(self, target_id: str) -> list[Rule]: ...

    def add_rule(self, rule: Rule) -> bool:
        """False when there is one that says the same."""
        ...

    def remove_rule(self, target_id: str, rule_id: str) -> bool: ...

    def mapped(self, provider: Provider, scopes: Collection[str]) -> bool:
        """Whether a rule of any target is about one of these scopes."""
        ...

    # -- names
    def subjects(self, target_id: str) -> dict[str, str]:
        """The names in the target of people whose name does not follow its pattern, by id of the person."""
        ...

    def put_subject(self, target_id: str, principal_id: str, subject: str) -> None:
        """With "": it follows the pattern again."""
        ...

    # -- memories of connectors
    def memory(self, target_id: str, name: str) -> str: ...

    def memories(self, target_id: str, prefix: str) -> dict[str, str]: ...

    def remember(self, target_id: str, name: str, text: str) -> None:
        """With "": forget the name."""
        ...

    # -- who is in a group, with the ends
    def links(self, group_ids: Collection[str], now: datetime) -> list[Link]:
        """Who is in these groups and in the groups inside them, now, each with its end."""
        ...

    def holders(self, provider: Provider, role_id: str, scope: str, now: datetime) -> list[Holder]:
        """Who has this role at exactly this scope now, by a schedule; groups too."""
        ...

    def next_change(self, now: datetime) -> datetime | None:
        """When the next assignment of the tenant starts or ends by time."""
        ...


class Effects(Protocol):
    def of_target(self, target_id: str, *, over: bool = False) -> list[Effect]:
        """over: those that have ended too, for as long as they are kept."""
        ...

    def named(
        self, target_id: str, names: Collection[tuple[str, str, str]]
    ) -> dict[tuple[str, str, str], Effect]: ...

    def of_principals(self, principal_ids: Collection[str], *, since: datetime) -> list[Effect]:
        """Theirs that are not over, or were since then."""
        ...

    def put(self, effects: Sequence[Effect]) -> None: ...

    def count(self) -> Mapping[str, Mapping[EffectState, int]]:
        """How many in each state, by id of target."""
        ...

    def everywhere(self) -> dict[EffectState, int]:
        """How many in each state, of every tenant (in the unit of work of tenant "")."""
        ...

    def failing(self) -> int:
        """How many removals have failed and are tried again (any tenant, in the unit of work of tenant "")."""
        ...

    def drop(self, target_id: str, names: Collection[tuple[str, str, str]]) -> None: ...

    def forget(self, before: datetime, limit: int) -> int:
        """Drop those that were over before then (any tenant, in the unit of work of tenant "")."""
        ...
