"""What hangs on places that go, or that come to lie elsewhere: grants, requests, settings, deny assignments."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.grants import Kind, Provider, Schedule
from openpim.core.lifecycle import OPEN, RequestStatus
from openpim.core.query import All, AnyOf, Query
from openpim.core.resources import ROOT
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.ending import close_request, end, rest_anew

GONE = "Remove member from role completed (resource removed)"
_REASON = "The resource was removed."
_MOVED = "The resource was moved out of the place where the holder was eligible."
_PART = 200


def forget(tx: Transaction, deps: Deps, caller: Caller, scopes: Collection[str], now: datetime) -> None:
    """These places are gone: nothing that was given or asked for there outlives them."""
    ids = sorted(scopes)
    for start in range(0, len(ids), _PART):
        part = tuple(ids[start : start + _PART])
        _close(tx, part, now)
        for kind in (Kind.ELIGIBILITY, Kind.ASSIGNMENT):
            for schedule in _live(tx, kind, part, now):
                tx.lock_principal(schedule.principal_id)
                current = tx.schedules.get(schedule.id)
                if current is not None and current.live(now):
                    end(tx, deps, caller, current, now, activity=GONE, reason=_REASON)
        for deny in tx.deny_assignments.at(part):
            tx.deny_assignments.remove(deny.id)
    tx.policies.remove_at(Provider.RESOURCE, ids)


def resettle(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    place: str,
    before: tuple[str, ...],
    now: datetime,
) -> None:
    """A place hangs elsewhere now: activations in it that rested on an eligibility further up are looked at again.

    before: what contained it until now.
    """
    lost = set(before) - set(tx.resources.chain(place)) - {ROOT}
    if not lost:
        return
    for eligibility in _live(tx, Kind.ELIGIBILITY, tuple(sorted(lost)), now):
        for activation in tx.schedules.resting_on(eligibility.id, now):
            if eligibility.scope not in tx.resources.chain(activation.scope):
                rest_anew(tx, deps, caller, activation, now, reason=_MOVED)


def _live(tx: Transaction, kind: Kind, scopes: tuple[str, ...], now: datetime) -> Iterator[Schedule]:
    after: str | None = None
    while True:
        query = Query(AnyOf("scope", scopes), limit=500, after=after)
        page = tx.schedules.page(Provider.RESOURCE, kind, query, live_at=now)
        yield from page.items
        after = page.next
        if after is None:
            return


def _close(tx: Transaction, scopes: tuple[str, ...], now: datetime) -> None:
    waiting = tuple(status.value for status in OPEN)
    for kind in Kind:
        after: str | None = None
        while True:
            where = All((AnyOf("scope", scopes), AnyOf("status", waiting)))
            page = tx.requests.page(Provider.RESOURCE, kind, Query(where, limit=500, after=after))
            for request in page.items:
                tx.lock_principal(request.principal_id)
                close_request(tx, request.id, RequestStatus.CANCELED, now, _REASON)
            after = page.next
            if after is None:
                break
