"""`pim list`: what may be activated, what is active and what waits, in one round trip."""

from __future__ import annotations

from openpim.cli.output import left
from openpim.client.roles import (
    EVERYTHING,
    PENDING,
    Asked,
    Holding,
    active_paths,
    eligible_paths,
    instant,
    iso,
    merged,
    named,
    needs,
    pending_paths,
    text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context

    Row = dict[str, Any]

DESCRIPTION = "List the roles and groups you may activate, those that are active, and requests that wait."
EXAMPLES = """examples:
  pim list                       everything, one line per role
  pim list active                what is active now, and for how long
  pim list eligible -o json      for programs
"""
COLUMNS = (
    ("role", "ROLE"), ("scopeName", "SCOPE"), ("state", "STATE"), ("end", "UNTIL", "time"),
    ("left", "LEFT"), ("via", "THROUGH"), ("needs", "NEEDS"), ("request", "REQUEST"),
)  # fmt: skip
_EMPTY = {
    "eligible": "You are not eligible for any role. An administrator can change that: pim assign ROLE USER",
    "active": "No role is active. See what you may activate: pim list eligible",
    "pending": "No request of yours waits.",
    "all": "You hold no role and are not eligible for any.",
}


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "what",
        nargs="?",
        choices=("active", "eligible", "pending", "all"),
        default="all",
        help="what to list (default: all)",
    )


def _holding(held: Holding, state: str) -> Row:
    return {
        "provider": held.provider,
        "role": held.role,
        "roleDefinitionId": held.role_id,
        "scope": held.scope,
        "scopeName": held.scope_name,
        "state": state,
        "start": iso(held.starts),
        "end": iso(held.ends),
        "left": left(held.ends),
        "assignmentType": None if held.eligible else "Activated" if held.activated else "Assigned",
        "memberType": held.member_type,
        "via": held.via or None,
        "request": None,
        "id": held.id,
    }


def pending_row(asked: Asked) -> Row:
    """The row of a request that waits."""
    return {
        "provider": asked.provider,
        "role": asked.role,
        "roleDefinitionId": asked.role_id,
        "scope": asked.scope,
        "scopeName": asked.scope_name,
        "state": "scheduled" if asked.status == "Granted" else "waiting",
        "status": asked.status,
        "start": iso(asked.starts),
        "end": None,
        "left": None,
        "via": None,
        "request": asked.id,
        "id": asked.id,
    }


def _best(rows: list[Row]) -> list[Row]:
    """Of the sorted rows the first of each role and scope; a request that waits beside it is named there."""
    found: dict[tuple[str, str], Row] = {}
    for row in rows:
        kept = found.setdefault((row["roleDefinitionId"], row["scope"].lower()), row)
        if row["request"] and not kept["request"]:
            kept["request"] = row["request"]
    return list(found.values())


def _tell_needs(rows: list[Row], more: list[Row]) -> None:
    """Add what each role demands, and the roles on resources, which Graph's lists do not have."""
    known = {(text(one.get("roleDefinitionId")), text(one.get("scope")).lower()): one for one in more}
    for row in rows:
        found = known.get((row["roleDefinitionId"], row["scope"].lower()))
        row["needs"] = (
            (needs(named(found, "policy")) or None) if found and row["state"] == "eligible" else None
        )
    rows += [_resource(one) for one in more if one.get("provider") == "resource"]


def _resource(one: Row) -> Row:
    state, scope = text(one.get("state")), text(one.get("scope"))
    given = one.get("assignments")
    here = [
        each
        for each in (given if isinstance(given, list) else [])
        if isinstance(each, dict) and text(each.get("scope")).lower() == scope.lower()
    ]
    times = here[0] if state == "active" and here else one
    through = [
        text(group.get("displayName")) for group in one.get("through") or [] if isinstance(group, dict)
    ]
    ends = instant(times.get("endDateTime"))
    return {
        "provider": "resource",
        "role": text(one.get("roleDisplayName")),
        "roleDefinitionId": text(one.get("roleDefinitionId")),
        "scope": scope,
        "scopeName": text(one.get("scopeDisplayName")),
        "state": state,
        "start": iso(instant(times.get("startDateTime"))),
        "end": iso(ends),
        "left": left(ends),
        "assignmentType": text(times.get("assignmentType")) or None,
        "memberType": text(one.get("memberType")),
        "via": ", ".join(through) or None,
        "needs": (needs(named(one, "policy")) or None) if state == "eligible" else None,
        "request": None,
        "id": text(one.get("id")),
    }


def run(args: Namespace, context: Context) -> int:
    """List; 0 also where there is nothing."""
    graph = context.graph
    paths = {"eligible": eligible_paths, "active": active_paths, "pending": pending_paths}
    wanted = list(paths) if args.what == "all" else [args.what]
    asked_for = [path for name in wanted for path in paths[name]()]
    ours = args.what in {"all", "eligible"} and context.profile.kind != "entra"
    lists = graph.lists(*asked_for, *([EVERYTHING] if ours else []))
    answers = dict(zip(wanted, merged(lists[: len(asked_for)]), strict=True))
    more = lists[-1] if ours and isinstance(lists[-1], list) else []
    me = graph.me
    eligible = [Holding(row, eligible=True, me=me) for row in answers.get("eligible", [])]
    active = [Holding(row, eligible=False, me=me) for row in answers.get("active", [])]
    waiting = [Asked(row) for row in answers.get("pending", [])]
    for holdings in (eligible, active):  # of several for one role, what lasts longest first
        holdings.sort(key=lambda held: float("-inf") if held.ends is None else -held.ends)
    rows = [_holding(held, "active") for held in active]
    rows += [pending_row(asked) for asked in waiting if asked.status in PENDING]
    rows += [_holding(held, "eligible") for held in eligible]
    _tell_needs(rows, more)
    rows.sort(
        key=lambda row: (
            ("active", "waiting", "scheduled", "eligible").index(row["state"]),
            row["role"].casefold(),
            row["scope"],
        )
    )
    if args.what == "all":
        rows = _best(rows)
    context.printer.rows(rows, COLUMNS, empty=_EMPTY[args.what])
    return 0
