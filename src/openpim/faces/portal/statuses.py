"""A refusal's status, for the page that says it."""

from __future__ import annotations

from openpim.core.refusals import Code, Refusal

_STATUS = {
    Code.NOT_FOUND: 404,
    Code.REQUEST_MISSING: 404,
    Code.ROLE_MISSING: 404,
    Code.SCOPE_MISSING: 404,
    Code.SUBJECT_MISSING: 404,
    Code.FORBIDDEN: 403,
    Code.NOT_APPROVER: 403,
    Code.CONFLICT: 409,
    Code.ASSIGNMENT_EXISTS: 409,
    Code.REQUEST_PENDING: 409,
    Code.ALREADY_DECIDED: 409,
    Code.NOT_CANCELLABLE: 409,
    Code.LAST_ADMINISTRATOR: 409,
    Code.THROTTLED: 429,
}


def status_of(refusal: Refusal) -> int:
    return _STATUS.get(refusal.code, 400)
