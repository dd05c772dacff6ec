"""Find roles and principals by what people call them.

Matching itself is the caller's: these functions bring the candidates.
"""

from __future__ import annotations

from openpim.client.errors import GraphError
from openpim.client.graph import literal, query
from openpim.client.roles import BASE, text
from openpim.client.transport import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openpim.client.graph import Graph

    Row = dict[str, Any]

__all__ = ["find_principals", "principal_names", "role_definitions"]


def role_definitions(graph: Graph) -> list[Row]:
    """Every role: id, displayName, isBuiltIn."""
    return graph.rows(query(f"{BASE}/roleDefinitions", select="id,displayName,isBuiltIn"))


def principal_names(row: Row) -> tuple[str, ...]:
    """What a user, group or service principal goes by."""
    return tuple(text(row.get(name)) for name in ("id", "userPrincipalName", "displayName", "mail", "appId"))


def find_principals(graph: Graph, wanted: str) -> list[Row]:
    """Users, groups and service principals whose name begins with `wanted`, or who have that id or address."""
    from openpim.wire.ids import is_guid

    if is_guid(wanted):
        answer = graph.request("POST", "/directoryObjects/getByIds", {"ids": [wanted]})
        value = answer.get("value") if isinstance(answer, dict) else None
        return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
    if "@" in wanted:
        try:
            return [graph.get(f"/users/{quote(wanted)}")]
        except GraphError as error:
            if error.status not in {400, 404}:
                raise
    begins = f"startswith(displayName,{literal(wanted)})"
    user = f"{begins} or startswith(userPrincipalName,{literal(wanted)})"
    answers = graph.lists(
        query("/users", filter=user, select="id,displayName,userPrincipalName,mail", top="50"),
        query("/groups", filter=begins, select="id,displayName,isAssignableToRole", top="50"),
        query("/servicePrincipals", filter=begins, select="id,displayName,appId", top="50"),
    )
    found: list[Row] = []
    for kind, answer in zip(("user", "group", "servicePrincipal"), answers, strict=True):
        if isinstance(answer, list):
            found += [{"@odata.type": f"#microsoft.graph.{kind}", **row} for row in answer]
        elif answer.status not in {400, 403, 404}:
            raise answer
    return found
