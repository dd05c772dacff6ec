"""The other systems of the organisation: webhooks and chats that are told things, systems that are asked; making, changing,
trying and removing them. A signing secret is shown on the page that answers and never again."""

from __future__ import annotations

from typing import Final

from openpim.core.channels import SIGNED, Channel, ChannelKind
from openpim.core.notices import KINDS as NOTICES
from openpim.core.notices import Topic
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show, settled
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.typed import Typed
from openpim.faces.portal.words import t
from openpim.services.channels import manage
from openpim.services.channels.manage import Shown, Wanted
from openpim.services.channels.questions import callback_address
from openpim.services.directory.performing import stamp
from openpim.services.signin.portal import SECRET

NAV: Final = "channels"
HERE: Final = "/portal/channels"
KINDS: Final = {
    ChannelKind.WEBHOOK: "Webhook",
    ChannelKind.CHAT: "Chat or push",
    ChannelKind.EXTENSION: "System that is asked",
}
_ADD: Final = {
    ChannelKind.WEBHOOK: "Add a webhook",
    ChannelKind.CHAT: "Add a chat",
    ChannelKind.EXTENSION: "Add a system to ask",
}
_ADDRESS: Final = "address"  # holds a password: all of a chat's, the query of another's
_FIELDS: Final = {
    "address": SECRET + _ADDRESS,
    "timeoutInMilliseconds": "timeout",
    "maximumRetries": "retries",
}


def listing(call: Call) -> Answer:
    values = {"channels": settled(manage.all_of(call.deps, call.caller)), "kinds": KINDS, "may": _may(call)}
    return Show("channels.html", values, nav=NAV)


def blank(call: Call) -> Answer:
    wanted = call.query.get("kind", "")
    kind = ChannelKind(wanted) if wanted in list(ChannelKind) else ChannelKind.WEBHOOK
    settled(manage.all_of(call.deps, call.caller))  # whoever may not see them sees no form either
    return _form(
        call, kind, None, Typed({"enabled": "on", "pick-*": "on", "timeout": "10000", "retries": "2"})
    )


def added(call: Call) -> Answer:
    typed = Typed(dict(call.form))
    wanted = typed.text("kind", 12)
    if wanted not in list(ChannelKind):
        raise RefusedError(Refusal(Code.INVALID, "Choose what kind of system it is."))
    kind = ChannelKind(wanted)
    desired = _read(kind, typed)
    if typed.errors:
        return _form(call, kind, None, typed, 400)
    made = manage.add(call.deps, call.caller, kind, desired)
    if isinstance(made, Refusal):
        return _refused(call, kind, None, typed, made)
    if kind not in SIGNED:
        return Go(f"{HERE}/{made.channel.id}", t("{name} is added. Send a test.", name=made.channel.name))
    return _secret(call, made)


def one(call: Call) -> Answer:
    channel = _of_path(call)
    fields = {
        "name": channel.name,
        "description": channel.description,
        "enabled": "on" if channel.enabled else "",
        "offered": "on" if channel.offered else "",
        "timeout": str(channel.timeout_ms),
        "retries": str(channel.retries),
        **{f"pick-{notice}": "on" for notice in channel.notices},
    }
    return _form(call, channel.kind, channel, Typed(fields))


def changed(call: Call) -> Answer:
    channel = _of_path(call)
    typed = Typed(dict(call.form))
    desired = _read(channel.kind, typed)
    if typed.errors:
        return _form(call, channel.kind, channel, typed, 400)
    done = manage.update(call.deps, call.caller, channel.id, desired)
    if isinstance(done, Refusal):
        return _refused(call, channel.kind, channel, typed, done)
    return Go(HERE, t("{name} is changed.", name=done.name))


def tested(call: Call) -> Answer:
    channel = _of_path(call)
    outcome = settled(manage.test(call.deps, call.caller, channel.id))
    if outcome.sent:
        return Go(f"{HERE}/{channel.id}", t("The test was taken. Look whether it arrived."))
    return Go(f"{HERE}/{channel.id}", t("The test was not taken: {why}", why=outcome.reason), "bad")


def rotated(call: Call) -> Answer:
    """Sending the form again makes no second one."""
    key, seen = _of_path(call).id, call.form.get("seen", "")[:16]
    if not seen:
        raise RefusedError(Refusal(Code.INVALID, "This form is not complete: open it again."))
    return _secret(call, settled(manage.rotate(call.deps, call.caller, key, seen=seen)))


def removal(call: Call) -> Answer:
    return Show("channel_remove.html", {"channel": _of_path(call), "may": _may(call), "problem": ""}, nav=NAV)


def removed(call: Call) -> Answer:
    done = settled(manage.remove(call.deps, call.caller, _of_path(call).id))
    return Go(HERE, t("{name} is removed.", name=done.name))


# ---------------------------------------------------------------- inside


def _of_path(call: Call) -> Channel:
    return settled(manage.get(call.deps, call.caller, call.params["id"].lower()[:36]))


def _may(call: Call) -> bool:
    return manage.may_change(call.deps, call.caller)


def _read(kind: ChannelKind, typed: Typed) -> Wanted:
    picked = {
        name.removeprefix("pick-")
        for name, value in typed.fields.items()
        if name.startswith("pick-") and value
    }
    told = kind is not ChannelKind.EXTENSION
    return Wanted(
        name=typed.text("name", 200),
        description=typed.text("description", 600),
        address=typed.secret(_ADDRESS, 2100).strip() or None,
        enabled=typed.on("enabled"),
        offered=typed.on("offered") if told else None,
        notices=(("*",) if "*" in picked else tuple(sorted(picked))) if told else None,
        timeout_ms=None if told else typed.number("timeout", 200, 30_000, 10_000),
        retries=None if told else typed.number("retries", 0, 5, 2),
    )


def _refused(
    call: Call, kind: ChannelKind, channel: Channel | None, typed: Typed, refusal: Refusal
) -> Answer:
    member = refusal.member or ""
    typed.wrong(_FIELDS.get(member, member), refusal.message)
    return _form(call, kind, channel, typed, status_of(refusal))


def _form(call: Call, kind: ChannelKind, channel: Channel | None, typed: Typed, status: int = 200) -> Show:
    values = {
        "channel": channel,
        "kind": kind,
        "kinds": KINDS,
        "heading": channel.name if channel is not None else t(_ADD[kind]),
        "typed": typed,
        "may": _may(call),
        "action": f"{HERE}/{channel.id}" if channel is not None else f"{HERE}/new",
        "back": HERE,
        "notices": [(topic.value, NOTICES[topic].meaning) for topic in Topic if topic is not Topic.TEST],
        "callback": callback_address(call.deps, call.caller.tenant_id, channel.id) if channel else "",
        "seen": stamp(channel),
    }
    return Show("channel_form.html", values, status, nav=NAV)


def _secret(call: Call, made: Shown) -> Show:
    """The one page that shows it."""
    asked = made.channel.kind is ChannelKind.EXTENSION
    values = {
        "channel": made.channel,
        "secret": made.secret,
        "back": f"{HERE}/{made.channel.id}",
        "callback": callback_address(call.deps, call.caller.tenant_id, made.channel.id) if asked else "",
    }
    return Show("channel_secret.html", values, nav=NAV)


PAGES: Final = (
    Page("GET", HERE, listing),
    Page("GET", f"{HERE}/new", blank),
    Page("POST", f"{HERE}/new", added),
    Page("GET", f"{HERE}/{{id}}", one),
    Page("POST", f"{HERE}/{{id}}", changed),
    Page("POST", f"{HERE}/{{id}}/test", tested, waits=True),
    Page("POST", f"{HERE}/{{id}}/secret", rotated),
    Page("GET", f"{HERE}/{{id}}/remove", removal),
    Page("POST", f"{HERE}/{{id}}/remove", removed),
)
