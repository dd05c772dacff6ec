"""`pim whoami`: which account, at which server."""

from __future__ import annotations

from openpim.client.roles import iso
from openpim.client.tokens import decode_claims

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.context import Context

DESCRIPTION = "Show who is signed in, and where. Exit code 5 if nobody is."
EXAMPLES = ""
COLUMNS = (
    ("user", "user"), ("name", "name"), ("id", "id"), ("tenant", "tenant"), ("server", "server"), ("profile", "profile"),
    ("methods", "signed in with"), ("contexts", "contexts"), ("expires", "token until", "time"),
)  # fmt: skip


def configure(parser: ArgumentParser) -> None:
    """No options of its own."""


def run(_args: Namespace, context: Context) -> int:
    """Show the account."""
    tokens = context.session.tokens()
    claims = decode_claims(tokens.access)
    account = tokens.account
    row = {
        "user": account.get("upn") or account.get("oid"),
        "name": account.get("name"),
        "id": account.get("oid"),
        "tenant": account.get("tid"),
        "server": context.profile.graph,
        "kind": context.profile.kind,
        "profile": context.profile.name,
        "methods": claims.get("amr") or [],
        "contexts": claims.get("acrs") or [],
        "expires": iso(tokens.expires),
    }
    context.printer.one(row, COLUMNS)
    return 0
