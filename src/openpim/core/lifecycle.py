"""Every status and every move of requests, schedules and approvals: this table and nothing else.

A move that is not in the table is a bug and raises; terminal states have no moves, so they never return.
The diagram in docs/reference/lifecycle.md is generated from here.
Status names are Graph's (unifiedRoleAssignmentScheduleRequest.status); see docs/divergences/graph.md for TimedOut.
"""

from __future__ import annotations

from enum import StrEnum


class RequestStatus(StrEnum):
    PENDING_APPROVAL = "PendingApproval"
    PENDING_APPROVAL_PROVISIONING = "PendingApprovalProvisioning"  # needs approval, starts in the future
    PENDING_ADMIN_DECISION = "PendingAdminDecision"  # extend or renew, asked by the holder
    GRANTED = "Granted"  # will start in the future
    PROVISIONED = "Provisioned"
    REVOKED = "Revoked"  # a removal or deactivation that was carried out
    DENIED = "Denied"
    CANCELED = "Canceled"
    TIMED_OUT = "TimedOut"
    FAILED = "Failed"


class ScheduleStatus(StrEnum):
    GRANTED = "Granted"  # waits for its start, when the facts are read again
    PROVISIONED = "Provisioned"
    REVOKED = "Revoked"  # ended before its time
    EXPIRED = "Expired"  # ended by time (recorded afterwards; being in force never waits for it)
    CANCELED = "Canceled"  # called off before it started
    FAILED = "Failed"  # the facts no longer allowed it when it came due


class ApprovalStatus(StrEnum):
    IN_PROGRESS = "InProgress"
    APPROVED = "Approved"
    DENIED = "Denied"
    CANCELED = "Canceled"
    TIMED_OUT = "TimedOut"


_R = RequestStatus
_S = ScheduleStatus
_A = ApprovalStatus

REQUEST_MOVES: dict[RequestStatus, frozenset[RequestStatus]] = {
    _R.PENDING_APPROVAL: frozenset(
        {_R.GRANTED, _R.PROVISIONED, _R.DENIED, _R.CANCELED, _R.TIMED_OUT, _R.FAILED}
    ),
    _R.PENDING_APPROVAL_PROVISIONING: frozenset(
        {_R.GRANTED, _R.PROVISIONED, _R.DENIED, _R.CANCELED, _R.TIMED_OUT, _R.FAILED}
    ),
    _R.PENDING_ADMIN_DECISION: frozenset(
        {_R.GRANTED, _R.PROVISIONED, _R.DENIED, _R.CANCELED, _R.TIMED_OUT, _R.FAILED}
    ),
    _R.GRANTED: frozenset({_R.PROVISIONED, _R.CANCELED, _R.FAILED}),
    _R.PROVISIONED: frozenset(),
    _R.REVOKED: frozenset(),
    _R.DENIED: frozenset(),
    _R.CANCELED: frozenset(),
    _R.TIMED_OUT: frozenset(),
    _R.FAILED: frozenset(),
}

SCHEDULE_MOVES: dict[ScheduleStatus, frozenset[ScheduleStatus]] = {
    _S.GRANTED: frozenset({_S.PROVISIONED, _S.CANCELED, _S.FAILED, _S.REVOKED}),
    _S.PROVISIONED: frozenset({_S.REVOKED, _S.EXPIRED, _S.CANCELED}),
    _S.REVOKED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.CANCELED: frozenset(),
    _S.FAILED: frozenset(),
}

APPROVAL_MOVES: dict[ApprovalStatus, frozenset[ApprovalStatus]] = {
    _A.IN_PROGRESS: frozenset({_A.APPROVED, _A.DENIED, _A.CANCELED, _A.TIMED_OUT}),
    _A.APPROVED: frozenset(),
    _A.DENIED: frozenset(),
    _A.CANCELED: frozenset(),
    _A.TIMED_OUT: frozenset(),
}

CANCELLABLE = frozenset(
    {_R.GRANTED, _R.PENDING_APPROVAL, _R.PENDING_APPROVAL_PROVISIONING, _R.PENDING_ADMIN_DECISION}
)
AWAITING_DECISION = frozenset(
    {_R.PENDING_APPROVAL, _R.PENDING_APPROVAL_PROVISIONING, _R.PENDING_ADMIN_DECISION}
)
OPEN = frozenset(status for status, moves in REQUEST_MOVES.items() if moves)


class IllegalMoveError(Exception):
    """A bug: somebody tried to move a thing along an edge that the table does not have."""


def check_request_move(old: RequestStatus, new: RequestStatus) -> None:
    """Raise IllegalMoveError unless the table has the move."""
    if new not in REQUEST_MOVES[old]:
        msg = f"a request cannot go from {old} to {new}"
        raise IllegalMoveError(msg)


def check_schedule_move(old: ScheduleStatus, new: ScheduleStatus) -> None:
    """Raise IllegalMoveError unless the table has the move."""
    if new not in SCHEDULE_MOVES[old]:
        msg = f"a schedule cannot go from {old} to {new}"
        raise IllegalMoveError(msg)


def check_approval_move(old: ApprovalStatus, new: ApprovalStatus) -> None:
    """Raise IllegalMoveError unless the table has the move."""
    if new not in APPROVAL_MOVES[old]:
        msg = f"an approval cannot go from {old} to {new}"
        raise IllegalMoveError(msg)
