"""What ends soon: told 14 days and 1 day before, to the holder and to the administrators.

A cursor says up to which end everybody has been told; a look reads only the ends between it and the horizon, in the order
of the index. Each notice has a key, so a look that was cut off is simply made again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from openpim.core.grants import AssignmentType, Kind, Schedule
from openpim.core.notices import SOON, Facts, Topic
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.eligibilities import Names
from openpim.services.notices.deliveries import deliver

BATCH = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def plan_endings(deps: Deps, tenant_id: str) -> int:
    """Returns how many schedules were told of."""
    nearer = (*SOON[1:], timedelta(0))
    return sum(_look(deps, tenant_id, before, least) for before, least in zip(SOON, nearer, strict=True))


def _look(deps: Deps, tenant_id: str, before: timedelta, least: timedelta) -> int:
    """least: what ends sooner than this is told by the nearer look alone."""
    now = deps.clock()
    name = f"endings:{before.days}"
    cursor = deps.store.read(tenant_id, lambda tx: tx.cursors.position(name))
    horizon = now + before
    begins = max(now + least, _EPOCH + cursor * _MICROSECOND)
    found: list[Schedule] = []
    after = (begins, "")
    while after[0] < horizon:
        page = deps.store.read(
            tenant_id,
            lambda tx, after=after: tx.schedules.ending(after, horizon, BATCH),  # type: ignore[misc]
        )
        if page:
            deps.store.write(tenant_id, lambda tx, page=page: _tell(tx, deps, page, before, now))  # type: ignore[misc]
            found += page
        if len(page) < BATCH:
            break
        last = page[-1]
        after = (last.ends_at or horizon, last.id)
    done = (horizon - _EPOCH) // _MICROSECOND
    if done - cursor >= _STEP or found:
        deps.store.write(tenant_id, lambda tx: tx.cursors.move(name, cursor, done, now))
    return len(found)


_STEP = timedelta(minutes=1) // _MICROSECOND  # a look that found nothing is not worth a write every second


def _tell(tx: Transaction, deps: Deps, page: list[Schedule], before: timedelta, now: datetime) -> None:
    told = [one for one in page if one.assignment_type is not AssignmentType.ACTIVATED]
    keys = {(one.provider, one.role_id, one.scope) for one in told}
    names = Names(tx, keys)
    people = tx.principals.many([one.principal_id for one in told])
    for one in told:
        key = (one.provider, one.role_id, one.scope)
        subject = people.get(one.principal_id)
        if subject is None or key not in names.roles:
            continue
        facts = Facts(
            topic=Topic.ENDING_SOON,
            at=now,
            provider=one.provider.value,
            eligibility=one.kind is Kind.ELIGIBILITY,
            role_id=one.role_id,
            role_name=names.roles[key],
            scope=one.scope,
            scope_name=names.scopes[key],
            subject_id=one.principal_id,
            subject_name=subject.display_name,
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            schedule_id=one.id,
            stage_id=str(before.days),
        )
        deliver(tx, deps, facts, now=now)
