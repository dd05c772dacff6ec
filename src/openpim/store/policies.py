"""The policies table: role settings as one JSON document each, with their version."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from msgspec.json import decode
from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from openpim.core.grants import Duration, Provider
from openpim.core.policy import (
    ApprovalSettings,
    AskFirst,
    Expiry,
    Level,
    Notification,
    Policy,
    Requirement,
    Reviewers,
    Stage,
    WhenDown,
)
from openpim.core.tickets import NO_RULES, TicketRules, TicketsDown
from openpim.store.prepared import AnyRow, Prepared
from openpim.store.principals import batches
from openpim.store.schema import metadata
from openpim.store.types import Instant

policies = Table(
    "policies",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("id", String(36), primary_key=True),
    Column("provider", String(9), nullable=False),
    Column("scope", String(512), nullable=False),
    Column("role_id", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("settings", Text, nullable=False),
    Column("modified_at", Instant),
    Column("modified_by", String(36)),
    Column("modified_by_name", String(256)),
    UniqueConstraint("tenant_id", "provider", "scope", "role_id"),
)
_c = policies.c


# Who is named as approver where an approval is required: asked before somebody's password or group is changed.
approvers = Table(
    "policy_approvers",
    metadata,
    Column("tenant_id", String(36), primary_key=True),
    Column("approver_id", String(36), primary_key=True),
    Column("policy_id", String(36), primary_key=True),
    Column("provider", String(9), nullable=False),
    Column("scope", String(512), nullable=False),
)
Index("ix_policy_approvers_policy", approvers.c.tenant_id, approvers.c.policy_id)
Index("ix_policy_approvers_scope", approvers.c.tenant_id, approvers.c.provider, approvers.c.scope)


_one = select(policies).where(
    _c.tenant_id == bindparam("tenant"),
    _c.provider == bindparam("provider"),
    _c.scope == bindparam("scope"),
    _c.role_id == bindparam("role"),
)
_GET = Prepared(_one)
_GET_LOCKED = Prepared(_one.with_for_update())
_AT_SCOPE = (
    select(policies)
    .where(
        _c.tenant_id == bindparam("tenant"),
        _c.provider == bindparam("provider"),
        _c.scope == bindparam("scope"),
    )
    .order_by(_c.role_id)
)
_OF_ROLES = _AT_SCOPE.where(_c.role_id.in_(bindparam("roles", expanding=True)))
_MANY = Prepared(
    select(policies).where(_c.tenant_id == bindparam("tenant"), _c.id.in_(bindparam("ids", expanding=True))),
    "ids",
)


class Policies:
    """See ports/policies.py."""

    def __init__(self, connection: Connection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant = tenant_id

    def _select(self) -> Select[Any]:
        return select(policies).where(_c.tenant_id == self._tenant)

    def get(self, provider: Provider, role_id: str, scope: str, *, lock: bool = False) -> Policy | None:
        given = {"tenant": self._tenant, "provider": provider.value, "scope": scope, "role": role_id}
        row = (_GET_LOCKED if lock else _GET).first(self._connection, given)
        return None if row is None else _value(row)

    def by_id(self, policy_id: str, *, lock: bool = False) -> tuple[Provider, Policy] | None:
        statement = self._select().where(_c.id == policy_id)
        if lock:
            statement = statement.with_for_update()
        row = self._connection.execute(statement).mappings().first()
        return None if row is None else (Provider(row["provider"]), _value(row))

    def many(self, policy_ids: Collection[str]) -> dict[str, Policy]:
        found: dict[str, Policy] = {}
        for part in batches(policy_ids):
            rows = _MANY.rows(self._connection, {"tenant": self._tenant, "ids": part})
            found |= {row["id"]: _value(row) for row in rows}
        return found

    def at_scope(
        self, provider: Provider, scope: str, role_ids: Collection[str] | None = None
    ) -> list[Policy]:
        given = {"tenant": self._tenant, "provider": provider.value, "scope": scope}
        if role_ids is None:
            rows = self._connection.execute(_AT_SCOPE, given)
        else:
            rows = self._connection.execute(_OF_ROLES, {**given, "roles": list(role_ids)})
        return [_value(row) for row in rows.mappings()]

    def remove_at(self, provider: Provider, scopes: Collection[str]) -> None:
        for part in batches(scopes):
            a = approvers.c
            self._connection.execute(
                delete(approvers).where(
                    a.tenant_id == self._tenant, a.provider == provider.value, a.scope.in_(part)
                )
            )
            self._connection.execute(
                delete(policies).where(
                    _c.tenant_id == self._tenant, _c.provider == provider.value, _c.scope.in_(part)
                )
            )

    def approver_in(self, ids: Collection[str]) -> frozenset[tuple[Provider, str]]:
        found: set[tuple[Provider, str]] = set()
        a = approvers.c
        for part in batches(ids):
            statement = select(a.provider, a.scope).where(
                a.tenant_id == self._tenant, a.approver_id.in_(part)
            )
            found |= {(Provider(row.provider), row.scope) for row in self._connection.execute(statement)}
        return frozenset(found)

    def _put_approvers(self, provider: Provider, policy: Policy) -> None:
        a = approvers.c
        self._connection.execute(
            delete(approvers).where(a.tenant_id == self._tenant, a.policy_id == policy.id)
        )
        approval = policy.approval
        if not (approval.required or approval.required_for_extension):
            return
        named = {key for one in approval.stages for key in one.primary.keys() | one.escalation.keys()}
        if named:
            self._connection.execute(
                insert(approvers),
                [
                    {
                        "tenant_id": self._tenant,
                        "approver_id": key,
                        "policy_id": policy.id,
                        "provider": provider.value,
                        "scope": policy.scope,
                    }
                    for key in sorted(named)
                ],
            )

    def put(self, provider: Provider, policy: Policy) -> None:
        self._put_approvers(provider, policy)
        values = {
            "version": policy.version,
            "settings": _settings_text(policy),
            "modified_at": policy.modified_at,
            "modified_by": policy.modified_by,
            "modified_by_name": policy.modified_by_name,
        }
        changed = self._connection.execute(
            update(policies).where(_c.tenant_id == self._tenant, _c.id == policy.id).values(values)
        )
        if changed.rowcount == 0:
            self._connection.execute(
                insert(policies),
                {
                    "tenant_id": self._tenant,
                    "id": policy.id,
                    "provider": provider.value,
                    "scope": policy.scope,
                    "role_id": policy.role_id,
                    **values,
                },
            )


def _settings_text(policy: Policy) -> str:
    return json.dumps(
        {
            "activation": _expiry(policy.activation),
            "activation_requires": sorted(policy.activation_requires),
            "context_enabled": policy.context_enabled,
            "context": policy.context,
            "approval": {
                "required": policy.approval.required,
                "required_for_extension": policy.approval.required_for_extension,
                "requestor_justification_required": policy.approval.requestor_justification_required,
                "stages": [stage_json(stage) for stage in policy.approval.stages],
            },
            **({"tickets": _tickets(policy.tickets)} if policy.tickets != NO_RULES else {}),
            "eligibility": _expiry(policy.eligibility),
            "assignment": _expiry(policy.assignment),
            "assignment_requires": sorted(policy.assignment_requires),
            "eligibility_requires": sorted(policy.eligibility_requires),
            "notifications": {
                key: [note.level.value, note.default_recipients, list(note.recipients)]
                for key, note in policy.notifications.items()
            },
        },
        sort_keys=True,
        separators=(",", ":"),
    )


def _value(row: AnyRow) -> Policy:
    settings = _settings_value(row["settings"])
    return Policy(
        id=row["id"],
        role_id=row["role_id"],
        scope=row["scope"],
        version=row["version"],
        modified_at=row["modified_at"],
        modified_by=row["modified_by"],
        modified_by_name=row["modified_by_name"],
        **{**settings, "notifications": dict(settings["notifications"])},
    )


@lru_cache(maxsize=500)  # the same text says the same: read once for all the activations and pages it decides
def _settings_value(text: str) -> Mapping[str, Any]:
    settings = decode(text)
    approval = settings["approval"]
    return {
        "activation": _expiry_value(settings["activation"]),
        "activation_requires": frozenset(Requirement(text) for text in settings["activation_requires"]),
        "context_enabled": settings["context_enabled"],
        "context": settings["context"],
        "approval": ApprovalSettings(
            required=approval["required"],
            required_for_extension=approval["required_for_extension"],
            requestor_justification_required=approval["requestor_justification_required"],
            stages=tuple(stage_value(stage) for stage in approval["stages"]),
        ),
        "tickets": _tickets_value(settings.get("tickets")),
        "eligibility": _expiry_value(settings["eligibility"]),
        "assignment": _expiry_value(settings["assignment"]),
        "assignment_requires": frozenset(Requirement(text) for text in settings["assignment_requires"]),
        "eligibility_requires": frozenset(Requirement(text) for text in settings["eligibility_requires"]),
        "notifications": {
            key: Notification(Level(level), default, tuple(recipients))
            for key, (level, default, recipients) in settings["notifications"].items()
        },
    }


def _tickets(rules: TicketRules) -> list[Any]:
    return [list(rules.patterns), rules.system_id, rules.when_down.value, rules.ends_with_ticket]


def _tickets_value(data: list[Any] | None) -> TicketRules:
    return NO_RULES if data is None else TicketRules(tuple(data[0]), data[1], TicketsDown(data[2]), data[3])


def _expiry(expiry: Expiry) -> list[Any]:
    maximum = expiry.maximum
    return [expiry.required, [maximum.iso, maximum.months, maximum.seconds] if maximum else None]


def _expiry_value(data: list[Any]) -> Expiry:
    required, maximum = data
    return Expiry(required, Duration(*maximum) if maximum else None)


def stage_json(stage: Stage) -> dict[str, Any]:
    return {
        "timeout_minutes": stage.timeout_minutes,
        "justification_required": stage.justification_required,
        "primary": [list(stage.primary.users), list(stage.primary.groups)],
        "escalation": [list(stage.escalation.users), list(stage.escalation.groups)],
        "escalate_after_minutes": stage.escalate_after_minutes,
        "quorum": stage.quorum,
        **({"callout": _callout(stage.callout)} if stage.callout is not None else {}),
    }


def _callout(callout: AskFirst) -> list[Any]:
    return [callout.channel_id, callout.when_down.value, callout.may_auto_approve]


def stage_value(data: dict[str, Any]) -> Stage:
    return Stage(
        timeout_minutes=data["timeout_minutes"],
        justification_required=data["justification_required"],
        primary=Reviewers(tuple(data["primary"][0]), tuple(data["primary"][1])),
        escalation=Reviewers(tuple(data["escalation"][0]), tuple(data["escalation"][1])),
        escalate_after_minutes=data["escalate_after_minutes"],
        quorum=data["quorum"],
        callout=_callout_value(data.get("callout")),
    )


def _callout_value(data: list[Any] | None) -> AskFirst | None:
    return None if data is None else AskFirst(data[0], WhenDown(data[1]), data[2])
