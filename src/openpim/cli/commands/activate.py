"""`pim activate`: from a name to a role in force, asking for what its policy demands, and waiting for it."""

from __future__ import annotations

from openpim.cli.activation import Wish, body, complete, ticket_parts
from openpim.cli.attempts import Attempt, await_all, code, row, sentence, take_active
from openpim.cli.choosing import choose, resolve_scope, scope_option
from openpim.cli.deciding import DEFAULT_TIMEOUT
from openpim.cli.exits import combined
from openpim.client.errors import GraphError, PimError, StepUpError
from openpim.client.policy import Demand, policies_of
from openpim.client.roles import (
    PENDING,
    Asked,
    Holding,
    active_paths,
    both,
    eligible_paths,
    pending_paths,
    requests_base,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context
    from openpim.client.graph import Graph

    Row = dict[str, Any]

DESCRIPTION = """Activate roles and groups you are eligible for.  Names may be shortened as long as only one fits
(exact, then prefix, then substring, then initials).  A role that is active already counts as done."""
EXAMPLES = """examples:
  pim activate "Teams Administrator"
  pim activate teams exchange -d 2h -j "mail outage" -t JIRA:OPS-123
  pim activate "User Administrator" --au Berlin --until 18:00
  pim activate sg-admins             membership of a group; sg-admins:owner to own it
  pim activate ga --dry-run          what would be missing
"""
COLUMNS = (
    ("role", "ROLE"), ("scopeName", "SCOPE"), ("state", "STATE"), ("end", "UNTIL", "time"),
    ("left", "LEFT"), ("request", "REQUEST"), ("message", ""),
)  # fmt: skip

_RACES = {"RoleAssignmentExists", "PendingRoleAssignmentRequest", "RoleAssignmentRequestExists"}


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "names", nargs="+", metavar="NAME", help="role name, a part of it, its initials, or its id"
    )
    parser.add_argument(
        "-d",
        "--duration",
        default="",
        metavar="DURATION",
        help="how long: 2h, 90m, 1h30m (default: the longest the policy allows)",
    )
    parser.add_argument(
        "--until", default="", metavar="TIME", help="until when: 18:00, 'tomorrow 9:00', 2026-11-21T18:00"
    )
    parser.add_argument("--start", default="", metavar="TIME", help="from when (default: now)")
    parser.add_argument("-j", "--justification", default="", metavar="TEXT", help="why")
    parser.add_argument("-t", "--ticket", default="", metavar="SYSTEM:NUMBER", help="the ticket this is for")
    parser.add_argument(
        "--scope",
        "--au",
        default="",
        metavar="SCOPE",
        dest="scope",
        help="where: an administrative unit by name or id, or a scope path",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="ask the server whether it would work, and change nothing"
    )
    parser.add_argument("--no-wait", action="store_true", help="do not wait for approval (exit code 3)")
    parser.add_argument(
        "--timeout", default="", metavar="DURATION", help="how long to wait at most (default: 15 minutes)"
    )


def _wish(args: Namespace) -> Wish:
    from openpim.cli.times import moment, seconds_of

    if args.duration and args.until:
        raise PimError("usage", "-d and --until exclude each other", "give one of them")
    if args.ticket:
        ticket_parts(args.ticket)
    return Wish(
        duration=seconds_of(args.duration, "-d") if args.duration else 0,
        until=moment(args.until, "--until") if args.until else None,
        start=moment(args.start, "--start") if args.start else None,
        justification=args.justification.strip(),
        ticket=args.ticket,
        validate=args.dry_run,
    )


def _lists(graph: Graph) -> tuple[list[Holding], list[Holding], list[Asked]]:
    eligible, active, pending = both(graph, eligible_paths(), active_paths(), pending_paths())
    me = graph.me
    return (
        [Holding(row, eligible=True, me=me) for row in eligible],
        [Holding(row, eligible=False, me=me) for row in active],
        [
            asked
            for row in pending
            if (asked := Asked(row)).status in PENDING and asked.action.lower() == "selfactivate"
        ],
    )


def _find(
    attempt: Attempt, scope: str, graph: Graph, lists: tuple[list[Holding], list[Holding], list[Asked]]
) -> None:
    """Decide which role and scope the name means, and whether it is active or asked for already."""
    eligible, active, pending = lists
    what, hint = "you are not eligible for a role called", "see: pim list eligible"
    every = [*eligible, *active]
    found = choose(attempt.name, every, scope, what=what, hint=hint)
    if isinstance(found, PimError) and scope and found.kind == "missing":
        found = _narrowed(attempt, scope, graph, eligible, found)
    if isinstance(found, PimError):
        attempt.error = found
        return
    entitled = [held for held in found if held.eligible]
    # Of several eligibilities for the same thing the one that lasts longest.
    attempt.held = max(entitled or found, key=lambda held: float("inf") if held.ends is None else held.ends)
    if not attempt.scope:
        attempt.scope, attempt.scope_name = attempt.held.scope, attempt.held.scope_name
    key = (attempt.held.role_id, attempt.scope.lower())
    take_active(attempt, [held for held in active if held.key == key])
    if attempt.state:
        return
    attempt.asked = next((asked for asked in pending if asked.key == key), None)


def _narrowed(
    attempt: Attempt, scope: str, graph: Graph, eligible: list[Holding], failed: PimError
) -> list[Holding] | PimError:
    """A role held for the whole organization may be activated for a part of it."""
    wide = [held for held in eligible if held.scope == "/"]
    found = choose(attempt.name, wide, "", what="", hint="")
    if isinstance(found, PimError):
        return failed
    resolved = resolve_scope(graph, scope)
    if isinstance(resolved, PimError):
        return resolved
    attempt.scope, attempt.scope_name = resolved
    return found


def _ready(attempts: list[Attempt], wish: Wish, context: Context) -> list[Attempt]:
    """Those that are to be sent, with their bodies; the others have an error or a state."""
    todo = [one for one in attempts if one.held and not one.error and not one.state and not one.asked]
    if not todo:
        return []
    graph = context.graph
    known = policies_of(graph, [one.holding for one in todo])
    for one in todo:
        one.demand = Demand(known.get(one.holding.key))
    complete(wish, {one.label: one.demand for one in todo}, context)
    notes: list[str] = []
    stamp = context.profile.kind == "entra"
    for one in todo:
        try:
            one.body = body(graph.me, one.holding, one.scope, wish, one.demand, notes, stamp=stamp)
        except PimError as error:
            one.error = error
    for note in notes:
        context.note(note)
    return [one for one in todo if one.body is not None]


def _send(ready: list[Attempt], wish: Wish, graph: Graph) -> None:
    calls: list[tuple[str, str, Row | None]] = [
        ("POST", requests_base(one.holding.provider), one.body) for one in ready
    ]
    answers: list[Any]
    if len(calls) == 1:
        try:
            answers = [graph.request(*calls[0], step_up=not wish.validate)]
        except PimError as error:
            answers = [error]
    else:
        answers = graph.batch(calls, step_up=not wish.validate)
    for one, answer in zip(ready, answers, strict=True):
        _take(one, answer, wish)
    if any(one.raced for one in ready):
        _look_again([one for one in ready if one.raced], graph)


def _look_again(raced: list[Attempt], graph: Graph) -> None:
    """Another command asked for the same a moment before: what it got counts for this one too."""
    _, active, pending = _lists(graph)
    for one in raced:
        key = (one.holding.role_id, one.scope.lower())
        take_active(one, [held for held in active if held.key == key])
        one.asked = None if one.state else next((asked for asked in pending if asked.key == key), None)
        if one.state or one.asked:
            one.error = None


def _take(one: Attempt, answer: Any, wish: Wish) -> None:
    if isinstance(answer, StepUpError) and wish.validate:
        text = f"{one.label}: everything else is fine, but a stronger sign-in is needed ({answer.message})"
        one.error = PimError("policy", text, answer.hint)
    elif isinstance(answer, PimError):
        answer.message = f"{one.label}: {answer.message}"
        if isinstance(answer, GraphError) and answer.rules:
            answer.hint = f"see what it demands: pim policy show {one.holding.role!r}"
        one.raced = isinstance(answer, GraphError) and answer.code in _RACES
        one.error = answer
    elif not isinstance(answer, dict):
        one.error = PimError(
            "server", f"{one.label}: the server answered without a request", "see: pim requests"
        )
    elif wish.validate:
        one.state = "valid"
        one.ends = Asked(answer).ends
    else:
        one.asked = Asked(answer)
        one.asked.role, one.asked.scope_name = one.holding.role, one.scope_name


def run(args: Namespace, context: Context) -> int:
    """Activate; the exit code is the common one, or 10 if some failed."""
    from openpim.cli.times import seconds_of

    wish = _wish(args)
    timeout = float(seconds_of(args.timeout, "--timeout")) if args.timeout else DEFAULT_TIMEOUT
    graph = context.graph
    lists = _lists(graph)
    attempts = [Attempt(name) for name in dict.fromkeys(args.names)]
    for one in attempts:
        _find(one, scope_option(args), graph, lists)
    seen: set[tuple[str, str]] = set()
    for one in list(attempts):
        key = (one.held.role_id, one.scope.lower()) if one.held else ("", one.name)
        if key in seen:
            attempts.remove(one)
        seen.add(key)
    ready = _ready(attempts, wish, context)
    if ready:
        _send(ready, wish, graph)
    if wish.validate:
        for one in attempts:
            if one.asked and not one.error:
                one.state = "waiting"
    else:
        await_all(attempts, context, wait=not args.no_wait, timeout=timeout)
    return _show(attempts, context)


def _show(attempts: list[Attempt], context: Context) -> int:
    if not context.printer.for_people:
        context.printer.rows([row(one) for one in attempts], COLUMNS)
    elif len(attempts) == 1 and attempts[0].error:
        raise attempts[0].error
    else:
        for one in attempts:
            if one.error:
                context.printer.line(
                    f"{one.error.message}\n  {one.error.hint}" if one.error.hint else one.error.message
                )
            else:
                context.printer.line(sentence(one))
    return combined([code(one) for one in attempts])
