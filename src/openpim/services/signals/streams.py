"""The event streams of a receiver, as it sets them itself (SSF 8.1.1): made, read, changed, replaced, deleted, paused.

The endpoint's Authorization header goes in and never comes out: it is sealed for this stream and this address. Who changes
the address gives the header anew, so that nobody gets to know another's secret by having it sent to himself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from openpim.core.caller import Caller
from openpim.core.refusals import Code, Refusal
from openpim.core.signals import (
    LONGEST_ADDRESS,
    LONGEST_SECRET,
    LONGEST_TEXT,
    MANAGE,
    MOST_OF_ONE,
    MOST_REQUESTED,
    MOST_STREAMS,
    READ,
    DefaultSubjects,
    Method,
    SignalStream,
    Status,
    SubjectFormat,
)
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.recording import record, storable
from openpim.services.signals.planning import CURSOR
from openpim.services.signals.receivers import may, named, own

PURPOSE = "signal stream"
ADDED, UPDATED, DELETED = "Add signal stream", "Update signal stream", "Delete signal stream"
_PRINTABLE = re.compile(r"[ -~]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a receiver wants set. None leaves a member as it is (as usual, for a new stream). authorization: "" takes it
    away. clears: members it wants to have no value."""

    method: Method | None = None
    endpoint_url: str | None = None
    authorization: str | None = None
    requested: tuple[str, ...] | None = None
    description: str | None = None
    subject_format: SubjectFormat | None = None
    default_subjects: DefaultSubjects | None = None
    clears: frozenset[str] = frozenset()


Unlike = Callable[[SignalStream], str | None]  # what is said of a stream and is not so, in a sentence


def create(deps: Deps, caller: Caller, wanted: Wanted) -> SignalStream | Refusal:
    """It is told of what happens from now on."""
    now = deps.clock()

    def work(tx: Transaction) -> SignalStream | Refusal:
        refusal = may(caller, MANAGE)
        if refusal is not None:
            return refusal
        tx.lock_tenant()
        present = tx.signal_streams.all()
        mine = sum(one.owner_id == caller.principal_id for one in present)
        if mine >= MOST_OF_ONE or len(present) >= MOST_STREAMS:
            return Refusal(Code.CONFLICT, f"A receiver has at most {MOST_OF_ONE} streams. Delete one first.")
        blank = SignalStream(deps.new_id(), caller.principal_id, caller.app_id or "", now, now)
        stream = changed(deps, blank, wanted)
        if isinstance(stream, Refusal):
            return stream
        if not present:  # nobody has followed the log so far: it is not told old stories
            tx.cursors.move(CURSOR, tx.cursors.position(CURSOR), tx.audit_log.size(), now)
        tx.signal_streams.put(stream)
        _tell(tx, deps, caller, now, ADDED, None, stream)
        return stream

    return deps.store.write(caller.tenant_id, work)


def all_of(deps: Deps, caller: Caller) -> list[SignalStream] | Refusal:
    """The caller's."""
    return may(caller, READ) or deps.store.read(
        caller.tenant_id, lambda tx: tx.signal_streams.of(caller.principal_id)
    )


def get(deps: Deps, caller: Caller, stream_id: str) -> SignalStream | Refusal:
    return may(caller, READ) or deps.store.read(caller.tenant_id, lambda tx: own(tx, caller, stream_id))


def update(
    deps: Deps, caller: Caller, stream_id: str, wanted: Wanted, unlike: Unlike
) -> SignalStream | Refusal:
    """What is changed is tried at once, whatever pause the pushing was in."""
    now = deps.clock()

    def work(tx: Transaction) -> SignalStream | Refusal:
        tx.lock_tenant()
        before = own(tx, caller, stream_id)
        if isinstance(before, Refusal):
            return before
        fault = unlike(before)
        if fault is not None:
            return Refusal(Code.INVALID, fault)
        after = changed(deps, before, wanted)
        if isinstance(after, Refusal):
            return after
        if after != before:
            tx.signal_streams.put(after)
            _tell(tx, deps, caller, now, UPDATED, before, after)
        tx.signal_streams.wake(stream_id, now)
        return after

    return may(caller, MANAGE) or deps.store.write(caller.tenant_id, work)


def delete(deps: Deps, caller: Caller, stream_id: str) -> Refusal | None:
    """With all that waits in it."""
    now = deps.clock()

    def work(tx: Transaction) -> Refusal | None:
        tx.lock_tenant()
        before = own(tx, caller, stream_id)
        if isinstance(before, Refusal):
            return before
        tx.signal_streams.remove(stream_id)
        _tell(tx, deps, caller, now, DELETED, before, None)
        return None

    return may(caller, MANAGE) or deps.store.write(caller.tenant_id, work)


def set_status(
    deps: Deps, caller: Caller, stream_id: str, status: Status, reason: str | None
) -> SignalStream | Refusal:
    """What waits is held while it is paused, and dropped when it is disabled."""
    now = deps.clock()

    def work(tx: Transaction) -> SignalStream | Refusal:
        tx.lock_tenant()
        before = own(tx, caller, stream_id)
        if isinstance(before, Refusal):
            return before
        if reason is not None and _text_fault(reason):
            return _bad("reason", f"A reason has at most {LONGEST_TEXT} characters.")
        after = replace(before, status=status, reason=reason)
        if after != before:
            tx.signal_streams.put(after)
            _tell(tx, deps, caller, now, UPDATED, before, after)
        if status is Status.DISABLED:
            tx.signal_streams.clear(stream_id)
        tx.signal_streams.wake(stream_id, now)
        return after

    return may(caller, MANAGE) or deps.store.write(caller.tenant_id, work)


def changed(deps: Deps, before: SignalStream, wanted: Wanted) -> SignalStream | Refusal:
    """The stream as it will be, or what is wrong with what is wanted."""
    method = wanted.method or before.method
    address = before.endpoint_url if wanted.endpoint_url is None else wanted.endpoint_url.strip()
    if method is Method.POLL:
        address = ""
    else:
        fault = _address_fault(deps, address)
        if fault is not None:
            return _bad("endpoint_url", fault)
    secret = before.secret if address == before.endpoint_url else ""
    if wanted.authorization is not None:
        if wanted.authorization and (
            not _PRINTABLE.fullmatch(wanted.authorization) or len(wanted.authorization) > LONGEST_SECRET
        ):
            message = f"authorization_header has at most {LONGEST_SECRET} printable ASCII characters."
            return _bad("authorization_header", message)
        given = wanted.authorization if method is Method.PUSH else ""
        if opened(deps, replace(before, endpoint_url=address, secret=secret)) != given:
            secret = sealed(deps, before.id, address, given)
    requested = before.requested if wanted.requested is None else tuple(dict.fromkeys(wanted.requested))
    if len(requested) > MOST_REQUESTED or any(_text_fault(one) for one in requested):
        return _bad("events_requested", f"Ask for at most {MOST_REQUESTED} event types.")
    description = before.description if wanted.description is None else wanted.description
    if description is not None and _text_fault(description):
        return _bad("description", f"A description has at most {LONGEST_TEXT} characters.")
    return replace(
        before,
        method=method,
        endpoint_url=address,
        secret=secret,
        requested=() if "events_requested" in wanted.clears else requested,
        description=None if "description" in wanted.clears else description,
        subject_format=wanted.subject_format or before.subject_format,
        default_subjects=wanted.default_subjects or before.default_subjects,
    )


def sealed(deps: Deps, stream_id: str, address: str, secret: str) -> str:
    """Bound to where it is sent: whoever writes another address into the database does not get it."""
    body = {"stream": stream_id, "address": address, "secret": secret}
    return deps.sealer.seal_json(PURPOSE, body) if secret else ""


def opened(deps: Deps, stream: SignalStream) -> str | None:
    """None when it was not given for this place, or not sealed with this key file; "" when there is none."""
    if not stream.secret:
        return ""
    found: Mapping[str, Any] | None = deps.sealer.unseal_json(PURPOSE, stream.secret)
    if found is None or (found.get("stream"), found.get("address")) != (stream.id, stream.endpoint_url):
        return None
    return str(found.get("secret", ""))


def _address_fault(deps: Deps, address: str) -> str | None:
    if not address:
        return "Push needs the endpoint_url that events are sent to."
    if len(address) > LONGEST_ADDRESS or not storable(address):
        return f"An endpoint_url has at most {LONGEST_ADDRESS} characters."
    return deps.outbound.fault(address)


def _text_fault(text: str) -> bool:
    return len(text) > LONGEST_TEXT or not storable(text)


def _bad(member: str, message: str) -> Refusal:
    return Refusal(Code.INVALID, message, member=member)


def _tell(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    now: datetime,
    what: str,
    before: SignalStream | None,
    after: SignalStream | None,
) -> None:
    old, new = _facts(before), _facts(after)
    changes = [(name, old.get(name), new.get(name)) for name in (old | new) if old.get(name) != new.get(name)]
    if before is not None and after is not None and before.secret and after.secret:
        changes += [("authorization_header", "set", "set anew")] if before.secret != after.secret else []
    shown = after or before
    if shown is not None:
        targets = (named(shown, tuple(changes)),)
        record(tx, deps, caller, now, activity=what, category="Policy", targets=targets)


def _facts(stream: SignalStream | None) -> dict[str, str]:
    """What the history tells of a stream: an address without its query, which may hold a secret."""
    if stream is None:
        return {}
    return {
        "method": stream.method.value,
        "endpoint_url": stream.endpoint_url.partition("?")[0],
        "authorization_header": "set" if stream.secret else "none",
        "events_requested": " ".join(stream.requested),
        "description": stream.description or "",
        "format": stream.subject_format.value,
        "default_subjects": stream.default_subjects.value,
        "status": stream.status.value,
    }
