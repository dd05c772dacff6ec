"""`pim cancel`: take back a request that is not decided, or not in force yet."""

from __future__ import annotations

from openpim.cli.choosing import label
from openpim.cli.match import ambiguous, fits, missing
from openpim.client.errors import PimError
from openpim.client.roles import CANCELLABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.context import Context
    from openpim.client.roles import Asked

DESCRIPTION = "Take back requests of yours that wait for an approval or for their start."
EXAMPLES = """examples:
  pim cancel exchange
  pim cancel 5f0c2a             the beginning of a request's id
  pim cancel --all
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "names", nargs="*", metavar="REQUEST", help="the beginning of its id, or the role's name"
    )
    parser.add_argument("--all", action="store_true", help="every request of yours that can be taken back")


def run(args: Namespace, context: Context) -> int:
    """Cancel."""
    if bool(args.names) == args.all:
        raise PimError(
            "usage", "name the requests to take back, or give --all", "see: pim requests --pending"
        )
    pim = context.pim
    waiting = [asked for asked in pim.mine("open").pending if asked.status in CANCELLABLE]
    chosen: dict[str, Asked] = {asked.id: asked for asked in waiting} if args.all else {}
    for name in args.names:
        found = fits(name, waiting, lambda asked: (asked.id, asked.role, label(asked)))
        if not found:
            known = (label(asked) for asked in waiting)
            raise missing(name, known, "no request that can be taken back fits", "see: pim requests")
        if len(found) > 1:
            lines = [f"{label(asked)}, {asked.status}   ({asked.id})" for asked in found]
            raise ambiguous(name, lines, "give the beginning of its id")
        chosen[found[0].id] = found[0]
    for asked in chosen.values():
        pim.cancel(asked)
        if context.printer.for_people:
            context.printer.line(f"The request for {label(asked)} is taken back.")
    rows = [
        {"id": asked.id, "role": asked.role, "scope": asked.scope, "state": "Canceled"}
        for asked in chosen.values()
    ]
    if not context.printer.for_people:
        context.printer.rows(
            rows, (("id", "REQUEST"), ("role", "ROLE"), ("scope", "SCOPE"), ("state", "STATE"))
        )
    elif not rows:
        context.printer.line("No request of yours waits.")
    return 0
