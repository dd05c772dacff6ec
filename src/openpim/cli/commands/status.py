"""`pim status`: the short answer for a person or a shell prompt, in one round trip."""

from __future__ import annotations

from openpim.cli.commands.list import pending_row
from openpim.cli.output import left, local
from openpim.cli.reviewing import inbox_of, inbox_paths, inbox_row
from openpim.client.roles import PENDING, Asked, Holding, active_paths, iso, pending_paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.context import Context

DESCRIPTION = "Show what is active and for how long, what waits, and what waits for your decision."
EXAMPLES = """examples:
  pim status
  pim status -o json
"""


def configure(_parser: ArgumentParser) -> None:
    """No options of its own."""


def run(_args: Namespace, context: Context) -> int:
    """Show."""
    graph = context.graph
    answers = graph.lists(*active_paths(), *pending_paths(), *inbox_paths())
    if not isinstance(answers[0], list):
        raise answers[0]
    rows_of = [answer if isinstance(answer, list) else [] for answer in answers]
    lists = [[*rows_of[index], *rows_of[index + 1]] for index in (0, 2)]
    active = [Holding(row, eligible=False) for row in lists[0]]
    active.sort(key=lambda held: float("inf") if held.ends is None else held.ends)
    waiting = [asked for row in lists[1] if (asked := Asked(row)).status in PENDING]
    decisions = inbox_of(answers[4:])
    account = context.session.tokens().account
    row = {
        "user": account.get("upn") or account.get("oid"),
        "server": context.profile.graph,
        "profile": context.profile.name,
        "active": [
            {
                "role": held.role,
                "scope": held.scope,
                "end": iso(held.ends),
                "left": left(held.ends),
                "activated": held.activated,
            }
            for held in active
        ],
        "waiting": [pending_row(asked) for asked in waiting],
        "inbox": [inbox_row(asked) for asked in decisions],
    }
    if not context.printer.for_people:
        if context.printer.form == "tsv":
            rows = [
                {"what": "active", "role": held.role, "scope": held.scope, "end": iso(held.ends)}
                for held in active
            ] + [
                {"what": "waiting", "role": asked.role, "scope": asked.scope, "end": None}
                for asked in waiting
            ]
            rows += [
                {"what": "inbox", "role": asked.role, "scope": asked.scope, "end": None}
                for asked in decisions
            ]
            context.printer.rows(rows, (("what", ""), ("role", ""), ("scope", ""), ("end", "")))
        else:
            context.printer.one(row, ())
        return 0
    line = context.printer.line
    line(f"{row['user']} at {row['server']} (profile {row['profile']})")
    for held in active:
        where = "" if held.scope == "/" or held.provider == "group" else f" in {held.scope_name}"
        until = "permanent" if held.ends is None else f"until {local(iso(held.ends))}, {left(held.ends)} left"
        line(f"active   {held.role}{where}: {until}")
    for asked in waiting:
        line(
            f"waiting  {asked.role}: {'starts ' + local(iso(asked.starts)) if asked.status == 'Granted' else asked.status}"
        )
    if decisions:
        line(f"inbox    {len(decisions)} waiting for your decision: pim inbox")
    if not active and not waiting and not decisions:
        line("Nothing is active and nothing waits.")
    return 0
