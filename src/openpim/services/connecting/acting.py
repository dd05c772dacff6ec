"""What administrators do with a target by hand: probe it, see what would be done, have it done now; and what everybody sees of
his own access there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from openpim.core.audit import Target as AuditTarget
from openpim.core.caller import Caller
from openpim.core.connecting import Effect, EffectState, Op, Rule, Target
from openpim.core.grants import Provider, Schedule
from openpim.core.refusals import Code, Refusal
from openpim.ports.connector import Probe, TargetError
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.assigning import place_named, role_named
from openpim.services.connecting.checking import bad
from openpim.services.connecting.manage import (
    MANAGERS,
    THERE_ALREADY,
    VIEWERS,
    View,
    checked_rule,
    may,
    missing,
    rule_of,
)
from openpim.services.connecting.opening import opened
from openpim.services.connecting.reconcile import Held, Looked, look, planned
from openpim.services.connecting.wanting import left_over
from openpim.services.eligibilities import Names
from openpim.services.recording import record

APPLIED = "Reconcile target"
_RECENT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Probed:
    """fault: why it could not be asked at all, "" when it could."""

    probe: Probe
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a look would do now. foreign: (subject, entitlement) that others gave. problems: (person's id, name, why he gets
    nothing)."""

    ops: tuple[Op, ...]
    foreign: tuple[tuple[str, str], ...]
    problems: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """A mapping that is not there yet, or not any more, with the names of its role and its place. planned: a refusal where
    the target cannot be asked."""

    target: Target
    rule: Rule
    role: str
    scope: str
    planned: Planned | Refusal


@dataclass(frozen=True, slots=True)
class Mine:
    effect: Effect
    target: Target


def probe(deps: Deps, caller: Caller, target_id: str) -> Probed | Refusal:
    """Ask the target whether it can be reached, and what our account there may do. Changes nothing."""
    target = _found(deps, caller, target_id)
    if isinstance(target, Refusal):
        return target
    try:
        connector = opened(deps, caller.tenant_id, target)
        try:
            return Probed(connector.probe())
        finally:
            connector.close()
    except TargetError as error:
        return Probed(Probe(reachable=False), error.message)


def plan(deps: Deps, caller: Caller, target_id: str) -> Planned | Refusal:
    """What would be done now. Changes nothing."""
    target = _found(deps, caller, target_id)
    return target if isinstance(target, Refusal) else _planned(deps, caller, target)


def plan_adding(
    deps: Deps, caller: Caller, target_id: str, provider: Provider, role: str, scope: str, entitlement: str
) -> Tried | Refusal:
    """What would be done if there were this mapping too. role, scope: names or ids, as people write them; `member` of the
    refusal says which was written wrong. Changes nothing."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[Target, Rule, list[Rule], Names] | Refusal:
        refusal = may(tx, caller, now, MANAGERS)
        target = tx.targets.get(target_id) if refusal is None else None
        if target is None:
            return refusal or missing(target_id)
        place = place_named(tx, provider, scope.strip())
        if place is None:
            return bad("scope", "There is no such place. Write its exact name, its id or its path.")
        role_id = role_named(tx, provider, role.strip())
        if role_id is None:
            return bad("role", f"There is no role {role:.100} here.")
        rule = checked_rule(tx, deps, caller, target, now, provider, role_id, place, entitlement)
        if isinstance(rule, Refusal):
            return rule
        rules = tx.targets.rules(target_id)
        if any(_says(one) == _says(rule) for one in rules):
            return THERE_ALREADY
        return target, rule, [*rules, rule], Names(tx, {(provider, role_id, rule.scope)})

    return _tried(deps, caller, deps.store.read(caller.tenant_id, work))


def plan_removing(deps: Deps, caller: Caller, target_id: str, rule_id: str) -> Tried | Refusal:
    """What would be done without this mapping. Changes nothing."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[Target, Rule, list[Rule], Names] | Refusal:
        refusal = may(tx, caller, now, VIEWERS)
        target = tx.targets.get(target_id) if refusal is None else None
        if target is None:
            return refusal or missing(target_id)
        rule = rule_of(tx, target_id, rule_id)
        if isinstance(rule, Refusal):
            return rule
        left = [one for one in tx.targets.rules(target_id) if one.id != rule_id]
        return target, rule, left, Names(tx, {(rule.provider, rule.role_id, rule.scope)})

    return _tried(deps, caller, deps.store.read(caller.tenant_id, work))


def _says(rule: Rule) -> tuple[Provider, str, str, str]:
    return rule.provider, rule.role_id, rule.scope, rule.entitlement


def _tried(
    deps: Deps, caller: Caller, found: tuple[Target, Rule, list[Rule], Names] | Refusal
) -> Tried | Refusal:
    if isinstance(found, Refusal):
        return found
    target, rule, rules, names = found
    key = (rule.provider, rule.role_id, rule.scope)
    return Tried(
        target,
        rule,
        names.roles.get(key, rule.role_id),
        names.scopes.get(key, rule.scope),
        _planned(deps, caller, target, rules),
    )


def _planned(
    deps: Deps, caller: Caller, target: Target, rules: Sequence[Rule] | None = None
) -> Planned | Refusal:
    try:
        todo, wished = planned(deps, caller.tenant_id, target, rules)
    except TargetError as error:
        return Refusal(Code.CONFLICT, error.message)
    names = deps.store.read(
        caller.tenant_id, lambda tx: tx.principals.many(wished.problems.keys(), deleted=True)
    )
    return Planned(
        todo.ops,
        tuple((edge.subject, edge.entitlement) for edge in sorted(todo.foreign, key=lambda one: one.name)),
        tuple(
            (key, names[key].display_name if key in names else "", why)
            for key, why in sorted(wished.problems.items())
        ),
    )


def apply(deps: Deps, caller: Caller, target_id: str) -> Looked | Refusal:
    """Look at it now, whatever pause it is in."""
    now = deps.clock()

    def work(tx: Transaction) -> Refusal | None:
        refusal = may(tx, caller, now, MANAGERS)
        if refusal is not None:
            return refusal
        target = tx.targets.get(target_id)
        if target is None:
            return missing(target_id)
        record(
            tx,
            deps,
            caller,
            now,
            activity=APPLIED,
            category="ApplicationManagement",
            targets=(AuditTarget("Other", target.id, target.name),),
        )
        return None

    refusal = deps.store.write(caller.tenant_id, work)
    if refusal is not None:
        return refusal
    held = Held()
    try:
        looked = look(deps, held, caller.tenant_id, target_id, now_in_full=True)
    finally:
        held.drop()
    if looked is None:
        return Refusal(Code.CONFLICT, "It is disabled, or being looked at at this moment. Try again.")
    return looked


def effects_of(deps: Deps, caller: Caller, target_id: str, *, over: bool = False) -> list[Effect] | Refusal:
    target = _found(deps, caller, target_id)
    if isinstance(target, Refusal):
        return target
    return deps.store.read(caller.tenant_id, lambda tx: tx.effects.of_target(target_id, over=over))


def outlived(deps: Deps, caller: Caller, target_id: str) -> frozenset[tuple[str, str, str]] | Refusal:
    """Names of edges that are there though nothing gives them any more: what a target that is paused keeps."""
    now = deps.clock()
    target = _found(deps, caller, target_id)
    if isinstance(target, Refusal):
        return target
    return deps.store.read(caller.tenant_id, lambda tx: left_over(tx, deps, target, now))


def mine(deps: Deps, caller: Caller) -> list[Mine]:
    """What the caller's own roles and memberships have come to in real systems: now, and in the last day."""
    now = deps.clock()

    def work(tx: Transaction) -> list[Mine]:
        found = tx.effects.of_principals({caller.principal_id}, since=now - _RECENT)
        targets = {one.id: one for one in tx.targets.all()} if found else {}
        return [Mine(one, targets[one.target_id]) for one in found if one.target_id in targets]

    return deps.store.read(caller.tenant_id, work)


def of_schedule(
    tx: Transaction, principal_id: str, schedule: Schedule | None, *, since: datetime
) -> tuple[Mine, ...]:
    """What one schedule has come to in real systems, for the person himself; by the name of the target."""
    if schedule is None:
        return ()
    found = tx.effects.of_principals({principal_id}, since=since)
    effects = [one for one in found if schedule.id in one.schedules]
    targets = {one.id: one for one in tx.targets.all()} if effects else {}
    return tuple(
        sorted(
            (Mine(one, targets[one.target_id]) for one in effects if one.target_id in targets),
            key=lambda one: one.target.name,
        )
    )


def late(tx: Transaction, principal_id: str, now: datetime) -> dict[str, tuple[str, ...]]:
    """By id of a schedule, the names of the systems in which what it gives somebody is not in effect yet."""
    found = [
        one for one in tx.effects.of_principals({principal_id}, since=now) if one.state is EffectState.PENDING
    ]
    targets = {one.id: one.name for one in tx.targets.all()} if found else {}
    waits: dict[str, set[str]] = {}
    for one in found:
        for schedule_id in one.schedules:
            waits.setdefault(schedule_id, set()).add(targets.get(one.target_id, ""))
    return {schedule_id: tuple(sorted(names - {""})) for schedule_id, names in waits.items()}


def named(
    deps: Deps, caller: Caller, view: View, effects: Sequence[Effect]
) -> tuple[dict[str, tuple[str, str, str]], dict[str, str]] | Refusal:
    """For showing a target: of each of its mappings, by id, the names of the role and of the place, and the place's path;
    and the names of people, by id: of those with effects, and of those with names of their own there."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[dict[str, tuple[str, str, str]], dict[str, str]] | Refusal:
        refusal = may(tx, caller, now, VIEWERS)
        if refusal is not None:
            return refusal
        keys = {one.id: (one.provider, one.role_id, one.scope) for one in view.rules}
        names = Names(tx, set(keys.values()))
        asked = {one.principal_id for one in effects} | set(view.subjects or {})
        people = tx.principals.many(asked, deleted=True)
        rules = {
            rule: (
                names.roles.get(key, key[1]),
                names.scopes.get(key, key[2]),
                names.paths.get(key[2], key[2]),
            )
            for rule, key in keys.items()
        }
        return rules, {key: one.display_name for key, one in people.items()}

    return deps.store.read(caller.tenant_id, work)


def _found(deps: Deps, caller: Caller, target_id: str) -> Target | Refusal:
    now: datetime = deps.clock()

    def work(tx: Transaction) -> Target | Refusal:
        refusal = may(tx, caller, now, VIEWERS)
        return refusal or tx.targets.get(target_id) or missing(target_id)

    return deps.store.read(caller.tenant_id, work)
