"""`pim logout`: revoke the refresh token and forget everything of the sign-in."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.context import Context

DESCRIPTION = "End the sign-in and forget its tokens. Not being signed in counts as done."
EXAMPLES = ""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--all", action="store_true", help="of every profile")


def run(args: Namespace, context: Context) -> int:
    """Sign out."""
    from openpim.client.session import Session
    from openpim.client.transport import Transport

    profiles = list(context.config.profiles.values()) if args.all else [context.profile]
    for profile in profiles:
        transport = Transport(ca_file=profile.ca_file, timeout=10.0)
        was, told = Session(profile, transport, context.home).forget()
        transport.close()
        if context.printer.for_people:
            context.printer.line(
                f"Signed out of {profile.graph}." if was else f"Not signed in to {profile.graph}."
            )
        if was and not told:
            where = (
                "Microsoft keeps the browser's sign-in"
                if profile.kind == "entra"
                else "the server could not be told"
            )
            context.note(f"{where}; the tokens of this machine are deleted")
    return 0
