"""`pim requests`: what was asked for, and what became of it."""

from __future__ import annotations

from openpim.client.roles import (
    ASSIGNMENT_REQUESTS,
    ELIGIBILITY_REQUESTS,
    EXPAND,
    PENDING,
    Asked,
    both,
    iso,
    requests_paths,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context

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


def run(args: Namespace, context: Context) -> int:
    """List the requests."""
    from openpim.client.graph import literal, query

    base = ELIGIBILITY_REQUESTS if args.eligibility else ASSIGNMENT_REQUESTS
    where = f"status eq {literal(args.status)}" if args.status else ""
    if args.everyone:
        found = context.graph.rows(query(base, filter=where, expand=EXPAND))
    else:
        kind = "eligibility" if args.eligibility else "assignment"
        found = both(context.graph, requests_paths(where, kind=kind))[0]
    rows = [Asked(row) for row in found]
    if args.pending:
        rows = [asked for asked in rows if asked.status in PENDING]
    rows.sort(key=lambda asked: asked.created or 0.0, reverse=True)
    shown = [request_row(asked) for asked in rows[: max(0, args.number)]]
    if context.printer.for_people and not args.everyone:
        for row in shown:
            row["principal"] = None
    context.printer.rows(shown, COLUMNS, empty="No request.")
    return 0
