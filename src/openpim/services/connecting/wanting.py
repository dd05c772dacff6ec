"""Which edges a target should have now: a pure function of the store and the time, read in one unit of work."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from openpim.core.connecting import Holder, Rule, Target, Wanted, inside, namer, wanted
from openpim.core.directory import Principal, PrincipalKind, User
from openpim.core.grants import Provider
from openpim.core.query import Query
from openpim.ports.connector import BadNameError, ConnectorKind
from openpim.ports.deps import Deps
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
    holders, able = _holders(tx, rules, now)
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


def left_over(tx: Transaction, deps: Deps, target: Target, now: datetime) -> frozenset[tuple[str, str, str]]:
    """Names of the edges that are on record as there though nothing gives them any more."""
    there = frozenset(one.edge.name for one in tx.effects.of_target(target.id))
    kind = deps.connectors.load(target.kind) if there else None
    return there.difference(wish(tx, kind, target, now).edges) if kind is not None else there


def _holders(
    tx: Transaction, rules: Collection[Rule], now: datetime
) -> tuple[dict[str, list[Holder]], dict[str, User | None]]:
    """By id of rule: all who have what it asks for, by every way. And by id those of them who are enabled: a person, or None
    for an application. Each is read once: there may be ten thousand."""
    found = {rule.id: _direct(tx, rule, now) for rule in rules}
    ids = {one.principal_id for holders in found.values() for one in holders}
    people, others = _who(tx, ids)
    groups = {key for key, one in others.items() if one.kind is PrincipalKind.GROUP}
    if groups:
        links = tx.targets.links(groups, now)
        for rule_id, holders in found.items():
            found[rule_id] = [one for one in holders if one.principal_id not in groups]
            for one in holders:
                if one.principal_id in groups:
                    found[rule_id] += inside(one.principal_id, links, one.until, one.schedule_id)
        inner = {one.principal_id for holders in found.values() for one in holders} - ids
        more_people, more_others = _who(tx, inner)
        people, others = people | more_people, others | more_others
    able: dict[str, User | None] = {key: one for key, one in people.items() if one.enabled}
    return found, able | {
        key: None for key, one in others.items() if one.able and one.kind is PrincipalKind.SERVICE_PRINCIPAL
    }


def _who(tx: Transaction, ids: Collection[str]) -> tuple[dict[str, User], dict[str, Principal]]:
    """People, and who is none."""
    people = tx.users.many(ids)
    return people, tx.principals.many([one for one in ids if one not in people])


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
        granted = tx.targets.holders(Provider.GROUP, "owner", group.id, now)
        by_schedule = {one.principal_id for one in granted}
        standing = tx.groups.owners(group.id, now, Query(limit=_OWNERS)).items
        return granted + [Holder(one.id, None) for one in standing if one.id not in by_schedule]
    scopes = PROVIDERS[rule.provider].chain(tx, rule.scope)
    return [
        holder for scope in scopes for holder in tx.targets.holders(rule.provider, rule.role_id, scope, now)
    ]


def _subjects(
    tx: Transaction, kind: ConnectorKind, target: Target, able: Mapping[str, User | None]
) -> tuple[dict[str, str], dict[str, str]]:
    """What each is called in the target; and why not."""
    own = tx.targets.subjects(target.id)
    name_of = namer(target.subject, kind.written)
    subjects: dict[str, str] = {}
    problems: dict[str, str] = {}
    for key, user in able.items():
        said = own.get(key) or (name_of(user) if user is not None else "")
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
