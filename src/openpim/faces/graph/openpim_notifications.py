"""`openPim/notifications` and what is chosen about them, additions of ours: what was told to whom and what became of it, the
organisation's choices, and a person's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from openpim.core.deliveries import DeliveryStatus
from openpim.core.notices import Topic
from openpim.core.notification_preferences import Preferences, Quiet
from openpim.faces.graph import filters, grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import settled
from openpim.faces.graph.resource import Resource, Row
from openpim.faces.graph.table import Endpoint
from openpim.services.notices import administration, preferences
from openpim.services.notices.administration import Administered, Shown
from openpim.services.notices.preferences import Mine
from openpim.wire.jsonbody import Body

PATH: Final = "openPim/notifications"
SETTINGS_PATH: Final = "openPim/notificationSettings"
PREFERENCES_PATH: Final = "openPim/notificationPreferences"


def row(_call: Call, shown: Shown) -> Row:
    one = shown.delivery
    return {
        "id": one.id,
        "notice": one.topic,
        "channel": one.channel,
        "recipient": shown.recipient,
        "recipientId": one.recipient if one.recipient and "@" not in one.recipient else None,
        "audience": one.audience,
        "isCritical": one.critical,
        "status": one.status.value,
        "reason": one.reason or None,
        "failures": one.failures,
        "createdDateTime": grants.when(one.created_at),
        "nextTryDateTime": grants.when(one.due_at),
        "endedDateTime": grants.when(one.ended_at),
    }


def settings_row(_call: Call, found: Administered) -> Row:
    return {
        "isWeeklyDigestEnabled": found.settings.weekly_digest,
        "breakGlassAccountIds": [one.id for one in found.break_glass],
        "mailServer": found.mail_host or None,
        "mailFrom": found.mail_from or None,
    }


def preferences_row(_call: Call, mine: Mine) -> Row:
    quiet = mine.preferences.quiet
    return {
        "channels": list(mine.preferences.channels),
        "quietHours": {"begins": quiet.begins, "ends": quiet.ends, "timeZone": quiet.zone} if quiet else None,
        "timeZone": mine.preferences.zone or None,
        "availableChannels": [{"id": one.key, "displayName": one.name} for one in mine.choices],
    }


NOTIFICATIONS: Resource[Shown] = Resource(
    path=PATH,
    type="openPimNotification",
    render=row,
    properties={
        "id": filters.guid("id"),
        "status": filters.word("status", DeliveryStatus),
        "notice": filters.word("topic", Topic),
        "channel": filters.text("channel"),
        "recipientId": filters.guid("recipient"),
        "createdDateTime": filters.instant("created_at"),
    },
)
SETTINGS: Resource[Administered] = Resource(
    path=SETTINGS_PATH, type="openPimNotificationSettings", render=settings_row
)
PREFERENCES: Resource[Mine] = Resource(
    path=PREFERENCES_PATH, type="openPimNotificationPreferences", render=preferences_row
)


def index(call: Call) -> Answer:
    query = NOTIFICATIONS.query(call, order=administration.NEWEST_FIRST)
    return NOTIFICATIONS.collection(call, settled(administration.page(call.deps, call.caller, query)))


def retry(call: Call) -> Answer:
    key = call.params["id"].lower()[:36]
    return NOTIFICATIONS.entity(call, settled(administration.retry(call.deps, call.caller, key), key))


def send_test(call: Call) -> Answer:
    """What becomes of it is in the list."""
    made = settled(administration.test(call.deps, call.caller))
    return NOTIFICATIONS.entity(call, Shown(made, call.caller.display_name), status=202)


def show_settings(call: Call) -> Answer:
    return SETTINGS.entity(call, settled(administration.settings(call.deps, call.caller)))


def change_settings(call: Call) -> Answer:
    body = call.json()
    settled(
        administration.change(
            call.deps,
            call.caller,
            weekly_digest=body.boolean("isWeeklyDigestEnabled"),
            break_glass=body.texts("breakGlassAccountIds", most=100, max_length=40),
        )
    )
    return show_settings(call)


def show_preferences(call: Call) -> Answer:
    return PREFERENCES.entity(call, settled(preferences.mine(call.deps, call.caller)))


def change_preferences(call: Call) -> Answer:
    """What is not given stays; `quietHours: null` ends them."""
    body = call.json()
    present = settled(preferences.mine(call.deps, call.caller)).preferences
    settled(preferences.choose(call.deps, call.caller, _wanted(body, present)))
    return show_preferences(call)


def _wanted(body: Body, present: Preferences) -> Preferences:
    wanted = present
    channels = body.texts("channels", most=100, max_length=60)
    if channels is not None:
        wanted = replace(wanted, channels=tuple(channels))
    if body.has("timeZone"):
        wanted = replace(wanted, zone=body.text("timeZone", max_length=64) or "")
    if body.has("quietHours"):
        hours = body.object("quietHours")
        quiet = None
        if hours is not None:
            begins, ends = hours.need_text("begins", max_length=8), hours.need_text("ends", max_length=8)
            zone = hours.text("timeZone", max_length=64)
            quiet = Quiet(begins, ends, zone or wanted.zone or "UTC")
        wanted = replace(wanted, quiet=quiet)
    return wanted


ENDPOINTS = (
    Endpoint("GET", PATH, index, p.ROLE_POLICIES_READ, people_only=True),
    Endpoint("POST", f"{PATH}/{{id}}/retry", retry, p.ROLE_POLICIES_WRITE, people_only=True),
    Endpoint("POST", f"{PATH}/sendTest", send_test, p.ROLE_POLICIES_WRITE, people_only=True),
    Endpoint("GET", SETTINGS_PATH, show_settings, p.ROLE_POLICIES_READ, people_only=True),
    Endpoint("PATCH", SETTINGS_PATH, change_settings, p.ROLE_POLICIES_WRITE, people_only=True),
    Endpoint("GET", PREFERENCES_PATH, show_preferences, p.ME, people_only=True),
    Endpoint("PATCH", PREFERENCES_PATH, change_preferences, p.PREFERENCES_WRITE, people_only=True),
)
