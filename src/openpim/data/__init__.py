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
