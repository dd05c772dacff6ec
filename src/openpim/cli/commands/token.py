"""`pim token`: an access token for other programs."""

from __future__ import annotations

from openpim.client.roles import iso
from openpim.client.tokens import decode_claims

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.context import Context

DESCRIPTION = "Print an access token that is good for at least a minute. Treat it like a password."
EXAMPLES = """examples:
  curl -H "Authorization: Bearer $(pim token)" https://localhost:8443/v1.0/me
  pim token --show -o json       what it says
  pim token --arm                one for the resource manager
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--show", action="store_true", help="print what the token says instead of the token")
    parser.add_argument("--arm", action="store_true", help="a token for the resource manager, not for Graph")


def run(args: Namespace, context: Context) -> int:
    """Print the token."""
    access = context.session.access(context.pim.need_arm().resource if args.arm else "")
    claims = decode_claims(access)
    if args.show:
        context.printer.one(claims, tuple((name, name) for name in claims))
    elif context.printer.for_people:
        context.printer.line(access)
    else:
        expires = float(claims["exp"]) if args.arm and "exp" in claims else context.session.tokens().expires
        context.printer.one(
            {"accessToken": access, "expires": iso(expires)},
            (("accessToken", ""), ("expires", "")),
        )
    return 0
