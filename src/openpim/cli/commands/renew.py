"""`pim renew`: ask for an eligibility or assignment that has ended to be given again."""

from __future__ import annotations

from openpim.cli import prolonging
from openpim.cli.activation import wish_of
from openpim.cli.attempts import Attempt
from openpim.cli.choosing import choose, scope_option
from openpim.cli.commands.requests import read
from openpim.client.errors import PimError
from openpim.client.resources import of_everything
from openpim.client.roles import Holding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from openpim.cli.administering import Target
    from openpim.cli.context import Context
    from openpim.client.pim import Pim
    from openpim.client.roles import Asked

DESCRIPTION = """Ask for an eligibility (the default) or an assignment that has ended in the last 30 days to be given again.
Somebody has to decide. Activations are not renewed: activate again."""
EXAMPLES = """examples:
  pim renew "Teams Administrator" -j "project goes on"
  pim renew sg-admins:owner -d 90d
  pim renew Owner@prod --until 2027-06-30 --no-wait
  pim renew "Security Reader" --active
"""
_GIVEN = {"Provisioned", "ScheduleCreated"}
_OWN = {"selfactivate", "selfdeactivate"}


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    prolonging.configure(parser, "what whoever decides may give")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--eligible", action="store_true", help="the eligibility (the default)")
    which.add_argument("--active", action="store_true", help="the assignment")


def _given(pim: Pim, kind: str) -> list[Asked]:
    """What was ever given to oneself: of what has ended, nothing else says what it was called and where."""
    rows, _ = read(pim, "status eq 'Provisioned'" if pim.ours else "", kind, everyone=False)
    return [asked for asked in rows if asked.status in _GIVEN and asked.action.lower() not in _OWN]


def _was(one: Asked | Target, *, eligible: bool) -> Holding:
    """What was held, from who asked for it or what it is called."""
    group = one.provider == "group"
    row = {
        "provider": one.provider,
        "roleDefinitionId": one.role_id,
        "roleDisplayName": one.role,
        "scope": one.scope,
        "scopeDisplayName": one.role.removesuffix(f":{one.role_id}") if group else one.scope_name,
    }
    return Holding(of_everything(row), eligible=eligible)


def _find(one: Attempt, args: Namespace, pim: Pim, given: list[Asked]) -> None:
    """What the name means: of what one was given, else by the names of roles, groups and places."""
    scope = scope_option(args)
    found = choose(
        one.name, given, scope, what="you were never given a role called", hint="see: pim requests"
    )
    if isinstance(found, list):
        one.held = _was(found[0], eligible=not args.active)
    elif found.kind != "missing":
        one.error = found
    else:
        from openpim.cli.administering import target

        try:
            one.held = _was(target(pim, one.name, scope), eligible=not args.active)
        except PimError as error:
            one.error = error if error.kind == "ambiguous" else found
    if one.held is not None:
        one.scope, one.scope_name = one.held.scope, one.held.scope_name


def run(args: Namespace, context: Context) -> int:
    """Renew; the exit code is the common one, or 10 if some failed."""
    wish = wish_of(args)
    pim = context.pim
    given = _given(pim, "assignment" if args.active else "eligibility")
    attempts = [Attempt(name, "selfRenew") for name in dict.fromkeys(args.names)]
    for one in attempts:
        _find(one, args, pim, given)
    pending = pim.mine("open").pending
    for one in attempts:
        if one.held is not None:
            one.asked = prolonging.asked_already(one, pending)
    return prolonging.prolong(attempts, wish, args, context)
