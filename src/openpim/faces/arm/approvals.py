"""`roleAssignmentApprovals`: what waits for the caller's decision, its stages, and deciding. The same under the root
and under every place."""

from __future__ import annotations

from openpim.core.approval import ApprovalStage, StageStatus, Verdict
from openpim.core.directory import User
from openpim.core.grants import Kind
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import ROOT
from openpim.faces.arm import filters, grants
from openpim.faces.arm.call import Answer, Call, Row
from openpim.faces.arm.faults import RefusedError, Style, settled
from openpim.faces.arm.table import SCOPE, Endpoint
from openpim.services import approvals, browse
from openpim.services.approvals import ApprovalView
from openpim.services.reading import Whose
from openpim.services.resources import listing
from openpim.services.review import review

NAME = "roleAssignmentApprovals"
TYPE = f"Microsoft.Authorization/{NAME}"


def _id(approval_id: str) -> str:
    return grants.resource_id("", NAME, approval_id)


def row(call: Call, view: ApprovalView) -> Row:
    return {
        "id": _id(view.approval.id),
        "type": TYPE,
        "name": view.approval.id,
        "properties": {"stages": [stage_row(call, view, one) for one in view.approval.stages]},
    }


def stage_row(call: Call, view: ApprovalView, stage: ApprovalStage) -> Row:
    decisions = view.approval.of_stage(stage.id)
    last = decisions[-1] if stage.status is StageStatus.COMPLETED and decisions else None
    properties: Row = {
        "displayName": f"Stage {stage.number}",
        "status": stage.status.value,
        "assignedToMe": stage.id in view.assigned,
        "reviewedBy": _reviewer(call, last.reviewer_id, view) if last else None,
        "reviewedDateTime": grants.when(last.at) if last else None,
        "reviewResult": (last.verdict if last else Verdict.NOT_REVIEWED).value,
        "justification": last.justification if last else "",
    }
    return {
        "id": f"{_id(view.approval.id)}/stages/{stage.id}",
        "type": f"{TYPE}/stages",
        "name": stage.id,
        "properties": grants.bare(properties),
    }


def _reviewer(call: Call, reviewer_id: str, view: ApprovalView) -> Row:
    user = browse.objects_by_id(call.deps, call.caller, {reviewer_id}).get(reviewer_id)
    known = view.people.get(reviewer_id)
    return {
        "principalId": reviewer_id,
        "principalType": "user",
        "principalName": known.display_name if known is not None else None,
        "userPrincipalName": user.user_principal_name if isinstance(user, User) else None,
    }


def index(call: Call) -> Answer:
    """asApprover(), which is meant when nothing is said; or those about requests of the caller's own."""
    asked = filters.read(call, (), ("asapprover", "ascreatedby", "asrequestor", "astarget"))
    if asked.whose in {Whose.ANYONE, Whose.APPROVER}:
        views = approvals.mine(call.deps, call.caller, grants.PROVIDER)
        return grants.listed(call, [row(call, one) for one in views if _here(call, one)])
    found = settled(listing.asked_for(call.deps, call.caller, asked.asked(call, Kind.ASSIGNMENT)))
    rows = []
    for one in found.items:
        view = (
            approvals.get(call.deps, call.caller, one.approval_id or "", grants.PROVIDER)
            if one.approval_id
            else None
        )
        if isinstance(view, ApprovalView):
            rows.append(row(call, view))
    return grants.listed(call, rows, found.next)


def _here(call: Call, view: ApprovalView) -> bool:
    return call.scope in {ROOT, view.request.scope} or view.request.scope.startswith(call.scope + "/")


def _view(call: Call) -> ApprovalView:
    key = call.params["id"].lower()
    return settled(approvals.get(call.deps, call.caller, key, grants.PROVIDER))


def show(call: Call) -> Answer:
    return Answer(200, row(call, _view(call)))


def stages(call: Call) -> Answer:
    view = _view(call)
    return grants.listed(call, [stage_row(call, view, one) for one in view.approval.stages])


def _stage(call: Call, view: ApprovalView) -> Row:
    key = call.params["stage"].lower()
    found = next((one for one in view.approval.stages if one.id == key), None)
    if found is None:
        raise RefusedError(Refusal(Code.REQUEST_MISSING, f"The approval has no stage {key[:100]}."))
    return stage_row(call, view, found)


def stage(call: Call) -> Answer:
    return Answer(200, _stage(call, _view(call)))


def decide(call: Call) -> Answer:
    """The body flat, or wrapped in `properties`."""
    body = call.properties()
    verdict = body.need_choice("reviewResult", Verdict)
    key, which = call.params["id"].lower(), call.params["stage"].lower()
    words = body.text("justification") or ""
    settled(review(call.deps, call.caller, key, which, verdict, words, grants.PROVIDER))
    return Answer(200, _stage(call, _view(call)))


_BASE = f"{SCOPE}/providers/Microsoft.Authorization/{NAME}"
ENDPOINTS = (
    Endpoint("GET", _BASE, index, "", Style.PIM),
    Endpoint("GET", f"{_BASE}/{{id}}", show, "", Style.PIM),
    Endpoint("GET", f"{_BASE}/{{id}}/stages", stages, "", Style.PIM),
    Endpoint("GET", f"{_BASE}/{{id}}/stages/{{stage}}", stage, "", Style.PIM),
    Endpoint("PUT", f"{_BASE}/{{id}}/stages/{{stage}}", decide, "", Style.PIM),
    Endpoint("PATCH", f"{_BASE}/{{id}}/stages/{{stage}}", decide, "", Style.PIM),
)
