"""When a group goes away, what was given or asked for in it ends."""

from __future__ import annotations

from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.grants import Kind, Provider
from openpim.core.lifecycle import OPEN, RequestStatus
from openpim.core.query import All, AnyOf, Compare, Query
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.ending import close_request, end


def end_all_at(tx: Transaction, deps: Deps, caller: Caller, group_id: str, now: datetime) -> None:
    """The group is going away: nobody is, or can become, its member or owner by schedule or request any more."""
    here = Compare("scope", "eq", group_id)
    waiting = AnyOf("status", tuple(status.value for status in OPEN))
    reason = "The group was deleted."
    for kind in (Kind.ELIGIBILITY, Kind.ASSIGNMENT):
        while found := tx.requests.page(Provider.GROUP, kind, Query(All((here, waiting)))).items:
            for request in found:
                close_request(tx, request.id, RequestStatus.CANCELED, now, reason)
        while live := tx.schedules.page(Provider.GROUP, kind, Query(here), live_at=now).items:
            for schedule in live:
                current = tx.schedules.get(schedule.id)
                if current is not None and current.live(now):
                    end(
                        tx,
                        deps,
                        caller,
                        current,
                        now,
                        activity="Remove member from group (PIM)",
                        reason=reason,
                    )
