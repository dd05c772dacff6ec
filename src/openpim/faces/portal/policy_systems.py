"""The part of the role settings' form that is about other systems: who is asked before people, and about the ticket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openpim.core.policy import AskFirst, Policy, Stage, WhenDown
from openpim.core.tickets import TicketRules, TicketsDown, pattern_fault
from openpim.faces.portal.call import Call
from openpim.faces.portal.typed import Typed
from openpim.faces.portal.words import t
from openpim.services.channels import manage

DOWN: Final = {
    WhenDown.REFUSE: "the request fails",
    WhenDown.PEOPLE: "people decide",
    WhenDown.WAIT: "it is asked again until its time is over",
}
TICKETS_DOWN: Final = {
    TicketsDown.REFUSE: "the activation is refused",
    TicketsDown.ACCEPT: "the ticket is accepted",
}
_MOST: Final = 2000


def people_of(policy: Policy) -> tuple[Stage, ...]:
    """The stages that people decide: those the rest of the form is about."""
    return tuple(stage for stage in policy.approval.stages if stage.callout is None)


def write(policy: Policy) -> dict[str, str]:
    found = {
        "ticket_patterns": ", ".join(policy.tickets.patterns),
        "ticket_system": policy.tickets.system_id or "",
        "ticket_down": policy.tickets.when_down.value,
        "ticket_ends": "on" if policy.tickets.ends_with_ticket else "",
    }
    first = next((one for one in policy.approval.stages if one.callout is not None), None)
    if first is not None and first.callout is not None and policy.approval.required:
        found |= {
            "ask_system": first.callout.channel_id,
            "ask_down": first.callout.when_down.value,
            "ask_auto": "on" if first.callout.may_auto_approve else "",
            "ask_minutes": str(first.timeout_minutes),
            "ask_then": "people" if people_of(policy) else "alone",
        }
    return found


def beyond_the_form(policy: Policy) -> str:
    """What is set that this form cannot show; saving it would take it away."""
    asked = [number for number, stage in enumerate(policy.approval.stages) if stage.callout is not None]
    if asked in ([], [0]):
        return ""
    return t("Another system decides a later stage of these settings: change them with pim or the API.")


def read_asking(typed: Typed, people: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """All stages: the system's, if one is chosen, and those of people."""
    channel_id = typed.text("ask_system", 36).lower()
    if not channel_id:
        return people
    down, then = typed.text("ask_down", 10), typed.text("ask_then", 10)
    if down not in list(WhenDown):
        typed.wrong("ask_down", t("Choose one of the list."))
        down = WhenDown.REFUSE.value
    minutes = typed.number("ask_minutes", 1, 60 * 24 * 60, 10)
    asked = AskFirst(channel_id, WhenDown(down), typed.on("ask_auto"))
    return (Stage(timeout_minutes=minutes, callout=asked), *(() if then == "alone" else people))


def read_tickets(typed: Typed) -> TicketRules:
    patterns = tuple(
        dict.fromkeys(one.strip() for one in typed.text("ticket_patterns", _MOST).split(",") if one.strip())
    )
    wrong = next((found for one in patterns if (found := pattern_fault(one))), None)
    if wrong is not None:
        typed.wrong("ticket_patterns", t(wrong))
    system = typed.text("ticket_system", 36).lower() or None
    down = typed.text("ticket_down", 10) or TicketsDown.REFUSE.value
    if down not in list(TicketsDown):
        typed.wrong("ticket_down", t("Choose one of the list."))
        down = TicketsDown.REFUSE.value
    ends = typed.on("ticket_ends")
    if ends and system is None:
        typed.wrong("ticket_system", t("Choose the system that says when a ticket is closed."))
    return TicketRules(patterns, system, TicketsDown(down), ends)


def choices(call: Call, typed: Typed) -> dict[str, object]:
    """For the template. What is chosen now can be chosen, even if it was removed."""
    known = dict(manage.askable(call.deps, call.caller))
    for name in ("ask_system", "ticket_system"):
        chosen = typed.text(name, 36)
        if chosen:
            known.setdefault(chosen, t("A system that was removed"))
    return {
        "systems": sorted(known.items(), key=lambda one: one[1].casefold()),
        "downs": [(one.value, t(words)) for one, words in DOWN.items()],
        "ticket_downs": [(one.value, t(words)) for one, words in TICKETS_DOWN.items()],
    }


def facts(policy: Policy, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """What the settings' page says about it. names: of systems too, where they are known."""
    found = []
    for stage in policy.approval.stages if policy.approval.required else ():
        if stage.callout is not None:
            auto = t("its AutoApproved takes the place of people") if stage.callout.may_auto_approve else ""
            found += [
                (
                    t("Another system is asked first"),
                    "; ".join(
                        one
                        for one in (
                            names.get(stage.callout.channel_id, t("Yes")),
                            t("if it does not answer, {what}", what=t(DOWN[stage.callout.when_down])),
                            auto,
                        )
                        if one
                    ),
                )
            ]
    rules = policy.tickets
    if rules.patterns:
        found.append((t("Ticket numbers look like"), ", ".join(rules.patterns)))
    if rules.system_id is not None:
        down = t("if it does not answer, {what}", what=t(TICKETS_DOWN[rules.when_down]))
        found.append(
            (t("Tickets are checked with"), f"{names.get(rules.system_id, t('another system'))}; {down}")
        )
    if rules.ends_with_ticket:
        found.append((t("Activations end with their ticket"), t("Yes")))
    return found
