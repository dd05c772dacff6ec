"""Sends what is due: claim, look at the facts again, send outside any unit of work, write down how it ended.

At least once: whoever dies between sending and writing leaves the delivery to the next one, which sends it again under the
same id. A failure is tried again after a growing pause, for three days; then it is a dead letter that administrators see.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

from openpim.core.deliveries import GIVE_UP, ONE_MAIL_EVERY, Delivery, DeliveryStatus, pause_after
from openpim.core.notice_words import headed, worded
from openpim.core.notices import Audience, Notice
from openpim.core.notification_preferences import MAIL, zone_of
from openpim.ports.channels import Message, Outcome, Sender
from openpim.ports.deps import Deps
from openpim.ports.mailer import Letter, Mailer
from openpim.ports.store import Transaction
from openpim.services.notices.deliveries import facts_value
from openpim.services.notices.standing import needless

LEASE = timedelta(minutes=10)
_SPARE = timedelta(minutes=2)  # what one send may take at the most, well counted
LIMIT = 60
_NO_ADDRESS = "The recipient has no mail address. Write one into the account."
_NO_WAY = "There is no such channel any more."


@dataclass(frozen=True, slots=True)
class Ways:
    """How things leave. mailer None: there is no mail server. senders: by the kind of channel. mail: only what goes by
    mail, or only what does not, so that neither waits for the other; None: all."""

    mailer: Mailer | None = None
    senders: Mapping[str, Sender] = field(default_factory=dict)
    mail: bool | None = None


@dataclass(frozen=True, slots=True)
class _Bundle:
    """What goes out as one: deliveries of one group to one recipient by one channel, in words, those dropped left out."""

    deliveries: tuple[Delivery, ...]
    notices: tuple[Notice, ...]
    dropped: tuple[tuple[Delivery, str], ...]
    address: str = ""
    name: str = ""
    organisation: str = ""
    wait_until: datetime | None = None


def send_due(deps: Deps, ways: Ways, *, limit: int = LIMIT) -> int:
    """Send what is due, of every tenant. Returns how many deliveries were dealt with."""
    now = deps.clock()
    until = now + LEASE
    claimed = deps.store.write("", lambda tx: tx.deliveries.claim(now, until, limit, mail=ways.mail))
    away: str | None = None  # why the mail server cannot be reached: no use to try it for every letter
    silent: dict[
        tuple[str, str], str
    ] = {}  # channels that just failed: those of others need not wait for each try
    try:
        for group in _grouped(claimed):
            if deps.clock() > until - _SPARE:
                _again(deps, group, deps.clock(), "", failed=False)
                continue
            bundle = deps.store.read(
                group[0].tenant_id,
                lambda tx, group=group: _bundle(tx, deps, group),  # type: ignore[misc]
            )
            if bundle.dropped:
                _drop(deps, bundle)
            if bundle.wait_until is not None:
                _again(deps, bundle.deliveries, bundle.wait_until, "", failed=False)
            elif bundle.notices and (channel := _channel_of(group)) in silent:
                _again(deps, bundle.deliveries, deps.clock() + pause_after(1), silent[channel], failed=False)
            elif bundle.notices:
                outcome = _sent(deps, ways, bundle, away)
                if not outcome.sent and outcome.retry and group[0].channel != MAIL:
                    silent[_channel_of(group)] = outcome.reason
                away = _unreachable(ways, bundle, outcome) or away
                _settle(deps, bundle.deliveries, outcome)
    finally:
        if ways.mailer is not None and claimed:
            ways.mailer.close()
    return len(claimed)


def _channel_of(group: Sequence[Delivery]) -> tuple[str, str]:
    return group[0].tenant_id, group[0].channel


def _grouped(claimed: Sequence[Delivery]) -> list[tuple[Delivery, ...]]:
    """Mail and chat are told of several things at once; a program is told of each."""
    found: dict[tuple[str, ...], list[Delivery]] = {}
    for one in claimed:
        alone = one.id if one.channel.startswith("webhook:") else ""
        found.setdefault((one.tenant_id, one.channel, one.recipient, one.group, alone), []).append(one)
    return [tuple(group) for group in found.values()]


def _bundle(tx: Transaction, deps: Deps, group: tuple[Delivery, ...]) -> _Bundle:
    now = deps.clock()
    first = group[0]
    dropped: list[tuple[Delivery, str]] = []
    kept: list[Delivery] = []
    for one in group:
        reason = needless(tx, deps, one, facts_value(one.facts), now)
        if reason:
            dropped.append((one, reason))
        else:
            kept.append(one)
    last = tx.deliveries.last_sent(first.channel, first.recipient, first.group) if kept else None
    if last is not None and now - last < ONE_MAIL_EVERY and not first.channel.startswith("webhook:"):
        return _Bundle(tuple(kept), (), tuple(dropped), wait_until=last + ONE_MAIL_EVERY)
    address, name, zone = _addressee(tx, deps, first)
    notices = tuple(
        worded(
            facts_value(one.facts), Audience(one.audience), deps.settings.origin, zone, critical=one.critical
        )
        for one in kept
    )
    tenant = tx.tenants.current()
    return _Bundle(tuple(kept), notices, tuple(dropped), address, name, tenant.name if tenant else "")


def _addressee(tx: Transaction, deps: Deps, delivery: Delivery) -> tuple[str, str, tuple[str, tzinfo]]:
    """Address, name, and the zone that times are written in."""
    zone = deps.settings.work_zone
    if "@" in delivery.recipient or not delivery.recipient:
        return delivery.recipient, "", (zone, zone_of(zone))
    user = tx.users.get(delivery.recipient)
    preferences = tx.notification_preferences.get(delivery.recipient)
    if preferences is not None:
        zone = preferences.zone or (preferences.quiet.zone if preferences.quiet else zone)
    if user is None:
        return "", "", (zone, zone_of(zone))
    address = user.mail or ("" if "#EXT#" in user.user_principal_name else user.user_principal_name)
    return address, user.display_name, (zone, zone_of(zone))


def _sent(deps: Deps, ways: Ways, bundle: _Bundle, away: str | None) -> Outcome:
    first = bundle.deliveries[0]
    if first.channel != MAIL:
        return _message_sent(deps, ways, bundle)
    if ways.mailer is None:
        return Outcome(sent=False, reason="No mail server is set up: see [mail] in the settings.")
    if not bundle.address:
        return Outcome(sent=False, reason=_NO_ADDRESS, retry=False)
    if away is not None:
        return Outcome(sent=False, reason=away)
    return ways.mailer.send(_letter(deps, bundle))


def _letter(deps: Deps, bundle: _Bundle) -> Letter:
    first = bundle.deliveries[0]
    own = all(one.audience == Audience.REQUESTOR for one in bundle.deliveries)
    title, link, label = headed(bundle.notices, first.group, deps.settings.origin, own=own)
    return Letter(
        id=_letter_id(bundle.deliveries),
        to=bundle.address,
        name=bundle.name,
        subject=title,
        organisation=bundle.organisation,
        notices=bundle.notices,
        link=link,
        link_label=label,
        settings=f"{deps.settings.origin}/portal/me/notifications" if bundle.name else "",
        at=deps.clock(),
    )


def _letter_id(deliveries: Sequence[Delivery]) -> str:
    """The same for the same things, so that a letter that is sent again is known as the same one."""
    if len(deliveries) == 1:
        return deliveries[0].id
    return str(uuid.uuid5(uuid.UUID(deliveries[0].id), ",".join(sorted(one.id for one in deliveries))))


def _message_sent(deps: Deps, ways: Ways, bundle: _Bundle) -> Outcome:
    first = bundle.deliveries[0]
    kind, _, target = first.channel.partition(":")
    sender = ways.senders.get(kind)
    if sender is None:
        return Outcome(sent=False, reason=_NO_WAY, retry=False)
    title, link, _ = headed(bundle.notices, first.group, deps.settings.origin, own=False)
    several = len(bundle.notices) > 1
    parts = [f"{one.title}\n{one.text()}" if several else one.text() for one in bundle.notices]
    return sender(
        target,
        Message(
            id=_letter_id(bundle.deliveries),
            tenant_id=first.tenant_id,
            notice=first.topic,
            at=bundle.notices[0].at,
            title=title,
            text="\n\n".join(parts),
            link=link,
            critical=any(one.critical for one in bundle.notices),
            data=bundle.notices[0].data,
        ),
    )


def _unreachable(ways: Ways, bundle: _Bundle, outcome: Outcome) -> str | None:
    if bundle.deliveries[0].channel != MAIL or outcome.sent or ways.mailer is None:
        return None
    return None if ways.mailer.reachable else outcome.reason


def _settle(deps: Deps, deliveries: Sequence[Delivery], outcome: Outcome) -> None:
    now = deps.clock()

    def work(tx: Transaction) -> None:
        for one in deliveries:
            if outcome.sent:
                tx.deliveries.finish(one, DeliveryStatus.SENT, "", now)
            elif not outcome.retry or now - one.since >= GIVE_UP:
                tx.deliveries.finish(one, DeliveryStatus.DEAD, outcome.reason, now)
            else:
                at = now + pause_after(one.failures + 1)
                tx.deliveries.again(one, at, outcome.reason, failed=True)

    deps.store.write(deliveries[0].tenant_id, work)


def _drop(deps: Deps, bundle: _Bundle) -> None:
    now = deps.clock()

    def work(tx: Transaction) -> None:
        for one, reason in bundle.dropped:
            tx.deliveries.finish(one, DeliveryStatus.DROPPED, reason, now)

    deps.store.write(bundle.dropped[0][0].tenant_id, work)


def _again(deps: Deps, deliveries: Sequence[Delivery], at: datetime, reason: str, *, failed: bool) -> None:
    def work(tx: Transaction) -> None:
        for one in deliveries:
            tx.deliveries.again(one, at, reason, failed=failed)

    if deliveries:
        deps.store.write(deliveries[0].tenant_id, work)
