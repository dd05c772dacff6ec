"""`pim inbox`: what waits for my decision."""

from __future__ import annotations

from openpim.cli.reviewing import COLUMNS, inbox_row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.context import Context

DESCRIPTION = """List requests that wait for your decision, the oldest first: to activate, and, for whoever
administers roles, to extend or renew what was assigned."""
EXAMPLES = """examples:
  pim inbox
  pim approve REQUEST -j "agreed with the on-call"
"""


def configure(_parser: ArgumentParser) -> None:
    """No options of its own."""


def run(_args: Namespace, context: Context) -> int:
    """List."""
    context.printer.rows(
        [inbox_row(asked) for asked in context.pim.mine("inbox").inbox],
        COLUMNS,
        empty="Nothing waits for your decision.",
    )
    return 0
