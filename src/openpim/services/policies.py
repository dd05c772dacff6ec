"""Role settings: read by everyone who is signed in as a member, changed by administrators; each change audited."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import fields, replace

from openpim.core.audit import Target
from openpim.core.caller import Caller
from openpim.core.channels import ChannelKind
from openpim.core.grants import Provider
from openpim.core.policy import Policy, faults
from openpim.core.refusals import Code, Refusal
from openpim.core.scopes import TENANT
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.providers import PROVIDERS
from openpim.services.recording import category_of, record, record_refusal
from openpim.services.timeouts import follow_policy

UPDATED = "Update role setting in PIM"
_MISSING = Refusal(Code.NOT_FOUND, "There is no such policy. List the policy assignments to find its id.")

_UNSEEN = Refusal(Code.FORBIDDEN, "You may not read role settings there: nothing there concerns you.")


def get(
    deps: Deps, caller: Caller, provider: Provider, role_id: str, scope: str = TENANT
) -> Policy | Refusal:
    """The policy of one role: what is stored, or the default."""

    now = deps.clock()

    def work(tx: Transaction) -> Policy | Refusal:
        rules = PROVIDERS[provider]
        if not rules.readable_policies(tx, caller, scope, now)(role_id):
            return _UNSEEN
        return rules.fault(tx, role_id, scope) or rules.policy(tx, deps, role_id, scope)

    return deps.store.read(caller.tenant_id, work)


def by_id(
    deps: Deps, caller: Caller, policy_id: str, provider: Provider = Provider.DIRECTORY, scope: str = TENANT
) -> Policy | Refusal:
    """provider, scope: where to look for a policy that nobody has changed yet."""

    now = deps.clock()

    def work(tx: Transaction) -> Policy | Refusal:
        found = _find(tx, deps, policy_id, provider, scope)
        where, role_id = (found[1].scope, found[1].role_id) if found else (scope, "")
        if not PROVIDERS[provider].readable_policies(tx, caller, where, now)(role_id):
            return _UNSEEN
        return _MISSING if found is None else found[1]

    return deps.store.read(caller.tenant_id, work)


def page(
    deps: Deps,
    caller: Caller,
    provider: Provider,
    scope: str = TENANT,
    role_ids: Collection[str] | None = None,
) -> list[Policy] | Refusal:
    """The policies of all roles (or those named) at one scope, by role id; the untouched ones with defaults."""
    now = deps.clock()

    def work(tx: Transaction) -> list[Policy] | Refusal:
        rules = PROVIDERS[provider]
        there = rules.role_ids(tx, scope)
        known = list(filter(rules.readable_policies(tx, caller, scope, now), there))
        if there and not known:
            return _UNSEEN
        stored = {policy.role_id: policy for policy in tx.policies.at_scope(provider, scope, role_ids)}
        wanted = known if role_ids is None else [role for role in known if role in set(role_ids)]
        return [
            stored.get(role) or rules.default_policy(tx.tenant_id, role, scope) for role in sorted(wanted)
        ]

    return deps.store.read(caller.tenant_id, work)


def update(
    deps: Deps,
    caller: Caller,
    policy_id: str,
    change: Callable[[Policy], Policy | Refusal],
    provider: Provider = Provider.DIRECTORY,
    scope: str = TENANT,
) -> Policy | Refusal:
    """Change the settings: `change` gets the present policy and returns the wanted one, or refuses.

    Refusals: NOT_FOUND, FORBIDDEN, INVALID (what `core.policy.faults` finds; approvers that do not exist).
    """
    now = deps.clock()

    def work(tx: Transaction) -> Policy | Refusal:
        found = _find(tx, deps, policy_id, provider, scope, lock=True)
        if found is None:
            return _MISSING
        owner, before = found
        rules = PROVIDERS[owner]
        if not rules.may_manage(tx, caller, before.role_id, before.scope, now):
            refusal = Refusal(
                Code.FORBIDDEN,
                "Changing role settings needs the role Privileged Role Administrator or Global Administrator.",
            )
            targets = (Target("Role", before.role_id), Target("Policy", before.id))
            record_refusal(tx, deps, caller, now, refusal, activity=UPDATED, provider=owner, targets=targets)
            return refusal
        wanted = change(before)
        if isinstance(wanted, Refusal):
            return wanted
        wrong = (
            faults(wanted)
            or _unknown_approvers(tx, wanted)
            or _unnamed_approvers(owner, wanted)
            or _unknown_systems(tx, wanted)
        )
        if wrong:
            return Refusal(Code.INVALID, "; ".join(message for _, message in wrong) + ".", member=wrong[0][0])
        after = replace(
            wanted,
            id=before.id,
            role_id=before.role_id,
            scope=before.scope,
            version=before.version + 1,
            modified_at=now,
            modified_by=caller.principal_id,
            modified_by_name=caller.display_name,
        )
        tx.policies.put(owner, after)
        follow_policy(tx, deps, owner, after, now)
        record(
            tx,
            deps,
            caller,
            now,
            activity=UPDATED,
            category=category_of(owner),
            targets=(
                Target(
                    "Role",
                    before.role_id,
                    rules.role_name(tx, before.role_id, before.scope),
                    changes(before, after),
                ),
                Target("Policy", before.id),
            ),
            details=(("PolicyVersion", str(after.version)),),
        )
        return after

    return deps.store.write(caller.tenant_id, work)


_BOOKKEEPING = {"id", "version", "modified_at", "modified_by", "modified_by_name"}


def changes(before: Policy, after: Policy) -> tuple[tuple[str, str | None, str | None], ...]:
    """What differs, as (setting, before, after) in words."""
    return tuple(
        (field.name, str(getattr(before, field.name)), str(getattr(after, field.name)))
        for field in fields(Policy)
        if field.name not in _BOOKKEEPING and getattr(before, field.name) != getattr(after, field.name)
    )


def _find(
    tx: Transaction, deps: Deps, policy_id: str, provider: Provider, scope: str, *, lock: bool = False
) -> tuple[Provider, Policy] | None:
    stored = tx.policies.by_id(policy_id, lock=lock)
    if stored is not None:
        return stored if stored[0] is provider else None
    rules = PROVIDERS[provider]
    for role_id in rules.role_ids(tx, scope):
        if rules.policy_id(tx.tenant_id, role_id, scope) == policy_id:
            return provider, rules.policy(tx, deps, role_id, scope)
    return None


def _unknown_approvers(tx: Transaction, policy: Policy) -> list[tuple[str, str]]:
    named = {
        key for stage in policy.approval.stages for key in (*stage.primary.keys(), *stage.escalation.keys())
    }
    known = tx.principals.many(list(named))
    return [("approval", f"there is no user or group {key}") for key in sorted(named - set(known))]


def _unknown_systems(tx: Transaction, policy: Policy) -> list[tuple[str, str]]:
    """Whoever is asked, or says that a ticket is closed, must be a system that an administrator has set up for that."""
    wanted = [
        ("approval", one.callout.channel_id) for one in policy.approval.stages if one.callout is not None
    ]
    if policy.tickets.system_id is not None:
        wanted.append(("tickets", policy.tickets.system_id))
    found = []
    for member, channel_id in wanted:
        channel = tx.channels.get(channel_id)
        if channel is None or channel.kind is not ChannelKind.EXTENSION:
            found.append((member, f"there is no channel {channel_id} that can be asked"))
    return found


def _unnamed_approvers(provider: Provider, policy: Policy) -> list[tuple[str, str]]:
    if provider is not Provider.GROUP or not policy.approval.required:
        return []
    return [
        ("approval", f"stage {number}: a group's policy must name at least one approver")
        for number, stage in enumerate(policy.approval.stages, start=1)
        if not stage.primary and stage.callout is None
    ]
