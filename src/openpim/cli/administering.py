"""What the administrators' commands share: the one role (or group) and the one principal a person meant."""

from __future__ import annotations

from openpim.cli.match import ambiguous, fits, missing
from openpim.cli.output import one_line
from openpim.client.directory import find_principals, principal_names, role_definitions
from openpim.client.errors import PimError
from openpim.client.roles import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openpim.client.graph import Graph

    Row = dict[str, Any]

__all__ = ["Target", "principal", "principal_label", "role", "scope", "target"]


class Target:
    """What is given, or whose policy it is: a role at a scope, or being member or owner of a group."""

    __slots__ = ("provider", "role", "role_id", "scope", "scope_name")

    def __init__(self, provider: str, role_id: str, role: str, scope: str, scope_name: str) -> None:
        self.provider = provider
        self.role_id = role_id
        self.role = role
        self.scope = scope
        self.scope_name = scope_name

    @property
    def key(self) -> tuple[str, str]:
        """Role and scope."""
        return self.role_id, self.scope.lower()

    @property
    def label(self) -> str:
        """`Teams Administrator`, `User Administrator in Berlin`, `sg-admins:owner`."""
        return (
            self.role
            if self.scope == "/" or self.provider == "group"
            else f"{self.role} in {self.scope_name}"
        )


def target(graph: Graph, wanted: str, where: str = "") -> Target:
    """A role by its name, else a group: `sg-admins` (its members), `sg-admins:owner`, `sg-admins:member`."""
    name, colon, access = wanted.rpartition(":")
    access = access.strip().lower()
    if not where and colon and access in {"member", "owner"}:
        return _group(graph, name.strip(), access)
    try:
        role_id, called = role(graph, wanted)
    except PimError as error:
        if error.kind != "missing" or where:
            raise
        try:
            return _group(graph, wanted, "member")
        except PimError as other:
            raise (error if other.kind == "missing" else other) from None
    return Target("directory", role_id, called, *scope(graph, where))


def _group(graph: Graph, wanted: str, access: str) -> Target:
    from openpim.client.graph import literal, query
    from openpim.wire.ids import is_guid

    which = f"id eq {literal(wanted)}" if is_guid(wanted) else f"startswith(displayName,{literal(wanted)})"
    rows = graph.rows(query("/groups", filter=which, select="id,displayName", top="50"))
    found = fits(wanted, rows, lambda row: (text(row.get("id")), text(row.get("displayName"))))
    if not found:
        raise missing(wanted, (), "there is no group", "give the beginning of its name, or its id")
    if len(found) > 1:
        lines = [f"{text(row.get('displayName'))}   ({text(row.get('id'))})" for row in found]
        raise ambiguous(wanted, lines, "type more of the name, or its id")
    name = one_line(text(found[0].get("displayName")))
    return Target(
        "group", access, name if access == "member" else f"{name}:{access}", text(found[0].get("id")), "group"
    )


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

    if not given or given == "/":
        return "/", "/"
    resolved = resolve_scope(graph, given)
    if isinstance(resolved, PimError):
        raise resolved
    return resolved
