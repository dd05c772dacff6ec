"""`roleAssignmentApprovals` (and the groups' `assignmentApprovals`): what waits for the caller's decision, its stages (or steps, as beta says), and deciding.

Served on both versions and under both names; with one stage its id is the approval's and the request's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from openpim.core.approval import ApprovalStage, StageStatus, Verdict
from openpim.core.directory import User
from openpim.core.grants import Provider
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

NAMES = ("steps", "stages")


@dataclass(frozen=True, slots=True)
class Place:
    """Where approvals of one provider are found."""

    path: str
    provider: Provider


ROLES = Place(f"{grants.BASE}/roleAssignmentApprovals", Provider.DIRECTORY)


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
    path=ROLES.path, type="approval", render=row, expanders=dict.fromkeys(NAMES, _expand_stages)
)
STAGES: Resource[Any] = Resource(
    path=ROLES.path, type="approvalStage", render=lambda _call, found: found, tolerant=True
)


def _with_stages(call: Call, view: ApprovalView) -> Row:
    """Stages stand in the answer whether or not they are asked for, as in the documented answers."""
    found = APPROVALS.rows(call, (view,), call.options)[0]
    if not call.options.select and not any(name in found for name in NAMES):
        found[_word(call)] = _stage_rows(call, view, QueryOptions())
    return found


def mine(call: Call, place: Place) -> Answer:
    if grants.whose(call) is not Whose.APPROVER:
        raise ODataError("path", "approvals can be filtered by the current user as approver only")
    page = plain_page(approvals.mine(call.deps, call.caller, place.provider), call.options)
    rows = [{"@odata.type": APPROVALS.odata_type, **_with_stages(call, view)} for view in page.items]
    return listed(call, "Collection(approval)", rows, page.next, page.total)


def show(call: Call, place: Place) -> Answer:
    view = _view(call, place)
    fragment = APPROVALS.fragment(call.options, path=place.path)
    body: Row = {"@odata.context": call.context(fragment + "/$entity")}
    return Answer(200, body | _with_stages(call, view))


def _view(call: Call, place: Place) -> ApprovalView:
    key = call.params["id"].lower()
    return settled(approvals.get(call.deps, call.caller, key, place.provider), key)


def stages(call: Call, place: Place, name: str) -> Answer:
    view = _view(call, place)
    page = plain_page(_stage_rows(call, view, call.options), call.options)
    return listed(call, f"{place.path}('{view.approval.id}')/{name}", list(page.items), page.next, page.total)


def stage(call: Call, place: Place, name: str) -> Answer:
    view = _view(call, place)
    key = call.params["stage"].lower()
    found = next((one for one in _stage_rows(call, view, QueryOptions()) if one["id"] == key), None)
    if found is None:
        raise grants.no_such("stage", key)
    body: Row = {"@odata.context": call.context(f"{place.path}('{view.approval.id}')/{name}/$entity")}
    return Answer(200, body | STAGES.selected(found, call.options))


def decide(call: Call, place: Place) -> Answer:
    body = call.json()
    verdict = body.need_choice("reviewResult", Verdict)
    justification = body.text("justification") or ""
    key, step = call.params["id"].lower(), call.params["stage"].lower()
    settled(review(call.deps, call.caller, key, step, verdict, justification, place.provider), step)
    return NO_CONTENT


def endpoints(place: Place, read: tuple[str, ...], write: tuple[str, ...]) -> tuple[Endpoint, ...]:
    """The approvals of one provider. read, write: permissions."""

    def endpoint(method: str, below: str, handler: Any, scopes: tuple[str, ...], **more: str) -> Endpoint:
        address = f"{place.path}/{below}"
        return Endpoint(method, address, partial(handler, place=place, **more), scopes, Style.APPROVAL)

    found = [
        endpoint("GET", "filterByCurrentUser()", mine, read),
        endpoint("GET", "{id}", show, read),
    ]
    for name in NAMES:
        found += [
            endpoint("GET", f"{{id}}/{name}", stages, read, name=name),
            endpoint("GET", f"{{id}}/{name}/{{stage}}", stage, read, name=name),
            endpoint("PATCH", f"{{id}}/{name}/{{stage}}", decide, write),
        ]
    return tuple(found)


ENDPOINTS = endpoints(ROLES, p.APPROVALS_READ, p.APPROVALS_WRITE)
