"""Administrators make, change, try and remove the other systems of the organisation. Secrets are shown once, addresses of
chats never again; each change is on record without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from openpim.core import webhooks
from openpim.core.audit import Target
from openpim.core.caller import Caller, CallerKind
from openpim.core.channels import (
    CHAT_PURPOSE,
    LONGEST_NAME,
    MOST,
    OVERLAP,
    SECRET_PURPOSE,
    SIGNED,
    Channel,
    ChannelKind,
)
from openpim.core.notices import Topic
from openpim.core.refusals import Code, Refusal
from openpim.core.roles import MANAGERS, READERS
from openpim.ports.channels import Message, Outcome
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import roles_of
from openpim.services.channels.sending import said, told
from openpim.services.channels.turns import Turns
from openpim.services.directory.performing import overtaken
from openpim.services.recording import record, storable

ADDED = "Add channel"
CHANGED = "Update channel"
REMOVED = "Delete channel"
ROTATED = "Rotate secret of channel"
TESTED = "Test channel"
READ_PERMISSIONS = frozenset(
    {"PrivilegedAccess-CustomExt.Read.All", "PrivilegedAccess-CustomExt.ReadWrite.All"}
)
WRITE_PERMISSIONS = frozenset({"PrivilegedAccess-CustomExt.ReadWrite.All"})
T = TypeVar("T")
_NOTICES = frozenset(topic.value for topic in Topic) | {"*"}
_tests = Turns(2, 1)
_FORBIDDEN = Refusal(
    Code.FORBIDDEN,
    "Other systems are managed by the roles Privileged Role Administrator and Global Administrator. Activate one.",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be set; None leaves it as it is (or, in a new channel, as it is by default)."""

    name: str | None = None
    description: str | None = None
    address: str | None = None
    enabled: bool | None = None
    offered: bool | None = None
    notices: tuple[str, ...] | None = None
    timeout_ms: int | None = None
    retries: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """secret: whsec_…, here and never again; "" for a chat."""

    channel: Channel
    secret: str


def all_of(deps: Deps, caller: Caller, kind: ChannelKind | None = None) -> tuple[Channel, ...] | Refusal:
    """By name."""
    now = deps.clock()

    def work(tx: Transaction) -> tuple[Channel, ...] | Refusal:
        if not _may_read(tx, caller, now):
            return _FORBIDDEN
        return tuple(one for one in tx.channels.all() if kind in {None, one.kind})

    return deps.store.read(caller.tenant_id, work)


def get(deps: Deps, caller: Caller, channel_id: str, kind: ChannelKind | None = None) -> Channel | Refusal:
    now = deps.clock()

    def work(tx: Transaction) -> Channel | Refusal:
        if not _may_read(tx, caller, now):
            return _FORBIDDEN
        return _found(tx.channels.get(channel_id), channel_id, kind)

    return deps.store.read(caller.tenant_id, work)


def askable(deps: Deps, caller: Caller) -> tuple[tuple[str, str], ...]:
    """(id, name) of the systems that can be asked: for whoever writes role settings, owners of groups too."""
    if caller.kind is not CallerKind.USER:
        return ()
    found = deps.store.read(caller.tenant_id, lambda tx: tx.channels.all())
    return tuple((one.id, one.name) for one in found if one.kind is ChannelKind.EXTENSION)


def may_change(deps: Deps, caller: Caller) -> bool:
    now = deps.clock()
    return deps.store.read(caller.tenant_id, lambda tx: _may_write(tx, caller, now))


def add(deps: Deps, caller: Caller, kind: ChannelKind, wanted: Wanted) -> Shown | Refusal:
    """Refusals: FORBIDDEN, INVALID (name, address, notices, timeoutInMilliseconds, maximumRetries)."""
    now = deps.clock()
    secret = webhooks.new_secret(deps.secret(32)) if kind in SIGNED else ""

    def work(tx: Transaction) -> Shown | Refusal:
        if not _may_write(tx, caller, now):
            return _FORBIDDEN
        tx.lock_tenant()
        if len(tx.channels.all()) >= MOST:
            return Refusal(Code.INVALID, f"An organisation has at most {MOST} channels. Remove one first.")
        if not wanted.address:
            return Refusal(Code.INVALID, "Write its address.", member="address")
        blank = Channel(deps.new_id(), kind, "", "", "", now)
        if secret:
            blank = replace(blank, sealed_secret=deps.sealer.seal(SECRET_PURPOSE, secret))
        made = _changed(tx, deps, blank, wanted)
        if isinstance(made, Refusal):
            return made
        tx.channels.add(made)
        _note(tx, deps, caller, made, now, ADDED, _differences(blank, made))
        return Shown(made, secret)

    return deps.store.write(caller.tenant_id, work)


def update(
    deps: Deps, caller: Caller, channel_id: str, wanted: Wanted, kind: ChannelKind | None = None
) -> Channel | Refusal:
    now = deps.clock()

    def work(tx: Transaction, before: Channel) -> Channel | Refusal:
        after = _changed(tx, deps, before, wanted)
        if isinstance(after, Refusal):
            return after
        if after != before:
            tx.channels.save(after)
            _note(tx, deps, caller, after, now, CHANGED, _differences(before, after))
        return after

    return _write(deps, caller, channel_id, kind, now, work)


def rotate(
    deps: Deps, caller: Caller, channel_id: str, kind: ChannelKind | None = None, *, seen: str = ""
) -> Shown | Refusal:
    """A new signing secret. The one before it counts for another day, so that the other side can change at leisure. seen: the
    stamp of the channel that somebody looked at, by which a form that is sent twice makes one secret (CONFLICT the
    second time): with two, the one that the other side has would be void."""
    now = deps.clock()
    secret = webhooks.new_secret(deps.secret(32))

    def work(tx: Transaction, before: Channel) -> Shown | Refusal:
        if before.kind not in SIGNED:
            return Refusal(Code.INVALID, "A chat has no signing secret. Write its address anew instead.")
        late = overtaken(before, seen)
        if late is not None:
            return late
        after = replace(
            before,
            sealed_secret=deps.sealer.seal(SECRET_PURPOSE, secret),
            sealed_previous=before.sealed_secret,
            previous_until=now + OVERLAP,
        )
        tx.channels.save(after)
        _note(tx, deps, caller, after, now, ROTATED)
        return Shown(after, secret)

    return _write(deps, caller, channel_id, kind, now, work)


def remove(deps: Deps, caller: Caller, channel_id: str, kind: ChannelKind | None = None) -> Channel | Refusal:
    """Whatever still names it finds that it does not answer."""
    now = deps.clock()

    def work(tx: Transaction, before: Channel) -> Channel | Refusal:
        tx.channels.remove(channel_id)
        _note(tx, deps, caller, before, now, REMOVED)
        return before

    return _write(deps, caller, channel_id, kind, now, work)


def test(deps: Deps, caller: Caller, channel_id: str) -> Outcome | Refusal:
    """Send a message now, and say what came of it. On record before it is sent. THROTTLED while another one is sent."""
    now = deps.clock()

    def work(tx: Transaction, channel: Channel) -> Channel | Refusal:
        _note(tx, deps, caller, channel, now, TESTED)
        return channel

    channel = _write(deps, caller, channel_id, None, now, work)
    if isinstance(channel, Refusal):
        return channel
    message = Message(
        id=deps.new_id(),
        tenant_id=caller.tenant_id,
        notice=Topic.TEST.value,
        at=now,
        title="OpenPIM: a test",
        text=f"This is a test of the channel {channel.name}. Nothing happened.",
        link=deps.settings.origin,
    )
    if not _tests.take(caller.tenant_id):
        return Refusal(
            Code.THROTTLED, "Another test is being sent. Try again in a few seconds.", retry_after=5
        )
    try:
        return (said if channel.kind is ChannelKind.CHAT else told)(deps, channel, message)
    finally:
        _tests.give_back(caller.tenant_id)


# ---------------------------------------------------------------- inside


def _may_read(tx: Transaction, caller: Caller, now: datetime) -> bool:
    if caller.kind is CallerKind.SERVICE_PRINCIPAL:
        return bool(caller.permissions & READ_PERMISSIONS)
    return bool(roles_of(tx, caller, now) & READERS)


def _may_write(tx: Transaction, caller: Caller, now: datetime) -> bool:
    if caller.kind is CallerKind.SERVICE_PRINCIPAL:
        return bool(caller.permissions & WRITE_PERMISSIONS)
    return bool(roles_of(tx, caller, now) & MANAGERS)


def _write(
    deps: Deps,
    caller: Caller,
    channel_id: str,
    kind: ChannelKind | None,
    now: datetime,
    change: Callable[[Transaction, Channel], T | Refusal],
) -> T | Refusal:
    def work(tx: Transaction) -> T | Refusal:
        if not _may_write(tx, caller, now):
            return _FORBIDDEN
        found = _found(tx.channels.get(channel_id, lock=True), channel_id, kind)
        return found if isinstance(found, Refusal) else change(tx, found)

    return deps.store.write(caller.tenant_id, work)


def _found(channel: Channel | None, channel_id: str, kind: ChannelKind | None) -> Channel | Refusal:
    if channel is None or kind not in {None, channel.kind}:
        return Refusal(Code.NOT_FOUND, f"There is no channel {channel_id[:36]}.")
    return channel


def _changed(tx: Transaction, deps: Deps, channel: Channel, wanted: Wanted) -> Channel | Refusal:
    """The channel with what is wanted; or what is wrong with it."""
    changes: dict[str, Any] = {
        member: value
        for member in ("enabled", "offered", "description", "timeout_ms", "retries")
        if (value := getattr(wanted, member)) is not None
    }
    if wanted.name is not None or not channel.name:
        changes["name"] = " ".join((wanted.name or "").split())
    if wanted.notices is not None:
        changes["notices"] = tuple(dict.fromkeys(wanted.notices))
    wrong = _fault(tx, channel, changes)
    if wrong is not None:
        return wrong
    if wanted.address is not None:
        address = wanted.address.strip()
        fault = deps.chat.fault(address) if channel.kind is ChannelKind.CHAT else deps.outbound.fault(address)
        if fault is not None:
            return _bad("address", fault)
        changes["address"] = shown_address(channel.kind, address)
        changes["sealed_address"] = deps.sealer.seal(CHAT_PURPOSE, address)
    return replace(channel, **changes)


def _fault(tx: Transaction, channel: Channel, changes: dict[str, Any]) -> Refusal | None:
    name = changes.get("name", channel.name)
    if not name or len(name) > LONGEST_NAME or not storable(name):
        return _bad("name", f"Give it a name of at most {LONGEST_NAME} characters.")
    if any(one.name.casefold() == name.casefold() and one.id != channel.id for one in tx.channels.all()):
        return _bad("name", "Another channel has this name. Choose another one.")
    description = changes.get("description", "")
    if len(description) > 500 or not storable(description):
        return _bad("description", "A description has at most 500 characters.")
    unknown = sorted(set(changes.get("notices", ())) - _NOTICES)
    if unknown:
        return _bad(
            "notices", f"There is no notice {unknown[0][:50]}. There are: {', '.join(sorted(Topic))}."
        )
    if not 200 <= changes.get("timeout_ms", channel.timeout_ms) <= 30_000:
        return _bad("timeoutInMilliseconds", "Write a number from 200 to 30000.")
    if not 0 <= changes.get("retries", channel.retries) <= 5:
        return _bad("maximumRetries", "Write a number from 0 to 5.")
    return None


def shown_address(kind: ChannelKind, address: str) -> str:
    """What may be shown of it: of a chat the scheme and host at most, of the others all but the query."""
    if kind is ChannelKind.CHAT:
        return address.partition("://")[0] + "://…"
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}{parts.path}" + ("?…" if parts.query else "")


def _bad(member: str, message: str) -> Refusal:
    return Refusal(Code.INVALID, message, member=member)


_TOLD = ("name", "description", "address", "enabled", "offered", "notices", "timeout_ms", "retries")


def _differences(before: Channel, after: Channel) -> tuple[tuple[str, str | None, str | None], ...]:
    fresh = not before.name
    found = [
        (name, None if fresh else _word(getattr(before, name)), _word(getattr(after, name)))
        for name in _TOLD
        if fresh or getattr(before, name) != getattr(after, name)
    ]
    if before.sealed_address != after.sealed_address and before.address == after.address:
        found.append(("address", before.address, f"{after.address} (written anew)"))
    return tuple(found)


def _word(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _note(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    channel: Channel,
    now: datetime,
    activity: str,
    changes: tuple[tuple[str, str | None, str | None], ...] = (),
) -> None:
    record(
        tx,
        deps,
        caller,
        now,
        activity=activity,
        category="Policy",
        targets=(Target("Channel", channel.id, channel.name, changes),),
        details=(("Kind", channel.kind.value),),
    )
