"""What administrators look after: what could not be delivered, the organisation's choices about notices, and a test mail."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller, CallerKind
from openpim.core.deliveries import Delivery, DeliveryStatus
from openpim.core.directory import User
from openpim.core.notices import KINDS, Audience, Facts, Topic
from openpim.core.notification_preferences import MAIL
from openpim.core.organisation_settings import OrganisationSettings
from openpim.core.query import Compare, Order, Page, Query
from openpim.core.refusals import Code, Refusal
from openpim.core.roles import MANAGERS
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import roles_of
from openpim.services.notices.deliveries import facts_text
from openpim.services.recording import record

SETTINGS_CHANGED = "Update organisation settings"
RETRIED = "Retry notification"
TESTED = "Send test notification"
MOST_BREAK_GLASS = 20
NEWEST_FIRST = (Order("created_at", descending=True), Order("id"))
_FORBIDDEN = Refusal(
    Code.FORBIDDEN,
    "Looking after notifications needs the role Privileged Role Administrator or Global Administrator. Activate it first.",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A delivery with the name of its recipient, or what else it goes to."""

    delivery: Delivery
    recipient: str


@dataclass(frozen=True, slots=True)
class Administered:
    """break_glass: those accounts of the settings that are still there."""

    settings: OrganisationSettings
    break_glass: tuple[User, ...]
    mail_host: str
    mail_from: str


def may_manage(tx: Transaction, caller: Caller, now: datetime) -> bool:
    """Whether the caller looks after notifications."""
    return caller.kind is not CallerKind.SERVICE_PRINCIPAL and bool(roles_of(tx, caller, now) & MANAGERS)


def settings(deps: Deps, caller: Caller) -> Administered | Refusal:
    """The organisation's choices, and where its mail goes out."""
    now = deps.clock()

    def work(tx: Transaction) -> Administered | Refusal:
        if not may_manage(tx, caller, now):
            return _FORBIDDEN
        found = tx.organisation_settings.get()
        people = tx.users.many(found.break_glass)
        kept = tuple(people[one] for one in found.break_glass if one in people)
        return Administered(found, kept, deps.settings.mail_host, deps.settings.mail_from)

    return deps.store.read(caller.tenant_id, work)


def change(
    deps: Deps,
    caller: Caller,
    *,
    weekly_digest: bool | None = None,
    break_glass: Collection[str] | None = None,
) -> OrganisationSettings | Refusal:
    """Change what is given. break_glass: ids of people. Nothing is written where nothing changes."""
    now = deps.clock()

    def work(tx: Transaction) -> OrganisationSettings | Refusal:
        if not may_manage(tx, caller, now):
            return _FORBIDDEN
        tx.lock_tenant()
        before = tx.organisation_settings.get()
        after = before
        if weekly_digest is not None:
            after = replace(after, weekly_digest=weekly_digest)
        if break_glass is not None:
            wanted = tuple(dict.fromkeys(one.lower() for one in break_glass))
            if len(wanted) > MOST_BREAK_GLASS:
                return Refusal(
                    Code.INVALID, f"Name at most {MOST_BREAK_GLASS} accounts.", member="breakGlass"
                )
            missing = set(wanted) - tx.users.many(wanted).keys()
            if missing:
                return Refusal(
                    Code.SUBJECT_MISSING, f"There is no person {min(missing):.40}.", member="breakGlass"
                )
            after = replace(after, break_glass=wanted)
        if after != before:
            tx.organisation_settings.save(after)
            _note(tx, deps, caller, now, before, after)
        return after

    return deps.store.write(caller.tenant_id, work)


def _note(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    now: datetime,
    before: OrganisationSettings,
    after: OrganisationSettings,
) -> None:
    changes = []
    if before.weekly_digest != after.weekly_digest:
        changes.append(("WeeklyDigest", str(before.weekly_digest), str(after.weekly_digest)))
    if before.break_glass != after.break_glass:
        changes.append(("BreakGlassAccounts", ",".join(before.break_glass), ",".join(after.break_glass)))
    target = Target("Directory", tx.tenant_id, "Organisation settings", tuple(changes))
    record(tx, deps, caller, now, activity=SETTINGS_CHANGED, category="Policy", targets=(target,))


def listed(
    deps: Deps, caller: Caller, status: DeliveryStatus, *, after: str | None = None
) -> Page[Shown] | Refusal:
    """Those that have become this, the newest first, a page of them."""
    query = Query(Compare("status", "eq", status.value), order=NEWEST_FIRST, limit=50, after=after)
    return page(deps, caller, query)


def page(deps: Deps, caller: Caller, query: Query) -> Page[Shown] | Refusal:
    """Deliveries. Fields: id status topic channel recipient created_at."""
    now = deps.clock()

    def work(tx: Transaction) -> Page[Shown] | Refusal:
        if not may_manage(tx, caller, now):
            return _FORBIDDEN
        found = tx.deliveries.page(query)
        return Page(_shown(tx, found.items), found.next)

    return deps.store.read(caller.tenant_id, work)


def _shown(tx: Transaction, deliveries: Collection[Delivery]) -> tuple[Shown, ...]:
    people = tx.principals.many(
        [one.recipient for one in deliveries if one.recipient and "@" not in one.recipient], deleted=True
    )
    channels = {one.key: one.name for one in tx.channels.all()}
    found = []
    for one in deliveries:
        person = people.get(one.recipient)
        name = person.display_name if person is not None else one.recipient
        found.append(Shown(one, name or channels.get(one.channel, one.channel)))
    return tuple(found)


def retry(deps: Deps, caller: Caller, delivery_id: str) -> Shown | Refusal:
    """Have a dead letter tried again, for three days more. NOT_FOUND, CONFLICT where it is not dead."""
    now = deps.clock()

    def work(tx: Transaction) -> Shown | Refusal:
        if not may_manage(tx, caller, now):
            return _FORBIDDEN
        found = tx.deliveries.get(delivery_id)
        if found is None:
            return Refusal(Code.NOT_FOUND, f"There is no notification {delivery_id:.40}.")
        if not tx.deliveries.retry(delivery_id, now):
            return Refusal(Code.CONFLICT, "Only what was given up can be tried again.")
        target = Target("Other", delivery_id, found.topic)
        record(tx, deps, caller, now, activity=RETRIED, category="Policy", targets=(target,))
        return _shown(tx, [tx.deliveries.get(delivery_id) or found])[0]

    return deps.store.write(caller.tenant_id, work)


def test(deps: Deps, caller: Caller) -> Delivery | Refusal:
    """Send the caller a test mail; how it went is in the list of deliveries."""
    now = deps.clock()

    def work(tx: Transaction) -> Delivery | Refusal:
        if not may_manage(tx, caller, now):
            return _FORBIDDEN
        if not deps.settings.mail_host:
            return Refusal(
                Code.CONFLICT, "No mail server is set up. Write [mail] into the server's settings."
            )
        delivery = _test_delivery(deps, caller, now)
        tx.deliveries.add([delivery])
        record(
            tx,
            deps,
            caller,
            now,
            activity=TESTED,
            category="Policy",
            targets=(Target("User", caller.principal_id),),
        )
        return delivery

    return deps.store.write(caller.tenant_id, work)


def _test_delivery(deps: Deps, caller: Caller, now: datetime) -> Delivery:
    kind, new_id = KINDS[Topic.TEST], deps.new_id()
    facts = Facts(
        Topic.TEST,
        at=now,
        subject_id=caller.principal_id,
        actor_id=caller.principal_id,
        actor_name=caller.display_name,
    )
    return Delivery(
        id=new_id,
        key=f"test/{new_id}",
        topic=Topic.TEST.value,
        audience=Audience.ADMIN.value,
        group=kind.group,
        channel=MAIL,
        recipient=caller.principal_id,
        critical=kind.critical,
        facts=facts_text(facts),
        created_at=now,
        since=now,
        due_at=now,
    )
