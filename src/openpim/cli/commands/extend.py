"""`pim extend`: let an activation, or an eligibility or assignment that ends soon, last longer."""

from __future__ import annotations

from openpim.cli import prolonging
from openpim.cli.activation import wish_of
from openpim.cli.attempts import Attempt
from openpim.cli.choosing import around, choose, scope_option, split
from openpim.client.errors import PimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.context import Context
    from openpim.client.pim import Found, Pim
    from openpim.client.roles import Holding

DESCRIPTION = """Let something last longer: a running activation of that name, under the rules of an activation; else an
assignment or eligibility that ends soon, which somebody has to decide."""
EXAMPLES = """examples:
  pim extend "Teams Administrator" -d 2h            two hours from now
  pim extend Owner@prod --until 20:00 -j "still at it"
  pim extend "Teams Administrator" --eligible -j "project goes on"
  pim extend sg-admins:owner -d 90d --no-wait
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    prolonging.configure(parser, "the longest the policy allows")
    parser.add_argument("-t", "--ticket", default="", metavar="SYSTEM:NUMBER", help="the ticket this is for")
    parser.add_argument(
        "--eligible", action="store_true", help="the eligibility, also where an activation runs"
    )


def _ends(held: Holding) -> float:
    return float("inf") if held.ends is None else held.ends


def _find(one: Attempt, args: Namespace, pim: Pim, mine: Found) -> None:
    """Which activation, assignment or eligibility the name means, and whether that is asked for already."""
    scope = scope_option(args)
    items = mine.eligible if args.eligible else [*mine.active, *mine.eligible]
    what = f"you {'are' if args.eligible else 'hold and are'} eligible for nothing called"
    found = choose(
        one.name,
        items,
        scope,
        what=what,
        hint="see: pim list   What has ended: pim renew NAME",
        around=around(pim, split(one.name, scope)[1], items),
        prefer=lambda held: held.activated,
    )
    if isinstance(found, PimError):
        one.error = found
        return
    running = [held for held in found if held.activated]
    own = [held for held in found if not held.via]
    one.held = min(running or own or found, key=_ends)
    one.scope, one.scope_name = one.held.scope, one.held.scope_name
    one.asked = prolonging.asked_already(one, mine.pending)


def run(args: Namespace, context: Context) -> int:
    """Extend; the exit code is the common one, or 10 if some failed."""
    wish = wish_of(args)
    mine = context.pim.mine("eligible", "active", "open")
    attempts = [Attempt(name, "selfExtend") for name in dict.fromkeys(args.names)]
    for one in attempts:
        _find(one, args, context.pim, mine)
    return prolonging.prolong(attempts, wish, args, context, mine.eligible)
