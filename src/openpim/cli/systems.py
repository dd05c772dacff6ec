"""Other systems in `pim policy`: who is asked before people, and about tickets. OpenPIM only."""

from __future__ import annotations

from openpim.cli import match
from openpim.client.errors import PimError
from openpim.client.roles import named, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context

    Row = dict[str, Any]

__all__ = ["PATH", "add_options", "ask_first", "called", "given", "shown_stage", "shown_tickets", "tickets"]

PATH = "/openPim/channels"
_WORDS = {"refuse": "the request fails", "people": "people decide", "wait": "it is asked again"}


def add_options(parser: ArgumentParser) -> None:
    """The options of `pim policy set` about other systems."""
    from argparse import BooleanOptionalAction

    group = parser.add_argument_group("other systems (OpenPIM only; see: pim channels)")
    group.add_argument(
        "--ask-first",
        default="",
        metavar="SYSTEM|none",
        help="a system that decides before people are asked (a first stage of approval)",
    )
    group.add_argument(
        "--ask-when-down",
        default="",
        choices=("refuse", "people", "wait"),
        help="when it does not answer: the request fails, people decide, or it is asked again",
    )
    group.add_argument(
        "--ask-only", action="store_true", help="its Approved is enough: no people are asked after it"
    )
    group.add_argument(
        "--ask-auto-approve",
        action=BooleanOptionalAction,
        default=None,
        help="its AutoApproved takes the place of people",
    )
    group.add_argument(
        "--ticket-pattern",
        action="append",
        default=[],
        metavar="PATTERN|none",
        help="what ticket numbers look like: # a digit, #+ several, ? a letter or digit, * anything; several times for "
        "several (replaces those there)",
    )
    group.add_argument(
        "--ticket-system", default="", metavar="SYSTEM|none", help="a system that is asked about the ticket"
    )
    group.add_argument(
        "--ticket-when-down",
        default="",
        choices=("refuse", "accept"),
        help="when it does not answer: refuse the activation, or accept the ticket",
    )
    group.add_argument(
        "--ends-with-ticket",
        action=BooleanOptionalAction,
        default=None,
        help="an activation ends when its ticket is closed",
    )


def called(context: Context, given: str, kind: str = "") -> Row:
    """The channel of this name or id. kind: the only one it may be of."""
    rows = [row for row in context.graph.rows(PATH, beta=True) if kind in {"", text(row.get("kind"))}]
    return match.called(given, rows, kind or "channel", "list them: pim channels")


def given(args: Namespace) -> bool:
    """Whether something is to be set about who is asked first."""
    return bool(args.ask_first or args.ask_when_down or args.ask_only or args.ask_auto_approve is not None)


def ask_first(args: Namespace, stages: list[Row], context: Context) -> list[Row]:
    """The stages, with the system that decides first as the first one (or without it)."""
    if not given(args):
        return stages
    has = bool(stages) and bool(named(named(stages[0], "openPim"), "callout"))
    if args.ask_first.lower() == "none":
        return stages[1:] if has else stages
    if not args.ask_first and not has:
        raise PimError("usage", "no system is asked first", "say which with --ask-first SYSTEM")
    stage = dict(stages[0]) if has else {"approvalStageTimeOutInDays": 1, "openPim": {"timeOutInMinutes": 10}}
    ours = dict(named(stage, "openPim"))
    callout = dict(named(ours, "callout"))
    if args.ask_first:
        callout["customExtensionId"] = called(context, args.ask_first, "extension")["id"]
    if args.ask_when_down:
        callout["whenDown"] = args.ask_when_down
    if args.ask_auto_approve is not None:
        callout["mayAutoApprove"] = args.ask_auto_approve
    stage["openPim"] = {**ours, "callout": callout}
    people = stages[1:] if has else stages
    return [stage] if args.ask_only else [stage, *people]


def tickets(args: Namespace, rule: Row, context: Context) -> Row | None:
    """What is to be set about tickets; None for nothing given."""
    if not (
        args.ticket_pattern
        or args.ticket_system
        or args.ticket_when_down
        or args.ends_with_ticket is not None
    ):
        return None
    found = dict(named(named(rule, "openPim"), "tickets"))
    if args.ticket_pattern:
        found["patterns"] = [] if args.ticket_pattern == ["none"] else args.ticket_pattern
    if args.ticket_system:
        none = args.ticket_system.lower() == "none"
        found["customExtensionId"] = None if none else called(context, args.ticket_system, "extension")["id"]
    if args.ticket_when_down:
        found["whenDown"] = args.ticket_when_down
    if args.ends_with_ticket is not None:
        found["endsWithTicket"] = args.ends_with_ticket
    return found


def shown_stage(stage: Row) -> str:
    """`another system decides (people decide if it does not answer)`; empty for a stage of people."""
    callout = named(named(stage, "openPim"), "callout")
    if not callout:
        return ""
    down = _WORDS.get(text(callout.get("whenDown")), "")
    auto = "; may approve in the place of people" if callout.get("mayAutoApprove") is True else ""
    return f"system {text(callout.get('customExtensionId'))} decides; if it does not answer, {down}{auto}"


def shown_tickets(rule: Row) -> list[str]:
    """What is demanded of a ticket, in words."""
    found = named(named(rule, "openPim"), "tickets")
    words = []
    patterns = found.get("patterns")
    if isinstance(patterns, list) and patterns:
        words.append(f"like {' or '.join(str(one) for one in patterns)}")
    if found.get("customExtensionId"):
        words.append(
            f"checked with {text(found.get('customExtensionId'))} (down: {text(found.get('whenDown'))})"
        )
    if found.get("endsWithTicket") is True:
        words.append("activations end with it")
    return words
