"""`pim token`: an access token for other programs; with --for, one that carries a single activation and ends with it."""

from __future__ import annotations

from openpim.client.errors import PimError
from openpim.client.roles import iso
from openpim.client.tokens import decode_claims

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.context import Context
    from openpim.client.roles import Holding

DESCRIPTION = "Print an access token that is good for at least a minute. Treat it like a password."
EXAMPLES = """examples:
  curl -H "Authorization: Bearer $(pim token)" https://localhost:8443/v1.0/me
  pim token --show -o json       what it says
  pim token --arm                one for the resource manager
  pim token --for "Payroll admins" --audience api://payroll
                                 one for an application, with this activation alone; it ends with it
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--show", action="store_true", help="print what the token says instead of the token")
    parser.add_argument("--arm", action="store_true", help="a token for the resource manager, not for Graph")
    parser.add_argument(
        "--for",
        default="",
        metavar="NAME",
        dest="activation",
        help="carry this active role or group, and nothing else (needs --audience)",
    )
    parser.add_argument(
        "--audience",
        default="",
        metavar="API",
        help="with --for: the application, by its identifier URI or client id",
    )
    parser.add_argument(
        "--on",
        "--scope",
        default="",
        metavar="SCOPE",
        dest="scope",
        help="with --for: where, if it is active in several places",
    )


def run(args: Namespace, context: Context) -> int:
    """Print the token."""
    if bool(args.activation) != bool(args.audience) or (args.activation and args.arm):
        text = "--for NAME and --audience API come together, and without --arm"
        raise PimError("usage", text, "see: pim token --help")
    if args.activation:
        access, expires = _exchanged(args, context)
        claims = decode_claims(access)
    else:
        access = context.session.access(context.pim.need_arm().resource if args.arm else "")
        claims = decode_claims(access)
        expires = float(claims["exp"]) if args.arm and "exp" in claims else context.session.tokens().expires
    if args.show:
        context.printer.one(claims, tuple((name, name) for name in claims))
    elif context.printer.for_people:
        context.printer.line(access)
    else:
        context.printer.one(
            {"accessToken": access, "expires": iso(expires)},
            (("accessToken", ""), ("expires", "")),
        )
    return 0


def _exchanged(args: Namespace, context: Context) -> tuple[str, float]:
    from openpim.client import oauth

    if context.profile.kind != "openpim":
        raise PimError("usage", "only OpenPIM makes tokens for one activation", "leave out --for")
    held = _active(args, context)
    session = context.session
    access = session.access()
    tenant = str(decode_claims(access).get("tid") or "")
    return oauth.exchange(
        session.transport, context.profile, access, held.schedule_id, args.audience, tenant=tenant
    )


def _active(args: Namespace, context: Context) -> Holding:
    """The activation that is meant."""
    from openpim.cli.choosing import choose, scope_option

    active = [one for one in context.pim.mine("active").active if one.activated]
    what = "no activation is called"
    found = choose(args.activation, active, scope_option(args), what=what, hint="see: pim list active")
    if isinstance(found, PimError):
        raise found
    return found[0]
