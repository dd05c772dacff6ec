"""The weekly digest: what happened in seven days, told to the administrators on Monday morning.

The week is part of the delivery's key, so whoever looks, and however often, each is told once a week.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from openpim.core.grants import Provider
from openpim.core.notices import Facts, Topic
from openpim.core.notification_preferences import zone_of
from openpim.core.query import All, Compare, Query
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.notices.deliveries import deliver

CURSOR = "digest"
_HOUR = time(8)
_WEEK = timedelta(days=7)
_TOP = 5
_MOST = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PERMANENT = (
    "Add member to role in PIM completed (permanent)", "Add eligible member to role in PIM completed (permanent)",
)  # fmt: skip
_INSIDE = (*_PERMANENT, "Add member to role in PIM completed (timebound)", "Add eligible member to role in PIM completed (timebound)")  # fmt: skip
_OUTSIDE = ("Add member to role outside of PIM (permanent)",)
_ACTIVATED = ("Add member to role completed (PIM activation)",)


@dataclass(frozen=True, slots=True)
class Week:
    """Counts of directory roles in the seven days before `until`. top: the roles activated most, with how often."""

    until: datetime
    activated: int
    permanent: int
    inside: int
    outside: int
    top: tuple[tuple[str, int], ...]


def plan_digest(deps: Deps, tenant_id: str) -> int:
    """Returns 1 when the week's digest was planned now."""
    now = deps.clock()
    until = _last_monday(deps, now)
    number = (until - _EPOCH) // timedelta(hours=1)
    before = deps.store.read(tenant_id, lambda tx: tx.cursors.position(CURSOR))
    if before >= number:
        return 0

    def work(tx: Transaction) -> int:
        if not tx.cursors.move(CURSOR, before, number, now):
            return 0
        fresh = not before  # a server that has just begun has no week behind it
        if fresh or not tx.organisation_settings.get().weekly_digest:
            return 0
        deliver(tx, deps, _facts(week(tx, until)), now=now)
        return 1

    return deps.store.write(tenant_id, work)


def _last_monday(deps: Deps, now: datetime) -> datetime:
    """The Monday morning before now, where the organisation works."""
    local = now.astimezone(zone_of(deps.settings.work_zone))
    monday = datetime.combine(local.date() - timedelta(days=local.weekday()), _HOUR, local.tzinfo)
    return (monday if monday <= local else monday - _WEEK).astimezone(UTC)


def week(tx: Transaction, until: datetime) -> Week:
    """The seven days before then."""
    uses = Counter[str]()
    for use in tx.tallies.uses(Provider.DIRECTORY, until - _WEEK, _MOST):
        uses[use.role_id] += use.count
    roles = tx.roles.many(uses)
    named = [(roles[role].display_name, count) for role, count in uses.most_common(_TOP) if role in roles]
    return Week(
        until,
        _count(tx, _ACTIVATED, until),
        _count(tx, _PERMANENT, until),
        _count(tx, _INSIDE, until),
        _count(tx, _OUTSIDE, until),
        tuple(named),
    )


def _count(tx: Transaction, activities: tuple[str, ...], until: datetime) -> int:
    total = 0
    for activity in activities:
        where = All(
            (
                Compare("activity", "eq", activity),
                Compare("at", "ge", until - _WEEK),
                Compare("at", "lt", until),
                Compare("category", "eq", "RoleManagement"),
            )
        )
        total += tx.audit.page(Query(where, limit=1, count=True)).total or 0
    return total


def _facts(found: Week) -> Facts:
    lines = [
        ("Activations", str(found.activated)),
        ("Made permanent", str(found.permanent)),
        ("Assigned in PIM", str(found.inside)),
        ("Assigned outside PIM", str(found.outside)),
        *(
            (f"Most used, {place}", f"{name} ({count})")
            for place, (name, count) in enumerate(found.top, start=1)
        ),
    ]
    return Facts(
        topic=Topic.WEEKLY_DIGEST, at=found.until, subject_id=str(found.until.date()), more=tuple(lines)
    )
