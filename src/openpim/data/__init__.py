"""Facts that come with the package: the built-in directory roles.

entra_roles.json holds what the documented role definitions of Microsoft Entra are made of: template id, name,
whether the role counts as privileged, whether it can be assigned at all, and its actions (numbers into one list
of actions, because the same actions stand in many roles).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class BuiltInRole:
    id: str
    name: str
    privileged: bool
    assignable: bool
    actions: tuple[str, ...]


@cache
def entra_roles() -> tuple[BuiltInRole, ...]:
    """All built-in directory roles, ordered by id. Read once, when first asked for."""
    content = json.loads(files("openpim.data").joinpath("entra_roles.json").read_bytes())
    actions = content["actions"]
    return tuple(
        BuiltInRole(
            id=role["id"],
            name=role["name"],
            privileged=role["privileged"],
            assignable=role["assignable"],
            actions=tuple([actions[number] for number in role["actions"]]),
        )
        for role in content["roles"]
    )


@cache
def azure_roles() -> tuple[tuple[str, str, tuple[tuple[tuple[str, ...], ...], ...]], ...]:
    """All built-in resource roles as (id, name, permissions), ordered by id; each permission is (actions,
    notActions, dataActions, notDataActions). azure_roles.json numbers the actions as entra_roles.json does."""
    content = json.loads(files("openpim.data").joinpath("azure_roles.json").read_bytes())
    actions = content["actions"]
    return tuple(
        (
            role["id"],
            role["name"],
            tuple(
                tuple(tuple(actions[number] for number in part) for part in permission)
                for permission in role["permissions"]
            ),
        )
        for role in content["roles"]
    )
