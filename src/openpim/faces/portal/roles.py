"""My roles: what one may activate, holds, waits for, and held, of all three providers in one list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from openpim.core.ask import Ask
from openpim.core.bundles import FAVOURITES
from openpim.core.grants import Action, AssignmentType, Kind, Provider
from openpim.core.refusals import Refusal
from openpim.faces.portal.call import Answer, Call, Go, Show
from openpim.faces.portal.marks import longest_words, marks
from openpim.faces.portal.paging import page_number
from openpim.faces.portal.table import Page
from openpim.services import bundles, eligibilities, my_grants
from openpim.services.eligibilities import Outline
from openpim.services.my_grants import Held, Waiting
from openpim.services.submit import submit

NAV = "roles"
A_PAGE = 20
T = TypeVar("T", Outline, Held, Waiting)
TABS = (
    ("eligible", "Eligible assignments"),
    ("active", "Active assignments"),
    ("pending", "Pending requests"),
    ("expired", "Expired assignments"),
)


def eligible(call: Call) -> Answer:
    kept = bundles.mine(call.deps, call.caller)
    starred = next((frozenset(one.roles) for one in kept if one.name == FAVOURITES), frozenset())
    found: list[int] = []

    def choose(outlines: Sequence[Outline]) -> Sequence[Outline]:
        """The page of them that is shown: the favourites in front, and by name within both."""
        rows = sorted(outlines, key=lambda one: one.key not in starred) if starred else outlines
        fitting = _filtered(rows, call, lambda one: one.key[0])
        found.extend((len(outlines), len(fitting)))
        return _page_of(fitting, call)

    rows = eligibilities.chosen(call.deps, call.caller, choose)
    total, fitting = found or (0, 0)
    return _show(
        call,
        "eligible",
        rows,
        total,
        fitting,
        marks=marks,
        longest=longest_words,
        starred=frozenset(one.eligibility.id for one in rows if bundles.key_of(one) in starred),
        bundles=[(one.name, len(one.roles)) for one in kept if one.name != FAVOURITES],
        ends_soon=call.now + timedelta(days=call.deps.settings.extend_window_days),
    )


def active(call: Call) -> Answer:
    return _list(call, "active", my_grants.active(call.deps, call.caller), _of_held)


def pending(call: Call) -> Answer:
    return _list(call, "pending", my_grants.pending(call.deps, call.caller), lambda one: one.request.provider)


def expired(call: Call) -> Answer:
    return _list(call, "expired", my_grants.expired(call.deps, call.caller), _of_held)


def _of_held(one: Held) -> Provider:
    return one.schedule.provider


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


def _list(call: Call, tab: str, rows: Sequence[T], provider: Callable[[T], Provider]) -> Answer:
    fitting = _filtered(rows, call, provider)
    return _show(call, tab, _page_of(fitting, call), len(rows), len(fitting))


def _show(call: Call, tab: str, rows: Sequence[Any], total: int, found: int, **more: Any) -> Answer:
    values = {
        "tab": tab,
        "tabs": TABS,
        "rows": rows,
        "total": total,
        "q": call.query.get("q", "")[:200],
        "provider": call.query.get("provider", ""),
        "providers": tuple(Provider),
        "page": _page_number(call, found),
        "pages": _pages(found),
        **more,
    }
    return Show(f"roles_{tab}.html", values, nav=NAV)


def _pages(found: int) -> int:
    return max(1, -(-found // A_PAGE))


def _page_number(call: Call, found: int) -> int:
    return page_number(call.query.get("page", ""), _pages(found))


def _page_of(rows: Sequence[T], call: Call) -> Sequence[T]:
    page = _page_number(call, len(rows))
    return rows[(page - 1) * A_PAGE : page * A_PAGE]


def _filtered(rows: Sequence[T], call: Call, provider: Callable[[T], Provider]) -> Sequence[T]:
    """Every word must be somewhere in the row's names."""
    kind = call.query.get("provider", "")
    if kind:
        rows = [one for one in rows if provider(one).value == kind]
    words = call.query.get("q", "")[:200].casefold().split()
    if not words:
        return rows
    return [
        one for one, text in zip(rows, map(_text, rows), strict=True) if all(word in text for word in words)
    ]


def _text(row: Outline | Held | Waiting) -> str:
    return f"{row.role_name} {row.scope_name} {row.scope_path}".casefold()


PAGES = (
    Page("GET", "/portal/roles", eligible),
    Page("GET", "/portal/roles/eligible", eligible),
    Page("GET", "/portal/roles/active", active),
    Page("GET", "/portal/roles/pending", pending),
    Page("GET", "/portal/roles/expired", expired),
    Page("POST", "/portal/roles/deactivate", deactivate),
)
