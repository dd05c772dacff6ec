"""Signal streams: which applications are told of what happens to people, how it gets there, and what is wrong with one;
pausing, disabling and removing them. What a stream tells of is set by its application, at the SSF interface."""

from __future__ import annotations

from typing import Final

from openpim.core.refusals import Code, Refusal
from openpim.core.signals import Method, Status
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show, settled
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import t
from openpim.services.signals import administering
from openpim.services.signals.administering import View

NAV: Final = "signals"
HERE: Final = "/portal/signals"
_SAID: Final = {
    Status.ENABLED: "The stream of {name} goes on.",
    Status.PAUSED: "The stream of {name} is paused.",
    Status.DISABLED: "The stream of {name} is disabled.",
}


def listing(call: Call) -> Answer:
    found = settled(administering.all_of(call.deps, call.caller))
    base = f"{call.deps.settings.clients_origin}/.well-known/ssf-configuration/{call.caller.tenant_id}/v2.0"
    return Show("signal_streams.html", {"views": found, "push": Method.PUSH, "address": base}, nav=NAV)


def one(call: Call) -> Answer:
    return Show("signal_stream.html", _values(call), nav=NAV)


def changed(call: Call) -> Answer:
    """Pause it, disable it, or let it go on."""
    wanted = call.form.get("status", "")
    if wanted not in list(Status):
        raise RefusedError(Refusal(Code.INVALID, "Choose what the stream should do."))
    status = Status(wanted)
    view = settled(administering.set_status(call.deps, call.caller, _key(call), status))
    return Go(f"{HERE}/{view.stream.id}", t(_SAID[status], name=view.receiver))


def tried(call: Call) -> Answer:
    view = _of_path(call)
    refusal = administering.retry(call.deps, call.caller, view.stream.id)
    if refusal is not None:
        raise RefusedError(refusal)
    return Go(f"{HERE}/{view.stream.id}", t("The stream of {name} is tried again now.", name=view.receiver))


def removal(call: Call) -> Answer:
    return Show("signal_stream_remove.html", _values(call), nav=NAV)


def removed(call: Call) -> Answer:
    view = _of_path(call)
    refusal = administering.remove(call.deps, call.caller, view.stream.id)
    if refusal is not None:
        raise RefusedError(refusal)
    return Go(HERE, t("The stream of {name} is removed.", name=view.receiver))


def _values(call: Call) -> dict[str, object]:
    may = administering.may_change(call.deps, call.caller)
    return {"view": _of_path(call), "push": Method.PUSH, "may": may, "back": HERE}


def _of_path(call: Call) -> View:
    return settled(administering.get(call.deps, call.caller, _key(call)))


def _key(call: Call) -> str:
    return call.params["id"].lower()[:36]


PAGES: Final = (
    Page("GET", HERE, listing),
    Page("GET", f"{HERE}/{{id}}", one),
    Page("POST", f"{HERE}/{{id}}", changed),
    Page("POST", f"{HERE}/{{id}}/retry", tried),
    Page("GET", f"{HERE}/{{id}}/remove", removal),
    Page("POST", f"{HERE}/{{id}}/remove", removed),
)
