"""Groups and resources in the demo organisation: role settings of each sort, who may activate what, what runs now."""

from __future__ import annotations

from dataclasses import replace

from openpim.core.grants import Kind, Provider, days, hours
from openpim.core.policy import Expiry, Policy, Reviewers, Stage
from openpim.demo.resources import FLEET_OPERATOR, at
from openpim.demo.seeding import FOR_EVER, INCIDENT, Seeding, lasting
from openpim.demo.settings import EVERYTHING, JUSTIFICATION, MFA, NOTHING, TICKET, approved, asks
from openpim.services.resources.shaping import root_group

GROUP, RESOURCE = Provider.GROUP, Provider.RESOURCE


def apply_settings(seeding: Seeding) -> None:
    """A narrower place may be stricter: a role at prod can be had with a ticket, at its payments only with approval."""

    def people(*keys: str, hours_to_decide: int = 24) -> Stage:
        reviewers = Reviewers(users=tuple(seeding.ids[key] for key in keys))
        return Stage(primary=reviewers, timeout_minutes=hours_to_decide * 60)

    identity = people("dana", "jonas")
    platform = people("kwame", "jonas")
    security = people("tomas", hours_to_decide=8)
    resources = (
        ("Owner", "prod", asks(TICKET, hours(4))),
        ("Owner", "prod/rg-payments", approved(asks(EVERYTHING, hours(1)), security)),
        ("Owner", "mg:IT", approved(asks(JUSTIFICATION, hours(2)), identity)),
        ("Contributor", "staging", asks(JUSTIFICATION, hours(10))),
        ("Contributor", "sandbox", asks(NOTHING, hours(24))),
        ("Key Vault Administrator", "prod/rg-payments/kv-payments", asks(MFA, hours(1))),
        ("Network Contributor", "mg:Platform", asks(TICKET, hours(4))),
        (FLEET_OPERATOR, "prod/rg-fleet", asks(JUSTIFICATION, hours(8))),
    )
    for name, place, change in resources:
        seeding.policy(name, change, RESOURCE, at(place))
    root = root_group(seeding.tenant_id)
    seeding.policy(
        "User Access Administrator", approved(asks(EVERYTHING, hours(2)), security), RESOURCE, root
    )

    def for_good(policy: Policy) -> Policy:
        return replace(policy, eligibility=Expiry(required=False, maximum=None))

    for group in ("sg-admins", "sg-payments"):
        for role in ("member", "owner"):
            seeding.policy(role, for_good, GROUP, seeding.ids[group])
    seeding.policy("member", asks(JUSTIFICATION, hours(8)), GROUP, seeding.ids["sg-admins"])
    owners = approved(asks(JUSTIFICATION, hours(1)), platform)
    seeding.policy("owner", owners, GROUP, seeding.ids["sg-admins"])
    payments = approved(asks(TICKET, hours(2)), security)
    seeding.policy("member", payments, GROUP, seeding.ids["sg-payments"])


def give(seeding: Seeding) -> None:
    """To people and to groups; for ever and for a time; at the root, in the middle, and at one single vault."""

    def eligible(who: str, name: str, *places: str) -> None:
        for place in places:
            seeding.give(Kind.ELIGIBILITY, who, name, provider=RESOURCE, scope=at(place), window=FOR_EVER)

    eligible("mira", "Owner", "prod", "mg:IT")
    eligible("mira", "Contributor", "staging", "sandbox")
    eligible("mira", "Key Vault Administrator", "prod/rg-payments/kv-payments")
    eligible("kwame", "Owner", "mg:Fleet")
    eligible("callum", "Owner", "mg:IT")
    eligible("yuki", "Network Contributor", "mg:Platform")
    eligible("On-Call Engineers", FLEET_OPERATOR, "prod/rg-fleet")
    eligible("Robotics Research", "Contributor", "research")
    eligible("bruno", "Reader", "plant-lisbon")
    root = root_group(seeding.tenant_id)
    for who in ("dana", "farid"):
        seeding.give(
            Kind.ELIGIBILITY, who, "User Access Administrator", provider=RESOURCE, scope=root, window=FOR_EVER
        )
    for who, role in (("mira", "member"), ("mira", "owner"), ("yuki", "member"), ("kwame", "owner")):
        seeding.give(
            Kind.ELIGIBILITY, who, role, provider=GROUP, scope=seeding.ids["sg-admins"], window=FOR_EVER
        )
    for who in ("wen", "elif", "mira"):
        seeding.give(
            Kind.ELIGIBILITY, who, "member", provider=GROUP, scope=seeding.ids["sg-payments"], window=FOR_EVER
        )

    def active(who: str, name: str, scope: str) -> None:
        seeding.give(Kind.ASSIGNMENT, who, name, provider=RESOURCE, scope=scope, window=lasting(days(180)))

    active("sg-admins", "Contributor", at("mg:Platform"))  # who activates the membership has the role
    active("sg-payments", "SQL DB Contributor", at("prod/rg-payments"))
    active("Release Pipeline", "Contributor", at("staging"))
    active("Compliance Exporter", "Reader", root)
    active("ines", "Reader", root)


def work_now(seeding: Seeding) -> None:
    """In force while the demo is looked at: a role on machines that came through a group, and a membership that brings one."""
    why = "Dispatch is slow since the update"
    seeding.ask(
        "callum", FLEET_OPERATOR, why, provider=RESOURCE, scope=at("prod/rg-fleet"), window=lasting(hours(6))
    )
    seeding.ask("yuki", "member", "Renew the hub's routes", provider=GROUP, scope=seeding.ids["sg-admins"])


def wait_now(seeding: Seeding) -> None:
    """What two approvers find when they look."""
    seeding.ask("callum", "Owner", "Move the identity subscription", provider=RESOURCE, scope=at("mg:IT"))
    seeding.ask(
        "elif", "member", "Refund by hand", provider=GROUP, scope=seeding.ids["sg-payments"], ticket=INCIDENT
    )
