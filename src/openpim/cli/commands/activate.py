"""`pim activate`: from a name to a role in force, asking for what its policy demands, and waiting for it."""

from __future__ import annotations

from openpim.cli.activation import Wish, body, complete, ticket_parts
from openpim.cli.choosing import choose, label, resolve_scope, scope_option
from openpim.cli.deciding import DEFAULT_TIMEOUT, failure, is_settled, watch, who_approves
from openpim.cli.exits import combined, exit_code
from openpim.cli.output import left, local
from openpim.client.errors import GraphError, PimError, StepUpError
from openpim.client.policy import Demand, policies
from openpim.client.roles import (
    APPROVAL,
    ASSIGNMENT_REQUESTS,
    PENDING,
    Asked,
    Holding,
    active_path,
    eligible_path,
    iso,
    pending_path,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context
    from openpim.client.graph import Graph

    Row = dict[str, Any]

DESCRIPTION = """Activate roles you are eligible for.  Names may be shortened as long as only one fits
(exact, then prefix, then substring, then initials).  A role that is active already counts as done."""
EXAMPLES = """examples:
  pim activate "Teams Administrator"
  pim activate teams exchange -d 2h -j "mail outage" -t JIRA:OPS-123
  pim activate "User Administrator" --au Berlin --until 18:00
  pim activate ga --dry-run          what would be missing
"""
COLUMNS = (
    ("role", "ROLE"), ("scopeName", "SCOPE"), ("state", "STATE"), ("end", "UNTIL", "time"),
    ("left", "LEFT"), ("request", "REQUEST"), ("message", ""),
)  # fmt: skip


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


class Attempt:
    """One name on its way: what it stands for, what was asked, what came of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.held: Holding | None = None
        self.scope = ""
        self.scope_name = ""
        self.demand = Demand(None)
        self.body: Row | None = None
        self.asked: Asked | None = None
        self.ends: float | None = None
        self.state = ""
        self.error: PimError | None = None

    @property
    def holding(self) -> Holding:
        """What the name stands for; only once that is known."""
        if self.held is None:
            raise PimError("unexpected", f"{self.name!r} stands for nothing")
        return self.held

    @property
    def label(self) -> str:
        return label(self.held) if self.held else self.name


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
    answers = graph.lists(eligible_path(), active_path(), pending_path())
    for answer in answers:
        if not isinstance(answer, list):
            raise answer
    eligible, active, pending = (answer for answer in answers if isinstance(answer, list))
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
    holding = [held for held in active if held.key == key]
    if holding:
        attempt.state = "already active"
        ends = [held.ends for held in holding]
        attempt.ends = None if None in ends else max(end for end in ends if end is not None)
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
    known = policies(graph, list(dict.fromkeys(one.held.role_id for one in todo if one.held)))
    for one in todo:
        one.demand = Demand(known.get(one.holding.role_id))
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
    calls: list[tuple[str, str, Row | None]] = [("POST", ASSIGNMENT_REQUESTS, one.body) for one in ready]
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


def _take(one: Attempt, answer: Any, wish: Wish) -> None:
    if isinstance(answer, StepUpError) and wish.validate:
        text = f"{one.label}: everything else is fine, but a stronger sign-in is needed ({answer.message})"
        one.error = PimError("policy", text, answer.hint)
    elif isinstance(answer, GraphError) and answer.code == "RoleAssignmentExists":
        one.state = "already active"
    elif isinstance(answer, PimError):
        answer.message = f"{one.label}: {answer.message}"
        if isinstance(answer, GraphError) and answer.rules:
            answer.hint = f"see what it demands: pim policy show {one.label!r}"
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


def _await(attempts: list[Attempt], context: Context, *, wait: bool, timeout: float) -> None:
    """Wait until every request is in force or refused, telling who has to approve."""
    open_ones = {
        str(index): one for index, one in enumerate(attempts) if one.asked and not one.error and not one.state
    }
    waiting = {key: one.asked for key, one in open_ones.items() if one.asked is not None}
    if not waiting:
        return
    approving = [one for one in open_ones.values() if one.asked and one.asked.status in APPROVAL]
    for one in approving:
        if not one.demand.approvers and one.held is not None:
            one.demand = Demand(policies(context.graph, [one.held.role_id]).get(one.held.role_id))
        context.note(
            f"{one.label} waits for approval by {who_approves(one.demand.approvers)} (request {one.asked.id if one.asked else ''})"
        )
    slow = not all(is_settled(asked) for asked in waiting.values())
    if slow and wait:
        try:
            waiting = watch(context.graph, waiting, timeout)
        except KeyboardInterrupt:
            context.note(
                "no longer waiting; the request goes on. See: pim requests   Take it back: pim cancel"
            )
            wait = False
    elif slow:  # without waiting, only what the server is already busy with
        busy = {key: asked for key, asked in waiting.items() if asked.status not in APPROVAL}
        waiting |= watch(context.graph, busy, min(timeout, 30.0)) if busy else {}
    for key, asked in waiting.items():
        _conclude(open_ones[key], asked, wait=wait)
    if slow:
        _read_ends(attempts, context.graph)


def _conclude(one: Attempt, asked: Asked, *, wait: bool) -> None:
    one.asked = asked
    one.error = failure(asked)
    if one.error:
        one.state = "denied" if one.error.kind == "denied" else "failed"
    elif asked.status in {"Provisioned", "ScheduleCreated"}:
        one.state, one.ends = "active", asked.ends
    elif is_settled(asked):
        one.state, one.ends = "scheduled", asked.ends
    elif asked.status in APPROVAL and not wait:
        one.state = "waiting"
    else:
        one.state = "waiting"
        text = f"{one.label} is not in force yet ({asked.status})"
        one.error = PimError("timeout", text, "the request goes on; see: pim requests")


def _read_ends(attempts: list[Attempt], graph: Graph) -> None:
    """After an approval the clock of the activation started anew: read when it ends."""
    if not any(one.state == "active" for one in attempts):
        return
    answer = graph.lists(active_path())[0]
    if not isinstance(answer, list):
        return
    held = {one.key: one for one in (Holding(row, eligible=False) for row in answer) if one.activated}
    for one in attempts:
        key = (one.held.role_id, one.scope.lower()) if one.held else ("", "")
        if one.state == "active" and key in held:
            one.ends = held[key].ends


def _row(one: Attempt) -> Row:
    asked = one.asked
    error = one.error
    return {
        "role": one.held.role if one.held else one.name,
        "roleDefinitionId": one.held.role_id if one.held else None,
        "scope": one.scope or None,
        "scopeName": one.scope_name or None,
        "state": one.state or ("failed" if error else "waiting"),
        "status": asked.status if asked else None,
        "start": iso(asked.starts) if asked else None,
        "end": iso(one.ends),
        "left": left(one.ends) if one.state in {"active", "already active"} else None,
        "request": asked.id if asked else None,
        "error": error.kind if error else None,
        "message": error.message if error else None,
        "hint": (error.hint or None) if error else None,
        "exitCode": _code(one),
    }


def _code(one: Attempt) -> int:
    if one.error:
        return exit_code(one.error.kind)
    return 3 if one.state == "waiting" else 0


def _sentence(one: Attempt) -> str:
    if one.state in {"active", "already active"}:
        word = "is active" if one.state == "active" else "is already active"
        if one.ends is None:
            return (
                f"{one.label} {word}."
                if one.asked or one.state == "active"
                else f"{one.label} {word}, permanently."
            )
        return f"{one.label} {word} until {local(iso(one.ends))} ({left(one.ends)} left)."
    if one.state == "scheduled" and one.asked:
        return f"{one.label} will be active from {local(iso(one.asked.starts))}."
    if one.state == "valid":
        return f"{one.label} could be activated now; nothing was changed."
    return f"{one.label} waits for approval (request {one.asked.id if one.asked else '?'}). See: pim requests"


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
        _await(attempts, context, wait=not args.no_wait, timeout=timeout)
    return _show(attempts, context)


def _show(attempts: list[Attempt], context: Context) -> int:
    if not context.printer.for_people:
        context.printer.rows([_row(one) for one in attempts], COLUMNS)
    elif len(attempts) == 1 and attempts[0].error:
        raise attempts[0].error
    else:
        for one in attempts:
            if one.error:
                context.printer.line(
                    f"{one.error.message}\n  {one.error.hint}" if one.error.hint else one.error.message
                )
            else:
                context.printer.line(_sentence(one))
    return combined([_code(one) for one in attempts])
