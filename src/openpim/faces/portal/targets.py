"""Real systems: each target's state, what roles and groups give there, what has come of it, and what others gave; having one
looked at now, asking it whether it can be used, pausing and removing it. Its form is in target_form.py, its mappings and
names in target_rules.py."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from openpim.core import hosts
from openpim.core.connecting import OVER, Effect, EffectState, Foreign, OpKind, Rule
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show, settled
from openpim.faces.portal.statuses import status_of
from openpim.faces.portal.table import Page
from openpim.faces.portal.typed import Typed
from openpim.faces.portal.words import plural, t
from openpim.services.connecting import acting, manage
from openpim.services.connecting.acting import Planned
from openpim.services.connecting.checking import Desired
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
FOREIGN: Final[Mapping[Foreign, str]] = {
    Foreign.ALERT: "It stays, and is told once.",
    Foreign.REMOVE: "It is removed.",
    Foreign.ADOPT: "It stays, and nobody is told.",
}
OPERATIONS: Final[Mapping[OpKind, tuple[str, str]]] = {
    OpKind.GRANT: ("Given", "good"),
    OpKind.REVOKE: ("Taken away", "bad"),
    OpKind.BOUND: ("Its end is set", "note"),
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
    values = {"targets": found, "counts": _counts, "may": may(call)}
    return Show("targets.html", values, nav=NAV)


def one(call: Call) -> Answer:
    return show(call, of_path(call))


def show(call: Call, view: View, typed: Typed | None = None, status: int = 400) -> Show:
    """The page of a target. typed: what was typed for somebody's name there, and is wrong; status: of the answer then."""
    paused = not view.target.enabled
    late = settled(acting.outlived(call.deps, call.caller, view.target.id)) if paused else frozenset()
    effects = settled(acting.effects_of(call.deps, call.caller, view.target.id))
    shown = _sorted(effects, late)
    found, people = settled(acting.named(call.deps, call.caller, view, shown))
    lines = [Line(rule, *found[rule.id]) for rule in view.rules]
    kind = manage.kind_called(call.deps, call.caller, view.target.kind)
    known = () if isinstance(kind, Refusal) else kind.settings
    values = {
        "view": view,
        "target": view.target,
        "kind": None if isinstance(kind, Refusal) else kind,
        "settings": [
            (label(one.name), view.target.settings.get(one.name, ""), one.default)
            for one in known
            if not one.secret
        ],
        "secrets": [(label(one.name), one.name in view.secrets) for one in known if one.secret],
        "lines": lines,
        "names": sorted(
            ((people.get(key, key), key, said) for key, said in (view.subjects or {}).items()),
            key=lambda one: one[0].casefold(),
        ),
        "effects": [(effect, people.get(effect.principal_id, effect.edge.subject)) for effect in shown],
        "more": max(0, len(effects) - MOST),
        "late": late,
        "states": STATES,
        "foreign": FOREIGN[view.target.foreign],
        "has_agent": view.target.kind == hosts.KIND,
        "may": may(call),
        "typed": typed or Typed({}),
        "here": f"{HERE}/{view.target.id}",
    }
    return Show("target.html", values, status if typed is not None else 200, nav=NAV)


def looked(call: Call) -> Answer:
    view = of_path(call)
    back = f"{HERE}/{view.target.id}"
    found = acting.apply(call.deps, call.caller, view.target.id)
    if isinstance(found, Refusal):
        if found.code is not Code.CONFLICT:
            raise RefusedError(found)
        return Go(back, found.message, "bad")
    if found.fault:
        return Go(back, found.fault, "bad")
    return Go(
        back, t("{name} is as it should be: {count} changed.", name=view.target.name, count=found.changed)
    )


def check(call: Call) -> Answer:
    """Whether it can be used, what our account there may do, and what would be done now. Changes nothing, there or here."""
    view = of_path(call)
    probed = settled(acting.probe(call.deps, call.caller, view.target.id))
    planned = acting.plan(call.deps, call.caller, view.target.id) if probed.probe.reachable else None
    values = {
        "target": view.target,
        "probed": probed,
        "may": may(call),
        "here": f"{HERE}/{view.target.id}",
        **plan_values(planned),
    }
    return Show("target_check.html", values, nav=NAV)


def plan_values(planned: Planned | Refusal | None) -> dict[str, object]:
    """What the macro `plan` of target_parts.html needs."""
    return {
        "plan": planned if isinstance(planned, Planned) else None,
        "plan_fault": planned.message if isinstance(planned, Refusal) else "",
        "plan_most": MOST,
        "operations": OPERATIONS,
    }


def switched(call: Call) -> Answer:
    """Pause it, or let it go on."""
    view = of_path(call)
    on = call.form.get("on", "")
    if on not in {"yes", "no"}:
        raise RefusedError(Refusal(Code.INVALID, "Choose whether it should go on."))
    done = settled(manage.update(call.deps, call.caller, view.target.id, Desired(enabled=on == "yes")))
    said = t("{name} goes on.", name=done.target.name)
    if not done.target.enabled:
        count = _held(done)
        held = plural(
            count,
            "{count} access stays there until it goes on, even after its end.",
            "{count} accesses stay there until it goes on, even after their end.",
        )
        said = f"{t('{name} is paused.', name=done.target.name)} {held if count else ''}".strip()
    return Go(f"{HERE}/{done.target.id}", said)


def foreign(call: Call) -> Answer:
    return _foreign(call, of_path(call))


def foreign_changed(call: Call) -> Answer:
    view = of_path(call)
    wanted = call.form.get("foreign", "")
    if wanted not in list(Foreign):
        return _foreign(call, view, Refusal(Code.INVALID, "Choose what is done with it."))
    done = manage.update(call.deps, call.caller, view.target.id, Desired(foreign=Foreign(wanted)))
    if isinstance(done, Refusal):
        return _foreign(call, view, done)
    count = len(view.drift)
    if done.target.foreign is Foreign.REMOVE and count:
        said = plural(count, "{count} access is taken away now.", "{count} accesses are taken away now.")
        return Go(f"{HERE}/{view.target.id}", said)
    return Go(f"{HERE}/{view.target.id}", t("{name} is changed.", name=view.target.name))


def removal(call: Call) -> Answer:
    return _removal(call, of_path(call))


def removed(call: Call) -> Answer:
    view = of_path(call)
    refusal = manage.remove(call.deps, call.caller, view.target.id)
    if refusal is not None:
        return _removal(call, view, refusal)
    return Go(HERE, t("{name} is removed.", name=view.target.name))


# ---------------------------------------------------------------- what the other files of these screens share


def of_path(call: Call) -> View:
    return settled(manage.get(call.deps, call.caller, call.params["id"].lower()[:36]))


def may(call: Call) -> bool:
    return manage.may_change(call.deps, call.caller)


def label(name: str) -> str:
    """What a setting is called on the page."""
    words = name.replace("_", " ")
    return t(_LABELS.get(name, words[:1].upper() + words[1:]))


_LABELS: Final = {
    "ca": "Certificates to trust",
    "url": "Address",
    "sslmode": "TLS",
    "user": "Account",
    "native_end": "Ends by itself",
    "sever": "Ends sessions",
}


# ---------------------------------------------------------------- inside


def _foreign(call: Call, view: View, refusal: Refusal | None = None) -> Show:
    values = {
        "view": view,
        "target": view.target,
        "choices": [(one.value, t(words)) for one, words in FOREIGN.items()],
        "problem": refusal.message if refusal is not None else "",
        "may": may(call),
        "here": f"{HERE}/{view.target.id}",
    }
    return Show("target_foreign.html", values, status_of(refusal) if refusal is not None else 200, nav=NAV)


def _removal(call: Call, view: View, refusal: Refusal | None = None) -> Show:
    values = {
        "view": view,
        "target": view.target,
        "held": _held(view),
        "problem": refusal.message if refusal is not None else "",
        "may": may(call),
        "here": f"{HERE}/{view.target.id}",
    }
    return Show("target_remove.html", values, status_of(refusal) if refusal is not None else 200, nav=NAV)


def _held(view: View) -> int:
    """Accesses that are not seen to be over."""
    return sum(number for state, number in view.counts.items() if state not in OVER)


def _counts(view: View) -> tuple[int, int]:
    """In effect; and under way."""
    counts = view.counts
    return counts.get(EffectState.EFFECTIVE, 0), counts.get(EffectState.PENDING, 0) + counts.get(
        EffectState.ENDING, 0
    )


def _sorted(effects: list[Effect], late: Collection[tuple[str, str, str]]) -> list[Effect]:
    """What should not be there, and what fails, first."""

    def order(one: Effect) -> tuple[bool, bool, bool, tuple[str, str, str]]:
        name = one.edge.name
        return name not in late, not one.failing, one.state is EffectState.EFFECTIVE, name

    return sorted(effects, key=order)[:MOST]


PAGES = (
    Page("GET", HERE, listing),
    Page("GET", f"{HERE}/{{id}}", one),
    Page("POST", f"{HERE}/{{id}}/look", looked, waits=True),
    Page("GET", f"{HERE}/{{id}}/check", check, waits=True),
    Page("POST", f"{HERE}/{{id}}/switch", switched),
    Page("GET", f"{HERE}/{{id}}/foreign", foreign),
    Page("POST", f"{HERE}/{{id}}/foreign", foreign_changed),
    Page("GET", f"{HERE}/{{id}}/remove", removal),
    Page("POST", f"{HERE}/{{id}}/remove", removed),
)
