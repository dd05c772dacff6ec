"""Real systems: each target's state, what roles and groups give there, what has come of it, and what others gave. They are
set up by `pim connector` or the API; here one looks, and has a target looked at now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from openpim.core.connecting import Effect, EffectState, Foreign, Rule
from openpim.core.grants import Provider
from openpim.core.refusals import Refusal
from openpim.faces.portal.call import Answer, Call, Go, Show, settled
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import t
from openpim.services.connecting import acting, manage
from openpim.services.connecting.manage import View

NAV: Final = "targets"
HERE: Final = "/portal/targets"
MOST: Final = 200
STATES: Final[Mapping[EffectState, tuple[str, str]]] = {
    EffectState.PENDING: ("Pending", "wait"),
    EffectState.EFFECTIVE: ("Effective", "good"),
    EffectState.ENDING: ("Ending", "wait"),
    EffectState.ENDED: ("Ended", ""),
    EffectState.RESIDUE: ("Ended with residue", "wait"),
}
FOREIGN: Final = {
    Foreign.ALERT: "It stays, and is told once.",
    Foreign.REMOVE: "It is removed.",
    Foreign.ADOPT: "It stays.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A mapping with its names."""

    rule: Rule
    role: str
    scope: str
    path: str


def listing(call: Call) -> Answer:
    found = settled(manage.all_of(call.deps, call.caller))
    return Show("targets.html", {"targets": found, "counts": _counts}, nav=NAV)


def one(call: Call) -> Answer:
    view = _of_path(call)
    effects = settled(acting.effects_of(call.deps, call.caller, view.target.id))
    found, people = settled(acting.named(call.deps, call.caller, view, effects[:MOST]))
    lines = [Line(rule, *found[rule.id]) for rule in view.rules]
    values = {
        "view": view,
        "target": view.target,
        "lines": lines,
        "effects": [
            (effect, people.get(effect.principal_id, effect.edge.subject)) for effect in _sorted(effects)
        ],
        "more": max(0, len(effects) - MOST),
        "states": STATES,
        "foreign": FOREIGN[view.target.foreign],
        "group": Provider.GROUP,
        "may": manage.may_change(call.deps, call.caller),
    }
    return Show("target.html", values, nav=NAV)


def looked(call: Call) -> Answer:
    view = _of_path(call)
    back = f"{HERE}/{view.target.id}"
    found = acting.apply(call.deps, call.caller, view.target.id)
    if isinstance(found, Refusal):
        return Go(back, found.message, "bad")
    if found.fault:
        return Go(back, found.fault, "bad")
    return Go(
        back, t("{name} is as it should be: {count} changed.", name=view.target.name, count=found.changed)
    )


def _of_path(call: Call) -> View:
    return settled(manage.get(call.deps, call.caller, call.params["id"].lower()[:36]))


def _counts(view: View) -> tuple[int, int]:
    """In effect; and under way."""
    counts = view.counts
    return counts.get(EffectState.EFFECTIVE, 0), counts.get(EffectState.PENDING, 0) + counts.get(
        EffectState.ENDING, 0
    )


def _sorted(effects: list[Effect]) -> list[Effect]:
    """What fails first."""
    return sorted(
        effects, key=lambda one: (not one.failing, one.state is EffectState.EFFECTIVE, one.edge.name)
    )[:MOST]


PAGES = (
    Page("GET", HERE, listing),
    Page("GET", f"{HERE}/{{id}}", one),
    Page("POST", f"{HERE}/{{id}}/look", looked),
)
