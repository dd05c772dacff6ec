"""What a provisioner keeps about people and groups: stored under its own name alone, and asked for by its own ids."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime

from openpim.core.caller import Caller
from openpim.core.directory import PrincipalKind
from openpim.core.provisioning import LONGEST_EXTERNAL_ID, LONGEST_WRITTEN, Record, upn_of
from openpim.core.query import All, AnyOf, Compare, Condition, Not, Some, UnknownFieldError
from openpim.core.refusals import Code, Refusal
from openpim.ports.store import Transaction
from openpim.services.recording import storable


@dataclass(frozen=True, slots=True)
class External:
    """Whose words are meant. domain: of user names that lack one."""

    client_id: str
    kind: PrincipalKind
    domain: str = ""


def kept(
    tx: Transaction, caller: Caller, kind: PrincipalKind, principal_id: str, record: Record, now: datetime
) -> Record | Refusal:
    """Store it, changed now; CONFLICT where another one that is still there has this external id."""
    external_id = record.external_id
    text = json.dumps(record.written, ensure_ascii=False)
    if len(text) > LONGEST_WRITTEN or not storable(text):
        return Refusal(
            Code.INVALID,
            f"What was sent is longer than {LONGEST_WRITTEN} characters, or holds one that cannot be stored.",
        )
    if external_id is not None:
        if not external_id or len(external_id) > LONGEST_EXTERNAL_ID or not storable(external_id):
            return Refusal(
                Code.INVALID,
                f"externalId has 1 to {LONGEST_EXTERNAL_ID} characters that can be stored.",
                member="external_id",
            )
        holder = tx.provisioning.by_external_id(caller.principal_id, kind, external_id)
        if holder is not None and holder != principal_id:
            if tx.principals.get(holder) is not None:
                return Refusal(
                    Code.CONFLICT,
                    f"Another one has the externalId {external_id:.100} already.",
                    member="external_id",
                )
            tx.provisioning.forget(holder, caller.principal_id)
    record = replace(record, modified_at=now)
    tx.provisioning.save(caller.principal_id, kind, principal_id, record)
    return record


def where(tx: Transaction, theirs: External, condition: Condition | None) -> Condition | None:
    """The same condition in the directory's own words: an external id becomes the id of the one that has it."""
    match condition:
        case All(parts):
            return All(tuple(_part(tx, theirs, one) for one in parts))
        case Some(parts):
            return Some(tuple(_part(tx, theirs, one) for one in parts))
        case Not(part):
            return Not(_part(tx, theirs, part))
        case Compare("external_id", "eq", str(value)):
            known = tx.provisioning.by_external_id(theirs.client_id, theirs.kind, value)
            return AnyOf("id", (known,) if known is not None else ())
        case Compare("external_id") | AnyOf("external_id"):
            msg = "externalId can only be looked up by eq"
            raise UnknownFieldError(msg)
        case Compare("user_name", ("eq" | "ne") as op, str(value)):
            return Compare("user_principal_name", op, upn_of(value, theirs.domain))
        case Compare("user_name", op, value):
            return Compare("user_principal_name", op, value)
        case _:
            return condition


def _part(tx: Transaction, theirs: External, condition: Condition) -> Condition:
    return where(tx, theirs, condition) or condition
