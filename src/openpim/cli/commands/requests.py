"""`pim requests`: what was asked for, and what became of it."""

from __future__ import annotations

from openpim.client.arm import at
from openpim.client.errors import GraphError
from openpim.client.resources import flat
from openpim.client.roles import EXPAND, EXPAND_GROUP, PENDING, Asked, iso, requests_base, requests_paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context
    from openpim.client.pim import Pim

    Row = dict[str, Any]

DESCRIPTION = "List your requests, the newest first, and what became of them."
EXAMPLES = """examples:
  pim requests
  pim requests --pending
  pim requests --everyone --status Denied     for administrators
"""
COLUMNS = (
    ("created", "ASKED", "time"), ("role", "ROLE"), ("scopeName", "SCOPE"), ("principal", "WHO"), ("action", "ACTION"),
    ("status", "STATUS"), ("end", "UNTIL", "time"), ("justification", "WHY"), ("ticket", "TICKET"),
    ("failure", "FAILED BECAUSE"), ("id", "REQUEST"),
)  # fmt: skip


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--pending", action="store_true", help="only those that are not decided or not in force"
    )
    parser.add_argument(
        "--status", default="", metavar="STATUS", help="only those with this status, such as Denied"
    )
    parser.add_argument("--everyone", action="store_true", help="of everybody (needs the right to see them)")
    parser.add_argument("--eligibility", action="store_true", help="requests that made or took eligibilities")
    parser.add_argument(
        "-n", "--number", type=int, default=50, metavar="N", help="at most so many (default: 50)"
    )


def request_row(asked: Asked) -> Row:
    """A request for output."""
    return {
        "id": asked.id,
        "created": iso(asked.created),
        "action": asked.action,
        "status": asked.status,
        "provider": asked.provider,
        "role": asked.role,
        "roleDefinitionId": asked.role_id,
        "scope": asked.scope,
        "scopeName": asked.scope_name,
        "principal": asked.upn or asked.principal,
        "principalId": asked.principal_id,
        "start": iso(asked.starts),
        "end": iso(asked.ends),
        "duration": asked.duration or None,
        "justification": asked.justification or None,
        "ticket": asked.ticket or None,
        "failure": asked.failure or None,
        "approvalId": asked.approval_id or None,
    }


def _paths(where: str, kind: str, *, everyone: bool) -> list[str]:
    if not everyone:
        return list(requests_paths(where, kind=kind))
    from openpim.client.graph import query

    return [
        query(requests_base(provider, kind), filter=where, expand=expand)
        for provider, expand in (("directory", EXPAND), ("group", EXPAND_GROUP))
    ]


def read(pim: Pim, where: str, kind: str, *, everyone: bool) -> tuple[list[Asked], list[str]]:
    """The requests of all kinds, and which kinds were refused; an error if all were."""
    noun = "Assignment" if kind == "assignment" else "Eligibility"
    terms = [*([] if everyone else ["asTarget()"]), *([where] if where and pim.ours else [])]
    name, which = f"role{noun}ScheduleRequests", " and ".join(terms)
    told, managed = pim.lists(_paths(where, kind, everyone=everyone), [at("/", name, which)], quiet=everyone)
    if everyone and managed and not isinstance(managed[0], list):
        managed = [managed[0] if (below := _below_root(pim, name, which)) is None else below]
    answers = dict(zip(("directory roles", "groups", "resources"), [*told, *managed], strict=False))
    refused = {name: answer for name, answer in answers.items() if isinstance(answer, GraphError)}
    if refused and (len(refused) == len(answers) or (not everyone and "directory roles" in refused)):
        raise next(iter(refused.values()))
    rows = [
        Asked(flat(row) if name == "resources" else row)
        for name, answer in answers.items()
        for row in (answer if isinstance(answer, list) else [])
    ]
    return rows, list(refused) if everyone else []


def _below_root(pim: Pim, name: str, which: str) -> list[Row] | None:
    """Who may not look at the root sees the parts of the tree where he may; None where that is nowhere."""
    from openpim.cli.tree import tops

    answers = pim.need_arm().lists(*(at(scope, name, which) for scope in tops(pim)))
    lists = [answer for answer in answers if isinstance(answer, list)]
    found = {str(row.get("id")): row for rows in lists for row in rows}
    return list(found.values()) if lists else None


def run(args: Namespace, context: Context) -> int:
    """List the requests."""
    from openpim.client.graph import literal

    where = f"status eq {literal(args.status)}" if args.status else ""
    kind = "eligibility" if args.eligibility else "assignment"
    rows, refused = read(context.pim, where, kind, everyone=args.everyone)
    if refused:
        context.note(f"not shown, because this account may not see everybody's: {', '.join(refused)}")
    if args.status:
        rows = [asked for asked in rows if asked.status.lower() == args.status.lower()]
    if args.pending:
        rows = [asked for asked in rows if asked.status in PENDING]
    rows.sort(key=lambda asked: asked.created or 0.0, reverse=True)
    shown = [request_row(asked) for asked in rows[: max(0, args.number)]]
    if context.printer.for_people and not args.everyone:
        for row in shown:
            row["principal"] = None
    context.printer.rows(shown, COLUMNS, empty="No request.")
    return 0
