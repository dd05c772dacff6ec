"""Reads requests: mine, waiting for me, that I made, or all."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.grants import Kind, Provider, Request
from openpim.core.query import All, Compare, Page, Query
from openpim.core.refusals import Code, Refusal
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.authority import Decider, decider, keys_of
from openpim.services.providers import PROVIDERS
from openpim.services.reading import NOT_A_READER, Whose, may_read_all, pinned


def page(
    deps: Deps, caller: Caller, provider: Provider, kind: Kind, whose: Whose, query: Query
) -> Page[Request] | Refusal:
    """A page of requests."""
    now = deps.clock()

    def work(tx: Transaction) -> Page[Request] | Refusal:
        if whose is Whose.APPROVER:
            me = decider(tx, caller.principal_id, now)
            ids = tx.approvals.waiting_for(me.keys)
            found = tx.requests.page(provider, kind, query, ids=ids)
            decidable = tuple(request for request in found.items if _decidable(tx, request, me))
            return replace(found, items=decidable)
        if whose is Whose.PRINCIPAL:
            return tx.requests.page(provider, kind, _narrowed(query, "principal_id", caller.principal_id))
        if whose is Whose.CREATED_BY:
            return tx.requests.page(provider, kind, _narrowed(query, "created_by", caller.principal_id))
        if pinned(query.where, "created_by") != caller.principal_id:
            refusal = may_read_all(tx, caller, provider, query, now)
            if refusal is not None:
                return refusal
        return tx.requests.page(provider, kind, query)

    def _decidable(tx: Transaction, request: Request, me: Decider) -> bool:
        approval = tx.approvals.get(request.id)
        stage = approval.current if approval is not None else None
        if approval is None or stage is None or not stage.open_at(now):
            return False
        return bool(me.rights(approval.requestor_id, keys_of(tx, request, stage.keys)))

    return deps.store.read(caller.tenant_id, work)


def get(deps: Deps, caller: Caller, provider: Provider, kind: Kind, request_id: str) -> Request | Refusal:
    """One request, for its subject, its maker, its approvers and readers."""
    now = deps.clock()

    def work(tx: Transaction) -> Request | Refusal:
        found = tx.requests.get(request_id)
        if found is None or found.provider is not provider or found.kind is not kind:
            return Refusal(Code.REQUEST_MISSING, f"There is no request {request_id}.")
        return may_see(tx, caller, found, now) or found

    return deps.store.read(caller.tenant_id, work)


def may_see(tx: Transaction, caller: Caller, request: Request, now: datetime) -> Refusal | None:
    """None for its subject, its maker, its approvers and readers."""
    if caller.principal_id in {request.principal_id, request.created_by}:
        return None
    if PROVIDERS[request.provider].may_read(tx, caller, request.scope, now):
        return None
    approval = tx.approvals.get(request.approval_id) if request.approval_id else None
    if approval is not None:
        me = decider(tx, caller.principal_id, now)
        if any(me.rights(approval.requestor_id, stage.keys) for stage in approval.stages):
            return None
    return NOT_A_READER


def _narrowed(query: Query, field: str, value: str) -> Query:
    mine = Compare(field, "eq", value)
    return replace(query, where=mine if query.where is None else All((mine, query.where)))
