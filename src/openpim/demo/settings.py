"""The role settings of the demo organisation: one of each kind, so that everything can be seen in five minutes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from openpim.core.grants import Duration, days, hours
from openpim.core.policy import ApprovalSettings, Expiry, Policy, Requirement, Reviewers, Stage
from openpim.core.signin.values import AuthenticationContext
from openpim.demo.directory import CUSTOM_ROLE
from openpim.demo.seeding import Seeding, must
from openpim.services.notices import administration

Change = Callable[[Policy], Policy]

CONTEXT = "c1"
HALF_AN_HOUR = Duration("PT30M", 0, 1800)
NOTHING: frozenset[Requirement] = frozenset()
JUSTIFICATION = frozenset({Requirement.JUSTIFICATION})
TICKET = JUSTIFICATION | {Requirement.TICKETING}
MFA = JUSTIFICATION | {Requirement.MFA}
EVERYTHING = MFA | {Requirement.TICKETING}


def asks(requires: frozenset[Requirement], longest: Duration) -> Change:
    return lambda policy: replace(
        policy, activation=Expiry(required=True, maximum=longest), activation_requires=requires
    )


def approved(change: Change, *stages: Stage) -> Change:
    return lambda policy: replace(change(policy), approval=ApprovalSettings(required=True, stages=stages))


def _context(change: Change) -> Change:
    return lambda policy: replace(change(policy), context_enabled=True, context=CONTEXT)


def _eligible_at_most(change: Change, longest: Duration) -> Change:
    return lambda policy: replace(change(policy), eligibility=Expiry(required=True, maximum=longest))


def apply(seeding: Seeding) -> None:
    """Contexts first, then one policy after the other."""
    contexts = seeding.tx.in_tenant(seeding.tenant_id).authentication_contexts
    contexts.put(AuthenticationContext(CONTEXT, "Privileged work", "A second factor within this sign-in"))

    def people(*keys: str) -> Reviewers:
        return Reviewers(users=tuple(seeding.ids[key] for key in keys))

    def group(name: str) -> Reviewers:
        return Reviewers(groups=(seeding.ids[name],))

    board = Stage(primary=group("Change Advisory Board"), quorum=2)
    security = Stage(primary=people("tomas"), timeout_minutes=8 * 60)
    escalating = Stage(
        primary=people("lucia"),
        escalation=people("tomas", "dana"),
        timeout_minutes=12 * 60,
        escalate_after_minutes=120,
    )
    collaboration = Stage(primary=people("jonas", "ravi"))
    identity = Stage(primary=group("Identity Team"))
    short = Stage(primary=people("tomas", "ravi"), timeout_minutes=4 * 60)
    settings: dict[str, Change] = {
        "Global Administrator": approved(asks(EVERYTHING, hours(1)), board, security),
        "Privileged Role Administrator": asks(MFA, hours(2)),
        "Privileged Authentication Administrator": approved(asks(MFA, hours(1)), short),
        "Security Administrator": _context(asks(JUSTIFICATION, hours(2))),
        "Conditional Access Administrator": approved(asks(MFA, hours(2)), escalating),
        "Teams Administrator": approved(asks(TICKET, hours(4)), collaboration),
        "Exchange Administrator": asks(MFA, hours(4)),
        "SharePoint Administrator": asks(JUSTIFICATION, hours(8)),
        "User Administrator": asks(JUSTIFICATION, hours(8)),
        "Helpdesk Administrator": asks(JUSTIFICATION, hours(8)),
        "Groups Administrator": _eligible_at_most(asks(JUSTIFICATION, hours(4)), days(90)),
        "Application Administrator": asks(EVERYTHING, hours(4)),
        "Cloud Application Administrator": approved(asks(JUSTIFICATION, hours(12)), identity),
        "Billing Administrator": asks(TICKET, HALF_AN_HOUR),
        "Authentication Administrator": asks(MFA, hours(4)),
        "Security Reader": asks(NOTHING, hours(24)),
        "Global Reader": asks(JUSTIFICATION, hours(10)),
        "Reports Reader": asks(NOTHING, hours(12)),
        CUSTOM_ROLE: asks(JUSTIFICATION, hours(8)),
    }
    for name, change in settings.items():
        seeding.policy(name, change)
    emergency = (seeding.ids["emergency1"], seeding.ids["emergency2"])
    must(administration.change(seeding.deps, seeding.system, break_glass=emergency))
