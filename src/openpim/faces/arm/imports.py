"""`POST /providers/OpenPIM/importResources`: a tree from a file, an addition of ours.

{"resources": [{"id": "/subscriptions/…", "displayName": "…", "parentId": "/providers/…", "location": "…",
                "tags": {"…": "…"}}, …]}
"""

from __future__ import annotations

from openpim.core.resources import canonical
from openpim.faces.arm import grants, tree
from openpim.faces.arm.call import Answer, Call
from openpim.faces.arm.faults import settled
from openpim.faces.arm.table import Endpoint
from openpim.services.resources.importing import MOST, Line, import_tree
from openpim.services.resources.shaping import Wanted
from openpim.wire.jsonbody import Body


def run(call: Call) -> Answer:
    given = call.json().objects("resources", most=MOST) or []
    made = settled(import_tree(call.deps, call.caller, [_line(one) for one in given]))
    rows = [{"id": one.path, "name": one.name, "type": grants.scope_type(one)} for one in made]
    return grants.listed(call, rows)


def _line(one: Body) -> Line:
    parent = one.text("parentId", max_length=600)
    wanted = Wanted(
        display_name=one.text("displayName", max_length=256) or None,
        location=one.text("location", max_length=64),
        tags=tree.read_tags(one),
        parent_id=canonical(parent) if parent else None,
    )
    return Line(one.need_text("id", max_length=1_000), wanted)


ENDPOINTS = (Endpoint("POST", "providers/OpenPIM/importResources", run),)
