"""`pim approve`: decide on somebody's request."""

from __future__ import annotations

from openpim.cli import reviewing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.context import Context

DESCRIPTION = "Approve requests. Name them by id, by who asked, or by role; never guessed between two."
EXAMPLES = """examples:
  pim approve anna -j "agreed in the stand-up"
  pim approve 5f0c2a -j "…"
  pim approve --all -j "…"
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    reviewing.configure(parser, "approve")


def run(args: Namespace, context: Context) -> int:
    """Decide; the exit code is the common one, or 10 if some failed."""
    return reviewing.decide(args, context, "Approve")
