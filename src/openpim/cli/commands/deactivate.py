"""`pim deactivate`: give a privilege back before its time."""

from __future__ import annotations

from openpim.cli.choosing import (
    add_names,
    add_scope,
    around,
    by_key,
    choose,
    label,
    label_at,
    scope_option,
    split,
)
from openpim.cli.exits import combined, exit_code
from openpim.cli.output import local
from openpim.client.errors import GraphError, PimError
from openpim.client.instants import iso
from openpim.client.roles import Holding, subject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from openpim.cli.context import Context
    from openpim.client.pim import Pim

    Row = dict[str, Any]

DESCRIPTION = "End activations before their time. A role that is not active already counts as done."
EXAMPLES = """examples:
  pim deactivate "Teams Administrator"
  pim deactivate Owner@prod
  pim deactivate --all
"""
COLUMNS = (("role", "ROLE"), ("scopeName", "SCOPE"), ("state", "STATE"), ("message", ""))

_SHORTEST = 300.0  # seconds: the least an activation lasts (OpenPIM may be set otherwise)


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    add_names(parser, "*")
    parser.add_argument("--all", action="store_true", help="every activation")
    parser.add_argument("-j", "--justification", default="", metavar="TEXT", help="why")
    add_scope(parser, "where, if it is active in several places")


def _result(held: Holding | None, name: str, state: str, error: PimError | None = None) -> Row:
    return {
        "provider": held.provider if held else None,
        "role": held.role if held else name,
        "roleDefinitionId": held.role_id if held else None,
        "scope": held.scope if held else None,
        "scopeName": held.scope_name if held else None,
        "state": state,
        "error": error.kind if error else None,
        "message": error.message if error else None,
        "hint": (error.hint or None) if error else None,
        "exitCode": exit_code(error.kind) if error else 0,
    }


def _chosen(
    args: Namespace, active: list[Holding], eligible: list[Holding], pim: Pim
) -> tuple[list[Holding], list[Row]]:
    """The activations meant, and the results of the names that mean none."""
    if args.all:
        return [group[0] for group in by_key(active).values()], []
    chosen: dict[tuple[str, str], Holding] = {}
    results: list[Row] = []
    for name in dict.fromkeys(args.names):
        scope = scope_option(args)
        named = around(pim, split(name, scope)[1], active)
        found = choose(
            name, active, scope, what="no active role is called", hint="see: pim list active", around=named
        )
        if isinstance(found, list):
            chosen[found[0].key] = found[0]
            continue
        idle = (
            choose(name, eligible, scope, what="", hint="", around=named)
            if found.kind == "missing"
            else found
        )
        if isinstance(idle, list):
            results.append(_result(idle[0], name, "not active"))
        else:
            results.append(_result(None, name, "failed", found))
    return list(chosen.values()), results


def run(args: Namespace, context: Context) -> int:
    """Deactivate; the exit code is the common one, or 10 if some failed."""
    if bool(args.names) == args.all:
        raise PimError("usage", "name the roles to deactivate, or give --all", "see: pim list active")
    pim = context.pim
    mine = pim.mine("active", "eligible")
    active = [held for held in mine.active if held.activated]
    chosen, results = _chosen(args, active, mine.eligible, pim)
    calls: list[tuple[str, str, Row]] = [
        (
            held.provider,
            "assignment",
            {
                "action": "selfDeactivate",
                "principalId": pim.graph.me,
                **subject(held.provider, held.role_id, held.scope),
                "justification": args.justification or None,
            },
        )
        for held in chosen
    ]
    for held, answer in zip(chosen, pim.send_all(calls), strict=True):
        code = answer.code if isinstance(answer, GraphError) else ""
        if code == "RoleAssignmentDoesNotExist":
            results.append(_result(held, "", "not active"))
        elif isinstance(answer, PimError):
            if code == "ActiveDurationTooShort" and held.starts is not None:
                answer.hint = f"possible from {local(iso(held.starts + _SHORTEST))}"
            answer.message = f"{label(held)}: {answer.message}"
            results.append(_result(held, "", "failed", answer))
        else:
            results.append(_result(held, "", "ended"))
    return _show(results, context)


def _show(results: list[Row], context: Context) -> int:
    if not context.printer.for_people:
        context.printer.rows(results, COLUMNS)
    elif len(results) == 1 and results[0]["error"]:
        raise PimError(results[0]["error"], results[0]["message"], results[0]["hint"] or "")
    else:
        for row in results:
            name = row["role"]
            if row["provider"]:
                name = label_at(row["provider"], row["role"], row["scope"], row["scopeName"])
            words = {"ended": "is no longer active.", "not active": "is not active."}
            text = row["message"] or f"{name} {words[row['state']]}"
            context.printer.line(text + (f"\n  {row['hint']}" if row["hint"] else ""))
        if not results:
            context.printer.line("Nothing is active.")
    return combined([row["exitCode"] for row in results])
