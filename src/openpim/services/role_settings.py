"""Role settings with what they are called: for people who look at them and change them (the acts are `policies`)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from openpim.core.caller import Caller
from openpim.core.directory import PrincipalKind
from openpim.core.grants import Provider
from openpim.core.policy import Policy, Reviewers
from openpim.core.refusals import Code, Refusal
from openpim.core.scopes import TENANT
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.eligibilities import Key, Names
from openpim.services.providers import PROVIDERS

MOST_APPROVERS = 100
_UNSEEN = Refusal(Code.FORBIDDEN, "You may not read role settings there: nothing there concerns you.")


@dataclass(frozen=True, slots=True)
class RoleSetting:
    """The settings of one role at one scope. default: what they were before anybody changed them. approvers: names of
    users and groups in the approval, by id. may_change: whether the caller may."""

    provider: Provider
    policy: Policy
    default: Policy
    role_name: str
    scope_name: str
    scope_path: str
    approvers: Mapping[str, str]
    may_change: bool

    @property
    def untouched(self) -> bool:
        return self.policy.modified_at is None


class RoleOutline(NamedTuple):
    """A role with settings at a scope. untouched: they are what they were before anybody changed them."""

    role_id: str
    role_name: str
    untouched: bool


@dataclass(frozen=True, slots=True)
class Listed:
    settings: tuple[RoleSetting, ...]
    scope_name: str


def outlines(
    deps: Deps, caller: Caller, provider: Provider, scope: str = TENANT
) -> tuple[RoleOutline, ...] | Refusal:
    """Every role at a scope, by name. FORBIDDEN, SCOPE_MISSING."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[RoleOutline, ...] | Refusal:
        found = _all(tx, caller, provider, scope, now)
        return found if isinstance(found, Refusal) else found.outlines

    return deps.store.read(caller.tenant_id, work)


def listed(
    deps: Deps,
    caller: Caller,
    provider: Provider,
    scope: str,
    choose: Callable[[Sequence[RoleOutline]], Sequence[RoleOutline]],
) -> Listed | Refusal:
    """Those that `choose` takes from the outlines, in its order; without the names of approvers. FORBIDDEN, SCOPE_MISSING."""
    now = deps.clock()

    def work(tx: Transaction) -> Listed | Refusal:
        found = _all(tx, caller, provider, scope, now)
        if isinstance(found, Refusal):
            return found
        rules = PROVIDERS[provider]
        shown = choose(found.outlines)
        may = bool(shown) and rules.may_manage(tx, caller, shown[0].role_id, scope, now)
        settings = []
        for role, _, _ in shown:
            default = rules.default_policy(tx.tenant_id, role, scope)
            one = _dressed(
                found.names, (provider, role, scope), found.stored.get(role, default), default, may=may
            )
            if one is not None:
                settings.append(one)
        return Listed(tuple(settings), next(iter(found.names.scopes.values()), scope))

    return deps.store.read(caller.tenant_id, work)


@dataclass(frozen=True, slots=True)
class _All:
    outlines: tuple[RoleOutline, ...]
    names: Names
    stored: Mapping[str, Policy]


def _all(tx: Transaction, caller: Caller, provider: Provider, scope: str, now: datetime) -> _All | Refusal:
    rules = PROVIDERS[provider]
    there = rules.role_ids(tx, scope)
    roles = tuple(filter(rules.readable_policies(tx, caller, scope, now), there))
    if there and not roles:
        return _UNSEEN
    fault = None if roles else rules.fault(tx, "member", scope)
    if fault is not None:
        return fault
    stored = {policy.role_id: policy for policy in tx.policies.at_scope(provider, scope, None)}
    named = Names(tx, {(provider, role, scope) for role in roles})
    found = [
        (name.casefold(), role, name, role not in stored or stored[role].modified_at is None)
        for (_, role, _), name in named.roles.items()
    ]
    return _All(tuple(RoleOutline(role, name, same) for _, role, name, same in sorted(found)), named, stored)


def get(
    deps: Deps, caller: Caller, provider: Provider, role_id: str, scope: str = TENANT
) -> RoleSetting | Refusal:
    """FORBIDDEN, ROLE_MISSING, SCOPE_MISSING."""
    now = deps.clock()

    def work(tx: Transaction) -> RoleSetting | Refusal:
        rules = PROVIDERS[provider]
        if not rules.readable_policies(tx, caller, scope, now)(role_id):
            return _UNSEEN
        refusal = rules.fault(tx, role_id, scope)
        if refusal is not None:
            return refusal
        key = (provider, role_id, scope)
        policy = rules.policy(tx, deps, role_id, scope)
        found = _dressed(
            Names(tx, {key}),
            key,
            policy,
            rules.default_policy(tx.tenant_id, role_id, scope),
            may=rules.may_manage(tx, caller, role_id, scope, now),
        )
        if found is None:
            return Refusal(Code.ROLE_MISSING, "There is no such role there.")
        ids = {
            each
            for stage in policy.approval.stages
            for each in stage.primary.keys() | stage.escalation.keys()
        }
        people = tx.principals.many(sorted(ids), deleted=True)
        names = {one.id: one.display_name for one in people.values()}
        names |= {one.id: one.name for one in tx.channels.all()}
        return replace(found, approvers=names)

    return deps.store.read(caller.tenant_id, work)


def approvers(
    deps: Deps, caller: Caller, provider: Provider, role_id: str, scope: str, named: Collection[str]
) -> Reviewers | Refusal:
    """Users and groups by user principal name, exact display name or id, for whoever may change the settings. INVALID
    says which name is nobody's, or several people's."""
    now = deps.clock()

    def work(tx: Transaction) -> Reviewers | Refusal:
        if not PROVIDERS[provider].may_manage(tx, caller, role_id, scope, now):
            return Refusal(Code.FORBIDDEN, "You may not change the settings of this role.")
        found: dict[str, PrincipalKind] = {}
        for text in dict.fromkeys(named):
            ids = _called(tx, text)
            if len(ids) != 1:
                what = "is the name of nobody" if not ids else "is the name of several"
                return Refusal(
                    Code.INVALID,
                    f"{text:.100} {what}: write a user principal name, the exact name of a group, or an id.",
                    member="approval",
                )
            found |= dict(ids)
        groups = tuple(one for one, kind in found.items() if kind is PrincipalKind.GROUP)
        return Reviewers(tuple(one for one in found if one not in groups), groups)

    if len(named) > MOST_APPROVERS:
        return Refusal(Code.INVALID, f"At most {MOST_APPROVERS} approvers.", member="approval")
    return deps.store.read(caller.tenant_id, work)


def _called(tx: Transaction, text: str) -> list[tuple[str, PrincipalKind]]:
    user = tx.users.by_upn(text)
    if user is not None:
        return [(user.id, PrincipalKind.USER)]
    principal = tx.principals.get(text.lower())
    found = [principal] if principal is not None else list(tx.principals.find_by_name(text))
    return [(one.id, one.kind) for one in found if one.kind is not PrincipalKind.SERVICE_PRINCIPAL]


def _dressed(named: Names, key: Key, policy: Policy, default: Policy, *, may: bool) -> RoleSetting | None:
    name = named.roles.get(key)
    if name is None:
        return None
    provider, _, scope = key
    return RoleSetting(
        provider=provider,
        policy=policy,
        default=default,
        role_name=name,
        scope_name=named.scopes.get(key, scope),
        scope_path=named.paths.get(scope, scope),
        approvers={},
        may_change=may,
    )
