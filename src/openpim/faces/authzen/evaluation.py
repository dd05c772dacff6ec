"""Access Evaluation and Access Evaluations (AuthZEN 1.0, 6 and 7)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from openpim.core.caller import CallerKind
from openpim.core.refusals import Refusal
from openpim.faces.authzen.call import Answered, Call, HttpError
from openpim.faces.authzen.wire import BATCH, EVALUATION, ITEM, BadRequestError, Evaluation, Item, read
from openpim.faces.shared.threads import in_thread
from openpim.services.decisions import requesting
from openpim.services.decisions.asking import (
    ACTIVATE,
    NO,
    SUBJECTS,
    Answer,
    Grantable,
    answer,
    is_id,
    role_named,
)
from openpim.services.decisions.callers import may_ask_about
from openpim.services.decisions.index import GROUP, Index
from openpim.services.decisions.requesting import Denied

MOST: Final = 10_000  # questions in one request
TURN: Final = 50  # of them between two turns of others
_SEMANTICS: Final = {"execute_all": None, "deny_on_first_deny": False, "permit_on_first_permit": True}
_YES: Final = b'{"decision":true}'
_FALSE: Final = b'{"decision":false}'
_OTHERS: Final = Answer(error=(403, "With this access token you may ask about yourself only."))


async def one(call: Call) -> Answered:
    return Answered(await _one(call, read(call.body, EVALUATION)))


async def many(call: Call) -> Answered:
    batch = read(call.body, BATCH)
    if batch.options.evaluations_semantic not in _SEMANTICS:
        raise HttpError(400, f"options.evaluations_semantic is one of {', '.join(_SEMANTICS)}.")
    if not batch.evaluations:
        return await one(call)
    if len(batch.evaluations) > MOST:
        raise HttpError(400, f"At most {MOST} evaluations in one request.")
    stop_at = _SEMANTICS[batch.options.evaluations_semantic]
    asked = [_item(raw, batch) for raw in batch.evaluations]
    index = await call.index(_names(asked))
    found: list[bytes] = []
    for number, question in enumerate(asked):
        if number % TURN == 0:
            await asyncio.sleep(0)  # thousands of denials take seconds: others get their turn
        said = _FALSE_FOR[question] if isinstance(question, str) else await _said(call, index, question)
        found.append(said)
        if stop_at is not None and (said is _YES) is stop_at:
            break
    return Answered(b'{"evaluations":[' + b",".join(found) + b"]}")


class _Faults(dict[str, bytes]):
    def __missing__(self, message: str) -> bytes:
        return _no({"error": {"status": 400, "message": message}})


_FALSE_FOR: Final = _Faults()


def _item(raw: msgspec.Raw, defaults: Any) -> Evaluation | str:
    """The question, or what is wrong with it: one that cannot be read is a no, and does not spoil the others."""
    try:
        item: Item = read(bytes(raw), ITEM)
    except BadRequestError as error:
        return str(error)
    subject = item.subject or defaults.subject
    action = item.action or defaults.action
    resource = item.resource or defaults.resource
    if subject is None or action is None or resource is None:
        return "subject, action and resource are required, here or at the top."
    return Evaluation(subject, action, resource, item.context or defaults.context)


def _names(asked: Iterable[Evaluation | str]) -> set[str]:
    return {one.subject.id.lower() for one in asked if not isinstance(one, str) and is_name(one.subject.id)}


def is_name(subject_id: str) -> bool:
    """Whether it is a sign-in name that can be one: ids are found without the store."""
    return (
        (len(subject_id) != 36 or "@" in subject_id) and len(subject_id) <= 320 and subject_id.isprintable()
    )


async def _one(call: Call, asked: Evaluation) -> bytes:
    subject = asked.subject.id
    index = await call.index((subject.lower(),) if is_name(subject) else ())
    return await _said(call, index, asked)


async def _said(call: Call, index: Index, asked: Evaluation) -> bytes:
    found, principal = decide(call, index, asked)
    if found.until:
        if asked.action.name == ACTIVATE and call.caller.kind is CallerKind.USER:
            return await _activation(call, index, asked)
        if asked.context is not None and "approval" in asked.context:
            return await _approved(call, asked)
        return _YES
    if found is NO and asked.context is None:
        return _FALSE
    if found.error is not None:
        return _no({"error": {"status": found.error[0], "message": found.error[1]}})
    context = _denied(call, asked, principal, found) if found.cure is not None else {}
    if asked.context is not None and "approval" in asked.context:
        context |= await _disapproved(call, asked, principal, found)
    return _no(context) if context else _FALSE


def principal_of(index: Index, asked: Evaluation) -> str:
    """The object id, "" when there is nobody of this name."""
    if asked.subject.type not in SUBJECTS:
        return ""
    subject = asked.subject.id
    return index.people.get(subject.lower(), "") if is_name(subject) else subject.lower()


def decide(call: Call, index: Index, asked: Evaluation) -> tuple[Answer, str]:
    principal = principal_of(index, asked)
    if not may_ask_about(call.caller, principal):
        return _OTHERS, principal
    if not principal:
        return NO, ""
    action, resource = asked.action, asked.resource
    data = action.properties is not None and action.properties.get("data") is True
    found = answer(
        index, principal, action.name, resource.type, resource.id, resource.properties, call.micros, data=data
    )
    return found, principal


def _no(context: dict[str, Any]) -> bytes:
    return b'{"decision":false,"context":' + msgspec.json.encode(context) + b"}"


def question_of(asked: Any) -> str:
    """The same for what was denied and for what is asked for afterwards: members that are not ours do not count."""
    subject, action, resource = asked.subject, asked.action, asked.resource
    return requesting.digest_of(
        subject.type,
        subject.id,
        action.name,
        action.properties,
        resource.type,
        resource.id,
        resource.properties,
    )


def _denied(call: Call, asked: Evaluation, principal: str, found: Answer) -> dict[str, Any]:
    """What an activation would cure says how to ask for it (access request profile, requestable denial)."""
    if found.cure is None or asked.subject.type != "user":
        return {}
    deps, now = call.room.deps, call.now
    denied = Denied(deps.new_id(), principal, question_of(asked), found.cure, requesting.expires(now))
    return {
        "reason": "activation_required",
        "evaluation_id": denied.evaluation_id,
        "evaluated_at": _time(now),
        "access_request": {
            "endpoint": f"{call.origin}/access/v1/requests",
            "template": requesting.TEMPLATE,
            "expires_at": _time(denied.until),
            "binding_token": requesting.seal(deps, call.caller.tenant_id, denied),
            "form_url": f"{call.origin}/portal",
        },
    }


async def _activation(call: Call, index: Index, asked: Evaluation) -> bytes:
    """Asked with the person's own token: whether his sign-in is enough for it, too."""
    wanted = _wanted(index, asked)
    if wanted is None:
        return _YES
    (missing,) = await in_thread(requesting.missing_proofs, call.room.deps, call.caller, [wanted])
    acr, amr = missing
    if not acr and not amr:
        return _YES
    context: dict[str, Any] = {"reason": "step_up_required"}
    if acr:
        context["acr_values"] = " ".join(acr)
    if amr:
        context["amr_values"] = " ".join(amr)
    return _no(context)


def _wanted(index: Index, asked: Evaluation) -> Grantable | None:
    properties = asked.resource.properties or {}
    if asked.resource.type == "group":
        return Grantable(GROUP, properties.get("access", "member"), asked.resource.id.lower())
    scope = properties.get("scope", "/")
    found = role_named(index, asked.resource.id, scope, properties.get("provider", ""))
    if found is None:
        return None
    places = index.directory_places(scope) if found[0] == "directory" else index.resource_places(scope)
    return Grantable(*found, places[0])


async def _approved(call: Call, asked: Evaluation) -> bytes:
    """A yes that presents an approval says until when it lasts, where it is about the same."""
    task = await _task_of(call, asked)
    if task is None or task.schedule is None or task.schedule.ends_at is None or task.status != "approved":
        return _YES
    approval = {"id": task.request.id, "approved_until": _time(task.schedule.ends_at)}
    return b'{"decision":true,"context":' + msgspec.json.encode({"approval": approval}) + b"}"


async def _disapproved(call: Call, asked: Evaluation, principal: str, found: Answer) -> dict[str, Any]:
    """A no that presents an approval says what to do next (access request profile, re-evaluation)."""
    task = await _task_of(call, asked)
    if task is None or task.request.principal_id != principal:
        return {"reason": "approval_unverifiable", "next_action": "none"}
    if task.status == "pending" or (task.status == "approved" and _to_come(call, task)):
        return {"reason": "grant_pending", "next_action": "retry", "retry_after": 5}
    again = {"next_action": "request"} if found.cure is not None else {"next_action": "none"}
    if found.cure is not None and not requesting.matches(task, found.cure):
        return {"reason": "out_of_scope", **again}
    if task.status == "approved" and requesting.in_force(task, call.now):
        return {"reason": "policy_denied", "next_action": "none"}
    return {"reason": "approval_expired", **again}


def _to_come(call: Call, task: requesting.Task) -> bool:
    schedule = task.schedule
    return schedule is not None and schedule.live(call.now) and not schedule.in_force(call.now)


async def _task_of(call: Call, asked: Evaluation) -> requesting.Task | None:
    given = (asked.context or {}).get("approval")
    task_id = given.get("id") if isinstance(given, dict) else None
    if not isinstance(task_id, str) or not is_id(task_id):
        return None
    task = await in_thread(requesting.find, call.room.deps, call.caller, task_id, everybody=_of_all(call))
    return None if isinstance(task, Refusal) else task


def _of_all(call: Call) -> bool:
    return call.caller.kind is not CallerKind.USER


def _time(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
