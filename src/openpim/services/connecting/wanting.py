"""Which edges a target should have now: a pure function of the store and the time, read in one unit of work."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from openpim.core.connecting import Holder, Link, Rule, Target, Wanted, inside, subject_of, wanted
from openpim.core.directory import Principal, PrincipalKind
from openpim.core.grants import Kind, Provider, Schedule
from openpim.core.query import Query
from openpim.ports.connector import BadNameError, ConnectorKind
from openpim.ports.store import Transaction
from openpim.services.connecting.opening import capabilities_of
from openpim.services.providers import PROVIDERS

_OWNERS = 1000


@dataclass(frozen=True, slots=True)
class Wish:
    """edges: by name. problems: by id of a person who should have something and gets nothing, why."""

    edges: Mapping[tuple[str, str, str], Wanted]
    problems: Mapping[str, str]


def wish(
    tx: Transaction, kind: ConnectorKind, target: Target, now: datetime, rules: Collection[Rule] | None = None
) -> Wish:
    """What the target should have at `now`. Only enabled people and applications, only managed entitlements. rules: instead
    of those that are kept."""
    known = tx.targets.rules(target.id) if rules is None else rules
    rules = [one for one in known if one.entitlement in target.managed]
    holders = _holders(tx, rules, now)
    everyone = {holder.principal_id for found in holders.values() for holder in found}
    able = {
        key: one
        for key, one in tx.principals.many(everyone).items()
        if one.able and one.kind is not PrincipalKind.GROUP
    }
    subjects, problems = _subjects(tx, kind, target, able)
    held = {rule: [one for one in found if one.principal_id in subjects] for rule, found in holders.items()}
    edges, ambiguous = wanted(
        rules,
        held,
        subjects,
        per_activation=capabilities_of(kind, target).per_activation,
        now=now,
    )
    for principal_id in ambiguous:
        problems[principal_id] = (
            f"Somebody else is called {subjects[principal_id]!r} in this target too, so neither gets anything. "
            "Give each a name of his own there."
        )
    return Wish(edges, problems)


def _holders(tx: Transaction, rules: Collection[Rule], now: datetime) -> dict[str, list[Holder]]:
    """By id of rule: all who have what it asks for, by every way."""
    direct = {rule.id: _direct(tx, rule, now) for rule in rules}
    ids = {one.principal_id for found in direct.values() for one in found}
    groups = {key for key, one in tx.principals.many(ids).items() if one.kind is PrincipalKind.GROUP}
    links: list[Link] = tx.targets.links(groups, now) if groups else []
    found: dict[str, list[Holder]] = {}
    for rule_id, holders in direct.items():
        found[rule_id] = [one for one in holders if one.principal_id not in groups]
        for one in holders:
            if one.principal_id in groups:
                found[rule_id] += inside(one.principal_id, links, one.until, one.schedule_id)
    return found


def giving(tx: Transaction, rule: Rule, now: datetime) -> frozenset[str]:
    """Groups whose every member has what the rule asks for, directly or through other groups."""
    ids = {one.principal_id for one in _direct(tx, rule, now)}
    groups = {key for key, one in tx.principals.many(ids).items() if one.kind is PrincipalKind.GROUP}
    links = tx.targets.links(groups, now) if groups else []
    return frozenset(groups | {one.member_id for one in links})


def _direct(tx: Transaction, rule: Rule, now: datetime) -> list[Holder]:
    """Who has it himself; a group stands for all who are in it."""
    if rule.provider is Provider.GROUP:
        group = tx.groups.get(rule.scope)
        if group is None:
            return []
        if rule.role_id == "member":
            return [Holder(group.id, None)]
        granted = tx.schedules.of_role(Provider.GROUP, Kind.ASSIGNMENT, "owner", group.id, now=now)
        by_schedule = {one.principal_id for one in granted}
        standing = tx.groups.owners(group.id, now, Query(limit=_OWNERS)).items
        return _held(granted) + [Holder(one.id, None) for one in standing if one.id not in by_schedule]
    scopes = PROVIDERS[rule.provider].chain(tx, rule.scope)
    return [
        holder
        for scope in scopes
        for holder in _held(
            tx.schedules.of_role(rule.provider, Kind.ASSIGNMENT, rule.role_id, scope, now=now)
        )
    ]


def _held(schedules: Collection[Schedule]) -> list[Holder]:
    return [Holder(one.principal_id, one.ends_at, one.id) for one in schedules]


def _subjects(
    tx: Transaction, kind: ConnectorKind, target: Target, able: Mapping[str, Principal]
) -> tuple[dict[str, str], dict[str, str]]:
    """What each is called in the target; and why not."""
    own = tx.targets.subjects(target.id)
    people = tx.users.many([key for key in able if key not in own])
    subjects: dict[str, str] = {}
    problems: dict[str, str] = {}
    for key in able:
        user = people.get(key)
        said = own.get(key) or (subject_of(user, target.subject, kind.written) if user is not None else "")
        if not said:
            problems[key] = (
                f"Has no name in this target: the pattern {target.subject!r} gives none. Set a name for this "
                "person, or change the pattern."
            )
            continue
        try:
            subjects[key] = kind.check_subject(said)
        except BadNameError as error:
            problems[key] = f"Cannot be called {said!r} in this target: {error}"
    return subjects, problems
