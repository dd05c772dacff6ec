"""Is it still worth telling? Asked right before something is sent: what was decided or changed meanwhile is not told as if
it waited, and nobody is told what he may not know any more."""

from __future__ import annotations

from datetime import datetime

from openpim.core.deliveries import Delivery
from openpim.core.lifecycle import ApprovalStatus, ScheduleStatus
from openpim.core.notices import STALE, Audience, Facts, Topic
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.notices.audience import administrators, approvers
from openpim.services.notices.deliveries import settings_of

_SETTLED = "It was decided, or withdrawn, before this was sent."


def needless(tx: Transaction, deps: Deps, delivery: Delivery, facts: Facts, now: datetime) -> str:
    """Why it need not, or must not, be sent any more; empty when it is to be sent."""
    if facts.topic is Topic.APPROVAL_WANTED:
        return _waits_no_more(tx, delivery, facts, now) or _gone(tx, deps, delivery, facts, now)
    if facts.topic is Topic.ENDING_SOON:
        schedule = tx.schedules.get(facts.schedule_id)
        if schedule is None or schedule.status is not ScheduleStatus.PROVISIONED:
            return "It has ended already."
        if schedule.ends_at != facts.ends_at:
            return "It ends at another time now."
        if schedule.ends_at is not None and schedule.ends_at <= now:
            return "It has ended already."
    if now - delivery.created_at > STALE and not delivery.critical:
        return "It is no news any more."
    return _gone(tx, deps, delivery, facts, now)


def _waits_no_more(tx: Transaction, delivery: Delivery, facts: Facts, now: datetime) -> str:
    approval = tx.approvals.get(facts.request_id)
    if approval is None or approval.status is not ApprovalStatus.IN_PROGRESS:
        return _SETTLED
    stage = approval.current
    if stage is None or stage.id != facts.stage_id:
        return "This stage was decided before this was sent."
    if not stage.open_at(now):
        return "Its time was over before this was sent."
    if any(one.reviewer_id == delivery.recipient for one in approval.of_stage(stage.id)):
        return "This person has decided already."
    return ""


def _gone(tx: Transaction, deps: Deps, delivery: Delivery, facts: Facts, now: datetime) -> str:
    """Whether the recipient may still be told."""
    if not delivery.recipient or facts.topic is Topic.TEST:
        return ""
    if "@" in delivery.recipient:
        rules = settings_of(tx, deps, facts).values()
        known = {one.strip().lower() for rule in rules for one in rule.recipients}
        return (
            "" if delivery.recipient.lower() in known else "The role's settings no longer name this address."
        )
    person = tx.principals.get(delivery.recipient)
    if person is None or not person.able:
        return "The recipient's account is disabled or deleted."
    if delivery.audience == Audience.ADMIN and delivery.recipient not in administrators(tx, facts, now):
        return "The recipient is no longer an administrator of it."
    if delivery.audience == Audience.APPROVER and delivery.recipient not in approvers(tx, facts, now):
        return "The recipient can no longer decide it."
    return ""
