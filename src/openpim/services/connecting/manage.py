"""Targets and their rules, as administrators see and set them.

A secret goes in and never comes out, and is sent to the place that it was given for and no other. A rule can only name an
entitlement that the target was declared to manage. Whoever may map a role to an entitlement decides who gets it, so this is
for those who decide that anyway, and all of it is on record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from openpim.core.audit import Target as AuditTarget
from openpim.core.caller import Caller, CallerKind
from openpim.core.connecting import (
    MOST_MAPPINGS,
    MOST_TARGETS,
    EffectState,
    Rule,
    Target,
)
from openpim.core.grants import Provider
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import canonical
from openpim.core.roles import (
    GLOBAL_ADMINISTRATOR,
    GLOBAL_READER,
    PRIVILEGED_ROLE_ADMINISTRATOR,
    SECURITY_ADMINISTRATOR,
    SECURITY_READER,
)
from openpim.ports.connector import BadNameError, ConnectorKind
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import roles_of
from openpim.services.connecting.checking import (
    LONGEST_ENTITLEMENT,
    Desired,
    bad,
    changed,
    entitlement_of,
    moving,
    unsealable,
)
from openpim.services.connecting.opening import sealed, secrets_of, settings_of
from openpim.services.connecting.telling import known_drift
from openpim.services.providers import PROVIDERS
from openpim.services.recording import record, storable

MANAGERS = frozenset({GLOBAL_ADMINISTRATOR, PRIVILEGED_ROLE_ADMINISTRATOR})
VIEWERS = MANAGERS | {GLOBAL_READER, SECURITY_READER, SECURITY_ADMINISTRATOR}
ADDED = "Add target"
UPDATED = "Update target"
DELETED = "Delete target"
RULE_ADDED = "Add target mapping"
RULE_DELETED = "Delete target mapping"
NAMED = "Set name in target"
ROTATED = "Rotate secrets of target"
THERE_ALREADY = Refusal(Code.CONFLICT, "This mapping is there already.")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class View:
    """counts: effects by state. drift: (subject, entitlement) of edges that others gave. secrets: names of those set."""

    target: Target
    rules: tuple[Rule, ...]
    counts: Mapping[EffectState, int]
    drift: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    subjects: Mapping[str, str] | None = None


def kinds(deps: Deps, caller: Caller) -> list[ConnectorKind] | Refusal:
    """Those that this server has, by name."""
    now = deps.clock()
    refusal = deps.store.read(caller.tenant_id, lambda tx: may(tx, caller, now, VIEWERS))
    if refusal is not None:
        return refusal
    found = (deps.connectors.load(name) for name in deps.connectors.names())
    return [one for one in found if one is not None]


def kind_called(deps: Deps, caller: Caller, name: str) -> ConnectorKind | Refusal:
    """One of them."""
    now = deps.clock()
    refusal = deps.store.read(caller.tenant_id, lambda tx: may(tx, caller, now, VIEWERS))
    if refusal is not None:
        return refusal
    found = deps.connectors.load(name)
    return found or Refusal(Code.NOT_FOUND, f"This server has no connector of kind {name[:60]}.")


def all_of(deps: Deps, caller: Caller) -> list[View] | Refusal:
    """By name."""
    now = deps.clock()

    def work(tx: Transaction) -> list[View] | Refusal:
        refusal = may(tx, caller, now, VIEWERS)
        return refusal or [_view(tx, deps, one) for one in tx.targets.all()]

    return deps.store.read(caller.tenant_id, work)


def get(deps: Deps, caller: Caller, target_id: str) -> View | Refusal:
    now = deps.clock()

    def work(tx: Transaction) -> View | Refusal:
        refusal = may(tx, caller, now, VIEWERS)
        found = tx.targets.get(target_id) if refusal is None else None
        return refusal or (_view(tx, deps, found) if found is not None else missing(target_id))

    return deps.store.read(caller.tenant_id, work)


def may_change(deps: Deps, caller: Caller) -> bool:
    """Whether a form for it is worth showing."""
    now = deps.clock()
    return deps.store.read(caller.tenant_id, lambda tx: may(tx, caller, now, MANAGERS)) is None


def create(deps: Deps, caller: Caller, kind_name: str, desired: Desired) -> View | Refusal:
    now = deps.clock()
    kind = deps.connectors.load(kind_name)
    if kind is None:
        known = ", ".join(deps.connectors.names())
        return bad("kind", f"There is no connector of this kind. Choose one of: {known}.")

    def work(tx: Transaction) -> View | Refusal:
        refusal = may(tx, caller, now, MANAGERS)
        if refusal is not None:
            return refusal
        tx.lock_tenant()
        present = tx.targets.all()
        if len(present) >= MOST_TARGETS:
            return bad("name", f"At most {MOST_TARGETS} targets. Delete one first.")
        blank = Target(deps.new_id(), "", kind.name, now, caller.principal_id, subject=kind.subject)
        target = changed(tx, deps, kind, blank, desired, present)
        if isinstance(target, Refusal):
            return target
        tx.targets.put(target)
        _tell(tx, deps, caller, now, ADDED, target, _changes({}, _said(target)))
        return _view(tx, deps, target)

    return deps.store.write(caller.tenant_id, work)


def update(
    deps: Deps, caller: Caller, target_id: str, desired: Desired, *, seen: int | None = None
) -> View | Refusal:
    """What is changed is looked at at once, whatever pause the target was in. seen: the version that the caller looked at;
    CONFLICT where it is not that any more."""
    now = deps.clock()

    def work(tx: Transaction, before: Target) -> View | Refusal:
        if seen is not None and seen != before.version:
            return Refusal(
                Code.CONFLICT,
                "Somebody else has changed this target meanwhile. Open it again, and say it once more.",
            )
        kind = deps.connectors.load(before.kind)
        if kind is None:
            return bad("kind", f"This server has no connector of kind {before.kind} any more.")
        after = changed(tx, deps, kind, before, desired, tx.targets.all())
        if isinstance(after, Refusal):
            return after
        if after != before:
            after = replace(after, version=before.version + 1, next_at=now)
            tx.targets.put(after)
            changes = _changes(_said(before), _said(after))
            if desired.secrets:
                changes.append(("secrets", "set", "set anew"))
            left = tx.effects.of_target(target_id) if moving(kind, before, after.settings) else []
            if left:
                changes.append(("accessLeftBehind", None, str(len(left))))
            # Whoever is called so at the new place is somebody else: his sessions are his.
            tx.effects.drop(target_id, [one.edge.name for one in left if one.strange])
            _tell(tx, deps, caller, now, UPDATED, after, changes)
        return _view(tx, deps, after)

    return _write(deps, caller, target_id, now, work)


def rotate(deps: Deps, caller: Caller, target_id: str) -> View | Refusal:
    """New secrets of those that are made here (a key to sign with)."""
    now = deps.clock()

    def work(tx: Transaction, before: Target) -> View | Refusal:
        kind = deps.connectors.load(before.kind)
        if kind is None or kind.make_secrets is None:
            return bad("kind", "The secrets of this target are not made here. Set them with an update.")
        present = secrets_of(deps, kind, before)
        if present is None:
            return unsealable()
        made = kind.make_secrets(present, settings_of(kind, before), now)
        after = replace(before, version=before.version + 1, next_at=now)
        after = replace(after, sealed=sealed(deps, kind, after, {**present, **made}))
        tx.targets.put(after)
        _tell(tx, deps, caller, now, ROTATED, after, [])
        return _view(tx, deps, after)

    return _write(deps, caller, target_id, now, work)


def remove(deps: Deps, caller: Caller, target_id: str) -> Refusal | None:
    """Only one in which nothing of ours is left."""
    now = deps.clock()

    def work(tx: Transaction, before: Target) -> Refusal | None:
        left = len(tx.effects.of_target(target_id))
        if left:
            return Refusal(
                Code.CONFLICT,
                f"There are people who still have access there ({left}). Delete its mappings first, and wait until "
                "everything has been taken away.",
            )
        tx.targets.remove(target_id)
        _tell(tx, deps, caller, now, DELETED, before, _changes(_said(before), {}))
        return None

    return _write(deps, caller, target_id, now, work)


def add_rule(
    deps: Deps, caller: Caller, target_id: str, provider: Provider, role_id: str, scope: str, entitlement: str
) -> Rule | Refusal:
    """role_id, scope: of the provider (for a group: "member" or "owner", and its id)."""
    now = deps.clock()

    def work(tx: Transaction, target: Target) -> Rule | Refusal:
        rule = checked_rule(tx, deps, caller, target, now, provider, role_id, scope, entitlement)
        if isinstance(rule, Refusal):
            return rule
        if not tx.targets.add_rule(rule):
            return THERE_ALREADY
        tx.targets.wake(target_id, now)
        _tell(tx, deps, caller, now, RULE_ADDED, target, _changes({}, _said_rule(tx, rule)))
        return rule

    return _write(deps, caller, target_id, now, work)


def checked_rule(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    target: Target,
    now: datetime,
    provider: Provider,
    role_id: str,
    scope: str,
    entitlement: str,
) -> Rule | Refusal:
    """The mapping as it would be kept; whether there is one that says the same is seen when it is."""
    place = canonical(scope) if provider is Provider.RESOURCE else scope
    kind = deps.connectors.load(target.kind)
    if kind is None:
        return bad("kind", f"This server has no connector of kind {target.kind} any more.")
    named = entitlement_of(kind, entitlement, "entitlement")
    if isinstance(named, Refusal):
        return named
    if named not in target.managed:
        return bad(
            "entitlement",
            f"{named} is not among the entitlements that this target manages. Add it there first.",
        )
    fault = PROVIDERS[provider].fault(tx, role_id, place)
    if fault is not None:
        return fault
    if len(tx.targets.rules(target.id)) >= MOST_MAPPINGS:
        return bad("entitlement", f"At most {MOST_MAPPINGS} mappings for a target.")
    return Rule(deps.new_id(), target.id, provider, role_id, place, named, now, caller.principal_id)


def rule_of(tx: Transaction, target_id: str, rule_id: str) -> Rule | Refusal:
    found = next((one for one in tx.targets.rules(target_id) if one.id == rule_id), None)
    return found or Refusal(Code.NOT_FOUND, f"There is no mapping {rule_id[:36]} of this target.")


def remove_rule(deps: Deps, caller: Caller, target_id: str, rule_id: str) -> Refusal | None:
    """What it gave is taken away."""
    now = deps.clock()

    def work(tx: Transaction, target: Target) -> Refusal | None:
        rule = rule_of(tx, target_id, rule_id)
        if isinstance(rule, Refusal):
            return rule
        tx.targets.remove_rule(target_id, rule_id)
        tx.targets.wake(target_id, now)
        _tell(tx, deps, caller, now, RULE_DELETED, target, _changes(_said_rule(tx, rule), {}))
        return None

    return _write(deps, caller, target_id, now, work)


def set_subject(
    deps: Deps, caller: Caller, target_id: str, principal_id: str, subject: str
) -> View | Refusal:
    """What a person is called in the target, where that does not follow the pattern. "": follow it again."""
    now = deps.clock()

    def work(tx: Transaction, target: Target) -> View | Refusal:
        kind = deps.connectors.load(target.kind)
        person = tx.principals.get(principal_id)
        if kind is None or person is None:
            return Refusal(Code.SUBJECT_MISSING, "There is no such person. Give the id of one.")
        said = subject.strip()
        if said:
            try:
                said = kind.check_subject(said) if storable(said) and len(said) <= LONGEST_ENTITLEMENT else ""
            except BadNameError as error:
                return bad("subject", str(error))
            if not said:
                return bad("subject", "This cannot be a name.")
            others = {name: who for who, name in tx.targets.subjects(target_id).items()}
            if others.get(said, principal_id) != principal_id:
                return bad("subject", "Somebody else has this name in the target.")
        before = tx.targets.subjects(target_id).get(principal_id)
        tx.targets.put_subject(target_id, principal_id, said)
        tx.targets.wake(target_id, now)
        record(
            tx,
            deps,
            caller,
            now,
            activity=NAMED,
            category="ApplicationManagement",
            targets=(
                AuditTarget("Other", target.id, target.name, (("subject", before, said or None),)),
                AuditTarget("User", principal_id, person.display_name),
            ),
        )
        return _view(tx, deps, target)

    return _write(deps, caller, target_id, now, work)


def may(tx: Transaction, caller: Caller, now: datetime, roles: frozenset[str]) -> Refusal | None:
    if caller.kind is not CallerKind.SERVICE_PRINCIPAL and roles_of(tx, caller, now) & roles:
        return None
    needs = "Privileged Role Administrator" if roles is MANAGERS else "Security Reader"
    what = "Changing" if roles is MANAGERS else "Seeing"
    return Refusal(Code.FORBIDDEN, f"{what} targets needs the role {needs}. Activate it first.")


def missing(target_id: str) -> Refusal:
    return Refusal(Code.NOT_FOUND, f"There is no target {target_id[:36]}.")


def _write(
    deps: Deps, caller: Caller, target_id: str, now: datetime, act: Callable[[Transaction, Target], T]
) -> T | Refusal:
    """A change of one target by who may change it, one after the other."""

    def work(tx: Transaction) -> T | Refusal:
        refusal = may(tx, caller, now, MANAGERS)
        if refusal is not None:
            return refusal
        tx.lock_tenant()
        target = tx.targets.get(target_id)
        return act(tx, target) if target is not None else missing(target_id)

    return deps.store.write(caller.tenant_id, work)


def _view(tx: Transaction, deps: Deps, target: Target) -> View:
    kind = deps.connectors.load(target.kind)
    present = secrets_of(deps, kind, target) if kind is not None else None
    return View(
        target,
        tuple(tx.targets.rules(target.id)),
        tx.effects.count().get(target.id, {}),
        tuple((subject, entitlement) for subject, entitlement, _ in known_drift(tx, target.id)),
        tuple(sorted(present or {})),
        tx.targets.subjects(target.id),
    )


def _said(target: Target) -> dict[str, str]:
    """What the history tells of a target."""
    settings = {f"settings.{key}": text for key, text in target.settings.items()}
    return {
        "name": target.name,
        "kind": target.kind,
        "managed": ", ".join(target.managed),
        "subject": target.subject,
        "foreign": target.foreign.value,
        "enabled": str(target.enabled),
        "secrets": "set" if target.sealed else "none",
        **settings,
    }


def _said_rule(tx: Transaction, rule: Rule) -> dict[str, str]:
    return {
        "provider": rule.provider.value,
        "role": rule.role_id,
        "roleName": PROVIDERS[rule.provider].role_name(tx, rule.role_id, rule.scope),
        "scope": rule.scope,
        "entitlement": rule.entitlement,
    }


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str | None, str | None]]:
    names = dict.fromkeys([*before, *after])
    return [
        (name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    ]


def _tell(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    now: datetime,
    happened: str,
    target: Target,
    changes: list[tuple[str, str | None, str | None]],
) -> None:
    record(
        tx,
        deps,
        caller,
        now,
        activity=happened,
        category="ApplicationManagement",
        targets=(AuditTarget("Other", target.id, target.name, tuple(changes)),),
    )
