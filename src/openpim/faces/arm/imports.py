"""`POST /providers/OpenPIM/importResources`: a tree at once, an addition of ours.

{"resources": [{"id": "/subscriptions/…", "displayName": "…", "parentId": "/providers/…", "location": "…",
                "tags": {"…": "…"}}, …], "dryRun": false, "prune": false}

The answer lists what was done, or in a dry run would be: {"value": [{"id", "name", "type", "change": "created"}, …]}.
"""

from __future__ import annotations

from openpim.core.refusals import Code, Refusal
from openpim.core.resources import Resource, canonical
from openpim.faces.arm import grants, tree
from openpim.faces.arm.call import Answer, Call
from openpim.faces.arm.faults import settled
from openpim.faces.arm.table import Endpoint
from openpim.services.resources.importing import Faulty, Imported, Line, import_tree
from openpim.services.resources.shaping import Wanted
from openpim.wire.jsonbody import Body

MOST = 20_000  # in one request; a file on the server may have more
_SHOWN = 50


def run(call: Call) -> Answer:
    body = call.json()
    given = body.objects("resources", most=MOST) or []
    done = import_tree(
        call.deps,
        call.caller,
        [_line(one) for one in given],
        prune=body.boolean("prune") or False,
        dry_run=body.boolean("dryRun") or False,
    )
    return grants.listed(call, _rows(settled(_refused(done))))


def _refused(done: Imported | Faulty | Refusal) -> Imported | Refusal:
    if isinstance(done, Faulty):
        lines = [f"resources[{one.line - 1}]: {one.message}" for one in done.faults[:_SHOWN]]
        if len(done.faults) > _SHOWN:
            lines.append(f"and {len(done.faults) - _SHOWN} more")
        return Refusal(Code.INVALID, "; ".join(lines) + ".", member="resources")
    return done


def _rows(done: Imported) -> list[dict[str, object]]:
    plan = done.plan
    rows = [_row(one, "created") for one in plan.create]
    for changes, word in ((plan.move, "moved"), (plan.rename, "renamed"), (plan.change, "changed")):
        rows += [_row(one.new, word) for one in changes]
    return rows + [_row(one, "deleted") for one in plan.delete]


def _row(one: Resource, change: str) -> dict[str, object]:
    return {"id": one.path, "name": one.name, "type": grants.scope_type(one), "change": change}


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
