"""Activate: one or several roles in one go, for how long, from when, where, and why. The form is the same for a deep
link; what is wrong is said beside the role it concerns, with everything that was typed kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from openpim.core.ask import Ask
from openpim.core.caller import Caller
from openpim.core.grants import Action, Duration, ExpirationType, Kind, Request, Ticket, Window
from openpim.core.lifecycle import AWAITING_DECISION, RequestStatus
from openpim.core.policy import Requirement
from openpim.core.refusals import Code, Refusal
from openpim.faces.portal.call import Answer, Call, Go, RefusedError, Show
from openpim.faces.portal.choosing import named
from openpim.faces.portal.marks import Mark, longest, marks, proof_missing, proof_needed
from openpim.faces.portal.moments import read_moment, read_offset
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import span
from openpim.services import bundles, eligibilities, my_grants
from openpim.services.eligibilities import Activatable, Outline
from openpim.services.scopes_below import Below, scopes_below
from openpim.services.submit import submit
from openpim.wire import durations

NAV = "roles"
MOST_AT_ONCE = 30
MOST_TO_CHOOSE = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the roles that are to be activated. request_id: so that sending the form twice asks once."""

    item: Activatable
    request_id: str
    marks: tuple[Mark, ...]
    longest: int
    error: str = ""

    @property
    def id(self) -> str:
        return self.item.eligibility.id


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form. minutes: 0 for the longest each role allows. start: as typed, in the zone
    `offset` minutes east of UTC."""

    minutes: int = 0
    reason: str = ""
    ticket_number: str = ""
    ticket_system: str = ""
    start: str = ""
    offset: int = 0
    scope: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


def form(call: Call) -> Answer:
    """GET: ticked roles (`pick-<id>`), a `bundle`, or `name=Role@place`; `reason`, `duration`, `ticket`, `system`, `start`."""
    wanted = frozenset(call.picked("pick")[:MOST_AT_ONCE])
    name, bundle = call.query.get("name", "")[:300], call.query.get("bundle", "")
    kept = bundles.mine(call.deps, call.caller) if bundle else ()
    keys = next((one.roles for one in kept if one.name == bundle), ())
    offered: dict[str, Sequence[Outline]] = {}

    def choose(outlines: Sequence[Outline]) -> Sequence[Outline]:
        if wanted:
            return [one for one in outlines if wanted.intersection(one.ids)]
        if keys:
            return [one for key in keys for one in outlines if one.key == key]
        fitting = named(name, outlines) if name else ()
        if len(fitting) == 1:
            return fitting
        offered.update(fitting=fitting[:MOST_TO_CHOOSE], all=outlines[:MOST_TO_CHOOSE])
        return ()

    picked = eligibilities.chosen(call.deps, call.caller, choose, ids=wanted or None)
    if name and not wanted and not keys and not picked:
        fitting = offered.get("fitting", ())
        values = {"name": name, "rows": fitting or offered.get("all", ()), "several": bool(fitting)}
        return Show("activate_choose.html", values, nav=NAV)
    if not picked:
        return Go("/portal/roles", "Choose the roles to activate first.", "note")
    return _show(call, [_choice(call, one) for one in picked], _typed(call.query))


def submitted(call: Call) -> Answer:
    """POST: ask for each of them; those that are refused stay in the form, with the reason."""
    wanted = call.picked("pick")[:MOST_AT_ONCE]
    mine = eligibilities.by_id(call.deps, call.caller, wanted)
    choices = [_choice(call, mine[one], call.form.get(f"id-{one}", "")) for one in wanted if one in mine]
    if not choices:
        raise RefusedError(Refusal(Code.ASSIGNMENT_MISSING, "You are not eligible for this role any more."))
    typed = _typed(call.form)
    if typed.errors:
        return _show(call, choices, typed, status=400)
    done: list[tuple[Choice, Request]] = []
    failed: list[Choice] = []
    for choice in choices:
        outcome = submit(call.deps, call.caller, _ask(call.caller, choice, typed))
        if isinstance(outcome, Refusal):
            verify = proof_needed(call, outcome, _back(choices))
            if verify is not None:
                return verify
            failed.append(_choice(call, choice.item, choice.request_id, outcome.message))
        else:
            done.append((choice, outcome))
    if failed:
        return _show(
            call, failed, typed, done=[_said(choice, request) for choice, request in done], status=400
        )
    if len(done) == 1:
        return Go(f"/portal/requests/{done[0][1].id}")
    waits = any(
        request.status in AWAITING_DECISION or request.status is RequestStatus.GRANTED for _, request in done
    )
    message = " ".join(_said(choice, request) for choice, request in done)
    return Go("/portal/roles/pending" if waits else "/portal/roles/active", message)


# ---------------------------------------------------------------- the form


def _show(
    call: Call, choices: Sequence[Choice], typed: Typed, *, done: Sequence[str] = (), status: int = 200
) -> Show:
    most = max(one.longest for one in choices)
    requires = frozenset().union(*(one.item.policy.activation_requires for one in choices))
    approval = any(one.item.policy.approval.required for one in choices)
    below = _below(call, choices)
    values = {
        "choices": choices,
        "typed": typed,
        "done": done,
        "steps": steps_up_to(most),
        "most": most,
        "reasons": my_grants.recent_reasons(call.deps, call.caller),
        "reason_required": Requirement.JUSTIFICATION in requires
        or any(
            one.item.policy.approval.required and one.item.policy.approval.requestor_justification_required
            for one in choices
        ),
        "ticket_required": Requirement.TICKETING in requires,
        "approval": approval,
        "verify": any(proof_missing(call, one.item.policy) for one in choices),
        "verified": call.form.get("verified", ""),
        "below": below,
        "more": bool(typed.start or typed.scope or typed.errors.get("start")),
    }
    return Show("activate.html", values, status, nav=NAV)


def _choice(call: Call, item: Activatable, request_id: str = "", error: str = "") -> Choice:
    known = request_id if _is_id(request_id) else call.deps.new_id()
    return Choice(item, known, marks(item.policy), longest(item.policy), error)


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _below(call: Call, choices: Sequence[Choice]) -> tuple[Below, ...]:
    """Where a single role can be activated further down."""
    if len(choices) != 1:
        return ()
    one = choices[0].item.eligibility
    return scopes_below(call.deps, call.caller, one.provider, one.scope)


def steps_up_to(most: int) -> tuple[tuple[int, str], ...]:
    """(minutes, words) of every step of the slider: half hours (five minutes where the longest is short), and the longest."""
    step = 30 if most >= 60 else 5
    found = [*range(step, most, step), most]
    return tuple((one, span(one * 60)) for one in found)


def _back(choices: Sequence[Choice]) -> str:
    return "/portal/activate?" + "&".join(f"pick-{one.id}=on" for one in choices)


def _typed(fields: Mapping[str, str]) -> Typed:
    errors: dict[str, str] = {}
    minutes = 0
    duration = fields.get("duration", "")[:40].strip()
    if duration:
        try:
            found = durations.parse_human(f"{duration}m" if duration.isdigit() else duration)
            minutes = (found.seconds + found.months * 30 * 86_400) // 60
        except durations.DurationError:
            errors["duration"] = "Say how long as 1h30m, 90m or PT1H30M."
    start = fields.get("start", "")[:40].strip()
    offset = read_offset(fields)
    if start and read_moment(start, offset) is None:
        errors["start"] = "Say when as 2026-11-21T14:30."
    return Typed(
        minutes=minutes,
        reason=fields.get("reason", "")[:10_000],
        ticket_number=(fields.get("ticket_number") or fields.get("ticket", ""))[:200],
        ticket_system=(fields.get("ticket_system") or fields.get("system", ""))[:200],
        start=start,
        offset=offset,
        scope=fields.get("scope", "")[:500],
        errors=errors,
    )


# ---------------------------------------------------------------- asking


def _ask(caller: Caller, choice: Choice, typed: Typed) -> Ask:
    eligibility = choice.item.eligibility
    minutes = min(typed.minutes or choice.longest, choice.longest)
    length = Duration(durations.render(minutes * 60), 0, minutes * 60)
    start = read_moment(typed.start, typed.offset) if typed.start else None
    return Ask(
        kind=Kind.ASSIGNMENT,
        provider=eligibility.provider,
        action=Action.SELF_ACTIVATE,
        principal_id=caller.principal_id,
        role_id=eligibility.role_id,
        scope=typed.scope or eligibility.scope,
        justification=typed.reason.strip() or None,
        ticket=Ticket(typed.ticket_number.strip() or None, typed.ticket_system.strip() or None),
        window=Window(start, ExpirationType.AFTER_DURATION, duration=length),
        request_id=choice.request_id,
    )


def _said(choice: Choice, request: Request) -> str:
    name = f"{choice.item.role_name} · {choice.item.scope_name}"
    if request.status in AWAITING_DECISION:
        return f"{name} waits for approval."
    if request.status is RequestStatus.GRANTED:
        return f"{name} is scheduled."
    return f"{name} is active."


PAGES = (
    Page("GET", "/portal/activate", form),
    Page("POST", "/portal/activate", submitted),
)
