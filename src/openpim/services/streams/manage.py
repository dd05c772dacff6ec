"""The destinations of a tenant's audit history, as its administrators see and set them.

A secret goes in and never comes out: it is sealed, and sent to the place that it was given for. Who changes the place gives
the secret again, so that nobody gets to know another's secret by having it sent to himself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from openpim.core.audit import Target
from openpim.core.caller import Caller, CallerKind
from openpim.core.refusals import Code, Refusal
from openpim.core.roles import GLOBAL_ADMINISTRATOR, GLOBAL_READER, SECURITY_ADMINISTRATOR, SECURITY_READER
from openpim.core.streams import (
    LONGEST_ADDRESS,
    LONGEST_NAME,
    LONGEST_SECRET,
    MOST_STREAMS,
    Lag,
    Stream,
    StreamKind,
    syslog_place,
)
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import roles_of
from openpim.services.recording import record, storable
from openpim.services.streams.send import sealed

MANAGERS = frozenset({GLOBAL_ADMINISTRATOR, SECURITY_ADMINISTRATOR})
VIEWERS = MANAGERS | {GLOBAL_READER, SECURITY_READER}
ADDED, UPDATED, DELETED = "Add audit stream", "Update audit stream", "Delete audit stream"
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,99}")
_NOT_OURS = frozenset(
    {
        "host",
        "content-length",
        "content-type",
        "content-encoding",
        "transfer-encoding",
        "connection",
        "user-agent",
    }
)
_PRINTABLE = re.compile(r"[ -~]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be set; None leaves a member as it is (or as usual, for a new one). secret: "" takes it away."""

    name: str | None = None
    address: str | None = None
    header: str | None = None
    secret: str | None = None
    facility: int | None = None
    gzip: bool | None = None
    paused: bool | None = None


@dataclass(frozen=True, slots=True)
class View:
    stream: Stream
    lag: Lag


def all_of(deps: Deps, caller: Caller) -> list[View] | Refusal:
    """By name."""
    now = deps.clock()

    def work(tx: Transaction) -> list[View] | Refusal:
        refusal = may(tx, caller, now, VIEWERS)
        return refusal or [View(one, lag(tx, one)) for one in tx.streams.all()]

    return deps.store.read(caller.tenant_id, work)


def get(deps: Deps, caller: Caller, stream_id: str) -> View | Refusal:
    now = deps.clock()

    def work(tx: Transaction) -> View | Refusal:
        refusal = may(tx, caller, now, VIEWERS)
        found = tx.streams.get(stream_id) if refusal is None else None
        return refusal or (View(found, lag(tx, found)) if found is not None else _missing(stream_id))

    return deps.store.read(caller.tenant_id, work)


def may_change(deps: Deps, caller: Caller) -> bool:
    """Whether a form for it is worth showing."""
    now = deps.clock()
    return deps.store.read(caller.tenant_id, lambda tx: may(tx, caller, now, MANAGERS)) is None


def lag(tx: Transaction, stream: Stream) -> Lag:
    """Two look-ups, and one event."""
    position = tx.cursors.position(stream.cursor)
    waiting = max(0, tx.audit_log.size() - position)
    oldest = tx.audit_log.since(position, 1) if waiting else ()
    return Lag(waiting, oldest[0].event.at if oldest else None)


def create(
    deps: Deps, caller: Caller, kind: StreamKind, wanted: Wanted, *, from_beginning: bool = False
) -> View | Refusal:
    """from_beginning: all of the history, else what happens from now on."""
    now = deps.clock()

    def work(tx: Transaction) -> View | Refusal:
        refusal = may(tx, caller, now, MANAGERS)
        if refusal is not None:
            return refusal
        tx.lock_tenant()
        present = tx.streams.all()
        if len(present) >= MOST_STREAMS:
            return Refusal(
                Code.INVALID, f"At most {MOST_STREAMS} audit streams. Delete one first.", member="name"
            )
        blank = Stream(deps.new_id(), "", kind, "", now, caller.principal_id, now)
        stream = _changed(deps, blank, wanted, present)
        if isinstance(stream, Refusal):
            return stream
        begins_at = 0 if from_beginning else tx.audit_log.size()
        stream = replace(stream, begins_at=begins_at)
        tx.streams.put(stream)
        if begins_at:
            tx.cursors.move(stream.cursor, 0, begins_at, now)
        _tell(tx, deps, caller, now, ADDED, blank, stream)
        return View(stream, lag(tx, stream))

    return deps.store.write(caller.tenant_id, work)


def update(deps: Deps, caller: Caller, stream_id: str, wanted: Wanted) -> View | Refusal:
    """What is changed is tried at once, whatever pause it was in."""
    now = deps.clock()

    def work(tx: Transaction) -> View | Refusal:
        refusal = may(tx, caller, now, MANAGERS)
        if refusal is not None:
            return refusal
        tx.lock_tenant()
        present = tx.streams.all()
        before = next((one for one in present if one.id == stream_id), None)
        if before is None:
            return _missing(stream_id)
        after = _changed(deps, before, wanted, present)
        if isinstance(after, Refusal):
            return after
        if after != before:
            tx.streams.put(after)
            _tell(tx, deps, caller, now, UPDATED, before, after)
        tx.streams.wake(stream_id, now)
        return View(tx.streams.get(stream_id) or after, lag(tx, after))

    return deps.store.write(caller.tenant_id, work)


def remove(deps: Deps, caller: Caller, stream_id: str) -> Refusal | None:
    now = deps.clock()

    def work(tx: Transaction) -> Refusal | None:
        refusal = may(tx, caller, now, MANAGERS)
        if refusal is not None:
            return refusal
        before = tx.streams.get(stream_id)
        if before is None:
            return _missing(stream_id)
        tx.streams.remove(stream_id)
        tx.cursors.drop(before.cursor)
        _tell(tx, deps, caller, now, DELETED, before, None)
        return None

    return deps.store.write(caller.tenant_id, work)


def may(
    tx: Transaction, caller: Caller, now: datetime, roles: frozenset[str], what: str = "audit streams"
) -> Refusal | None:
    """roles: MANAGERS or VIEWERS."""
    if caller.kind is not CallerKind.SERVICE_PRINCIPAL and roles_of(tx, caller, now) & roles:
        return None
    act = "Changing" if roles is MANAGERS else "Seeing"
    return Refusal(Code.FORBIDDEN, f"{act} {what} needs the role Security Administrator. Activate it first.")


def _missing(stream_id: str) -> Refusal:
    return Refusal(Code.NOT_FOUND, f"There is no audit stream {stream_id[:36]}.")


def _changed(deps: Deps, before: Stream, wanted: Wanted, present: list[Stream]) -> Stream | Refusal:
    """The stream as it will be, or what is wrong with what is wanted."""
    name = " ".join((before.name if wanted.name is None else wanted.name).split())
    address = (before.address if wanted.address is None else wanted.address).strip()
    header = (before.header if wanted.header is None else wanted.header).strip()
    facility = before.facility if wanted.facility is None else wanted.facility
    if not name or len(name) > LONGEST_NAME or not storable(name):
        return _bad("name", f"Give it a name of at most {LONGEST_NAME} characters.")
    if any(one.name.casefold() == name.casefold() and one.id != before.id for one in present):
        return _bad("name", "Another audit stream has this name. Choose another one.")
    fault = _address_fault(deps, before.kind, address)
    if fault is not None:
        return _bad("address", fault)
    if not _HEADER.fullmatch(header) or header.lower() in _NOT_OURS:
        return _bad("header", "Write the name of an HTTP header, such as Authorization.")
    if not 0 <= facility <= 23:
        return _bad("facility", "Write a number from 0 to 23; 13 is the log audit.")
    secret = before.secret
    if wanted.secret is not None:
        if before.kind is StreamKind.SYSLOG and wanted.secret:
            return _bad("secret", "Syslog knows no secret. Leave it out.")
        if wanted.secret and (not _PRINTABLE.fullmatch(wanted.secret) or len(wanted.secret) > LONGEST_SECRET):
            return _bad("secret", f"A secret has at most {LONGEST_SECRET} printable ASCII characters.")
        secret = sealed(deps, replace(before, address=address, header=header), wanted.secret)
    elif secret and (address != before.address or header != before.header):
        return _bad("secret", "Give the secret again: it is not sent to another place than it was given for.")
    return replace(
        before,
        name=name,
        address=address,
        header=header,
        facility=facility,
        secret=secret,
        gzip=before.gzip if wanted.gzip is None else wanted.gzip,
        paused=before.paused if wanted.paused is None else wanted.paused,
    )


def _address_fault(deps: Deps, kind: StreamKind, address: str) -> str | None:
    if len(address) > LONGEST_ADDRESS:
        return f"An address has at most {LONGEST_ADDRESS} characters."
    if kind is not StreamKind.SYSLOG:
        return deps.outbound.fault(address)
    found = syslog_place(address)
    if found is None:
        return "Write it as tls://host:6514 (or tcp://host:514 where the configuration allows it)."
    secure, host, port = found
    shown = f"[{host}]" if ":" in host else host
    return deps.outbound.fault(f"{'https' if secure else 'http'}://{shown}:{port}/")


def _bad(member: str, message: str) -> Refusal:
    return Refusal(Code.INVALID, message, member=member)


def _tell(
    tx: Transaction,
    deps: Deps,
    caller: Caller,
    now: datetime,
    activity: str,
    before: Stream,
    after: Stream | None,
) -> None:
    old = _facts(before) if before.name else {}
    new = _facts(after) if after is not None else {}
    changes = [(name, old.get(name), new.get(name)) for name in (old | new) if old.get(name) != new.get(name)]
    if after is not None and before.secret and after.secret and before.secret != after.secret:
        changes.append(("secret", "set", "set anew"))
    shown = after or before
    target = Target("AuditStream", shown.id, shown.name, tuple(changes))
    record(tx, deps, caller, now, activity=activity, category="Policy", targets=(target,))


def _facts(stream: Stream) -> dict[str, str]:
    """What the history tells of a stream: an address without its query, which may hold a secret."""
    return {
        "name": stream.name,
        "kind": stream.kind.value,
        "address": stream.address.partition("?")[0],
        "header": stream.header,
        "facility": str(stream.facility),
        "gzip": str(stream.gzip),
        "paused": str(stream.paused),
        "secret": "set" if stream.secret else "none",
    }
