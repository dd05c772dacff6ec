"""`pim unassign`: take an eligibility or an assignment away."""

from __future__ import annotations

from openpim.cli import administering
from openpim.client.errors import GraphError, PimError
from openpim.client.graph import literal, query
from openpim.client.roles import ASSIGNMENT_REQUESTS, BASE, ELIGIBILITY_REQUESTS, EXPAND, Holding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context
    from openpim.client.graph import Graph

    Row = dict[str, Any]

DESCRIPTION = "Take an eligibility or an assignment away. What is not there counts as done."
EXAMPLES = """examples:
  pim unassign "Teams Administrator" anna@contoso.com
  pim unassign "Security Reader" ben@contoso.com --active -j "left the team"
"""


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("role", metavar="ROLE", help="role name, a part of it, or its id")
    parser.add_argument("who", metavar="WHO", help="user, group or application: address, name or id")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--eligible", action="store_true", help="the eligibility")
    which.add_argument("--active", action="store_true", help="the assignment")
    parser.add_argument(
        "--scope",
        "--au",
        default="",
        metavar="SCOPE",
        dest="scope",
        help="an administrative unit, or a scope path (default: everything)",
    )
    parser.add_argument("-j", "--justification", default="", metavar="TEXT", help="why")


def _there(graph: Graph, role_id: str, who: str, scope: str) -> tuple[bool, bool]:
    """Whether the principal is eligible, and whether he is assigned, there."""
    where = f"principalId eq {literal(who)} and roleDefinitionId eq {literal(role_id)}"
    answers = graph.lists(
        query(f"{BASE}/roleEligibilityScheduleInstances", filter=where, expand=EXPAND),
        query(f"{BASE}/roleAssignmentScheduleInstances", filter=where, expand=EXPAND),
    )
    found = []
    for index, answer in enumerate(answers):
        if not isinstance(answer, list):
            raise answer
        held = [Holding(row, eligible=index == 0) for row in answer]
        found.append(any(one.scope.lower() == scope.lower() and one.principal_id == who for one in held))
    return found[0], found[1]


def run(args: Namespace, context: Context) -> int:
    """Unassign."""
    graph = context.graph
    role_id, role = administering.role(graph, args.role)
    who = administering.principal(graph, args.who)
    scope, scope_name = administering.scope(graph, args.scope)
    label = f"{administering.principal_label(who)}: {role}{'' if scope == '/' else f' in {scope_name}'}"
    active = args.active
    if not (args.active or args.eligible):
        eligible, active = _there(graph, role_id, str(who["id"]), scope)
        if eligible and active:
            text = f"{label} is both eligible and assigned"
            raise PimError("ambiguous", text, "say which to take away: --eligible or --active")
    body: Row = {
        "action": "adminRemove",
        "principalId": who["id"],
        "roleDefinitionId": role_id,
        "directoryScopeId": scope,
        "justification": args.justification or None,
    }
    state = "removed"
    try:
        graph.request("POST", ASSIGNMENT_REQUESTS if active else ELIGIBILITY_REQUESTS, body)
    except GraphError as error:
        if error.refusal == "last_administrator":
            error.hint = f'first give it to another person: pim assign "{role}" PERSON --active --permanent'
        if error.code != "RoleAssignmentDoesNotExist":
            raise
        state = "not there"
    row = {
        "role": role,
        "roleDefinitionId": role_id,
        "principalId": who["id"],
        "scope": scope,
        "kind": "assignment" if active else "eligibility",
        "state": state,
    }
    if context.printer.for_people:
        what = "the assignment" if active else "the eligibility"
        context.printer.line(f"{label}: {what} is {'gone' if state == 'removed' else 'not there'}.")
    else:
        context.printer.one(row, tuple((name, name) for name in row))
    return 0
