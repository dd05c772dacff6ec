"""Approvals: one row each, one row a stage, one row for each reviewer key of a stage that is open, one a decision.

The reviewer rows exist so that "what waits for me" is one index look-up whatever the number of open approvals.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from msgspec.json import decode
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from openpim.core.approval import (
    Approval,
    ApprovalStage,
    Decision,
    Delegation,
    StageStatus,
    Verdict,
    Waiting,
)
from openpim.core.lifecycle import ApprovalStatus, check_approval_move
from openpim.store.policies import stage_json, stage_value
from openpim.store.prepared import AnyRow, Prepared
from openpim.store.principals import batches
from openpim.store.requests import requests
from openpim.store.schema import metadata
from openpim.store.told import Told, once
from openpim.store.types import Instant

approvals = Table(
    "approvals",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("requestor_id", String(36), nullable=False),
    Column("status", String(10), nullable=False),
    Column("deadline", Instant),
    Index("ix_approvals_open", "tenant_id", "status", "id"),
)
stages = Table(
    "approval_stages",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("approval_id", String(36), nullable=False),
    Column("number", Integer, nullable=False),
    Column("status", String(10), nullable=False),
    Column("settings", Text, nullable=False),
    Column("keys", Text, nullable=False),
    Column("started_at", Instant),
    Column("deadline", Instant),
    Column("escalates_at", Instant),
    Column("escalated", Boolean, nullable=False),
    Column("fell_back", Boolean, nullable=False),
    Index("ix_approval_stages_approval", "tenant_id", "approval_id", "number"),
    Index("ix_approval_stages_deadline", "status", "deadline"),
    Index("ix_approval_stages_escalation", "status", "escalates_at"),
)
reviewers = Table(
    "approval_reviewers",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("reviewer", String(640), primary_key=True),
    Column("approval_id", String(36), primary_key=True),
    Index("ix_approval_reviewers_approval", "tenant_id", "approval_id"),
)
decisions = Table(
    "approval_decisions",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("stage_id", String(36), primary_key=True),
    Column("reviewer_id", String(36), primary_key=True),
    Column("approval_id", String(36), nullable=False),
    Column("verdict", String(12), nullable=False),
    Column("justification", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("right_of", String(36), nullable=False),
    Index("ix_approval_decisions_approval", "tenant_id", "approval_id"),
)
delegations = Table(
    "approval_delegations",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("delegate_id", String(36), primary_key=True),
    Column("approver_id", String(36), primary_key=True),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Index("ix_approval_delegations_approver", "tenant_id", "approver_id"),
)


# Built once, because building a statement costs five times as much as running it.
_TENANT, _APPROVAL = bindparam("tenant", type_=String), bindparam("approval", type_=String)
_NOW = bindparam("now", type_=Instant)
_IDS = bindparam("ids", expanding=True, type_=String)
_MANY = Prepared(select(approvals).where(approvals.c.tenant_id == _TENANT, approvals.c.id.in_(_IDS)), "ids")
_MANY_STAGES = Prepared(
    select(stages)
    .where(stages.c.tenant_id == _TENANT, stages.c.approval_id.in_(_IDS))
    .order_by(stages.c.approval_id, stages.c.number),
    "ids",
)
_MANY_DECISIONS = Prepared(
    select(decisions)
    .where(decisions.c.tenant_id == _TENANT, decisions.c.approval_id.in_(_IDS))
    .order_by(decisions.c.approval_id, decisions.c.at, decisions.c.reviewer_id),
    "ids",
)
_one = select(approvals).where(approvals.c.tenant_id == _TENANT, approvals.c.id == _APPROVAL)
_GET = Prepared(_one)
_GET_LOCKED = Prepared(_one.with_for_update())
_STAGES = Prepared(
    select(stages)
    .where(stages.c.tenant_id == _TENANT, stages.c.approval_id == _APPROVAL)
    .order_by(stages.c.number)
)
_DECISIONS = Prepared(
    select(decisions)
    .where(decisions.c.tenant_id == _TENANT, decisions.c.approval_id == _APPROVAL)
    .order_by(decisions.c.at, decisions.c.reviewer_id)
)
_REVIEWERS = Prepared(
    select(reviewers.c.reviewer).where(reviewers.c.tenant_id == _TENANT, reviewers.c.approval_id == _APPROVAL)
)
_reviewers_gone = delete(reviewers).where(
    reviewers.c.tenant_id == _TENANT, reviewers.c.approval_id == _APPROVAL
)
_DELETE_ALL_REVIEWERS = Prepared(_reviewers_gone)
_DELETE_REVIEWERS = Prepared(
    _reviewers_gone.where(reviewers.c.reviewer.in_(bindparam("keys", expanding=True))), "keys"
)
_DELEGATORS = Prepared(
    select(delegations.c.approver_id).where(
        delegations.c.tenant_id == _TENANT,
        delegations.c.delegate_id == bindparam("delegate"),
        delegations.c.starts_at <= _NOW,
        delegations.c.ends_at > _NOW,
    )
)
_DELEGATES = select(delegations.c.approver_id, delegations.c.delegate_id).where(
    delegations.c.tenant_id == _TENANT,
    delegations.c.approver_id.in_(bindparam("approvers", expanding=True)),
    delegations.c.starts_at <= _NOW,
    delegations.c.ends_at > _NOW,
)
_WAITING = Prepared(
    select(
        reviewers.c.approval_id,
        reviewers.c.reviewer,
        approvals.c.requestor_id,
        requests.c.scope,
        requests.c.created_at,
    )
    .join(
        approvals,
        and_(approvals.c.tenant_id == reviewers.c.tenant_id, approvals.c.id == reviewers.c.approval_id),
    )
    .join(
        stages,
        and_(stages.c.tenant_id == reviewers.c.tenant_id, stages.c.approval_id == reviewers.c.approval_id),
    )
    .join(
        requests,
        and_(requests.c.tenant_id == reviewers.c.tenant_id, requests.c.id == reviewers.c.approval_id),
    )
    .where(
        reviewers.c.tenant_id == _TENANT,
        reviewers.c.reviewer.in_(bindparam("keys", expanding=True)),
        stages.c.status == StageStatus.IN_PROGRESS.value,
        or_(stages.c.deadline.is_(None), stages.c.deadline > _NOW),
    )
    .order_by(requests.c.created_at, reviewers.c.approval_id)
    .limit(bindparam("most", type_=Integer)),
    "keys",
)
_INSERT, _INSERT_STAGE = Prepared(insert(approvals)), Prepared(insert(stages))
_INSERT_DECISION, _INSERT_REVIEWER = Prepared(insert(decisions)), Prepared(insert(reviewers))
# Parameters of an UPDATE's condition may not be called as its columns are: hence b_.
_UPDATE = Prepared(
    update(approvals).where(
        approvals.c.tenant_id == bindparam("b_tenant"), approvals.c.id == bindparam("b_id")
    )
)
_UPDATE_STAGE = Prepared(
    update(stages).where(stages.c.tenant_id == bindparam("b_tenant"), stages.c.id == bindparam("b_id"))
)


class Approvals:
    """See ports/approvals.py."""

    def __init__(self, connection: Connection, tenant_id: str, told: Told | None = None) -> None:
        self._connection = connection
        self._tenant = tenant_id
        self._told = told

    def get(self, approval_id: str, *, lock: bool = False) -> Approval | None:
        given = {"tenant": self._tenant, "approval": approval_id}
        row = (_GET_LOCKED if lock else _GET).first(self._connection, given)
        if row is None:
            return None
        stage_rows = _STAGES.rows(self._connection, given)
        decision_rows = _DECISIONS.rows(self._connection, given)
        return _approval(row, stage_rows, decision_rows)

    def many(self, approval_ids: Collection[str]) -> dict[str, Approval]:
        found: dict[str, Approval] = {}
        for part in batches(approval_ids):
            given = {"tenant": self._tenant, "ids": part}
            their: dict[str, tuple[list[AnyRow], list[AnyRow]]] = defaultdict(lambda: ([], []))
            for kind, statement in enumerate((_MANY_STAGES, _MANY_DECISIONS)):
                for row in statement.rows(self._connection, given):
                    their[row["approval_id"]][kind].append(row)
            rows = _MANY.rows(self._connection, given)
            found |= {row["id"]: _approval(row, *their[row["id"]]) for row in rows}
        return found

    def add(self, approval: Approval) -> None:
        _INSERT.run(
            self._connection,
            {
                "tenant_id": self._tenant,
                "id": approval.id,
                "requestor_id": approval.requestor_id,
                "status": approval.status.value,
                "deadline": approval.deadline,
            },
        )
        _INSERT_STAGE.run_all(
            self._connection, [self._stage_row(stage, approval.id) for stage in approval.stages]
        )
        self._set_reviewers(approval, frozenset())

    def save(self, approval: Approval, before: Approval | None = None) -> None:
        before = before or self.get(approval.id)
        if before is None:
            msg = f"approval {approval.id} is not stored"
            raise LookupError(msg)
        if before.status is not approval.status:
            check_approval_move(before.status, approval.status)
            _UPDATE.run(
                self._connection,
                {"b_tenant": self._tenant, "b_id": approval.id, "status": approval.status.value},
            )
        for new in approval.stages[len(before.stages) :]:
            _INSERT_STAGE.run(self._connection, self._stage_row(new, approval.id))
        for old, new in zip(before.stages, approval.stages, strict=False):
            if old != new:
                values = {"b_tenant": self._tenant, "b_id": new.id, **self._stage_row(new, approval.id)}
                _UPDATE_STAGE.run(self._connection, values)
        for decision in approval.decisions[len(before.decisions) :]:
            _INSERT_DECISION.run(
                self._connection,
                {
                    "tenant_id": self._tenant,
                    "stage_id": decision.stage_id,
                    "reviewer_id": decision.reviewer_id,
                    "approval_id": approval.id,
                    "verdict": decision.verdict.value,
                    "justification": decision.justification,
                    "at": decision.at,
                    "right_of": decision.right_of,
                },
            )
        given = {"tenant": self._tenant, "approval": approval.id}
        if approval.status is not ApprovalStatus.IN_PROGRESS:
            _DELETE_ALL_REVIEWERS.run(self._connection, given)
            return
        present = frozenset(one for (one,) in _REVIEWERS.tuples(self._connection, given))
        self._set_reviewers(approval, present)

    def _set_reviewers(self, approval: Approval, present: frozenset[str]) -> None:
        wanted: frozenset[str] = frozenset()
        if approval.status is ApprovalStatus.IN_PROGRESS and approval.current is not None:
            wanted = approval.current.keys
        mine = {"tenant": self._tenant, "approval": approval.id}
        if present - wanted:
            _DELETE_REVIEWERS.run(self._connection, {**mine, "keys": list(present - wanted)})
        given = [
            {"tenant_id": self._tenant, "approval_id": approval.id, "reviewer": key}
            for key in sorted(wanted - present)
        ]
        _INSERT_REVIEWER.run_all(self._connection, given)

    def waiting_for(self, keys: Collection[str], limit: int = 500) -> list[str]:
        statement = (
            select(reviewers.c.approval_id)
            .where(reviewers.c.tenant_id == self._tenant, reviewers.c.reviewer.in_(keys))
            .distinct()
            .limit(limit)
        )
        return list(self._connection.execute(statement).scalars())

    def open_for(self, keys: Collection[str], now: datetime, limit: int) -> list[Waiting]:
        wanted = frozenset(keys)
        given = {"tenant": self._tenant, "keys": list(wanted), "now": now, "most": limit}

        def ask() -> tuple[Waiting, ...]:
            return tuple(Waiting(*row) for row in _WAITING.tuples(self._connection, given))

        return list(once(self._told, ("open for", self._tenant, wanted, now, limit), ask))

    def due(self, now: datetime, limit: int) -> list[str]:
        table = stages.c
        statement = (
            select(table.approval_id)
            .where(
                table.tenant_id == self._tenant,
                table.status == StageStatus.IN_PROGRESS.value,
                or_(table.deadline <= now, table.escalates_at <= now),
            )
            .order_by(table.deadline, table.id)
            .limit(limit)
        )
        return list(self._connection.execute(statement).scalars())

    def open_ids(self, after: str, limit: int) -> list[str]:
        statement = (
            select(approvals.c.id)
            .where(
                approvals.c.tenant_id == self._tenant,
                approvals.c.status == ApprovalStatus.IN_PROGRESS.value,
                approvals.c.id > after,
            )
            .order_by(approvals.c.id)
            .limit(limit)
        )
        return list(self._connection.execute(statement).scalars())

    def delegators_of(self, delegate_id: str, now: datetime) -> list[str]:
        given = {"tenant": self._tenant, "delegate": delegate_id, "now": now}

        def ask() -> tuple[str, ...]:
            return tuple(one for (one,) in _DELEGATORS.tuples(self._connection, given))

        return list(once(self._told, ("delegators", self._tenant, delegate_id, now), ask))

    def delegates_of(self, approver_ids: Collection[str], now: datetime) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for part in batches(approver_ids):
            given = {"tenant": self._tenant, "approvers": part, "now": now}
            found += [
                (approver, delegate) for approver, delegate in self._connection.execute(_DELEGATES, given)
            ]
        return found

    def delegations(self, principal_id: str, now: datetime) -> list[Delegation]:
        table = delegations.c
        statement = (
            select(delegations)
            .where(
                table.tenant_id == self._tenant,
                or_(table.delegate_id == principal_id, table.approver_id == principal_id),
                table.ends_at > now,
            )
            .order_by(table.ends_at, table.approver_id, table.delegate_id)
        )
        return [
            Delegation(row["approver_id"], row["delegate_id"], row["starts_at"], row["ends_at"])
            for row in self._connection.execute(statement).mappings()
        ]

    def delegate(self, approver_id: str, delegate_id: str, starts_at: datetime, ends_at: datetime) -> None:
        self.undelegate(approver_id, delegate_id)
        self._connection.execute(
            insert(delegations),
            {
                "tenant_id": self._tenant,
                "approver_id": approver_id,
                "delegate_id": delegate_id,
                "starts_at": starts_at,
                "ends_at": ends_at,
            },
        )

    def undelegate(self, approver_id: str, delegate_id: str) -> None:
        table = delegations.c
        self._connection.execute(
            delete(delegations).where(
                table.tenant_id == self._tenant,
                table.approver_id == approver_id,
                table.delegate_id == delegate_id,
            )
        )

    def _stage_row(self, stage: ApprovalStage, approval_id: str) -> dict[str, Any]:
        return {
            "tenant_id": self._tenant,
            "id": stage.id,
            "approval_id": approval_id,
            "number": stage.number,
            "status": stage.status.value,
            "settings": json.dumps(stage_json(stage.settings), sort_keys=True),
            "keys": json.dumps(sorted(stage.keys)),
            "started_at": stage.started_at,
            "deadline": stage.deadline,
            "escalates_at": stage.escalates_at,
            "escalated": stage.escalated,
            "fell_back": stage.fell_back,
        }


def _approval(row: AnyRow, stage_rows: Iterable[AnyRow], decided: Iterable[AnyRow]) -> Approval:
    return Approval(
        id=row["id"],
        requestor_id=row["requestor_id"],
        status=ApprovalStatus(row["status"]),
        deadline=row["deadline"],
        stages=tuple(_stage(stage) for stage in stage_rows),
        decisions=tuple(_decision(decision) for decision in decided),
    )


def _stage(row: AnyRow) -> ApprovalStage:
    return ApprovalStage(
        id=row["id"],
        number=row["number"],
        status=StageStatus(row["status"]),
        settings=stage_value(decode(row["settings"])),
        keys=frozenset(decode(row["keys"])),
        started_at=row["started_at"],
        deadline=row["deadline"],
        escalates_at=row["escalates_at"],
        escalated=row["escalated"],
        fell_back=row["fell_back"],
    )


def _decision(row: AnyRow) -> Decision:
    return Decision(
        row["stage_id"],
        row["reviewer_id"],
        Verdict(row["verdict"]),
        row["justification"],
        row["at"],
        row["right_of"],
    )
