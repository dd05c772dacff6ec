"""From facts to deliveries: to whom, by which channel, and when; and the facts as a delivery keeps them."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from openpim.core.deliveries import Delivery, DeliveryStatus
from openpim.core.grants import Provider
from openpim.core.notices import KINDS, Audience, Facts, Recipient, Topic, subject_key, told
from openpim.core.notification_preferences import MAIL, Preferences
from openpim.core.policy import Notification
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.notices.audience import concerned
from openpim.services.providers import PROVIDERS

_INSTANTS = ("at", "starts_at", "ends_at", "deadline")
_DEFAULT = Preferences()


def deliver(tx: Transaction, deps: Deps, facts: Facts, *, now: datetime) -> int:
    """Write what is to be sent about this. Returns how many deliveries are new."""
    people = concerned(tx, facts, now)
    if facts.approved:
        people = replace(people, requestors=())  # the approval tells him
    chosen = told(facts, settings_of(tx, deps, facts), people)
    usable = channels(tx, deps)
    preferences = tx.notification_preferences.many([one.person for one in chosen.recipients if one.person])
    found = [
        delivery
        for one in chosen.recipients
        for delivery in _to(deps, facts, one, preferences.get(one.person, _DEFAULT), usable, now)
    ]
    found += [
        _delivery(deps, facts, Audience.ADMIN, channel.key, "", now)
        for channel in tx.channels.for_notice(facts.topic.value)
    ]
    if chosen.left_out and found:
        reason = f"{chosen.left_out} more people were to be told. The limit is {len(chosen.recipients)} for one event."
        note = _delivery(deps, facts, Audience.ADMIN, "limit", "", now)
        found.append(replace(note, status=DeliveryStatus.DROPPED, reason=reason, due_at=None, ended_at=now))
    return tx.deliveries.add(found)


def channels(tx: Transaction, deps: Deps) -> frozenset[str]:
    """Those that can be used: mail where there is a server, and what the organisation offers."""
    offered = {one.key for one in tx.channels.all() if one.enabled and one.offered}
    return frozenset(offered | {MAIL}) if deps.settings.mail_host else frozenset(offered)


def settings_of(tx: Transaction, deps: Deps, facts: Facts) -> dict[str, Notification]:
    """The notification settings of the role that it is about."""
    if not facts.role_id or not facts.provider:
        return {}
    rules = PROVIDERS[Provider(facts.provider)]
    return rules.policy(tx, deps, facts.role_id, facts.scope).notifications


def _to(
    deps: Deps,
    facts: Facts,
    recipient: Recipient,
    preferences: Preferences,
    usable: Collection[str],
    now: datetime,
) -> list[Delivery]:
    """What is critical goes out at once, by mail too; the rest as the person wants it."""
    critical = KINDS[facts.topic].critical
    if recipient.address:
        wanted, due = [MAIL], now
    else:
        wanted = sorted({*preferences.channels, *([MAIL] if critical else [])})
        until = preferences.quiet.until(now) if preferences.quiet is not None and not critical else None
        due = until or now
    to = recipient.person or recipient.address
    return [
        replace(_delivery(deps, facts, recipient.audience, channel, to, now), due_at=due)
        for channel in wanted
        if channel in usable
    ]


def _delivery(
    deps: Deps, facts: Facts, audience: Audience, channel: str, recipient: str, now: datetime
) -> Delivery:
    kind = KINDS[facts.topic]
    return Delivery(
        id=deps.new_id(),
        key=f"{subject_key(facts)}/{channel}/{recipient.lower()}"[:600],
        topic=facts.topic.value,
        audience=audience.value,
        group=kind.group,
        channel=channel,
        recipient=recipient[:320],
        critical=kind.critical,
        facts=facts_text(facts),
        created_at=now,
        since=now,
        due_at=now,
    )


def facts_text(facts: Facts) -> str:
    """As a delivery keeps them."""
    values: dict[str, Any] = {name: value for name, value in asdict(facts).items() if value}
    for name in _INSTANTS:
        if name in values:
            values[name] = values[name].isoformat()
    return json.dumps(values, sort_keys=True)


def facts_value(text: str) -> Facts:
    """What `facts_text` wrote."""
    values: dict[str, Any] = json.loads(text)
    for name in _INSTANTS:
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    values["topic"] = Topic(values["topic"])
    values["more"] = tuple((label, value) for label, value in values.get("more", ()))
    return Facts(**values)
