"""`pim deny`: decide on somebody's request."""

from __future__ import annotations

from openpim.cli import reviewing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.context import Context

DESCRIPTION = "Deny requests. Name them by id, by who asked, or by role; never guessed between two."
EXAMPLES = """examples:
  pim deny anna -j "use the helpdesk role instead"
  pim deny 5f0c2a -j "…"
  pim deny --all -j "…"
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    reviewing.configure(parser, "deny")


def run(args: Namespace, context: Context) -> int:
    """Decide; the exit code is the common one, or 10 if some failed."""
    return reviewing.decide(args, context, "Deny")
