"""Finds out whose sign-in at which application is over, or was told what no longer holds, and leaves word to tell it.

Three roads lead here and one looks: the audit log names people (a cursor, moved in the commit that marks their rows), time
passes a boundary, and every row is looked at now and then whatever happened. A look compares what the application was told
with what holds now, so nothing depends on how it came about; the word to tell it leaves in the commit that has looked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from openpim.core.audit import AuditEvent
from openpim.core.directory import PrincipalKind
from openpim.core.relying import ClientSession, LogoutWhen, compared
from openpim.core.signin.values import Account
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.access_changes import access_change
from openpim.services.relying.sessions import LOOK, next_look, told
from openpim.services.signin.people import client_allowed, find_client, person_in

CURSOR = "relying"
TOPIC = "logout"
BATCH = 100
LOOKS = 20  # in one unit of work
GROUP_GONE = "Delete group"
_NAMED = frozenset({"User", "Group", "ServicePrincipal", "Other"})


def follow(deps: Deps, tenant_id: str) -> int:
    """Mark whom the next events of a tenant are about. Returns how many events."""
    position, size, anybody = deps.store.read(
        tenant_id,
        lambda tx: (
            tx.cursors.position(CURSOR),
            tx.audit_log.size(),
            tx.client_sessions.any_in(tenant_id),
        ),
    )
    if position >= size:
        return 0
    now = deps.clock()

    def work(tx: Transaction) -> int:
        before = tx.cursors.position(CURSOR)
        leaves = tx.audit_log.since(before, BATCH) if anybody else []
        after = leaves[-1].position + 1 if leaves else size
        if after <= before or not tx.cursors.move(CURSOR, before, after, now):
            return 0  # somebody else deals with them
        _mark(tx, [leaf.event for leaf in leaves], now)
        return len(leaves)

    return deps.store.write(tenant_id, work)


def _mark(tx: Transaction, events: Sequence[AuditEvent], now: datetime) -> None:
    happened = [event for event in events if event.result == "success"]
    if any(event.activity == GROUP_GONE for event in happened):
        tx.client_sessions.look_at_tenant(tx.tenant_id, now)  # who was in it cannot be found any more
        return
    named = {key for event in happened for key in _named(event)}
    found = tx.principals.many(list(named))
    # Whoever was deleted is in no list of principals any more, but is still signed in somewhere.
    people = {one for one in named if one not in found or found[one].kind is PrincipalKind.USER}
    for one in found.values():
        if one.kind is PrincipalKind.GROUP:
            people |= tx.groups.transitive_member_ids(one.id, now)
    tx.client_sessions.look_at_people(tx.tenant_id, people, now)
    for key in named:
        face, application = tx.service_principals.get(key), tx.applications.get(key)
        app_id = face.app_id if face is not None else application.app_id if application is not None else ""
        if app_id:
            tx.client_sessions.look_at_client(tx.tenant_id, app_id, now)


def _named(event: AuditEvent) -> Iterable[str]:
    """Whom it may concern. A grant or a membership concerns who got it, and not all others in the group it is about."""
    change = access_change(event)
    if change is not None:
        return (change.principal_id,)
    return [target.id for target in event.targets if target.kind in _NAMED]


def next_look_at(deps: Deps) -> datetime | None:
    return deps.store.read("", lambda tx: tx.client_sessions.next_due())


def look(deps: Deps) -> int:
    """Look at the rows that are due, of every tenant. Returns how many."""
    now = deps.clock()
    due_at = next_look_at(deps)
    if due_at is None or due_at > now:
        return 0

    def work(tx: Transaction) -> int:
        rows = tx.client_sessions.due(now, LOOKS)
        for row in rows:
            _judge(tx, deps, row, now)
        return len(rows)

    return deps.store.write("", work)


def _judge(tx: Transaction, deps: Deps, row: ClientSession, now: datetime) -> None:
    there = tx.in_tenant(row.tenant_id)
    application = there.applications.by_app_id(row.client_id)
    if application is None or not application.logout_uri:
        there.client_sessions.remove(row)
        return
    reason = _over(there, row)
    if reason:
        _tell(there, deps, row, reason, now)
        return
    claims = told(there, application, row.user_id, now)
    lost, gained = compared(row.claims, claims)
    when = application.claims.logout_when
    if (lost and when is not LogoutWhen.SIGN_OUT) or (gained and when is LogoutWhen.CHANGE):
        _tell(there, deps, row, "lost" if lost else "gained", now)
        return
    check_at = now + LOOK if when is LogoutWhen.SIGN_OUT else next_look(there, row.user_id, now)
    there.client_sessions.put(replace(row, claims=claims, check_at=check_at))


def _over(tx: Transaction, row: ClientSession) -> str:
    """Why the sign-in is over; "" while it is not."""
    if row.over:
        return "signed out"
    account = Account(row.home_tenant_id, row.home_user_id)
    if person_in(tx, account, row.tenant_id) is None:
        return "disabled"
    client = find_client(tx, row.client_id)
    if client is None or not client_allowed(tx, client, row.tenant_id):
        return "application off"
    return ""


def _tell(tx: Transaction, deps: Deps, row: ClientSession, reason: str, now: datetime) -> None:
    """The application's session ends with this: the next sign-in there makes a new row."""
    payload = {"sid": row.session_id, "sub": row.user_id, "iss": row.issuer, "reason": reason}
    tx.outbox.put(deps.new_id(), TOPIC, row.client_id, json.dumps(payload), now)
    tx.client_sessions.remove(row)
