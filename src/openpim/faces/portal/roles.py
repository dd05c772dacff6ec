"""My roles: what one may activate, holds, waits for, and held, of all three providers in one list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

from openpim.core.ask import Ask
from openpim.core.bundles import FAVOURITES
from openpim.core.grants import Action, AssignmentType, Kind, Provider
from openpim.core.refusals import Refusal
from openpim.faces.portal.call import Answer, Call, Go, Show
from openpim.faces.portal.marks import longest_words, marks
from openpim.faces.portal.table import Page
from openpim.services import bundles, eligibilities, my_grants
from openpim.services.eligibilities import Activatable
from openpim.services.my_grants import Held, Waiting
from openpim.services.submit import submit

NAV = "roles"
A_PAGE = 50
T = TypeVar("T", Activatable, Held, Waiting)
TABS = (
    ("eligible", "Eligible assignments"),
    ("active", "Active assignments"),
    ("pending", "Pending requests"),
    ("expired", "Expired assignments"),
)


def eligible(call: Call) -> Answer:
    mine = eligibilities.mine(call.deps, call.caller)
    kept = bundles.mine(call.deps, call.caller)
    starred = next((frozenset(one.roles) for one in kept if one.name == FAVOURITES), frozenset())
    # Python sorts stably: the favourites in front, and by name within both.
    rows = sorted(mine, key=lambda one: bundles.key_of(one) not in starred)
    return _list(
        call,
        "eligible",
        rows,
        marks=marks,
        longest=longest_words,
        starred=frozenset(one.eligibility.id for one in mine if bundles.key_of(one) in starred),
        bundles=[(one.name, len(one.roles)) for one in kept if one.name != FAVOURITES],
        ends_soon=call.now + timedelta(days=call.deps.settings.extend_window_days),
    )


def active(call: Call) -> Answer:
    return _list(call, "active", my_grants.active(call.deps, call.caller))


def pending(call: Call) -> Answer:
    return _list(call, "pending", my_grants.pending(call.deps, call.caller))


def expired(call: Call) -> Answer:
    return _list(call, "expired", my_grants.expired(call.deps, call.caller))


def deactivate(call: Call) -> Answer:
    """End one's own activation before its time."""
    held = my_grants.one(call.deps, call.caller, call.form.get("schedule", "")[:36])
    if held is None or held.schedule.assignment_type is not AssignmentType.ACTIVATED:
        return Go("/portal/roles/active", "This activation has ended already.", "note")
    schedule = held.schedule
    ask = Ask(
        kind=Kind.ASSIGNMENT,
        provider=schedule.provider,
        action=Action.SELF_DEACTIVATE,
        principal_id=call.caller.principal_id,
        role_id=schedule.role_id,
        scope=schedule.scope,
        justification=call.form.get("reason", "")[:1000] or None,
        schedule_id=schedule.id,
    )
    done = submit(call.deps, call.caller, ask)
    name = f"{held.role_name} · {held.scope_name}"
    if isinstance(done, Refusal):
        return Go("/portal/roles/active", f"{name}: {done.message}", "bad")
    return Go("/portal/roles/active", f"{name} is deactivated.")


def _list(call: Call, tab: str, rows: Sequence[T], **more: Any) -> Answer:
    found = _filtered(rows, call.query.get("q", "")[:200], call.query.get("provider", ""))
    number = call.query.get("page", "1")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 5 else 1
    pages = max(1, -(-len(found) // A_PAGE))
    page = min(max(1, page), pages)
    values = {
        "tab": tab,
        "tabs": TABS,
        "rows": found[(page - 1) * A_PAGE : page * A_PAGE],
        "total": len(rows),
        "found": len(found),
        "q": call.query.get("q", "")[:200],
        "provider": call.query.get("provider", ""),
        "providers": tuple(Provider),
        "page": page,
        "pages": pages,
        **more,
    }
    return Show(f"roles_{tab}.html", values, nav=NAV)


def _filtered(rows: Sequence[T], wanted: str, provider: str) -> Sequence[T]:
    """Every word must be somewhere in the row's names."""
    if provider:
        rows = [one for one in rows if _provider(one).value == provider]
    words = wanted.casefold().split()
    if not words:
        return rows
    return [one for one in rows if all(word in _text(one) for word in words)]


def _text(row: Activatable | Held | Waiting) -> str:
    return f"{row.role_name} {row.scope_name} {row.scope_path} {_provider(row)}".casefold()


def _provider(row: Activatable | Held | Waiting) -> Provider:
    if isinstance(row, Activatable):
        return row.eligibility.provider
    return row.schedule.provider if isinstance(row, Held) else row.request.provider


PAGES = (
    Page("GET", "/portal/roles", eligible),
    Page("GET", "/portal/roles/eligible", eligible),
    Page("GET", "/portal/roles/active", active),
    Page("GET", "/portal/roles/pending", pending),
    Page("GET", "/portal/roles/expired", expired),
    Page("POST", "/portal/roles/deactivate", deactivate),
)
