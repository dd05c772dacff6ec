"""Settings → Audit log: how large the history is and what proves it; how long it is kept, and who witnesses it. Two forms,
because who sets a witness must not set back what somebody else has just said about how long."""

from __future__ import annotations

from typing import Final

from openpim.core.refusals import Code, Refusal
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show, settled
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.typed import Typed
from openpim.faces.portal.words import t
from openpim.services import audit_proof, audit_settings
from openpim.services.audit_settings import LONGEST_DAYS, SHORTEST_DAYS, AuditSettings

NAV: Final = "audit-log"
HERE: Final = "/portal/audit-log"
_LONGEST_ADDRESS: Final = 2000


def show(call: Call) -> Answer:
    return _page(call, settled(audit_settings.get(call.deps, call.caller)), None)


def retained(call: Call) -> Answer:
    """Nothing typed is for ever. What begins to be removed, or is removed earlier than before, has to be meant."""
    found = settled(audit_settings.get(call.deps, call.caller))
    typed = Typed(dict(call.form))
    days = typed.number("days", SHORTEST_DAYS, LONGEST_DAYS, 0) or None
    sooner = days is not None and (found.retention_days is None or days < found.retention_days)
    if sooner and not typed.on("sure"):
        typed.wrong("sure", t("Tick the box: what is removed does not come back."))
    if typed.errors and _may(call):
        return _page(call, found, typed, status=400)
    done = audit_settings.change(call.deps, call.caller, retention_days=days)
    if isinstance(done, Refusal):
        return _refused(call, found, typed, "days", done)
    return Go(HERE, t("The audit history is kept for ever.") if days is None else t("The audit history is kept for {days} days.", days=days))  # fmt: skip


def witnessed(call: Call) -> Answer:
    """An empty address switches off; a new webhook gets a new secret, on the page that answers and never again."""
    found = settled(audit_settings.get(call.deps, call.caller))
    typed = Typed(dict(call.form))
    done = audit_settings.change(
        call.deps,
        call.caller,
        witness_url=typed.text("witness", _LONGEST_ADDRESS + 1),
        timestamp_url=typed.text("stamps", _LONGEST_ADDRESS + 1),
    )
    if isinstance(done, Refusal):
        field = "stamps" if done.member == "timeStampUrl" else "witness"
        return _refused(call, found, typed, field, done)
    if done.secret:
        return Show("audit_log_secret.html", {"settings": done, "back": HERE}, nav=NAV)
    return Go(HERE, t("The witnesses are kept."))


# ---------------------------------------------------------------- inside


def _may(call: Call) -> bool:
    return audit_settings.may_change(call.deps, call.caller)


def _refused(call: Call, found: AuditSettings, typed: Typed, field: str, refusal: Refusal) -> Answer:
    if refusal.code is Code.FORBIDDEN:
        raise RefusedError(refusal)
    typed.wrong(field, refusal.message)
    return _page(call, found, typed, status=status_of(refusal))


def _page(call: Call, found: AuditSettings, typed: Typed | None, *, status: int = 200) -> Show:
    """typed: the form that was sent, and is wrong; the other one stands as it is kept."""
    kept = {
        "days": "" if found.retention_days is None else str(found.retention_days),
        "witness": found.witness_url,
        "stamps": found.timestamp_url,
    }
    if typed is not None:
        kept |= {name: typed.text(name, _LONGEST_ADDRESS + 1) for name in kept if name in typed.fields}
    log = audit_proof.state(call.deps, call.caller)
    values = {
        "log": log,
        "found": found,
        "typed": Typed(kept, typed.errors if typed is not None else {}),
        "shortest": SHORTEST_DAYS,
        "longest": LONGEST_DAYS,
        "may": _may(call),
        "lines": ("pim audit key", *(f"pim audit verify --key '{one.key}'" for one in log.keys[:1])),
    }
    return Show("audit_log.html", values, status, nav=NAV)


PAGES: Final = (
    Page("GET", HERE, show),
    Page("POST", f"{HERE}/retention", retained),
    Page("POST", f"{HERE}/witnesses", witnessed),
)
