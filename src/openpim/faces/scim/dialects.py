"""What Microsoft Entra ID and Okta send that the standard does not know, written as the standard would.

Most of it scim2-models reads by itself (operations in any case, booleans as text, values in a remove; see models.TOLERANT). Left
are: a manager as a bare id, what cannot be changed inside a value without a path, and the many ways to name members.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from scim2_models import InvalidPathException, InvalidValueException, Path
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    ValuePath,
)

from openpim.faces.scim.documents import ENTERPRISE
from openpim.faces.scim.models import Group
from openpim.services.provisioning.teams import Step

_FIXED: Final = frozenset({"id", "meta", "schemas"})
_MANAGER: Final = "manager"
_STEPS: Final[Mapping[str, Literal["add", "remove", "set"]]] = {
    "add": "add",
    "remove": "remove",
    "replace": "set",
}
MOST_OPERATIONS: Final = 1000
Body = dict[str, Any]


def resource(body: Body) -> Body:
    """A whole User."""
    found = dict(body)
    for name, value in body.items():
        if name.lower() == ENTERPRISE.lower() and isinstance(value, Mapping):
            found[name] = {key: _manager(key, inner) for key, inner in value.items()}
    return found


def operations(body: Body) -> Body:
    """A PATCH of a User."""
    return {**body, _key(body): [_operation(one) for one in _operations(body)]}


def of_group(body: Body) -> tuple[Body | None, tuple[Step, ...]]:
    """A PATCH of a Group, parted: what is about the group itself (None: nothing is), and the changes of members in their
    order."""
    steps: list[Step] = []
    rest: list[Any] = []
    for one in _operations(body):
        if not isinstance(one, Mapping):
            rest.append(one)
            continue
        given = {name.lower(): value for name, value in one.items()}
        what, path, value = str(given.get("op", "")).lower(), given.get("path"), given.get("value")
        if isinstance(path, str) and _of_members(path):
            steps.append(_step(what, path, value))
        elif path in (None, "") and isinstance(value, Mapping):
            inner = {name: said for name, said in value.items() if name.lower() not in _FIXED}
            members = [said for name, said in inner.items() if name.lower() == "members"]
            steps += [_step(what, "members", said) for said in members]
            inner = {name: said for name, said in inner.items() if name.lower() != "members"}
            if inner or not value:
                rest.append({"op": given.get("op"), "value": inner})
        else:
            rest.append(one)
    return ({**body, _key(body): rest} if rest else None), tuple(steps)


def member_ids(value: Any) -> tuple[str, ...]:
    """Of a list of members, or of one."""
    found: list[str] = []
    for one in value if isinstance(value, list) else [value]:
        said = (
            next((each for key, each in one.items() if key.lower() == "value"), None)
            if isinstance(one, Mapping)
            else one
        )
        if not isinstance(said, str):
            raise InvalidValueException(detail="A member is named by `value`, the id of a user or group.")
        found.append(said.lower())
    return tuple(found)


def _key(body: Body) -> str:
    return next((name for name in body if name.lower() == "operations"), "Operations")


def _operations(body: Body) -> list[Any]:
    found = body.get(_key(body))
    if not isinstance(found, list) or not found:
        raise InvalidValueException(detail="Operations is a list of one or more operations.")
    if len(found) > MOST_OPERATIONS:
        raise InvalidValueException(detail=f"A PATCH has at most {MOST_OPERATIONS} operations.")
    return found


def _operation(one: Any) -> Any:
    if not isinstance(one, Mapping):
        return one
    found = {
        (name.lower() if name.lower() in {"op", "path", "value"} else name): value
        for name, value in one.items()
    }
    path, value = found.get("path"), found.get("value")
    if isinstance(path, str) and path.lower() == f"{ENTERPRISE}:{_MANAGER}".lower():
        found["value"] = _manager(_MANAGER, value)
        if value in ("", None, {}):
            return {"op": "remove", "path": path}
    elif path in (None, "") and isinstance(value, Mapping):
        found["value"] = {
            name: _manager(name.rsplit(":", 1)[-1], said)
            if name.lower().startswith(ENTERPRISE.lower() + ":")
            else said
            for name, said in resource(dict(value)).items()
            if name.lower() not in _FIXED
        }
        found.pop("path", None)
    return found


def _manager(name: str, value: Any) -> Any:
    return {"value": value} if name.lower() == _MANAGER and isinstance(value, str) else value


def _of_members(path: str) -> bool:
    name = path.lower().removeprefix(f"{Group.__schema__}:".lower())
    return name == "members" or name.startswith(("members[", "members.", "members "))


def _step(what: str, path: str, value: Any) -> Step:
    if what not in _STEPS:
        raise InvalidValueException(detail="An operation is add, remove or replace.")
    named = _named(path)
    if named is not None:
        if what != "remove":
            raise InvalidPathException(
                path=path[:100], detail="Members are added and taken out, not changed."
            )
        return Step("remove", named)
    if value is None and what == "add":
        raise InvalidValueException(detail="Say which members, in `value`.")
    if value is None:
        return Step("set", ())
    return Step(_STEPS[what], member_ids(value))


def _named(path: str) -> tuple[str, ...] | None:
    """The ids that a path such as `members[value eq "…"]` selects; None when it means them all."""
    node = Path[Group](path).ast
    if isinstance(node, AttrPath) and node.sub_attr is None:
        return None
    if isinstance(node, ValuePath) and node.sub_attr is None:
        return tuple(_equal(node.val_filter))
    raise InvalidPathException(path=path[:100], detail='Members are selected by members[value eq "id"].')


def _equal(node: FilterNode) -> list[str]:
    if isinstance(node, LogicalExpr) and node.op is LogicalOperator.or_:
        return [one for term in node.terms for one in _equal(term)]
    if (
        isinstance(node, Comparison)
        and node.op is CompareOperator.eq
        and str(node.attr_path).lower() == "value"
        and isinstance(node.value, str)
    ):
        return [node.value.lower()]
    raise InvalidPathException(detail='Members are selected by members[value eq "id"].')
