"""What `pim extend` and `pim renew` share: asking that something lasts longer, or is given again, and telling what came of
it.  What an administrator gave is for an administrator to prolong: such a request waits for a decision.
"""

from __future__ import annotations

from openpim.cli.activation import add_lasting, asking, body, complete
from openpim.cli.attempts import await_all, demands, show
from openpim.cli.choosing import add_names, add_scope
from openpim.cli.deciding import DEFAULT_TIMEOUT
from openpim.cli.output import local
from openpim.client.errors import GraphError, PimError
from openpim.client.instants import iso, iso_duration
from openpim.client.policy import demand_of
from openpim.client.roles import Asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from typing import Any

    from openpim.cli.activation import Wish
    from openpim.cli.attempts import Attempt
    from openpim.cli.context import Context
    from openpim.client.roles import Holding

    Row = dict[str, Any]

__all__ = ["asked_already", "configure", "prolong"]

_EXISTS = {"RoleAssignmentExists", "RoleAssignmentScheduleExists"}


def configure(parser: ArgumentParser, longest: str) -> None:
    """The options of both; longest: what lasts how long where nothing is said."""
    add_names(parser)
    add_lasting(parser, f"how long from now: 2h, 90d, 6mo (default: {longest})")
    parser.add_argument("-j", "--justification", default="", metavar="TEXT", help="why")
    add_scope(parser)
    parser.add_argument("--no-wait", action="store_true", help="do not wait for a decision (exit code 3)")
    parser.add_argument(
        "--timeout", default="", metavar="DURATION", help="how long to wait at most (default: 15 minutes)"
    )


def asked_already(one: Attempt, pending: Sequence[Asked]) -> Asked | None:
    """The request of before that waits for the same."""
    eligibility = one.kind == "eligibility"
    return next(
        (
            asked
            for asked in pending
            if asked.key == one.key
            and asked.action.lower() == one.action.lower()
            and asked.eligibility == eligibility
        ),
        None,
    )


def prolong(
    attempts: list[Attempt], wish: Wish, args: Namespace, context: Context, eligible: Sequence[Holding] = ()
) -> int:
    """Ask for all of them, wait, and tell.  eligible: what is known of what activations demand."""
    from openpim.cli.times import seconds_of

    timeout = float(seconds_of(args.timeout, "--timeout")) if args.timeout else DEFAULT_TIMEOUT
    todo: dict[tuple[str, tuple[str, str]], Attempt] = {}
    for one in list(attempts):
        if one.held is None or one.error:
            continue
        if (one.kind, one.key) in todo:
            attempts.remove(one)
        todo.setdefault((one.kind, one.key), one)
    ready = [one for one in todo.values() if not one.asked]
    _prepare(ready, wish, context, eligible)
    ready = [one for one in ready if one.body is not None]
    calls = [
        (one.holding.provider, "eligibility" if one.kind == "eligibility" else "assignment", one.body or {})
        for one in ready
    ]
    for one, answer in zip(ready, context.pim.send_all(calls), strict=True):
        _take(one, answer, ours=context.pim.ours)
    await_all(attempts, context, wait=not args.no_wait, timeout=timeout)
    return show(attempts, context)


def _prepare(ready: list[Attempt], wish: Wish, context: Context, eligible: Sequence[Holding]) -> None:
    """Write the bodies; a running activation is extended under the rules of an activation."""
    running = [one for one in ready if one.kind == "activation"]
    unknown = []
    for one in running:
        told = next((held.demands for held in eligible if held.key == one.key and held.demands), None)
        if told is None:
            unknown.append(one)
        else:
            one.demand = demand_of(told)
    if unknown:
        demands(context.pim, unknown)
    if running:
        complete(wish, {one.label: one.demand for one in running}, context)
    me, notes = context.graph.me, list[str]()
    for one in ready:
        try:
            one.body = (
                body(
                    me, one.label, one.holding, one.scope, wish, one.demand, notes,
                    stamp=False, link=False, action=one.action,
                )
                if one.kind == "activation"
                else _lasting(me, one, wish)
            )  # fmt: skip
        except PimError as error:
            one.error = error
    for note in notes:
        context.note(note)


def _lasting(me: str, one: Attempt, wish: Wish) -> Row:
    """Without a time, who decides gives the longest that the policy allows."""
    row = asking(me, one.action, one.holding, one.scope, wish)
    if wish.until is not None:
        row["scheduleInfo"] = {"expiration": {"type": "afterDateTime", "endDateTime": iso(wish.until)}}
    elif wish.duration:
        row["scheduleInfo"] = {
            "expiration": {"type": "afterDuration", "duration": iso_duration(wish.duration)}
        }
    return row


def _take(one: Attempt, answer: Any, *, ours: bool) -> None:
    if isinstance(answer, PimError):
        answer.message = f"{one.label}: {answer.message}"
        answer.hint = _hint(one, answer, ours=ours) or answer.hint
        one.error = answer
    elif not isinstance(answer, dict):
        one.error = PimError(
            "server", f"{one.label}: the server answered without a request", "see: pim requests"
        )
    else:
        one.asked = Asked(answer, eligibility=one.kind == "eligibility")
        one.asked.role, one.asked.scope_name = one.holding.role, one.scope_name


def _hint(one: Attempt, error: PimError, *, ours: bool) -> str:
    """What to do next; "" where the error knows better."""
    held = one.holding
    if not isinstance(error, GraphError) or error.kind not in {"usage", "denied", "policy", "missing"}:
        return ""
    if one.kind == "activation":
        if not ours:
            return "Microsoft Entra does not extend activations: activate again when it has ended"
        return f"see what it demands: pim policy show {held.role!r}" if error.rules else ""
    if error.code in _EXISTS and one.action == "selfRenew":
        return f"to let it last longer: pim extend {one.name!r}"
    if error.kind == "missing" and one.action == "selfRenew":
        return "nothing of yours has expired there; an administrator can give it anew: pim assign"
    if one.action == "selfExtend" and held.via:
        return f"it comes through {held.via}: ask whoever looks after that group"
    return f"it ends {local(iso(held.ends))}" if error.kind == "usage" and held.ends is not None else ""
