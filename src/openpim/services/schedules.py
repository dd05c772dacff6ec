"""Reads schedules (now and future) and instances (in force now) of eligibilities and assignments."""

from __future__ import annotations

from openpim.core.caller import Caller
from openpim.core.grants import Kind, Provider, Schedule
from openpim.core.query import Page, Query
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import identities
from openpim.services.providers import PROVIDERS
from openpim.services.reading import NOT_A_READER, Whose, may_read_all


def page(
    deps: Deps, caller: Caller, provider: Provider, kind: Kind, whose: Whose, query: Query
) -> Page[Schedule] | Refusal:
    """Schedules that are in force or still to come."""
    return _page(deps, caller, provider, kind, whose, query, instances=False)


def instances(
    deps: Deps, caller: Caller, provider: Provider, kind: Kind, whose: Whose, query: Query
) -> Page[Schedule] | Refusal:
    """Schedules in force now."""
    return _page(deps, caller, provider, kind, whose, query, instances=True)


def get(deps: Deps, caller: Caller, provider: Provider, kind: Kind, schedule_id: str) -> Schedule | Refusal:
    """One live schedule; NOT_FOUND when it has ended."""
    now = deps.clock()

    def work(tx: Transaction) -> Schedule | Refusal:
        found = tx.schedules.get(schedule_id)
        if found is None or found.provider is not provider or found.kind is not kind or not found.live(now):
            return Refusal(Code.NOT_FOUND, f"There is no schedule {schedule_id}.")
        mine = found.principal_id in identities(tx, caller.principal_id, now)
        if not mine and not PROVIDERS[provider].may_read(tx, caller, found.scope, now):
            return NOT_A_READER
        return found

    return deps.store.read(caller.tenant_id, work)


def instance(
    deps: Deps, caller: Caller, provider: Provider, kind: Kind, *, role_id: str, principal_id: str, scope: str
) -> Schedule | Refusal:
    """The one in force of this principal, role and scope; of several the one that lasts longest."""
    now = deps.clock()

    def work(tx: Transaction) -> Schedule | Refusal:
        held = [
            found
            for found in tx.schedules.of(
                [principal_id], provider=provider, kind=kind, role_id=role_id, scopes=[scope], live_at=now
            )
            if found.in_force(now)
        ]
        mine = principal_id in identities(tx, caller.principal_id, now)
        if not mine and not PROVIDERS[provider].may_read(tx, caller, scope, now):
            return NOT_A_READER
        if not held:
            return Refusal(Code.NOT_FOUND, "There is no such instance in force.")
        lasting = [found for found in held if found.ends_at is None]
        return lasting[0] if lasting else max(held, key=lambda found: (found.ends_at or now, found.id))

    return deps.store.read(caller.tenant_id, work)


def _page(
    deps: Deps, caller: Caller, provider: Provider, kind: Kind, whose: Whose, query: Query, *, instances: bool
) -> Page[Schedule] | Refusal:
    now = deps.clock()

    def work(tx: Transaction) -> Page[Schedule] | Refusal:
        mine = None
        if whose is Whose.PRINCIPAL:
            mine = identities(tx, caller.principal_id, now)
        elif whose is not Whose.ANYONE:
            return Refusal(Code.INVALID, "Schedules can be filtered by the current user as principal only.")
        else:
            refusal = may_read_all(tx, caller, provider, query, now)
            if refusal is not None:
                return refusal
        return tx.schedules.page(
            provider,
            kind,
            query,
            in_force_at=now if instances else None,
            live_at=None if instances else now,
            principal_ids=mine,
        )

    return deps.store.read(caller.tenant_id, work)
