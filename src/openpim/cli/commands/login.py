"""`pim login`: sign in, in the browser or with a device code; sets up the server's profile on the way."""

from __future__ import annotations

import os

from openpim.cli.output import left, one_line
from openpim.client.errors import PimError
from openpim.client.profiles import NO_ARM, read_arm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.context import Context
    from openpim.client.profiles import Profile

DESCRIPTION = "Sign in. With --server or --entra the place is remembered as a profile."
EXAMPLES = """examples:
  pim login                                              to the current profile
  pim login --device                                     no browser on this machine
  pim login --server https://pim.example.org --ca ca.pem
  pim login --entra --tenant contoso.com                 to Microsoft Entra
  pim login --tenant 5f0c…                               as a guest of another tenant
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    from argparse import BooleanOptionalAction

    parser.add_argument("--device", action="store_true", help="sign in with a code on any other device")
    parser.add_argument(
        "--browser", action="store_true", help="sign in with the browser of this machine (the default)"
    )
    parser.add_argument("--tenant", default="", metavar="TENANT", help="tenant id or domain")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--server", default="", metavar="URL", help="the OpenPIM server")
    place.add_argument("--entra", action="store_true", help="Microsoft Entra")
    parser.add_argument(
        "--ca",
        default="",
        metavar="FILE",
        help="the certificate authority that the server's certificate is signed by",
    )
    parser.add_argument(
        "--arm",
        default="",
        metavar="URL",
        help="the resource manager, where the server does not say where it is; none: leave resources out",
    )
    parser.add_argument("--client-id", default="", metavar="ID", help="sign in through another application")
    parser.add_argument(
        "--select",
        action="store_true",
        help="choose the account, also where the browser is signed in already",
    )
    parser.add_argument(
        "--keyring",
        action=BooleanOptionalAction,
        default=None,
        help="keep the sign-in in the system's keyring instead of a private file",
    )
    parser.add_argument("--user", default="", metavar="NAME", help="the account to sign in with")
    parser.add_argument(
        "--mfa",
        action="store_true",
        help="with multi-factor authentication, also where the server would not ask",
    )
    parser.add_argument(
        "--acr", default="", metavar="CONTEXT", help="meet an authentication context, such as c1"
    )


def _profile(args: Namespace, context: Context) -> Profile:
    from openpim.client.profiles import check_name, entra_profile, profile_from_url

    name = args.profile or os.environ.get("PIM_PROFILE", "")
    if args.entra:
        profile = entra_profile(check_name(name or "entra"), args.tenant)
    elif args.server:
        profile = profile_from_url(check_name(name or "openpim"), args.server, tenant=args.tenant)
    else:
        profile = context.profile
        if args.tenant:
            profile.tenant = args.tenant
    if args.ca:
        if not os.path.isfile(args.ca):
            raise PimError(
                "usage",
                f"--ca: there is no file {args.ca}",
                "OpenPIM prints the name of the file when it starts",
            )
        profile.ca_file = os.path.abspath(args.ca)
    elif args.server:
        known = context.config.profiles.get(profile.name)
        if known is not None and known.authority == profile.authority:
            profile.ca_file = known.ca_file
    _find_arm(args, context, profile)
    if args.client_id:
        profile.client_id = args.client_id
    if args.keyring is not None:
        profile.keyring = "yes" if args.keyring else ""
    if args.user:
        profile.username = args.user
    return profile


def _find_arm(args: Namespace, context: Context, profile: Profile) -> None:
    """The address that was given, or that the profile had for this server; else the server is asked when it is needed."""
    if args.arm:
        profile.arm = read_arm(args.arm, "--arm")
    elif args.server or args.entra:
        known = context.config.profiles.get(profile.name)
        if known is not None and known.authority == profile.authority:
            profile.arm = known.arm
    elif profile.arm == NO_ARM and profile.kind == "openpim":
        profile.arm = ""  # the server may have one by now


def run(args: Namespace, context: Context) -> int:
    """Sign in and keep the profile."""
    from openpim.cli.context import Terminal
    from openpim.client import claims
    from openpim.client.profiles import save_config
    from openpim.client.session import Session

    profile = _profile(args, context)
    if args.device or args.browser:
        profile.flow = "device" if args.device else "browser"
    context.use_profile(profile)
    asked = claims.acrs(args.acr) if args.acr else claims.MFA if args.mfa else ""
    # Somebody typed "login": show the address or the code even where nobody can type an answer.
    session = Session(profile, context.transport, context.home, Terminal())
    if session.is_application:
        raise PimError(
            "usage",
            "PIM_CLIENT_ID and PIM_CLIENT_SECRET are set: an application needs no login",
            "unset them to sign in as a person",
        )
    tokens = session.sign_in(claims=asked, prompt="select_account" if args.select else "")
    config = context.config
    config.profiles[profile.name] = profile
    config.current = profile.name
    save_config(config)
    who = tokens.account.get("upn") or tokens.account.get("oid", "")
    if args.user and args.user.casefold() != who.casefold() and "#ext#" not in who.casefold():
        context.note(f"that is {who}, not {args.user}; to choose the account: pim login --select")
    row = {**tokens.account, "profile": profile.name, "server": profile.graph}
    if context.printer.for_people:
        context.printer.line(
            one_line(
                f"Signed in as {who} at {profile.graph} (profile {profile.name}; token for {left(tokens.expires)})."
            )
        )
        context.printer.line("Next: pim list")
    else:
        context.printer.one(row, tuple((key, key) for key in row))
    return 0
