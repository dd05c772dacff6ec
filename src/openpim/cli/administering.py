"""What the administrators' commands share: the one role and the one principal a person meant."""

from __future__ import annotations

from openpim.cli.match import ambiguous, fits, missing
from openpim.cli.output import one_line
from openpim.client.directory import find_principals, principal_names, role_definitions
from openpim.client.roles import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openpim.client.graph import Graph

    Row = dict[str, Any]

__all__ = ["principal", "principal_label", "role", "scope"]


def role(graph: Graph, wanted: str) -> tuple[str, str]:
    """`(id, name)` of the role called `wanted`."""
    rows = role_definitions(graph)
    found = fits(wanted, rows, lambda row: (text(row.get("id")), text(row.get("displayName"))))
    if not found:
        raise missing(
            wanted,
            (text(row.get("displayName")) for row in rows),
            "there is no role",
            "type more of the name",
        )
    if len(found) > 1:
        lines = [f"{text(row.get('displayName'))}   ({text(row.get('id'))})" for row in found]
        raise ambiguous(wanted, lines, "type more of the name, or its id")
    return text(found[0].get("id")), one_line(text(found[0].get("displayName")))


def principal_label(row: Row) -> str:
    """`anna@contoso.com`, `Helpdesk (group)`."""
    kind = text(row.get("@odata.type")).rpartition(".")[2]
    name = text(row.get("userPrincipalName")) or text(row.get("displayName")) or text(row.get("id"))
    return one_line(
        name if kind in {"user", ""} else f"{name} ({'application' if kind == 'servicePrincipal' else kind})"
    )


def principal(graph: Graph, wanted: str) -> Row:
    """The one user, group or application meant."""
    if wanted.lower() == "me":
        return {"id": graph.me, "userPrincipalName": graph.session.tokens().account.get("upn", "")}
    rows = find_principals(graph, wanted)
    found = fits(wanted, rows, principal_names)
    if not found:
        raise missing(
            wanted,
            (),
            "there is no user, group or application",
            "give the beginning of the name, the address or the id",
        )
    if len(found) > 1:
        lines = [f"{principal_label(row)}   ({text(row.get('id'))})" for row in found]
        raise ambiguous(wanted, lines, "give the address or the id")
    return found[0]


def scope(graph: Graph, given: str) -> tuple[str, str]:
    """`(scope, name)`; the whole organization for nothing."""
    from openpim.cli.choosing import resolve_scope
    from openpim.client.errors import PimError

    if not given or given == "/":
        return "/", "/"
    resolved = resolve_scope(graph, given)
    if isinstance(resolved, PimError):
        raise resolved
    return resolved
