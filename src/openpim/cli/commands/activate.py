"""`pim activate`: from a name to a role in force, asking for what its policy demands, and waiting for it."""

from __future__ import annotations

from openpim.cli.activation import Wish, add_lasting, body, complete, wish_of
from openpim.cli.attempts import Attempt, await_all, demands, show, take_active
from openpim.cli.choosing import add_names, add_scope, scope_option
from openpim.cli.deciding import DEFAULT_TIMEOUT
from openpim.cli.finding import find, narrow
from openpim.client.errors import GraphError, PimError, StepUpError
from openpim.client.policy import demand_of
from openpim.client.roles import Asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context
    from openpim.client.pim import Pim

    Row = dict[str, Any]

DESCRIPTION = """Activate roles and groups you are eligible for, and roles on Azure resources as ROLE@PLACE.  Names may be
shortened as long as only one fits (exact, then prefix, then substring, then initials).  A role that is active already
counts as done."""
EXAMPLES = """examples:
  pim activate "Teams Administrator"
  pim activate teams exchange -d 2h -j "mail outage" -t JIRA:OPS-123
  pim activate "User Administrator" --au Berlin --until 18:00
  pim activate sg-admins             membership of a group; sg-admins:owner to own it
  pim activate Owner@prod            a role on a subscription; Owner@prod/rg-web on a resource group in it
  pim activate Owner --on mg:IT --reduce prod     eligible at a management group, active at one subscription
  pim activate ga --dry-run          what would be missing
"""

_RACES = {
    "RoleAssignmentExists", "PendingRoleAssignmentRequest", "RoleAssignmentRequestExists",
    "RoleAssignmentScheduleRequestExists", "OverlapsPendingRoleAssignmentRequests",
}  # fmt: skip


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    add_names(parser)
    add_lasting(parser, "how long: 2h, 90m, 1h30m (default: the longest the policy allows)")
    parser.add_argument("--start", default="", metavar="TIME", help="from when (default: now)")
    parser.add_argument("-j", "--justification", default="", metavar="TEXT", help="why")
    parser.add_argument("-t", "--ticket", default="", metavar="SYSTEM:NUMBER", help="the ticket this is for")
    add_scope(parser)
    parser.add_argument(
        "--reduce",
        default="",
        metavar="SCOPE",
        help="activate only at this place below the one where you are eligible",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="ask the server whether it would work, and change nothing"
    )
    parser.add_argument("--no-wait", action="store_true", help="do not wait for approval (exit code 3)")
    parser.add_argument(
        "--timeout", default="", metavar="DURATION", help="how long to wait at most (default: 15 minutes)"
    )


def _ready(attempts: list[Attempt], wish: Wish, context: Context) -> list[Attempt]:
    """Those that are to be sent, with their bodies; the others have an error or a state."""
    todo = [one for one in attempts if one.held and not one.error and not one.state and not one.asked]
    unknown = []
    for one in todo:
        told = one.holding.demands
        if told is None or (one.narrowed and one.holding.provider == "resource"):
            unknown.append(one)
        else:
            one.demand = demand_of(told)
    if unknown:
        demands(context.pim, unknown)
    if not todo:
        return []
    complete(wish, {one.label: one.demand for one in todo}, context)
    notes: list[str] = []
    me, stamp = context.graph.me, context.profile.kind == "entra"
    for one in todo:
        try:
            one.body = body(
                me, one.label, one.holding, one.scope, wish, one.demand, notes, stamp=stamp, link=one.linked
            )
        except PimError as error:
            one.error = error
    for note in notes:
        context.note(note)
    return [one for one in todo if one.body is not None]


def _send(ready: list[Attempt], wish: Wish, pim: Pim) -> None:
    calls = [(one.holding.provider, "assignment", one.body or {}) for one in ready]
    try:
        answers = pim.send_all(calls, step_up=not wish.validate)
    except PimError as error:
        if len(calls) > 1:
            raise
        answers = [error]
    for one, answer in zip(ready, answers, strict=True):
        _take(one, answer, wish)
    if any(one.raced for one in ready):
        _look_again([one for one in ready if one.raced], pim)


def _look_again(raced: list[Attempt], pim: Pim) -> None:
    """Another command asked for the same a moment before: what it got counts for this one too."""
    found = pim.mine("active", "pending")
    for one in raced:
        take_active(one, [held for held in found.active if held.key == one.key])
        asked = (asked for asked in found.pending if asked.key == one.key and asked.action == "selfActivate")
        one.asked = None if one.state else next(asked, None)
        if one.state or one.asked:
            one.error = None


def _take(one: Attempt, answer: Any, wish: Wish) -> None:
    if isinstance(answer, StepUpError) and wish.validate:
        text = f"{one.label}: everything else is fine, but a stronger sign-in is needed ({answer.message})"
        one.error = PimError("policy", text, answer.hint)
    elif isinstance(answer, PimError):
        answer.message = f"{one.label}: {answer.message}"
        if isinstance(answer, GraphError) and answer.rules:
            name = one.label if one.holding.provider == "resource" else one.holding.role
            answer.hint = f"see what it demands: pim policy show {name!r}"
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

    wish = wish_of(args)
    timeout = float(seconds_of(args.timeout, "--timeout")) if args.timeout else DEFAULT_TIMEOUT
    pim = context.pim
    mine = pim.mine("eligible", "active", "pending", lean=True)
    attempts = [Attempt(name) for name in dict.fromkeys(args.names)]
    for one in attempts:
        find(one, scope_option(args), pim, mine)
        if args.reduce and one.error is None:
            narrow(one, args.reduce, pim, mine)
    seen: set[tuple[str, str]] = set()
    for one in list(attempts):
        if one.key in seen:
            attempts.remove(one)
        seen.add(one.key)
    ready = _ready(attempts, wish, context)
    if ready:
        _send(ready, wish, pim)
    if wish.validate:
        unnamed = [one for one in ready if one.demand.approval and not one.demand.approvers and not one.error]
        if unnamed:
            demands(pim, unnamed)
        for one in attempts:
            if one.asked and not one.error:
                one.state = "waiting"
    else:
        await_all(attempts, context, wait=not args.no_wait, timeout=timeout)
    return show(attempts, context)
