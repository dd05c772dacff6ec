"""Who holds what in the demo organisation, and what happened there lately."""

from __future__ import annotations

from datetime import timedelta

from openpim.core.approval import Verdict
from openpim.core.grants import Action, ExpirationType, Kind, Provider, Window, days, hours
from openpim.demo import grants
from openpim.demo.directory import CUSTOM_ROLE
from openpim.demo.seeding import CHANGE, FOR_EVER, INCIDENT, Seeding, lasting, must
from openpim.demo.settings import CONTEXT
from openpim.services import due
from openpim.services.cancel import cancel


def _unit(seeding: Seeding, name: str) -> str:
    return f"/administrativeUnits/{seeding.ids[name]}"


def give_standing(seeding: Seeding) -> None:
    """Before any policy is strict: the two accounts for emergencies hold their role for ever."""
    for key in ("emergency1", "emergency2"):
        why = "Emergency access, kept in the safe"
        seeding.give(Kind.ASSIGNMENT, key, "Global Administrator", window=FOR_EVER, why=why)


def give_eligibilities(seeding: Seeding) -> None:
    """To people, to groups, in units; for ever and for a time."""

    def eligible(who: str, *names: str, scope: str = "/", window: Window = FOR_EVER) -> None:
        for name in names:
            seeding.give(Kind.ELIGIBILITY, who, name, scope=scope, window=window)

    eligible("mira", "Teams Administrator", "SharePoint Administrator", "Global Reader")
    eligible("mira", "Security Administrator", "Billing Administrator", CUSTOM_ROLE)
    eligible("mira", "User Administrator", scope=_unit(seeding, "Oslo Office"))
    eligible("mira", "Exchange Administrator", window=lasting(days(33)))  # three days are left of it
    eligible("dana", "Global Administrator", "Privileged Role Administrator")
    eligible("farid", "Global Administrator", "Privileged Role Administrator", "User Administrator")
    eligible("ravi", "Global Administrator", "Global Reader")
    eligible("jonas", "Global Reader", "Privileged Role Administrator")
    eligible("priya", "Teams Administrator", "SharePoint Administrator", "Groups Administrator",
             window=lasting(days(75)))  # fmt: skip
    eligible("tomas", "Conditional Access Administrator", "Privileged Authentication Administrator")
    eligible("lucia", "Conditional Access Administrator")
    eligible("kwame", "Application Administrator")
    eligible("amina", "Authentication Administrator", scope=_unit(seeding, "Lisbon Plant"))
    eligible("bruno", "User Administrator", scope=_unit(seeding, "Lisbon Plant"))
    eligible("wen", "Billing Administrator", window=lasting(days(40)))
    eligible("bea", "SharePoint Administrator", window=lasting(days(60)))  # a guest
    eligible("On-Call Engineers", "Cloud Application Administrator", "Reports Reader")
    eligible("Support Operations", "Helpdesk Administrator")
    eligible("Identity Team", "Groups Administrator", window=lasting(days(90)))
    eligible("Security Operations", "Security Administrator", "Global Reader")
    eligible("Collaboration Admins", "Exchange Administrator")


def give_assignments(seeding: Seeding) -> None:
    """Active without activation: readers, and service principals, which cannot activate."""
    seeding.give(Kind.ASSIGNMENT, "Security Operations", "Security Reader", window=lasting(days(120)))
    seeding.give(Kind.ASSIGNMENT, "ines", "Global Reader", window=lasting(days(150)))
    seeding.give(Kind.ASSIGNMENT, "Compliance Exporter", "Security Reader", window=FOR_EVER)
    seeding.give(Kind.ASSIGNMENT, "Release Pipeline", "Application Administrator", window=lasting(days(45)))
    seeding.give(Kind.ASSIGNMENT, "auditor", "Reports Reader", window=lasting(days(31)))


def live_through(seeding: Seeding) -> None:
    """The last weeks: activations, approvals, refusals; things that run now, and things that wait."""
    seeding.ago(days=12, hours=3)
    seeding.ask("mira", "SharePoint Administrator", "Move the project sites", window=lasting(hours(2)))
    seeding.ago(days=12)
    due.expire(seeding.deps, seeding.tenant_id)

    seeding.ago(days=9, hours=5)
    denied = seeding.ask("priya", "Teams Administrator", "Just in case", ticket=CHANGE)
    seeding.ago(days=9, hours=4)
    seeding.decide("jonas", denied, Verdict.DENY, "Come back with a reason")
    seeding.ago(days=9, hours=3)
    asked = seeding.ask("priya", "Teams Administrator", "Meeting rooms for the new floor", ticket=CHANGE)
    seeding.ago(days=9, hours=2)
    seeding.decide("jonas", asked, Verdict.APPROVE, "As planned")
    seeding.ago(days=8)
    due.expire(seeding.deps, seeding.tenant_id)

    seeding.ago(days=5, hours=2)
    called_off = seeding.ask("lucia", "Conditional Access Administrator", "Block a country")
    seeding.ago(days=5, hours=1, minutes=40)
    must(cancel(seeding.deps, seeding.person("lucia"), Provider.DIRECTORY, Kind.ASSIGNMENT, called_off.id))

    seeding.ago(days=2, hours=6)
    seeding.ask("dana", "Privileged Role Administrator", "Quarterly clean-up", window=lasting(hours(2)))
    seeding.ago(days=2)
    due.expire(seeding.deps, seeding.tenant_id)

    seeding.ago(hours=3)
    seeding.ask("oskar", "Helpdesk Administrator", "Morning shift", window=lasting(hours(8)))
    seeding.ago(hours=2)
    seeding.ask("arvid", "Security Administrator", "Alert 7781", acrs=(CONTEXT,), window=lasting(hours(2)))
    approved = seeding.ask("yuki", "Cloud Application Administrator", "Rotate the gateway's certificate")
    seeding.ago(hours=1, minutes=50)
    seeding.decide("farid", approved, Verdict.APPROVE, "Seen the change")
    seeding.ago(minutes=100)
    _extend(seeding)
    grants.work_now(seeding)
    seeding.ago(minutes=55)
    urgent = seeding.ask("farid", "Global Administrator", "Restore a deleted domain", ticket=INCIDENT)
    seeding.ago(minutes=50)
    seeding.decide("noor", urgent, Verdict.APPROVE, "The incident is real")
    seeding.ago(minutes=35)
    seeding.ask("priya", "Teams Administrator", "Unblock the all-hands call", ticket=INCIDENT)
    seeding.ago(minutes=25)
    grants.wait_now(seeding)
    seeding.ago(minutes=20)
    seeding.ask("wen", "Billing Administrator", "Pay the yearly licence", ticket=CHANGE)
    seeding.ago(minutes=10)
    seeding.ask("ravi", "Global Reader", "Board meeting", window=lasting(hours(4)))
    tomorrow = seeding.present + timedelta(days=1)
    maintenance = Window(tomorrow, ExpirationType.AFTER_DURATION, duration=hours(3))
    seeding.ask("priya", "SharePoint Administrator", "Maintenance window", window=maintenance)
    seeding.ago(minutes=0)


def _extend(seeding: Seeding) -> None:
    """The controller's eligibility ends in ten days; she has asked for more, and an administrator must decide."""
    seeding.ask(
        "wen",
        "Billing Administrator",
        "Needed until the audit is over",
        action=Action.SELF_EXTEND,
        kind=Kind.ELIGIBILITY,
        window=lasting(days(60)),
    )
