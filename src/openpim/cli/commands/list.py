"""`pim list`: what may be activated, what is active and what waits, in one round trip."""

from __future__ import annotations

from openpim.cli.output import left
from openpim.client.roles import iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context
    from openpim.client.roles import Asked, Holding

    Row = dict[str, Any]

DESCRIPTION = """List what you may activate, what is active, and requests that wait: directory roles, groups, and roles on
Azure resources."""
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
        "needs": held.needs or None,
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
        "needs": None,
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


def _tell_apart(rows: list[Row]) -> None:
    """For people: where two places of one role have the same name, their paths are shown."""
    places: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        places.setdefault((row["roleDefinitionId"], row["scopeName"]), set()).add(row["scope"].lower())
    for row in rows:
        if row["provider"] != "group" and len(places[row["roleDefinitionId"], row["scopeName"]]) > 1:
            row["scopeName"] = row["scope"]


def run(args: Namespace, context: Context) -> int:
    """List; 0 also where there is nothing."""
    wanted = ("eligible", "active", "pending") if args.what == "all" else (args.what,)
    mine = context.pim.mine(*wanted)
    eligible, active = mine.eligible, mine.active
    for holdings in (eligible, active):  # of several for one role, what lasts longest first
        holdings.sort(key=lambda held: float("-inf") if held.ends is None else -held.ends)
    rows = [_holding(held, "active") for held in active]
    rows += [pending_row(asked) for asked in mine.pending]
    rows += [_holding(held, "eligible") for held in eligible]
    rows.sort(
        key=lambda row: (
            ("active", "waiting", "scheduled", "eligible").index(row["state"]),
            row["role"].casefold(),
            row["scope"],
        )
    )
    if args.what == "all":
        rows = _best(rows)
    if context.printer.for_people:
        _tell_apart(rows)
    context.printer.rows(rows, COLUMNS, empty=_EMPTY[args.what])
    return 0
