"""`pim connect`: a credential for a real system that an active role opens."""

from __future__ import annotations

from openpim.cli.output import local, one_line
from openpim.client.errors import GraphError, PimError
from openpim.client.roles import named, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.context import Context

DESCRIPTION = """Get a credential (a user name and a password, as a rule) for a system that one of your active roles or groups
opens. It ends with the activation, is shown once and kept nowhere. Without a name: what your roles opened, and whether it is
in effect. OpenPIM only."""
EXAMPLES = """examples:
  pim connect
  pim connect payroll-db
  pim connect payroll-db -o json | jq -r .password
"""
PATH = "/openPim/targets"
_TRIES = 20
_COLUMNS = (
    ("target", "SYSTEM"), ("entitlement", "WHAT"), ("subject", "AS"), ("state", "STATE"), ("until", "UNTIL"),
)  # fmt: skip


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("name", nargs="?", default="", metavar="SYSTEM", help="its name")
    parser.add_argument(
        "--as", default="", dest="entitlement", metavar="WHAT", help="which access, of several"
    )


def run(args: Namespace, context: Context) -> int:
    """Ask for one."""
    if context.profile.kind != "openpim":
        raise PimError("usage", "Microsoft Entra knows no such thing", "use an OpenPIM server")
    if not args.name:
        return _list(context)
    from urllib.parse import quote

    from openpim.client import clock

    body: dict[str, object] = {"entitlement": args.entitlement or None, "values": {}}
    for left in range(_TRIES, 0, -1):
        try:
            answer = context.graph.request(
                "POST", f"{PATH}/{quote(args.name, safe='')}/credentials", body, beta=True
            )
            break
        except GraphError as error:
            if error.status != 409 or left == 1:
                raise
            clock.sleep(0.25)  # it was activated a moment ago, and is not in effect yet
    row = answer if isinstance(answer, dict) else {}
    values = {key: text(value) for key, value in named(row, "values").items()}
    until = local(text(row.get("untilDateTime")))
    if not context.printer.for_people:
        shown = {"target": text(row.get("target")), "until": until, **values}
        context.printer.one(shown, tuple((key, key) for key in shown))
        return 0
    for key, value in values.items():
        context.printer.line(f"{key}: {one_line(value)}")
    if until:
        context.printer.line(f"until {until}")
    return 0


def _list(context: Context) -> int:
    rows = [
        {**one, "until": local(text(one.get("untilDateTime"))), "state": _state(one)}
        for one in context.graph.rows("/openPim/myEffects", beta=True)
    ]
    context.printer.rows(rows, _COLUMNS, empty="Nothing that you have opens a system at the moment.")
    return 0


def _state(one: dict[str, object]) -> str:
    if one.get("isFailing") is True:
        return f"failing: {text(one.get('lastError'))}"
    return text(one.get("state"))
