"""The body of an activation, and of one that is to last longer: how long, from when, why; clamped to what the policy and the
eligibility allow."""

from __future__ import annotations

from openpim.cli.output import short
from openpim.client import clock
from openpim.client.errors import PimError
from openpim.client.instants import iso, iso_duration
from openpim.client.roles import subject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context
    from openpim.client.policy import Demand
    from openpim.client.roles import Holding

    Row = dict[str, Any]

__all__ = ["Wish", "add_lasting", "asking", "body", "complete", "wish_of"]

_UNKNOWN_LONGEST = 8 * 3600  # the default of an untouched policy


class Wish:
    """What the person typed, the same for every role of one command."""

    __slots__ = ("duration", "justification", "start", "ticket", "until", "validate")

    def __init__(
        self, *, duration: int = 0, until: float | None = None, start: float | None = None,
        justification: str = "", ticket: str = "", validate: bool = False,
    ) -> None:  # fmt: skip
        self.duration = duration
        self.until = until
        self.start = start
        self.justification = justification
        self.ticket = ticket
        self.validate = validate


def add_lasting(parser: ArgumentParser, text: str) -> None:
    """How long, in one of two ways; text: what -d is."""
    parser.add_argument("-d", "--duration", default="", metavar="DURATION", help=text)
    parser.add_argument(
        "--until", default="", metavar="TIME", help="until when: 18:00, 'tomorrow 9:00', 2026-11-21T18:00"
    )


def wish_of(args: Namespace) -> Wish:
    """What the options say; not every command has all of them."""
    from openpim.cli.times import moment, seconds_of

    if args.duration and args.until:
        raise PimError("usage", "-d and --until exclude each other", "give one of them")
    ticket, start = getattr(args, "ticket", ""), getattr(args, "start", "")
    if ticket:
        ticket_parts(ticket)
    return Wish(
        duration=seconds_of(args.duration, "-d") if args.duration else 0,
        until=moment(args.until, "--until") if args.until else None,
        start=moment(start, "--start") if start else None,
        justification=args.justification.strip(),
        ticket=ticket,
        validate=getattr(args, "dry_run", False),
    )


def ticket_parts(ticket: str) -> tuple[str, str]:
    """`(system, number)` of `SYSTEM:NUMBER`."""
    system, colon, number = ticket.partition(":")
    if not (colon and system.strip() and number.strip()):
        raise PimError("usage", f"{ticket[:80]!r} is no ticket", "write it like -t JIRA:OPS-123")
    return system.strip(), number.strip()


def complete(wish: Wish, demands: dict[str, Demand], context: Context) -> None:
    """Ask the person for what the policies demand and the command line left out."""
    if not context.interactive:
        return
    reasons = [name for name, demand in demands.items() if demand.justification]
    if reasons and not wish.justification:
        wish.justification = context.ask(f"Justification for {', '.join(reasons)}")
    tickets = [name for name, demand in demands.items() if demand.ticket]
    if tickets and not wish.ticket:
        answer = context.ask(f"Ticket for {', '.join(tickets)} (SYSTEM:NUMBER)")
        if answer:
            ticket_parts(answer)
            wish.ticket = answer


def lacking(wish: Wish, demand: Demand) -> list[str]:
    """What the policy demands and the wish lacks, as options."""
    lacks = []
    if demand.justification and not wish.justification:
        lacks.append("a justification (-j TEXT)")
    if demand.ticket and not wish.ticket:
        lacks.append("a ticket (-t SYSTEM:NUMBER)")
    return lacks


def _expiration(name: str, held: Holding, wish: Wish, demand: Demand, notes: list[str]) -> Row:
    start = clock.now() if wish.start is None else wish.start
    longest = demand.longest or _UNKNOWN_LONGEST
    asked = wish.duration or longest
    exact: float | None = None
    if wish.until is not None:
        exact, asked = wish.until, int(wish.until - start)
        if asked <= 0:
            raise PimError(
                "usage", "--until lies before the start", "give a later time, or a duration: -d 2h"
            )
    if demand.longest and asked > demand.longest:
        notes.append(f"{name}: the policy allows at most {short(longest)}; asking for that")
        asked, exact = longest, None
    if held.eligible and held.ends is not None and start + asked > held.ends > start:
        notes.append(f"{name}: your eligibility ends before that; asking until then")
        exact = held.ends
    if exact is not None:
        return {"type": "afterDateTime", "endDateTime": iso(exact)}
    return {"type": "afterDuration", "duration": iso_duration(asked)}


def body(
    me: str, name: str, held: Holding, scope: str, wish: Wish, demand: Demand, notes: list[str], *, stamp: bool,
    link: bool = True, action: str = "selfActivate",
) -> Row:  # fmt: skip
    """The request to activate `held` at `scope`, called `name`; `stamp` writes a start also where it is now (Entra wants one).

    link: name the eligibility it rests on, where it is a resource's.  action: selfExtend, where `held` is the activation.

    Raises a policy error that names everything missing.  What was shortened is added to `notes`.
    """
    lacks = lacking(wish, demand)
    if lacks:
        text = f"{name}: the role's policy also demands {' and '.join(lacks)}"
        raise PimError(
            "policy",
            text,
            "add " + " ".join("-j TEXT" if "-j" in lack else "-t SYSTEM:NUMBER" for lack in lacks),
        )
    schedule: Row = {"expiration": _expiration(name, held, wish, demand, notes)}
    if wish.start is not None or stamp:
        schedule["startDateTime"] = iso(wish.start if wish.start is not None else clock.now())
    row = asking(me, action, held, scope, wish) | {
        "scheduleInfo": schedule,
        "isValidationOnly": wish.validate,
    }
    if held.provider == "resource" and link:
        row["linkedRoleEligibilityScheduleId"] = held.schedule_id or None
    return row


def asking(me: str, action: str, held: Holding, scope: str, wish: Wish) -> Row:
    """What every request of a holder says: what, of which role, where, why."""
    row: Row = {
        "action": action,
        "principalId": me,
        **subject(held.provider, held.role_id, scope),
        "justification": wish.justification or None,
    }
    if wish.ticket:
        system, number = ticket_parts(wish.ticket)
        row["ticketInfo"] = {"ticketSystem": system, "ticketNumber": number}
    return row
