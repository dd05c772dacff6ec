"""`pim profile`: the servers this command knows."""

from __future__ import annotations

import os

from openpim.client.errors import PimError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.context import Context

DESCRIPTION = "List, show, choose, add or remove profiles. A profile says which server, tenant and account."
EXAMPLES = """examples:
  pim profile list
  pim profile use work
  pim profile add work --server https://pim.example.org --ca ca.pem
  pim profile remove work
"""
COLUMNS = (
    ("current", ""), ("name", "NAME"), ("kind", "KIND"), ("server", "SERVER"), ("tenant", "TENANT"), ("user", "USER"),
    ("ca", "AUTHORITY FILE"),
)  # fmt: skip


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "act",
        nargs="?",
        choices=("list", "show", "use", "add", "remove", "path"),
        default="list",
        help="what to do (default: list)",
    )
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="the profile")
    parser.add_argument("--server", default="", metavar="URL", help="with add: the OpenPIM server")
    parser.add_argument("--entra", action="store_true", help="with add: Microsoft Entra")
    parser.add_argument(
        "--arm",
        default="",
        metavar="URL",
        help="with add: the resource manager, where the server does not say; none: leave resources out",
    )
    parser.add_argument("--tenant", default="", metavar="TENANT", help="with add: tenant id or domain")
    parser.add_argument("--ca", default="", metavar="FILE", help="with add: the certificate authority")
    parser.add_argument(
        "--client-id", default="", metavar="ID", help="with add: the application to sign in through"
    )
    parser.add_argument("--user", default="", metavar="NAME", help="with add: the account")
    parser.add_argument(
        "--scopes",
        default="",
        metavar="SCOPES",
        help="with add: the scopes to ask for instead of the usual ones",
    )


def _add(args: Namespace, context: Context) -> None:
    from openpim.client.profiles import check_name, entra_profile, profile_from_url, read_arm

    name = check_name(args.name or ("entra" if args.entra else "openpim"))
    if args.entra == bool(args.server):
        raise PimError("usage", "say which server: --server URL, or --entra", "see: pim profile --help")
    if args.ca and not os.path.isfile(args.ca):
        raise PimError(
            "usage", f"--ca: there is no file {args.ca}", "OpenPIM prints the name of the file when it starts"
        )
    profile = (
        entra_profile(name, args.tenant)
        if args.entra
        else profile_from_url(name, args.server, tenant=args.tenant)
    )
    profile.ca_file = os.path.abspath(args.ca) if args.ca else ""
    profile.client_id = args.client_id or profile.client_id
    profile.username = args.user
    profile.arm = read_arm(args.arm, "--arm") if args.arm else profile.arm
    profile.scopes = args.scopes
    context.config.profiles[name] = profile
    context.config.current = context.config.current or name


def run(args: Namespace, context: Context) -> int:
    """Do it."""
    config = context.config
    if args.act == "path":
        context.printer.line(os.path.join(config.home, "config.json"))
        return 0
    if args.act in {"use", "remove"}:
        if not args.name:
            raise PimError("usage", f"which profile? pim profile {args.act} NAME", "see: pim profile list")
        config.choose(args.name)
    if args.act == "show":
        profile = config.choose(args.name or args.profile)
        row = {"name": profile.name, **profile.as_dict(), "scope": profile.scope}
        context.printer.one(row, tuple((name, name) for name in row))
        return 0
    if args.act == "use":
        config.current = args.name
    elif args.act == "add":
        _add(args, context)
    elif args.act == "remove":
        from openpim.client.tokens import TokenCache

        TokenCache.of(config.profiles.pop(args.name), config.home).forget()
        if config.current == args.name:
            config.current = next(iter(sorted(config.profiles)), "")
    if args.act != "list":
        from openpim.client.profiles import save_config

        save_config(config)
    rows = [
        {
            "current": "*" if name == config.current else "",
            "name": name,
            "kind": profile.kind,
            "server": profile.graph,
            "tenant": profile.tenant,
            "user": profile.username or None,
            "ca": profile.ca_file or None,
        }
        for name, profile in sorted(config.profiles.items())
    ]
    context.printer.rows(rows, COLUMNS, empty="No profile yet. Sign in: pim login --server URL")
    return 0
