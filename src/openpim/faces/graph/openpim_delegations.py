"""`openPim/delegations`, an addition of ours: an approver on leave lets somebody else decide in his place."""

from __future__ import annotations

from typing import Final

from openpim.core.approval import Delegation
from openpim.faces.graph import grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.call import NO_CONTENT, Answer, Call
from openpim.faces.graph.faults import settled
from openpim.faces.graph.resource import Resource, Row, plain_page
from openpim.faces.graph.table import Endpoint
from openpim.services import browse, delegation

PATH: Final = "openPim/delegations"
APPROVERS_READ = (*p.APPROVALS_READ, *p.GROUP_APPROVALS_READ)
APPROVERS_WRITE = (*p.APPROVALS_WRITE, *p.GROUP_APPROVALS_WRITE)


def row(_call: Call, one: Delegation) -> Row:
    return {
        "id": one.delegate_id,
        "approverId": one.approver_id,
        "delegateId": one.delegate_id,
        "startDateTime": grants.when(one.starts_at),
        "endDateTime": grants.when(one.ends_at),
    }


DELEGATIONS: Resource[Delegation] = Resource(path=PATH, type="openPimDelegation", render=row)


def index(call: Call) -> Answer:
    """Given and received."""
    page = plain_page(delegation.mine(call.deps, call.caller), call.options)
    return DELEGATIONS.collection(call, page)


def create(call: Call) -> Answer:
    """`delegateId` is a user's id or sign-in name; `startDateTime` may be missing."""
    body = call.json()
    text = body.need_text("delegateId", max_length=320)
    ends = body.need("endDateTime", body.datetime("endDateTime"))
    starts = body.datetime("startDateTime")
    user = settled(browse.user(call.deps, call.caller, text), text)
    return DELEGATIONS.entity(
        call, settled(delegation.delegate(call.deps, call.caller, user.id, starts, ends)), status=201
    )


def delete(call: Call) -> Answer:
    key = call.params["id"].lower()
    settled(delegation.withdraw(call.deps, call.caller, key), key)
    return NO_CONTENT


ENDPOINTS = (
    Endpoint("GET", PATH, index, APPROVERS_READ, people_only=True),
    Endpoint("POST", PATH, create, APPROVERS_WRITE, people_only=True),
    Endpoint("DELETE", f"{PATH}/{{id}}", delete, APPROVERS_WRITE, people_only=True),
)
