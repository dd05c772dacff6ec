"""Whom a notice may concern, read from the live store: administrators, the assignee, and who can decide.

Where nobody holds an administrator's role, those who may activate it are told: an organisation without standing privilege
would else tell nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from openpim.core.approval import Approval
from openpim.core.grants import Kind, Provider, Request
from openpim.core.notices import KINDS, Audience, Concerned, Event, Facts
from openpim.core.permissions import MANAGING_ROLES, OWNER
from openpim.core.query import Query
from openpim.core.roles import (
    GLOBAL_ADMINISTRATOR,
    PRIVILEGED_ROLE_ADMINISTRATOR,
    SECURITY_ADMINISTRATOR,
    is_role_key,
    read_role_key,
)
from openpim.core.scopes import TENANT
from openpim.ports.store import Transaction
from openpim.services.authority import able_people, able_reviewers, delegated_reviewers, keys_of
from openpim.services.last_administrator import lasting_owners

TOLD_ROLES = (PRIVILEGED_ROLE_ADMINISTRATOR, SECURITY_ADMINISTRATOR, GLOBAL_ADMINISTRATOR)
_RESOURCE_ROLES = (OWNER, *MANAGING_ROLES)
_WHOLE = frozenset(topic for topic, kind in KINDS.items() if kind.event is Event.NONE)
_OWNERS = Query(limit=500)


def concerned(tx: Transaction, facts: Facts, now: datetime) -> Concerned:
    """Those whom this kind of notice has to do with."""
    audiences = KINDS[facts.topic].told
    return Concerned(
        admins=_sorted(administrators(tx, facts, now)) if Audience.ADMIN in audiences else (),
        requestors=_sorted(assignees(tx, facts, now)) if Audience.REQUESTOR in audiences else (),
        approvers=_sorted(approvers(tx, facts, now)) if Audience.APPROVER in audiences else (),
    )


def administrators(tx: Transaction, facts: Facts, now: datetime) -> frozenset[str]:
    """Of directory roles: Privileged Role, Security and Global Administrators. Of a group: its permanent owners. Of a
    resource: Owners and User Access Administrators at the place, or at the nearest one above it that has any."""
    found: frozenset[str] = frozenset()
    if facts.topic not in _WHOLE:
        if facts.provider == Provider.GROUP:
            found = _owners(tx, facts.scope, now)
        elif facts.provider == Provider.RESOURCE:
            found = _keepers(tx, facts.scope, now)
    return found or _holders(tx, Provider.DIRECTORY, TOLD_ROLES, TENANT, now)


def assignees(tx: Transaction, facts: Facts, now: datetime) -> frozenset[str]:
    """The person; of a group everybody in it."""
    subject = tx.principals.get(facts.subject_id)
    if subject is None:
        return frozenset()
    if subject.kind.value == "group":
        return frozenset(able_people(tx, tx.groups.transitive_member_ids(subject.id, now)))
    return frozenset(able_people(tx, [subject.id]))


def approvers(tx: Transaction, facts: Facts, now: datetime) -> frozenset[str]:
    """Who can decide the stage that waits now."""
    request, approval = tx.requests.get(facts.request_id), tx.approvals.get(facts.request_id)
    if request is None or approval is None:
        return frozenset()
    return deciders(tx, request, approval, now)


def deciders(tx: Transaction, request: Request, approval: Approval, now: datetime) -> frozenset[str]:
    """Everybody who can decide the current stage and has not; where nobody can, who could after activating a role."""
    stage = approval.current
    if stage is None or not stage.open_at(now):
        return frozenset()
    keys = keys_of(tx, request, stage.keys)
    away = {one.reviewer_id for one in approval.of_stage(stage.id)} | {request.created_by}
    able = able_reviewers(tx, keys, approval.requestor_id, now)
    able |= delegated_reviewers(tx, keys, approval.requestor_id, now)
    if not able - away:
        able = _eligible_reviewers(tx, keys, now) - {approval.requestor_id}
    return able - away


def _eligible_reviewers(tx: Transaction, keys: Iterable[str], now: datetime) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for key in keys:
        if is_role_key(key):
            role_id, scope = read_role_key(key)
            provider = Provider.DIRECTORY if scope is None else Provider.RESOURCE
            found |= _people(tx, provider, Kind.ELIGIBILITY, (role_id,), scope or TENANT, now)
    return found


def _owners(tx: Transaction, group_id: str, now: datetime) -> frozenset[str]:
    """The first of these that is anybody: permanent owners, owners now, those eligible to be."""
    lasting = lasting_owners(tx, group_id, now)
    if lasting:
        return lasting
    present = able_people(tx, [one.id for one in tx.groups.owners(group_id, now, _OWNERS).items])
    return frozenset(present) or _people(tx, Provider.GROUP, Kind.ELIGIBILITY, ("owner",), group_id, now)


def _keepers(tx: Transaction, scope: str, now: datetime) -> frozenset[str]:
    chain = tx.resources.chain(scope)
    for kind in (Kind.ASSIGNMENT, Kind.ELIGIBILITY):
        for place in chain:
            found = _people(tx, Provider.RESOURCE, kind, _RESOURCE_ROLES, place, now)
            if found:
                return found
    return frozenset()


def _holders(
    tx: Transaction, provider: Provider, roles: Collection[str], scope: str, now: datetime
) -> frozenset[str]:
    held = _people(tx, provider, Kind.ASSIGNMENT, roles, scope, now)
    return held or _people(tx, provider, Kind.ELIGIBILITY, roles, scope, now)


def _people(
    tx: Transaction, provider: Provider, kind: Kind, roles: Collection[str], scope: str, now: datetime
) -> frozenset[str]:
    """Enabled people whose schedule of this kind is in force at exactly this scope, their own or their group's."""
    held = {
        one.principal_id for role in dict.fromkeys(roles) for one in tx.schedules.of_role(provider, kind, role, scope, now=now)
    }  # fmt: skip
    people: set[str] = set()
    for principal in tx.principals.many(sorted(held)).values():
        if principal.kind.value == "group":
            people |= tx.groups.transitive_member_ids(principal.id, now)
        else:
            people.add(principal.id)
    return frozenset(able_people(tx, people))


def _sorted(people: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(people))
