"""`roleAssignmentApprovals`: what waits for the caller's decision, its stages (or steps, as beta says), and deciding.

Served on both versions and under both names; with one stage its id is the approval's and the request's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from openpim.core.approval import ApprovalStage, StageStatus, Verdict
from openpim.core.directory import User
from openpim.faces.graph import grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.faults import Style, settled
from openpim.faces.graph.resource import Resource, Row, listed, plain_page
from openpim.faces.graph.table import BETA, Endpoint
from openpim.services import approvals, browse
from openpim.services.approvals import ApprovalView
from openpim.services.reading import Whose
from openpim.services.review import review
from openpim.wire.odata import ODataError, QueryOptions

PATH = f"{grants.BASE}/roleAssignmentApprovals"
NAMES = ("steps", "stages")


def _word(call: Call) -> str:
    return "steps" if call.version == BETA else "stages"


def row(_call: Call, view: ApprovalView) -> Row:
    return {"id": view.approval.id}


def stage_row(_call: Call, view: ApprovalView, stage: ApprovalStage, people: dict[str, Any]) -> Row:
    """A stage. `@openpim.stage` tells what Graph has no member for: the quorum, the deadline, every decision."""
    decisions = view.approval.of_stage(stage.id)
    done = stage.status is StageStatus.COMPLETED and decisions
    last = decisions[-1] if done else None
    return {
        "id": stage.id,
        "displayName": None,
        "reviewedDateTime": grants.when(last.at) if last else None,
        "reviewResult": (last.verdict if last else Verdict.NOT_REVIEWED).value,
        "status": stage.status.value,
        "assignedToMe": stage.id in view.assigned,
        "justification": last.justification if last else "",
        "reviewedBy": _reviewer(last.reviewer_id, view, people) if last else None,
        "@openpim.stage": {
            "number": stage.number,
            "quorum": stage.settings.quorum,
            "deadline": grants.when(stage.deadline),
            "escalated": stage.escalated,
            "decisions": [
                {
                    "reviewResult": one.verdict.value,
                    "justification": one.justification,
                    "reviewedDateTime": grants.when(one.at),
                    "reviewedBy": _reviewer(one.reviewer_id, view, people),
                }
                for one in decisions
            ],
        },
    }


def _reviewer(id: str, view: ApprovalView, people: dict[str, Any]) -> Row:
    user = people.get(id)
    known = view.people.get(id)
    return {
        "id": id,
        "displayName": known.display_name if known is not None else None,
        "userPrincipalName": user.user_principal_name if isinstance(user, User) else None,
        "mail": user.mail if isinstance(user, User) else None,
    }


def _stage_rows(call: Call, view: ApprovalView, options: QueryOptions) -> list[Row]:
    people = browse.objects_by_id(call.deps, call.caller, set(view.people)) if view.people else {}
    rows = [stage_row(call, view, stage, people) for stage in view.approval.stages]
    return [STAGES.selected(one, options) for one in rows]


def _expand_stages(call: Call, views: Sequence[ApprovalView], options: QueryOptions) -> list[Any]:
    return [_stage_rows(call, view, options) for view in views]


APPROVALS: Resource[ApprovalView] = Resource(
    path=PATH, type="approval", render=row, expanders=dict.fromkeys(NAMES, _expand_stages)
)
STAGES: Resource[Any] = Resource(
    path=PATH, type="approvalStage", render=lambda _call, found: found, tolerant=True
)


def _with_stages(call: Call, view: ApprovalView) -> Row:
    """Stages stand in the answer whether or not they are asked for, as in the documented answers."""
    found = APPROVALS.rows(call, (view,), call.options)[0]
    if not call.options.select and not any(name in found for name in NAMES):
        found[_word(call)] = _stage_rows(call, view, QueryOptions())
    return found


def mine(call: Call) -> Answer:
    if grants.whose(call) is not Whose.APPROVER:
        raise ODataError("path", "approvals can be filtered by the current user as approver only")
    page = plain_page(approvals.mine(call.deps, call.caller), call.options)
    rows = [{"@odata.type": APPROVALS.odata_type, **_with_stages(call, view)} for view in page.items]
    return listed(call, "Collection(approval)", rows, page.next, page.total)


def show(call: Call) -> Answer:
    view = _view(call)
    body: Row = {"@odata.context": call.context(APPROVALS.fragment(call.options) + "/$entity")}
    return Answer(200, body | _with_stages(call, view))


def _view(call: Call) -> ApprovalView:
    key = call.params["id"].lower()
    return settled(approvals.get(call.deps, call.caller, key), key)


def stages(call: Call, name: str) -> Answer:
    view = _view(call)
    page = plain_page(_stage_rows(call, view, call.options), call.options)
    return listed(call, f"{PATH}('{view.approval.id}')/{name}", list(page.items), page.next, page.total)


def stage(call: Call, name: str) -> Answer:
    view = _view(call)
    key = call.params["stage"].lower()
    found = next((one for one in _stage_rows(call, view, QueryOptions()) if one["id"] == key), None)
    if found is None:
        raise grants.no_such("stage", key)
    body: Row = {"@odata.context": call.context(f"{PATH}('{view.approval.id}')/{name}/$entity")}
    return Answer(200, body | STAGES.selected(found, call.options))


def decide(call: Call) -> Answer:
    body = call.json()
    verdict = body.need_choice("reviewResult", Verdict)
    justification = body.text("justification") or ""
    key, step = call.params["id"].lower(), call.params["stage"].lower()
    settled(review(call.deps, call.caller, key, step, verdict, justification), step)
    return NO_CONTENT


def _stage_endpoints(name: str) -> tuple[Endpoint, ...]:
    path = f"{PATH}/{{id}}/{name}"
    return (
        Endpoint("GET", path, partial(stages, name=name), p.APPROVALS_READ, Style.APPROVAL),
        Endpoint("GET", f"{path}/{{stage}}", partial(stage, name=name), p.APPROVALS_READ, Style.APPROVAL),
        Endpoint("PATCH", f"{path}/{{stage}}", decide, p.APPROVALS_WRITE, Style.APPROVAL),
    )


ENDPOINTS = (
    Endpoint("GET", f"{PATH}/filterByCurrentUser()", mine, p.APPROVALS_READ, Style.APPROVAL),
    Endpoint("GET", f"{PATH}/{{id}}", show, p.APPROVALS_READ, Style.APPROVAL),
    *_stage_endpoints("steps"),
    *_stage_endpoints("stages"),
)
