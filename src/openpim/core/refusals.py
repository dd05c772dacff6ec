"""The closed list of refusals: what OpenPIM says when it will not do a thing.

A refusal is a value, never an exception: it is returned, audited and committed. Each face translates the
code to its own wire once; the message is for people and says what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """Why a thing was refused."""

    INVALID = "invalid"  # the request makes no sense as written; `member` names the field
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"  # the caller may not do this
    CONFLICT = "conflict"  # somebody else changed it meanwhile, or the name is taken
    POLICY = "policy"  # one or more policy rules failed: `rules`
    STEP_UP = "step_up"  # an authentication context is missing from the sign-in: `detail` names it
    ASSIGNMENT_EXISTS = "assignment_exists"
    ASSIGNMENT_MISSING = "assignment_missing"
    REQUEST_PENDING = "request_pending"  # a request for the same thing is open
    REQUEST_MISSING = "request_missing"
    NOT_CANCELLABLE = "not_cancellable"
    TOO_SHORT = "too_short"  # the five-minute minimum
    ROLE_MISSING = "role_missing"
    SUBJECT_MISSING = "subject_missing"
    SCOPE_MISSING = "scope_missing"
    SUBJECT_NOT_ALLOWED = "subject_not_allowed"  # e.g. a service principal cannot be eligible
    LAST_ADMINISTRATOR = "last_administrator"
    ALREADY_DECIDED = "already_decided"
    NOT_APPROVER = "not_approver"
    SIGN_IN = "sign_in"  # credentials are wrong, expired or missing
    THROTTLED = "throttled"  # too many tries: `retry_after` seconds


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no, with its reasons.

    message: one or two sentences for a person, ending in what to do next.
    member: the input member at fault, in the words of the model (e.g. "duration"), if one is.
    rules: names of every policy rule that failed (Graph's names), never only the first.
    detail: data that belongs to the code (e.g. "c1" for STEP_UP).
    retry_after: seconds, for THROTTLED.
    """

    code: Code
    message: str
    member: str | None = None
    rules: tuple[str, ...] = ()
    detail: str | None = None
    retry_after: int | None = None
