from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files

from openpim.core import roles
from openpim.store.roles import built_in


def test_all_built_in_roles_are_there():
    known = built_in()
    assert len(known) == 145
    assert all(id == role.id == role.template_id for id, role in known.items())
    assert len({role.display_name.lower() for role in known.values()}) == 145
    assert sum(role.privileged for role in known.values()) == 35
    assert {role.display_name for role in known.values() if not role.assignable} == {
        "User",
        "Guest User",
        "Restricted Guest User",
    }
    assert "microsoft.directory/applications/create" in known[roles.APPLICATION_ADMINISTRATOR].actions


def test_the_roles_that_the_rules_name_are_the_ones_they_mean():
    known = built_in()
    for name, id in vars(roles).items():
        if isinstance(id, str) and len(id) == 36 and id.count("-") == 4:
            assert known[id].display_name.upper().replace(" ", "_") == name


def test_the_file_holds_facts_only_and_is_small():
    content = files("openpim.data").joinpath("entra_roles.json").read_bytes()
    assert len(content) < 600_000
    assert {key for role in json.loads(content)["roles"] for key in role} == {
        "id",
        "name",
        "privileged",
        "assignable",
        "actions",
    }


def test_the_roles_are_read_only_on_demand():
    script = "import openpim.data as d; assert d.entra_roles.cache_info().currsize == 0; d.entra_roles()"
    subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
