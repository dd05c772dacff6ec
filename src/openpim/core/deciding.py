"""The decisions: facts in, a grant or a refusal out. Pure, so that each rule can be read and tested alone.

Every policy rule that fails is named at once; rule names are Graph's (EligibilityRule, ExpirationRule,
JustificationRule, TicketingRule, MfaRule).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from openpim.core.ask import Ask
from openpim.core.grants import (
    AssignmentType,
    ExpirationType,
    Kind,
    Schedule,
    Window,
)
from openpim.core.policy import Expiry, Policy, Requirement
from openpim.core.refusals import Code, Refusal

_HORIZON = timedelta(days=366 * 50)


@dataclass(frozen=True, slots=True)
class Proof:
    """How the requestor had signed in: authentication methods and authentication contexts."""

    amr: frozenset[str]
    acrs: frozenset[str]

    @property
    def mfa(self) -> bool:
        return "mfa" in self.amr


@dataclass(frozen=True, slots=True)
class Grant:
    """A yes: from when until when, on which eligibility it rests, and whether somebody must approve first.
    policy_version: of the role settings it was decided by (`Policy.version`)."""

    starts_at: datetime
    ends_at: datetime | None
    eligibility: Schedule | None = None
    needs_approval: bool = False
    policy_version: str = ""


def activation(
    ask: Ask,
    *,
    policy: Policy,
    eligibilities: Sequence[Schedule],
    activations: Sequence[Schedule],
    proof: Proof,
    minimum: timedelta,
    now: datetime,
    extending: Schedule | None = None,
    ticket_fault: str | None = None,
) -> Grant | Refusal:
    """May this activation (or, with `extending`, this longer one) be?

    eligibilities: those of the person, or of groups he is in, whose scope contains the asked one.
    activations: live activations of the same person, role and scope. ticket_fault: why the ticket that was given will
    not do, in words.
    """
    start = _start(ask.window, now) if extending is None else extending.starts_at
    reference = now if extending is not None else start
    resting = _best(eligibilities, reference)
    if resting is None:
        return Refusal(
            Code.ASSIGNMENT_MISSING,
            "You are not eligible for this role here. Ask an administrator for an eligible assignment.",
        )
    faults = _window_faults(ask.window, now)
    if faults is not None:
        return faults
    end = _activation_end(ask.window, policy, reference)
    if end is not None and end - reference < minimum:
        return Refusal(Code.TOO_SHORT, _too_short(minimum), member="duration")
    if resting.ends_at is not None and (end is None or end > resting.ends_at):
        end = resting.ends_at
    if extending is not None and not _later(end, extending.ends_at):
        return Refusal(
            Code.INVALID,
            "The end would not be later than the present one. Ask for a longer time; if your eligibility ends "
            "then, ask for its extension first.",
            member="duration",
        )
    others = [held for held in activations if extending is None or held.id != extending.id]
    if any(held.overlaps(start, end) for held in others):
        return Refusal(Code.ASSIGNMENT_EXISTS, "You hold this role here already for (part of) that time.")
    failed = _failed_requirements(policy.activation_requires, ask, proof)
    if _beyond(policy.activation, reference, _activation_end(ask.window, policy, reference)):
        failed.insert(0, "ExpirationRule")
    if policy.approval.required and policy.approval.requestor_justification_required and not _justified(ask):
        failed.append("JustificationRule")
    missing = next((one for one in policy.contexts if one not in proof.acrs), None)
    if ticket_fault is not None:
        failed.append("TicketingRule")
    if failed:
        return policy_refusal(failed, missing, ticket_fault)
    if missing is not None:
        return Refusal(
            Code.STEP_UP,
            f"This role asks for the authentication context {missing}. Sign in again to satisfy it, then repeat.",
            detail=missing,
        )
    needs_approval = policy.approval.required or (
        extending is not None and policy.approval.required_for_extension
    )
    return Grant(start, end, resting, needs_approval=needs_approval)


def assignment(
    ask: Ask,
    *,
    policy: Policy,
    existing: Iterable[Schedule],
    proof: Proof,
    minimum: timedelta,
    now: datetime,
    replacing: Schedule | None = None,
) -> Grant | Refusal:
    """May an administrator give (or, with `replacing`, change) this eligibility or active assignment?"""
    faults = _window_faults(ask.window, now)
    if faults is not None:
        return faults
    start = _start(ask.window, now)
    if replacing is not None and start <= now and replacing.starts_at <= now:
        start = replacing.starts_at
    reference = max(start, now)
    end = ask.window.ends(reference)
    if end is not None and end - reference < minimum:
        return Refusal(Code.TOO_SHORT, _too_short(minimum), member="duration")
    if any(
        held.assignment_type is not AssignmentType.ACTIVATED
        and (replacing is None or held.id != replacing.id)
        and held.overlaps(start, end)
        for held in existing
    ):
        return Refusal(Code.ASSIGNMENT_EXISTS, "This assignment exists already. Update it instead.")
    failed = _failed_requirements(policy.admin_requires(ask.kind), ask, proof)
    if _beyond(policy.expiry_of(ask.kind), reference, end):
        failed.insert(0, "ExpirationRule")
    if failed:
        return policy_refusal(failed, None)
    return Grant(start, end)


def removable(held: Sequence[Schedule], *, minimum: timedelta, now: datetime) -> Refusal | None:
    """Grants that are in force for less than the minimum cannot be ended yet."""
    if any(
        one.kind is Kind.ASSIGNMENT and one.in_force(now) and now - one.starts_at < minimum for one in held
    ):
        return Refusal(
            Code.TOO_SHORT,
            f"It has been active for less than {int(minimum.total_seconds() // 60)} minutes. Wait and try again.",
        )
    return None


def extension_asked(held: Schedule, ask: Ask, *, window_days: int, now: datetime) -> Refusal | None:
    """May the holder ask for an extension of an assigned eligibility or assignment?"""
    if held.ends_at is None:
        return Refusal(Code.INVALID, "It is permanent: there is nothing to extend.", member="action")
    if held.ends_at - now > timedelta(days=window_days):
        return Refusal(
            Code.INVALID,
            f"An extension can be asked for within the last {window_days} days before the end.",
            member="action",
        )
    end = ask.window.ends(now)
    if ask.window.type is not ExpirationType.NOT_SPECIFIED and end is not None and end <= held.ends_at:
        return Refusal(Code.INVALID, "The new end is not later than the present one.", member="duration")
    return _window_faults(ask.window, now)


def renewal_asked(ended: Schedule | None, *, window_days: int, now: datetime) -> Refusal | None:
    """May the former holder ask for a renewal?"""
    if ended is None or ended.ends_at is None:
        return Refusal(Code.ASSIGNMENT_MISSING, "There is no expired assignment of this role to renew.")
    if now - ended.ends_at > timedelta(days=window_days):
        return Refusal(
            Code.INVALID,
            f"It ended more than {window_days} days ago. Ask an administrator for a new assignment.",
            member="action",
        )
    return None


def policy_refusal(rules: Iterable[str], context: str | None, ticket_fault: str | None = None) -> Refusal:
    """All failed rules in one refusal, each once, in a stable order. ticket_fault: what is wrong with a given ticket."""
    named = tuple(dict.fromkeys(rules))
    words = {
        "ExpirationRule": "the duration is longer than the policy allows (or permanent is not allowed)",
        "JustificationRule": "a justification is required",
        "TicketingRule": ticket_fault or "a ticket number and system are required",
        "MfaRule": "multi-factor authentication is required",
    }
    text = "; ".join(words.get(rule, rule) for rule in named)
    return Refusal(Code.POLICY, f"The role's policy is not met: {text}.", rules=named, detail=context)


def _failed_requirements(required: frozenset[Requirement], ask: Ask, proof: Proof) -> list[str]:
    failed = []
    if Requirement.JUSTIFICATION in required and not _justified(ask):
        failed.append("JustificationRule")
    if Requirement.TICKETING in required and not ask.ticket.complete:
        failed.append("TicketingRule")
    if Requirement.MFA in required and not proof.mfa:
        failed.append("MfaRule")
    return failed


def _justified(ask: Ask) -> bool:
    return bool(ask.justification and ask.justification.strip())


def _start(window: Window, now: datetime) -> datetime:
    """A start that is missing or past means now."""
    return now if window.start is None or window.start < now else window.start


def _window_faults(window: Window, now: datetime) -> Refusal | None:
    if window.start is not None and window.start - now > _HORIZON:
        return Refusal(Code.INVALID, "The start lies more than 50 years ahead.", member="startDateTime")
    if window.type is ExpirationType.AFTER_DATE_TIME:
        if window.end is None:
            return Refusal(Code.INVALID, "Say when it is to end.", member="endDateTime")
        if window.end <= _start(window, now):
            return Refusal(Code.INVALID, "The end is not later than the start.", member="endDateTime")
    if window.type is ExpirationType.AFTER_DURATION and window.duration is None:
        return Refusal(Code.INVALID, "Say how long it is to last.", member="duration")
    return None


def _activation_end(window: Window, policy: Policy, start: datetime) -> datetime | None:
    if window.type is ExpirationType.NOT_SPECIFIED:
        maximum = policy.activation.maximum
        return maximum.after(start) if maximum is not None else None
    return window.ends(start)


def _beyond(expiry: Expiry, start: datetime, end: datetime | None) -> bool:
    if not expiry.required or expiry.maximum is None:
        return False
    return end is None or end > expiry.maximum.after(start)


def _later(new: datetime | None, old: datetime | None) -> bool:
    """None = for good."""
    return old is not None and (new is None or new > old)


def _best(eligibilities: Sequence[Schedule], at: datetime) -> Schedule | None:
    """The eligibility in force at that instant that lasts longest (permanent first, then by id: deterministic)."""
    covering = [one for one in eligibilities if one.in_force(at)]
    return min(
        covering,
        key=lambda one: (one.ends_at is not None, -(one.ends_at.timestamp() if one.ends_at else 0.0), one.id),
        default=None,
    )


def best_eligibility(eligibilities: Sequence[Schedule], at: datetime) -> Schedule | None:
    """See `_best`; for acts that look for another eligibility an activation could rest on."""
    return _best(eligibilities, at)


def _too_short(minimum: timedelta) -> str:
    return f"It would last less than {int(minimum.total_seconds() // 60)} minutes. Ask for a longer time."
