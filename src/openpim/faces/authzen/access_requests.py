"""The access request profile (draft 1): the request, its task, and how to call it off.

Errors are problem details with the profile's types. What the role's settings refuse is an answer too: a task that failed
could not be told from a denial, so it is 403 with the rules by name.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from openpim.core.caller import CallerKind
from openpim.core.grants import Ticket
from openpim.core.refusals import Code, Refusal
from openpim.faces.authzen.call import Answered, Call, text_of
from openpim.faces.authzen.evaluation import is_name, question_of
from openpim.faces.authzen.wire import ACCESS_REQUEST, AccessRequest, BadRequestError, read
from openpim.faces.shared.threads import in_thread
from openpim.services.decisions import requesting
from openpim.services.decisions.callers import may_ask_about, may_request, may_see_tasks
from openpim.services.decisions.requesting import Denied, Task

_ERROR: Final = "urn:openid:authzen:access-request:error:"
_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_PROBLEM: Final = b"application/problem+json"


class _Problem(Exception):  # noqa: N818 - an answer, not an error of ours
    def __init__(self, status: int, kind: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.answer = problem(status, kind, detail, **more)


def problem(status: int, kind: str, detail: str, **more: Any) -> Answered:
    """Kind "": none of the profile's (RFC 9457: about:blank)."""
    title = {400: "Bad request", 403: "Forbidden", 404: "Not found", 409: "Conflict", 410: "Gone"}.get(
        status, "Error"
    )
    body = {
        "type": _ERROR + kind if kind else "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
    }
    return Answered(msgspec.json.encode(body | more), status, kind=_PROBLEM)


async def submit(call: Call) -> Answered:
    try:
        return await _submit(call)
    except _Problem as error:
        return error.answer
    except BadRequestError as error:
        return problem(400, "", str(error))


async def _submit(call: Call) -> Answered:
    asked = read(call.body, ACCESS_REQUEST)
    if asked.items is not None:
        raise _Problem(400, "", "Bundles are not taken here: send one request for each item.")
    if asked.resource is None or asked.action is None:
        raise _Problem(400, "", "resource and action are required.")
    key = call.headers.get(b"idempotency-key", b"").decode("latin-1")
    if key and not _KEY.match(key):
        raise _Problem(400, "", "Idempotency-Key is up to 255 visible ASCII characters.")
    denied = await _denied(call, asked)
    refusal = may_request(call.caller, denied.principal)
    if refusal is not None:
        raise _Problem(403, "", refusal.message)
    context = asked.context
    outcome = await in_thread(
        requesting.request,
        call.room.deps,
        call.caller,
        denied,
        key=key,
        body=requesting.digest_of(msgspec.to_builtins(asked)),
        justification=text_of(context, "business_justification") or text_of(context, "justification") or None,
        ticket=Ticket(text_of(context, "ticket_number") or None, text_of(context, "ticket_system") or None),
        until=_until(asked.requested_access.requested_until),
    )
    if isinstance(outcome, Refusal):
        raise _refused(outcome)
    status = 201 if outcome.status == "approved" else 202
    location = (b"location", _endpoint(call, outcome).encode("latin-1"))
    return Answered(_rendered(call, outcome), status, (location,))


async def _denied(call: Call, asked: AccessRequest) -> Denied:
    """What the token says, if it is of this question."""
    denial = asked.denial
    if denial is None or not denial.binding_token:
        raise _Problem(
            400, "invalid_denial_binding", "denial.binding_token is required, as it came with the denial."
        )
    found = requesting.unseal(call.room.deps, call.caller.tenant_id, denial.binding_token)
    subject = asked.subject.id.lower()
    if found is None or found.question != question_of(asked):
        raise _Problem(
            400, "invalid_denial_binding", "The binding token is not of this denial: evaluate again."
        )
    if denial.evaluation_id and denial.evaluation_id != found.evaluation_id:
        raise _Problem(400, "invalid_denial_binding", "evaluation_id is not that of this denial.")
    if not is_name(subject) and subject != found.principal:
        raise _Problem(400, "invalid_denial_binding", "The subject is not the one that was denied.")
    if not requesting.fresh(found, call.now):
        raise _Problem(410, "expired_denial", "The denial is too old: evaluate again.")
    return found


async def status(call: Call, task_id: str) -> Answered:
    everybody = call.caller.kind is not CallerKind.USER and may_ask_about(call.caller, "")
    outcome = (
        await in_thread(requesting.find, call.room.deps, call.caller, task_id, everybody=everybody)
        if _ID.match(task_id) and may_see_tasks(call.caller)
        else None
    )
    if not isinstance(outcome, Task):
        return problem(404, "unknown_task", "There is no such task.")
    return Answered(_rendered(call, outcome))


async def cancel(call: Call, task_id: str) -> Answered:
    outcome = (
        await in_thread(requesting.cancel, call.room.deps, call.caller, task_id)
        if _ID.match(task_id) and may_request(call.caller, call.caller.principal_id) is None
        else Refusal(Code.REQUEST_MISSING, "")
    )
    if isinstance(outcome, Refusal):
        if outcome.code is Code.NOT_CANCELLABLE:
            return problem(409, "invalid_task_state", outcome.message)
        return problem(404, "unknown_task", "There is no such task.")
    return Answered(_rendered(call, outcome))


def _refused(refusal: Refusal) -> _Problem:
    match refusal.code:
        case Code.CONFLICT:
            return _Problem(409, "duplicate_request", refusal.message)
        case Code.INVALID:
            return _Problem(400, "", refusal.message)
        case Code.STEP_UP:
            return _Problem(403, "", refusal.message, acr_values=refusal.detail or "")
        case Code.POLICY:
            more: dict[str, Any] = {"rules": list(refusal.rules)}
            if "MfaRule" in refusal.rules:
                more["amr_values"] = "mfa"
            return _Problem(403, "", refusal.message, **more)
        case Code.REQUEST_PENDING:
            return _Problem(409, "", refusal.message)
        case _:
            return _Problem(400, "not_requestable", refusal.message)


def _until(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise _Problem(400, "", "requested_until is an instant with its zone (RFC 3339).")
    try:
        return at.astimezone(UTC)
    except (OverflowError, ValueError):
        raise _Problem(400, "", "requested_until is out of range.") from None


def _endpoint(call: Call, task: Task) -> str:
    return f"{call.origin}/access/v1/requests/{task.request.id}"


def _rendered(call: Call, task: Task) -> dict[str, Any]:
    """Approved with the approval to present when asking again; nothing else of the approval is told."""
    said: dict[str, Any] = {
        "id": task.request.id,
        "status": task.status,
        "status_endpoint": _endpoint(call, task),
    }
    if task.status == "pending" and call.caller.kind is CallerKind.USER:
        said["links"] = {"cancel": f"{_endpoint(call, task)}/cancel"}
    answer: dict[str, Any] = {"task": said}
    if task.status == "approved":
        approval: dict[str, Any] = {"id": task.request.id}
        if task.request.completed_at is not None:
            approval["approved_at"] = _time(task.request.completed_at)
        if task.schedule is not None and task.schedule.ends_at is not None:
            approval["approved_until"] = _time(task.schedule.ends_at)
        answer["result"] = {"mode": "reevaluate", "approval": approval}
    return answer


def _time(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
