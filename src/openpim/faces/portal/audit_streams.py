"""Audit streams: where the audit history is sent to, how far each destination is, and what is wrong with one; adding,
changing, pausing and removing them. A secret is typed in and never shown."""

from __future__ import annotations

from typing import Final

from openpim.core.refusals import Code, Refusal
from openpim.core.streams import LONGEST_ADDRESS, LONGEST_SECRET, StreamKind
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show, settled
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.typed import Typed
from openpim.faces.portal.words import t
from openpim.services.signin.portal import SECRET
from openpim.services.streams import manage
from openpim.services.streams.manage import View, Wanted

NAV: Final = "streams"
HERE: Final = "/portal/streams"
_SECRET: Final = "value"  # of the header
KINDS: Final = {
    StreamKind.SYSLOG: "Syslog",
    StreamKind.OTLP: "OpenTelemetry",
    StreamKind.OCSF: "OCSF over HTTPS",
}


def listing(call: Call) -> Answer:
    found = settled(manage.all_of(call.deps, call.caller))
    return Show("audit_streams.html", {"streams": found, "kinds": KINDS, "may": _may(call)}, nav=NAV)


def blank(call: Call) -> Answer:
    settled(manage.all_of(call.deps, call.caller))  # whoever may not see them sees no form either
    wanted = call.query.get("kind", "")
    kind = StreamKind(wanted) if wanted in list(StreamKind) else StreamKind.SYSLOG
    return _form(call, kind, None, Typed({"header": "Authorization", "facility": "13", "gzip": "on"}))


def added(call: Call) -> Answer:
    typed = Typed(dict(call.form))
    wanted = typed.text("kind", 12)
    if wanted not in list(StreamKind):
        raise RefusedError(Refusal(Code.INVALID, "Choose what kind of receiver it is."))
    kind = StreamKind(wanted)
    from_beginning = typed.text("start", 12) == "beginning"
    desired = _read(kind, typed)
    if typed.errors:
        return _form(call, kind, None, typed, 400)
    made = manage.create(call.deps, call.caller, kind, desired, from_beginning=from_beginning)
    if isinstance(made, Refusal):
        return _refused(call, kind, None, typed, made)
    return Go(HERE, t("{name} is added.", name=made.stream.name))


def one(call: Call) -> Answer:
    view = _of_path(call)
    stream = view.stream
    fields = {
        "name": stream.name,
        "address": stream.address,
        "header": stream.header,
        "facility": str(stream.facility),
        "gzip": "on" if stream.gzip else "",
    }
    return _form(call, stream.kind, view, Typed(fields))


def changed(call: Call) -> Answer:
    view = _of_path(call)
    typed = Typed(dict(call.form))
    wanted = _read(view.stream.kind, typed)
    if typed.errors:
        return _form(call, view.stream.kind, view, typed, 400)
    done = manage.update(call.deps, call.caller, view.stream.id, wanted)
    if isinstance(done, Refusal):
        return _refused(call, view.stream.kind, view, typed, done)
    return Go(HERE, t("{name} is changed, and tried at once.", name=done.stream.name))


def paused(call: Call) -> Answer:
    """Pause it, or let it go on."""
    view = _of_path(call)
    wanted = Wanted(paused=not view.stream.paused)
    done = settled(manage.update(call.deps, call.caller, view.stream.id, wanted)).stream
    said = t("{name} is paused.", name=done.name) if done.paused else t("{name} goes on.", name=done.name)
    return Go(f"{HERE}/{done.id}", said)


def tried(call: Call) -> Answer:
    view = settled(manage.update(call.deps, call.caller, _of_path(call).stream.id, Wanted()))
    return Go(f"{HERE}/{view.stream.id}", t("{name} is tried again now.", name=view.stream.name))


def removal(call: Call) -> Answer:
    return Show("audit_stream_remove.html", {"stream": _of_path(call).stream, "may": _may(call)}, nav=NAV)


def removed(call: Call) -> Answer:
    stream = _of_path(call).stream
    refusal = manage.remove(call.deps, call.caller, stream.id)
    if refusal is not None:
        raise RefusedError(refusal)
    return Go(HERE, t("{name} is removed.", name=stream.name))


# ---------------------------------------------------------------- inside


def _of_path(call: Call) -> View:
    return settled(manage.get(call.deps, call.caller, call.params["id"].lower()[:36]))


def _may(call: Call) -> bool:
    return manage.may_change(call.deps, call.caller)


def _read(kind: StreamKind, typed: Typed) -> Wanted:
    """An empty secret leaves the one that is there; ticking the box takes it away."""
    http = kind is not StreamKind.SYSLOG
    secret = typed.secret(_SECRET, LONGEST_SECRET + 1).strip() if http else ""
    return Wanted(
        name=typed.text("name", 200),
        address=typed.text("address", LONGEST_ADDRESS + 1),
        header=typed.text("header", 200) if http else None,
        secret=("" if typed.on("no_secret") else secret or None) if http else None,
        facility=None if http else typed.number("facility", 0, 23, 13),
        gzip=typed.on("gzip") if http else None,
    )


def _refused(call: Call, kind: StreamKind, view: View | None, typed: Typed, refusal: Refusal) -> Answer:
    member = refusal.member or ""
    typed.wrong(SECRET + _SECRET if member == "secret" else member, refusal.message)
    return _form(call, kind, view, typed, status_of(refusal))


def _form(call: Call, kind: StreamKind, view: View | None, typed: Typed, status: int = 200) -> Show:
    values = {
        "view": view,
        "seconds": view.lag.seconds(call.now) if view is not None else 0,
        "kind": kind,
        "kinds": KINDS,
        "typed": typed,
        "may": _may(call),
        "action": f"{HERE}/{view.stream.id}" if view is not None else f"{HERE}/new",
        "back": HERE,
    }
    return Show("audit_stream_form.html", values, status, nav=NAV)


PAGES: Final = (
    Page("GET", HERE, listing),
    Page("GET", f"{HERE}/new", blank),
    Page("POST", f"{HERE}/new", added),
    Page("GET", f"{HERE}/{{id}}", one),
    Page("POST", f"{HERE}/{{id}}", changed),
    Page("POST", f"{HERE}/{{id}}/pause", paused),
    Page("POST", f"{HERE}/{{id}}/retry", tried),
    Page("GET", f"{HERE}/{{id}}/remove", removal),
    Page("POST", f"{HERE}/{{id}}/remove", removed),
)
