"""`pim status`: the short answer for a person or a shell prompt, in one round trip."""

from __future__ import annotations

from openpim.cli.choosing import label
from openpim.cli.commands.list import pending_row
from openpim.cli.output import left, local
from openpim.cli.reviewing import inbox_row
from openpim.client.roles import iso

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
    mine = context.pim.mine("active", "pending", "inbox")
    active = sorted(mine.active, key=lambda held: float("inf") if held.ends is None else held.ends)
    waiting, decisions = mine.pending, mine.inbox
    account = context.session.tokens().account
    row = {
        "user": account.get("upn") or account.get("oid"),
        "server": context.profile.graph,
        "profile": context.profile.name,
        "active": [
            {
                "provider": held.provider,
                "role": held.role,
                "scope": held.scope,
                "scopeName": held.scope_name,
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
        until = "permanent" if held.ends is None else f"until {local(iso(held.ends))}, {left(held.ends)} left"
        line(f"active   {label(held)}: {until}")
    for asked in waiting:
        line(
            f"waiting  {label(asked)}: {'starts ' + local(iso(asked.starts)) if asked.status == 'Granted' else asked.status}"
        )
    if decisions:
        line(f"inbox    {len(decisions)} waiting for your decision: pim inbox")
    if not active and not waiting and not decisions:
        line("Nothing is active and nothing waits.")
    return 0
