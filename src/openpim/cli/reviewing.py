"""What an approver sees and does: `inbox`, `approve` and `deny` share it.

Approvals of directory roles are in beta at Microsoft; OpenPIM has them in both versions, and the same
path serves here.
"""

from __future__ import annotations

from openpim.cli.choosing import label
from openpim.cli.exits import combined, exit_code
from openpim.cli.match import ambiguous, fits, missing
from openpim.cli.output import one_line, short
from openpim.client.arm import APPROVALS_VERSION, AUTHORIZATION, versioned
from openpim.client.errors import GraphError, PimError
from openpim.client.resources import step
from openpim.client.roles import BASE, GROUPS, Asked, iso, length, named, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context
    from openpim.client.pim import Pim

    Row = dict[str, Any]

__all__ = ["COLUMNS", "configure", "decide", "inbox_row"]

_APPROVALS = {"directory": BASE + "/roleAssignmentApprovals", "group": GROUPS + "/assignmentApprovals"}
COLUMNS = (
    ("created", "ASKED", "time"), ("principal", "WHO"), ("what", "WHAT"), ("role", "ROLE"), ("scopeName", "SCOPE"),
    ("for", "FOR"), ("start", "FROM", "time"), ("justification", "WHY"), ("ticket", "TICKET"), ("id", "REQUEST"),
)  # fmt: skip
_DECIDED = {"RoleAssignmentRequestAlreadyApproved", "RoleAssignmentRequestAlreadyDecided"}
_ASKS = {"selfActivate": "activate", "selfExtend": "extend", "selfRenew": "renew"}


def _what(asked: Asked) -> str:
    """`activate`, `extend eligibility`, `renew assignment`."""
    word = _ASKS.get(asked.action, asked.action)
    if asked.action == "selfActivate":
        return word
    return f"{word} {'eligibility' if asked.eligibility else 'assignment'}"


def inbox_row(asked: Asked) -> Row:
    """A waiting request for output."""
    seconds = length(asked.duration)
    if not seconds and asked.ends and asked.starts:
        seconds = int(asked.ends - asked.starts)
    return {
        "id": asked.id,
        "approvalId": asked.approval_id or asked.id,
        "created": iso(asked.created),
        "status": asked.status,
        "action": asked.action,
        "kind": "eligibility" if asked.eligibility else "assignment",
        "what": _what(asked),
        "principal": asked.upn or asked.principal,
        "principalId": asked.principal_id,
        "provider": asked.provider,
        "role": asked.role,
        "roleDefinitionId": asked.role_id,
        "scope": asked.scope,
        "scopeName": asked.scope_name,
        "for": short(seconds) if seconds else None,
        "duration": asked.duration or None,
        "start": iso(asked.starts) if asked.status == "PendingApprovalProvisioning" else None,
        "justification": asked.justification or None,
        "ticket": asked.ticket or None,
    }


def configure(parser: ArgumentParser, verb: str) -> None:
    """The options of `approve` and `deny`."""
    parser.add_argument(
        "names", nargs="*", metavar="REQUEST", help="the beginning of its id, who asked, or the role"
    )
    parser.add_argument("--all", action="store_true", help=f"{verb} everything that waits for you")
    parser.add_argument("-j", "--justification", default="", metavar="TEXT", help="why")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask before --all")


def _names(asked: Asked) -> tuple[str, ...]:
    who = asked.upn or asked.principal
    return (
        asked.id,
        asked.principal,
        asked.upn,
        asked.role,
        f"{who} {asked.role}",
        f"{asked.principal} {asked.role}",
        label(asked),
    )


def _line(asked: Asked) -> str:
    what = "" if asked.action == "selfActivate" else f" ({_what(asked)})"
    return one_line(f"{label(asked)} for {asked.upn or asked.principal}{what}")


def _chosen(args: Namespace, context: Context, waiting: list[Asked], verb: str) -> list[Asked]:
    if args.all:
        if waiting and not args.yes:
            for asked in waiting:
                context.note(f"{_line(asked)}: {asked.justification or 'no justification'}")
            if not context.confirm(f"{verb.capitalize()} these {len(waiting)}?"):
                raise PimError(
                    "usage",
                    "--all was not confirmed; nothing was decided",
                    f"confirm it: pim {verb} --all --yes",
                )
        return waiting
    if not args.names:
        if len(waiting) == 1 and context.interactive:
            context.note(f"{_line(waiting[0])}: {waiting[0].justification or 'no justification'}")
            if context.confirm(f"{verb.capitalize()} this?"):
                return waiting
        raise PimError("usage", f"say which request to {verb}", "see: pim inbox")
    chosen: dict[str, Asked] = {}
    for name in args.names:
        found = fits(name, waiting, _names)
        if not found:
            known = (f"{asked.upn or asked.principal} {asked.role}" for asked in waiting)
            raise missing(name, known, "nothing that waits for your decision fits", "see: pim inbox")
        if len(found) > 1:
            raise ambiguous(
                name, [f"{_line(asked)}   ({asked.id})" for asked in found], "give the beginning of its id"
            )
        chosen[found[0].id] = found[0]
    return list(chosen.values())


def _address(asked: Asked) -> str:
    if asked.provider == "resource":  # there the id is a path
        key = asked.approval_id or asked.id
        return key if key.startswith("/") else f"{AUTHORIZATION}/roleAssignmentApprovals/{key}"
    return f"{_APPROVALS[asked.provider]}/{asked.approval_id or asked.id}"


def _steps(pim: Pim, asked: Asked) -> tuple[str, list[Row]]:
    """`(steps or stages, the list)` of an approval."""
    address, graph = _address(asked), pim.graph
    if asked.provider == "resource":
        rows = pim.need_arm().rows(versioned(f"{address}/stages", APPROVALS_VERSION))
        return "stages", [step(row) for row in rows]
    try:
        row = graph.get(f"{address}?$expand=steps", beta=True)
    except GraphError as error:
        if error.status != 400:
            raise
        row = graph.get(f"{address}?$expand=stages", beta=True)
    for member in ("steps", "stages"):
        value = row.get(member)
        if isinstance(value, list) and value:
            return member, [step for step in value if isinstance(step, dict)]
    return "steps", graph.rows(f"{address}/steps", beta=True)


def _mine(steps: list[Row]) -> Row | None:
    open_ones = _undecided(steps)
    told = any(isinstance(step.get("assignedToMe"), bool) for step in steps)
    mine = [step for step in open_ones if step.get("assignedToMe") is True] if told else open_ones
    running = [step for step in mine if text(step.get("status")) in {"InProgress", ""}]
    return next(iter(running or mine), None)


def _undecided(steps: list[Row]) -> list[Row]:
    ended = {"Completed", "Expired", "TimedOut"}
    return [
        step
        for step in steps
        if text(step.get("reviewResult")).lower() in {"", "notreviewed"}
        and text(step.get("status")) not in ended
    ]


def _record(pim: Pim, asked: Asked, where: str, body: Row) -> None:
    """Send the decision to a step (or stage) of the approval."""
    if asked.provider == "resource":
        path = versioned(f"{_address(asked)}/{where}", APPROVALS_VERSION)
        pim.need_arm().request("PUT", path, {"properties": body})
    else:
        pim.graph.request("PATCH", f"{_address(asked)}/{where}", body, beta=True)


def _after_approval(pim: Pim, asked: Asked) -> str:
    """Whether that was the last approval: there may be more stages, or several approvers in one."""
    try:
        left = _undecided(_steps(pim, asked)[1])
    except GraphError:  # who has decided may no longer look
        return "approved"
    return "approved; more approvals are needed" if left else "approved"


def _decide_one(pim: Pim, asked: Asked, result: str, why: str) -> str:
    """Record the decision; returns what became of the request: a word for the table."""
    member, steps = _steps(pim, asked)
    mine = _mine(steps)
    if mine is None:
        return _decided_before(steps, asked, result)
    try:
        _record(
            pim, asked, f"{member}/{text(mine.get('id'))}", {"reviewResult": result, "justification": why}
        )
    except GraphError as error:
        if error.status == 409 or error.code in _DECIDED:
            return _decided_before(_steps(pim, asked)[1], asked, result)
        raise
    if result == "Deny":
        return "denied"
    return _after_approval(pim, asked)


def _decided_before(steps: list[Row], asked: Asked, result: str) -> str:
    last = next(
        (step for step in reversed(steps) if text(step.get("reviewResult")) in {"Approve", "Deny"}), {}
    )
    if text(last.get("reviewResult")) == result:
        return "approved before" if result == "Approve" else "denied before"
    reviewer = named(last, "reviewedBy")
    who = text(reviewer.get("displayName")) or text(reviewer.get("userPrincipalName")) or "somebody else"
    became = {"Approve": "approved", "Deny": "denied"}.get(text(last.get("reviewResult")), "")
    if became:
        raise PimError(
            "denied", f"{_line(asked)} was {became} already by {who}", "see: pim requests --everyone"
        )
    raise PimError("denied", f"{_line(asked)} is not yours to decide", "see: pim inbox")


def decide(args: Namespace, context: Context, result: str) -> int:
    """`approve` and `deny`: choose, ask for a reason, record."""
    verb = "approve" if result == "Approve" else "deny"
    pim = context.pim
    waiting = pim.mine("inbox").inbox
    if not waiting and not args.names:
        context.printer.rows([], COLUMNS, empty="Nothing waits for your decision.")
        return 0
    chosen = _chosen(args, context, waiting, verb)
    why = args.justification.strip()
    if not why and context.interactive:
        why = context.ask("Justification")
    if not why:
        raise PimError("policy", "a decision needs a justification", f"add it: pim {verb} REQUEST -j TEXT")
    rows = []
    failed: list[PimError] = []
    for asked in chosen:
        row = {
            "id": asked.id,
            "role": asked.role,
            "principal": asked.upn or asked.principal,
            "what": _what(asked),
            "state": "",
            "message": None,
            "exitCode": 0,
        }
        try:
            row["state"] = _decide_one(pim, asked, result, why)
        except PimError as error:
            if error.kind in {"signin", "server"}:
                raise
            failed.append(error)
            row.update(state="failed", message=error.message, exitCode=exit_code(error.kind))
        rows.append(row)
        if context.printer.for_people and not (failed and len(chosen) == 1):
            context.printer.line(f"{_line(asked)}: {row['message'] or row['state']}.")
    if not context.printer.for_people:
        context.printer.rows(
            rows,
            (("id", "REQUEST"), ("principal", "WHO"), ("role", "ROLE"), ("state", "STATE"), ("message", "")),
        )
    elif failed and len(chosen) == 1:
        raise failed[0]
    return combined([int(str(row["exitCode"])) for row in rows])
