"""`pim history`: the audit record; for who may not read it, his own requests."""

from __future__ import annotations

from openpim.client import clock
from openpim.client.errors import GraphError, PimError
from openpim.client.graph import literal, query
from openpim.client.roles import Asked, instant, iso, named, requests_path, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context

    Row = dict[str, Any]

DESCRIPTION = "Show the audit history, the newest first: yours, or with --everyone all of it."
EXAMPLES = """examples:
  pim history
  pim history --since 7d --everyone -o jsonl
"""
COLUMNS = (
    ("time", "WHEN", "time"), ("actor", "WHO"), ("activity", "WHAT"), ("role", "ROLE"), ("where", "SCOPE"), ("target", "FOR WHOM"),
    ("result", "RESULT"), ("reason", "WHY"),
)  # fmt: skip


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--everyone", action="store_true", help="everybody's (needs the right to read the audit log)"
    )
    parser.add_argument("--since", default="30d", metavar="DURATION", help="how far back (default: 30d)")
    parser.add_argument(
        "--role", default="", metavar="NAME", help="only about roles whose name contains this"
    )
    parser.add_argument(
        "-n", "--number", type=int, default=50, metavar="N", help="at most so many (default: 50)"
    )


def _event(row: Row) -> Row:
    initiated = named(row, "initiatedBy")
    actor = named(initiated, "user") or named(initiated, "app")
    listed = row.get("targetResources")
    targets = [target for target in listed if isinstance(target, dict)] if isinstance(listed, list) else []

    def first(kind: str) -> str:
        found = (target for target in targets if text(target.get("type")).lower() == kind)
        target = next(found, {})
        return (
            text(target.get("displayName")) or text(target.get("userPrincipalName")) or text(target.get("id"))
        )

    place = next((target for target in targets if text(target.get("type")).lower() == "directory"), {})
    scope = text(place.get("id"))
    return {
        "time": iso(instant(row.get("activityDateTime"))),
        "actor": text(actor.get("userPrincipalName"))
        or text(actor.get("displayName"))
        or text(actor.get("id")),
        "activity": text(row.get("activityDisplayName")),
        "role": first("role") or None,
        "scope": scope or None,
        "target": first("user") or first("group") or first("serviceprincipal") or None,
        "result": text(row.get("result")),
        "reason": text(row.get("resultReason")) or None,
        "id": text(row.get("id")),
    }


def _tell_places(rows: list[Row], context: Context) -> None:
    """The log has the paths of places alone: show their ends, and subscriptions by name."""
    from openpim.cli.places import subscription_names
    from openpim.client.resources import SUBSCRIPTION, kind_of, last

    scopes = {str(row["scope"] or "") for row in rows}
    places = {scope for scope in scopes if scope.lower().startswith(("/subscriptions/", "/providers/"))}
    ids = {scope for scope in places if kind_of(scope) == SUBSCRIPTION}
    names: dict[str, str] = {}
    if ids and context.pim.arm is not None:
        try:
            names = subscription_names(context.pim, ids)
        except PimError as error:
            context.pim.without_arm(error)
    for row in rows:
        scope = str(row["scope"] or "")
        row["where"] = (names.get(scope.lower()) or last(scope)) if scope in places else None


def _request(asked: Asked, who: str) -> Row:
    return {
        "time": iso(asked.created),
        "actor": who,
        "activity": asked.action,
        "role": asked.role,
        "scope": asked.scope,
        "target": asked.upn or asked.principal,
        "result": asked.status,
        "reason": asked.justification or None,
        "id": asked.id,
    }


def _audits(args: Namespace, context: Context, since: float) -> list[Row]:
    graph = context.graph
    where = f"activityDateTime ge {iso(since)} and loggedByService eq 'PIM'"
    limit = max(1, args.number)
    top = str(min(limit, 999))
    order = "activityDateTime desc"
    if args.everyone:
        paths = [query("/auditLogs/directoryAudits", filter=where, orderby=order, top=top)]
    else:
        me = literal(graph.me)
        sides = (f"initiatedBy/user/id eq {me}", f"targetResources/any(t:t/id eq {me})")
        paths = [
            query("/auditLogs/directoryAudits", filter=f"{where} and {side}", orderby=order, top=top)
            for side in sides
        ]
    found: dict[str, Row] = {}
    when: dict[str, float] = {}
    for path in paths:
        for row in graph.rows(path, limit=limit):
            event = _event(row)
            found[str(event["id"])] = event
            when[str(event["id"])] = instant(row.get("activityDateTime")) or 0.0
    # Two lists become one; events of one second keep their order only by the whole instant.
    return sorted(found.values(), key=lambda event: when[str(event["id"])], reverse=True)


def run(args: Namespace, context: Context) -> int:
    """Show."""
    from openpim.cli.times import seconds_of

    since = clock.now() - seconds_of(args.since, "--since")
    try:
        rows = _audits(args, context, since)
    except GraphError as error:
        if error.status != 403 or args.everyone:
            raise
        context.note("this account may not read the audit log; showing its own requests instead")
        who = context.session.tokens().account.get("upn", "")
        mine = [Asked(row) for row in context.graph.rows(requests_path())]
        rows = [_request(asked, who) for asked in mine if (asked.created or 0.0) >= since]
        rows.sort(key=lambda row: str(row["time"] or ""), reverse=True)
    if args.role:
        rows = [row for row in rows if args.role.casefold() in str(row["role"] or "").casefold()]
    rows = rows[: max(0, args.number)]
    if context.printer.for_people:
        _tell_places(rows, context)
    context.printer.rows(rows, COLUMNS, empty="No event in that time.")
    return 0
