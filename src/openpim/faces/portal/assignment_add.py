"""Add assignments: which role where, who, and how; three steps of one form, and then what became of each.

Every step sends all that was typed in the steps before, so nothing is kept in between; a form that is sent twice makes
each request once, because their ids come from the number that the form was given at its start.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from openpim.core.ask import Ask
from openpim.core.grants import Action, Kind, Provider
from openpim.core.lifecycle import RequestStatus
from openpim.core.refusals import Refusal
from openpim.faces.portal import assignment_period as period
from openpim.faces.portal.assignments import HERE, KINDS, NAV
from openpim.faces.portal.call import Answer, Call, Show
from openpim.faces.portal.marks import proof_needed
from openpim.faces.portal.policy_form import Typed
from openpim.faces.portal.table import Page
from openpim.faces.portal.words import t
from openpim.services import assigning
from openpim.services.assigning import Member, Target
from openpim.services.resources import browse as places
from openpim.services.submit import submit

STEPS: Final = ("role", "members", "setting")
ACTION: Final = f"{HERE}/add"
_CARRIED: Final = ("provider", "role", "scope", "members", "nonce")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one member's request: its id, or why not."""

    member: Member
    request_id: str = ""
    scheduled: bool = False
    problem: str = ""


def begin(call: Call) -> Answer:
    asked = {name: call.query.get(name, "")[:500] for name in ("provider", "role", "scope")}
    return _role_step(call, Typed(asked))


def step(call: Call) -> Answer:
    """One press of a button: `go` says which."""
    typed = Typed(dict(call.form))
    pressed = typed.text("go", 20)
    where = assigning.target(
        call.deps, call.caller, provider_of(typed), typed.text("role"), typed.text("scope", 2000)
    )
    if isinstance(where, Refusal):
        typed.wrong(where.member if where.member in {"role", "scope"} else "", where.message)
        return _role_step(call, typed)
    if pressed == "role":
        return _role_step(call, typed)
    _take_in(call, typed)
    if pressed in {"members", "find"}:
        return _members_step(call, typed, where)
    people = _members(call, typed, where)
    if typed.errors:
        return _members_step(call, typed, where)
    if pressed != "assign":
        return _setting_step(call, typed, where, people)
    return _assign(call, typed, where, people)


# ---------------------------------------------------------------- the steps


def provider_of(typed: Typed) -> Provider:
    return next((one for one in Provider if one.value == typed.text("provider")), Provider.DIRECTORY)


def _role_step(call: Call, typed: Typed) -> Show:
    return _show(call, "role", typed, role_and_place(call, typed))


def role_and_place(call: Call, typed: Typed) -> dict[str, object]:
    """What role_and_place.html needs: the roles and places to choose from, and what was chosen."""
    provider = provider_of(typed)
    offer = assigning.offer(call.deps, call.caller, provider)
    known = list(offer.places)
    if provider is Provider.RESOURCE:
        seen = (
            *places.management_groups(call.deps, call.caller),
            *places.subscriptions(call.deps, call.caller),
        )
        known = [(one.path, one.display_name) for one in seen[:200]]
    role = typed.text("role")
    return {
        "provider": provider,
        "providers": tuple(Provider),
        "roles": offer.roles,
        "role": next((one for one, name in offer.roles if role.casefold() in {one, name.casefold()}), ""),
        "places": known,
        "scope": typed.text("scope", 2000),
    }


def _members_step(call: Call, typed: Typed, where: Target) -> Show:
    find = typed.text("find", 100)
    chosen = set(_lines(typed))
    found = assigning.search(call.deps, call.caller, where, find)
    values = {
        "where": where,
        "find": find,
        "found": [one for one in found if not chosen & {one.written, one.name, one.id}],
        "searched": bool(find),
        "principal_kinds": KINDS,
    }
    return _show(call, "members", typed, values)


def _setting_step(call: Call, typed: Typed, where: Target, people: tuple[Member, ...]) -> Show:
    kind = _kind(typed)
    if not typed.text("how"):
        typed.fields |= period.usual(where.policy, kind, call.now)
    choices = period.choices(where.policy, kind)
    both = {
        one.value: period.allowed(where.policy, one) for one in Kind
    }  # the other type can be chosen without coming here again
    values = {
        "where": where,
        "people": people,
        "kind": kind,
        "allowed_of": both,
        "with_start": True,
        **choices,
        "may_be_permanent": any(not where.policy.expiry_of(one).required for one in Kind),
        "needs_ticket": any(period.choices(where.policy, one)["needs_ticket"] for one in Kind),
        "allowed": "",
    }
    return _show(call, "setting", typed, values)


def _show(call: Call, name: str, typed: Typed, values: Mapping[str, object]) -> Show:
    if not _nonce(typed):
        typed.fields["nonce"] = call.deps.new_id()
    shared = {
        "typed": typed,
        "step": name,
        "steps": list(zip(STEPS, (t("Role"), t("Members"), t("Setting")), strict=True)),
        "carried": {one: typed.text(one, 20_000) for one in _CARRIED},
    }
    return Show(f"assignment_add_{name}.html", {**shared, **values}, 400 if typed.errors else 200, nav=NAV)


# ---------------------------------------------------------------- members


def _lines(typed: Typed) -> list[str]:
    found = (line.strip()[:256] for line in re.split(r"[\r\n;]+", typed.text("members", 20_000)))
    return list(dict.fromkeys(line for line in found if line))


def _take_in(call: Call, typed: Typed) -> None:
    """Those that were ticked in what the search found join those that were written."""
    lines = [*_lines(typed), *(one[:256] for one in call.picked("pick"))]
    typed.fields["members"] = "\n".join(dict.fromkeys(lines))


def _members(call: Call, typed: Typed, where: Target) -> tuple[Member, ...]:
    lines = _lines(typed)
    if not lines:
        typed.wrong("members", t("Name at least one member."))
        return ()
    found = assigning.members(call.deps, call.caller, where, lines)
    if isinstance(found, Refusal):
        typed.wrong("members", found.message)
        return ()
    people, faults = found
    if faults:
        typed.wrong("members", " ".join(f"{name:.100}: {why}" for name, why in list(faults.items())[:5]))
    return people


# ---------------------------------------------------------------- the end


def _assign(call: Call, typed: Typed, where: Target, people: tuple[Member, ...]) -> Answer:
    window = period.read_window(typed)
    nonce = _nonce(typed)
    if window is None or nonce is None:
        return _setting_step(call, typed, where, people)
    outcomes: list[Outcome] = []
    for member in people:
        ask = Ask(
            kind=_kind(typed),
            provider=where.provider,
            action=Action.ADMIN_ASSIGN,
            principal_id=member.id,
            role_id=where.role_id,
            scope=where.scope,
            justification=period.read_reason(typed),
            ticket=period.read_ticket(typed),
            window=window,
            request_id=str(uuid5(nonce, f"{where.provider}/{where.role_id}/{where.scope}/{member.id}")),
        )
        done = submit(call.deps, call.caller, ask)
        if isinstance(done, Refusal):
            again = proof_needed(call, done, ACTION) if not outcomes else None
            if again is not None:
                return again
            outcomes.append(Outcome(member, problem=done.message))
        else:
            outcomes.append(Outcome(member, done.id, done.status is RequestStatus.GRANTED))
    problems = {one.problem for one in outcomes}
    if len(problems) == 1 and "" not in problems:  # the same is wrong for all: it is said where it was typed
        typed.wrong("", problems.pop())
        return _setting_step(call, typed, where, people)
    values = {
        "outcomes": outcomes,
        "where": where,
        "kind": _kind(typed),
        "list": f"{HERE}?tab={'eligible' if _kind(typed) is Kind.ELIGIBILITY else 'active'}&provider={where.provider.value}",
        "principal_kinds": KINDS,
    }
    return Show("assignment_added.html", values, 200 if "" in problems else 400, nav=NAV)


def _kind(typed: Typed) -> Kind:
    return Kind.ASSIGNMENT if typed.text("kind") == Kind.ASSIGNMENT.value else Kind.ELIGIBILITY


def _nonce(typed: Typed) -> UUID | None:
    try:
        return UUID(typed.text("nonce", 36))
    except ValueError:
        return None


PAGES: Final[tuple[Page, ...]] = (
    Page("GET", ACTION, begin),
    Page("POST", ACTION, step),
)
