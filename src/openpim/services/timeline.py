"""Who held what when: the assignments and activations of a person, a role or a place over a stretch of time, those that
are over too. Readers see all of it; others what is theirs and what they manage.

A question reads a bounded number of rows whatever there is (`store/timelines.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.directory import Principal
from openpim.core.grants import Provider, Schedule
from openpim.core.refusals import Refusal
from openpim.core.resources import ROOT
from openpim.core.scopes import TENANT
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.ports.timelines import About
from openpim.services import browse
from openpim.services.authority import identities
from openpim.services.becoming import readable
from openpim.services.eligibilities import Names
from openpim.services.providers import PROVIDERS

MOST = 300  # stretches that can be asked for
_LOOK = 4  # times as many requests, and assignments that last, are looked at
_MOST_LOOKED_AT = 600
_GROUPS = 100


@dataclass(frozen=True, slots=True)
class Stretch:
    """A schedule of kind assignment with names. through: the group it comes through, for a person."""

    schedule: Schedule
    role_name: str
    scope_name: str
    scope_path: str
    holder: Principal | None
    through: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The newest first. everything: False where the caller may read a part only. cut: there may be more in this time."""

    stretches: tuple[Stretch, ...]
    everything: bool
    cut: bool


def of_person(
    deps: Deps, caller: Caller, principal_id: str, since: datetime, until: datetime, most: int = MOST
) -> Timeline | Refusal:
    """What a person, application or group held, and what came to it through the groups it is in now."""
    now = deps.clock()

    def work(tx: Transaction) -> Timeline | Refusal:
        refusal = browse.unseen(tx, caller, principal_id, now)
        if refusal is not None:
            return refusal
        groups = sorted(identities(tx, principal_id, now) - {principal_id})[:_GROUPS]
        own = identities(tx, caller.principal_id, now)
        who = About(holders=(principal_id, *groups))
        held = tx.timelines.held(who, since, until, now, look=_looks(most), most=MOST)
        shown, everything = readable(tx, caller, held.schedules, own, now)
        drawn = _drawn(tx, shown[:most], subject=principal_id)
        return Timeline(drawn, everything, held.cut or len(shown) > most)

    return deps.store.read(caller.tenant_id, work)


def of_role(
    deps: Deps,
    caller: Caller,
    provider: Provider,
    role_id: str,
    since: datetime,
    until: datetime,
    most: int = MOST,
) -> Timeline:
    """Who held a role, wherever."""
    return _of(deps, caller, About(provider, role_id=role_id), since, until, most)


def of_scope(
    deps: Deps,
    caller: Caller,
    provider: Provider,
    scope: str,
    since: datetime,
    until: datetime,
    most: int = MOST,
) -> Timeline:
    """Who held anything at exactly this scope. Whether the place may be seen is for whoever shows it to ask."""
    everywhere = provider is Provider.DIRECTORY and scope == TENANT
    return _of(deps, caller, About(provider, scope=scope, everywhere=everywhere), since, until, most)


def _of(deps: Deps, caller: Caller, about: About, since: datetime, until: datetime, most: int) -> Timeline:
    now = deps.clock()
    provider = about.provider or Provider.DIRECTORY
    wide = ROOT if provider is Provider.RESOURCE else None

    def work(tx: Transaction) -> Timeline:
        everything = PROVIDERS[provider].may_read(tx, caller, about.scope or wide, now)
        mine = None if everything else identities(tx, caller.principal_id, now)
        held = tx.timelines.held(
            replace(about, holders=mine), since, until, now, look=_looks(most), most=most
        )
        return Timeline(_drawn(tx, held.schedules), everything, held.cut)

    return deps.store.read(caller.tenant_id, work)


def _looks(most: int) -> int:
    return min(_MOST_LOOKED_AT, _LOOK * most)


def _drawn(tx: Transaction, shown: Sequence[Schedule], subject: str = "") -> tuple[Stretch, ...]:
    """With names."""
    names = Names(tx, {(one.provider, one.role_id, one.scope) for one in shown})
    holders = tx.principals.many({one.principal_id for one in shown})
    rows = []
    for one in shown:
        key = one.provider, one.role_id, one.scope
        holder = holders.get(one.principal_id)
        rows.append(
            Stretch(
                one,
                names.roles.get(key, one.role_id),
                names.scopes.get(key, one.scope),
                names.paths.get(one.scope, one.scope),
                holder,
                through=holder.display_name if holder and subject and holder.id != subject else "",
            )
        )
    return tuple(rows)
