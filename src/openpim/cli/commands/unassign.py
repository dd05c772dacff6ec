"""`pim unassign`: take an eligibility or an assignment away."""

from __future__ import annotations

from openpim.cli import administering
from openpim.cli.choosing import PLACES, add_scope
from openpim.client.arm import at
from openpim.client.errors import GraphError, PimError
from openpim.client.graph import literal, query
from openpim.client.resources import flat
from openpim.client.roles import BASE, EXPAND, EXPAND_GROUP, GROUPS, Holding, subject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence
    from typing import Any

    from openpim.cli.administering import Target
    from openpim.cli.context import Context
    from openpim.client.pim import Pim

    Row = dict[str, Any]

DESCRIPTION = "Take an eligibility or an assignment away. What is not there counts as done."
EXAMPLES = """examples:
  pim unassign "Teams Administrator" anna@contoso.com
  pim unassign "Security Reader" ben@contoso.com --active -j "left the team"
  pim unassign sg-admins:owner anna@contoso.com
  pim unassign Owner@prod anna@contoso.com
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "role",
        metavar="ROLE",
        help="role name, a part of it, or its id; a group: NAME, NAME:owner; ROLE@PLACE on a resource",
    )
    parser.add_argument("who", metavar="WHO", help="user, group or application: address, name or id")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--eligible", action="store_true", help="the eligibility")
    which.add_argument("--active", action="store_true", help="the assignment")
    add_scope(parser, PLACES)
    parser.add_argument("-j", "--justification", default="", metavar="TEXT", help="why")


def _there(pim: Pim, what: Target, who: str) -> tuple[bool, bool]:
    """Whether the principal is eligible, and whether he is assigned, there."""
    where = f"principalId eq {literal(who)}"
    if what.provider == "resource":
        paths = (
            at(what.scope, f"role{kind}ScheduleInstances", where) for kind in ("Eligibility", "Assignment")
        )
        answers = pim.need_arm().lists(*paths)
        rows = [[flat(row) for row in one] if isinstance(one, list) else one for one in answers]
        return _found(rows, what, who)
    if what.provider == "group":
        where += f" and groupId eq {literal(what.scope)} and accessId eq {literal(what.role_id)}"
        lists, expand = (
            [f"{GROUPS}/{kind}ScheduleInstances" for kind in ("eligibility", "assignment")],
            EXPAND_GROUP,
        )
    else:
        where += f" and roleDefinitionId eq {literal(what.role_id)}"
        lists, expand = (
            [f"{BASE}/role{kind}ScheduleInstances" for kind in ("Eligibility", "Assignment")],
            EXPAND,
        )
    return _found(pim.graph.lists(*(query(path, filter=where, expand=expand) for path in lists)), what, who)


def _found(answers: Sequence[list[Row] | GraphError], what: Target, who: str) -> tuple[bool, bool]:
    found = []
    for index, answer in enumerate(answers):
        if not isinstance(answer, list):
            raise answer
        held = [Holding(row, eligible=index == 0) for row in answer]
        found.append(any(one.key == what.key and one.principal_id == who for one in held))
    return found[0], found[1]


def run(args: Namespace, context: Context) -> int:
    """Unassign."""
    pim = context.pim
    what = administering.target(pim, args.role, args.scope)
    who = administering.principal(pim.graph, args.who)
    label = f"{administering.principal_label(who)}: {what.label}"
    active = args.active
    if not (args.active or args.eligible):
        eligible, active = _there(pim, what, str(who["id"]))
        if eligible and active:
            text = f"{label} is both eligible and assigned"
            raise PimError("ambiguous", text, "say which to take away: --eligible or --active")
    body: Row = {
        "action": "adminRemove",
        "principalId": who["id"],
        **subject(what.provider, what.role_id, what.scope),
        "justification": args.justification or None,
    }
    state = "removed"
    try:
        kind = "assignment" if active else "eligibility"
        pim.send(what.provider, kind, body)
    except GraphError as error:
        if error.refusal == "last_administrator":
            error.hint = (
                f'first give it to another person: pim assign "{what.role}" PERSON --active --permanent'
            )
        if error.code != "RoleAssignmentDoesNotExist":
            raise
        state = "not there"
    row = {
        "provider": what.provider,
        "role": what.role,
        "roleDefinitionId": what.role_id,
        "principalId": who["id"],
        "scope": what.scope,
        "kind": "assignment" if active else "eligibility",
        "state": state,
    }
    if context.printer.for_people:
        thing = "the assignment" if active else "the eligibility"
        context.printer.line(f"{label}: {thing} is {'gone' if state == 'removed' else 'not there'}.")
    else:
        context.printer.one(row, tuple((name, name) for name in row))
    return 0
