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
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--show", action="store_true", help="print what the token says instead of the token")


def run(args: Namespace, context: Context) -> int:
    """Print the token."""
    tokens = context.session.tokens()
    if args.show:
        claims = decode_claims(tokens.access)
        context.printer.one(claims, tuple((name, name) for name in claims))
    elif context.printer.for_people:
        context.printer.line(tokens.access)
    else:
        context.printer.one(
            {"accessToken": tokens.access, "expires": iso(tokens.expires)},
            (("accessToken", ""), ("expires", "")),
        )
    return 0
