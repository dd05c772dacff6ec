"""What the administrators' commands share: the one role (or group, or role on a resource) and the one principal that a
person meant."""

from __future__ import annotations

from openpim.cli.choosing import label_at, split
from openpim.cli.match import ambiguous, fits, missing
from openpim.cli.output import one_line
from openpim.client.directory import find_principals, principal_names, role_definitions
from openpim.client.errors import GraphError, PimError
from openpim.client.roles import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from openpim.client.graph import Graph
    from openpim.client.pim import Pim

    Row = dict[str, Any]

__all__ = ["Target", "labels", "principal", "principal_label", "role", "target"]


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
        """`Teams Administrator`, `User Administrator in Berlin`, `sg-admins:owner`, `Owner@prod`."""
        return label_at(self.provider, self.role, self.scope, self.scope_name)


def target(pim: Pim, wanted: str, where: str = "") -> Target:
    """A role by its name, else a group: `sg-admins` (its members), `sg-admins:owner`, `sg-admins:member`; with a place
    (`Owner@prod`, or `where`) the role there, be it a unit of the directory or in the tree of resources.
    """
    graph = pim.graph
    if not where and "@" in wanted:
        wanted, where = split(wanted, "")
        if where == "/":
            return _on_resource(pim, wanted, "/", "/")
    if where and where != "/":
        return _somewhere(pim, wanted, where)
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
            if other.kind != "missing":
                raise other from None
        error.hint += f"; a role on resources is written {wanted}@PLACE"
        raise
    return Target("directory", role_id, called, "/", "/")


def _on_resource(pim: Pim, wanted: str, path: str, name: str) -> Target:
    from openpim.cli.tree import resource_role

    role_id, called = resource_role(pim, wanted, path)
    return Target("resource", role_id, called, path, name)


def _somewhere(pim: Pim, wanted: str, where: str) -> Target:
    """A place that is one of the directory's units, or one in the tree of resources; if it could be both, neither."""
    from openpim.cli.choosing import resolve_scope
    from openpim.cli.tree import is_resource_path

    prefix = where.partition(":")[0].lower()
    if where.startswith("/") and not is_resource_path(where):
        return Target("directory", *role(pim.graph, wanted), where, where)
    found: list[tuple[str, str]] = []
    if prefix != "au" and (pim.arm is not None or prefix in {"mg", "sub", "rg"} or where.startswith("/")):
        found = _places(pim, where, sure=prefix in {"mg", "sub", "rg"} or where.startswith("/"))
    unit: tuple[str, str] | PimError | None = None
    if not where.startswith("/") and prefix not in {"mg", "sub", "rg"}:
        unit = _unit(pim.graph, resolve_scope, where.removeprefix("au:"), found)
    if isinstance(unit, PimError) and unit.kind != "missing":
        raise unit
    if isinstance(unit, tuple):
        if found:
            lines = [
                f"{where}   ({unit[0]}: add au: before it)",
                *(f"{name}   ({path})" for path, name in found),
            ]
            raise ambiguous(where, lines, "say which sort: au:NAME, mg:NAME, sub:NAME or rg:NAME")
        return Target("directory", *role(pim.graph, wanted), *unit)
    if not found:
        raise missing(
            where,
            (),
            "you can see no place called",
            "write it like sub:NAME, mg:NAME, SUBSCRIPTION/GROUP, or a path",
        )
    if len(found) > 1:
        lines = sorted(f"{one_line(name)}   ({path})" for path, name in found)
        raise ambiguous(where, lines, "say which sort (mg:, sub:, rg:), or give its path")
    return _on_resource(pim, wanted, *found[0])


def _places(pim: Pim, where: str, *, sure: bool) -> list[tuple[str, str]]:
    """The places in the tree that are called so.  Not sure that it is one: nothing stops where the tree cannot be read."""
    from openpim.cli.tree import spots

    try:
        return spots(pim, where)
    except PimError as error:
        if sure or error.kind in {"usage", "ambiguous"}:
            raise
        pim.without_arm(error)
        return []


def _unit(
    graph: Graph,
    resolve: Callable[[Graph, str], tuple[str, str] | PimError],
    where: str,
    found: list[tuple[str, str]],
) -> tuple[str, str] | PimError | None:
    """The administrative unit of that name; an id that is a place's is none."""
    from openpim.wire.ids import is_guid

    if is_guid(where) and found:
        return None
    try:
        return resolve(graph, where)
    except GraphError as error:
        if not found or error.status not in {400, 403, 404}:
            raise
        return None


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


def labels(graph: Graph, ids: set[str]) -> dict[str, str]:
    """What these are called, by id; one that may not be read is not there."""
    try:
        answer = graph.request("POST", "/directoryObjects/getByIds", {"ids": sorted(ids)}) if ids else {}
    except GraphError:
        return {}
    value = answer.get("value") if isinstance(answer, dict) else None
    rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    return {text(row.get("id")): principal_label(row) for row in rows}


_KINDS = {"": "user, group or application", "group": "group", "servicePrincipal": "application"}


def principal(graph: Graph, wanted: str, kind: str = "") -> Row:
    """The one user, group or application meant. kind: group, servicePrincipal: what alone it can be."""
    if wanted.lower() == "me" and not kind:
        return {"id": graph.me, "userPrincipalName": graph.session.tokens().account.get("upn", "")}
    rows = [row for row in find_principals(graph, wanted) if text(row.get("@odata.type")).endswith(kind)]
    found = fits(wanted, rows, principal_names)
    if not found:
        raise missing(
            wanted,
            (),
            f"there is no {_KINDS[kind]}",
            "give the beginning of the name, the address or the id",
        )
    if len(found) > 1:
        lines = [f"{principal_label(row)}   ({text(row.get('id'))})" for row in found]
        raise ambiguous(wanted, lines, "give the address or the id")
    return found[0]
