"""Whom a receiver wants to be told of, and whether a person is told of on a stream (SSF 8.1.3).

What is added or removed is never looked up in the directory to answer: whoever asks does not learn who is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from openpim.core.caller import Caller
from openpim.core.directory import User
from openpim.core.refusals import Code, Refusal
from openpim.core.signals import (
    MANAGE,
    MOST_SUBJECTS,
    DefaultSubjects,
    SignalStream,
    SubjectFormat,
    subject_fault,
    subject_key,
    too_large,
)
from openpim.ports.deps import Deps
from openpim.ports.store import Transaction
from openpim.services.recording import record
from openpim.services.signals.receivers import may, named, own
from openpim.services.signin.context import issuer

ADDED, REMOVED = "Add subject to signal stream", "Remove subject from signal stream"


def name_subject(
    deps: Deps, caller: Caller, stream_id: str, subject: Any, *, included: bool
) -> Refusal | None:
    """Add it to the stream (included), or remove it."""
    now = deps.clock()
    fault = subject_fault(subject)
    if fault is None and too_large(subject):
        fault = "subject is too long."

    def work(tx: Transaction) -> Refusal | None:
        tx.lock_tenant()
        stream = own(tx, caller, stream_id)
        if isinstance(stream, Refusal):
            return stream
        if fault is not None:
            return Refusal(Code.INVALID, fault, member="subject")
        if subject == {"format": "opaque", "id": stream.id}:
            if included:
                return None
            return Refusal(Code.INVALID, "The stream itself is always a subject of it.", member="subject")
        key = subject_key(_here(tx, subject))
        if tx.signal_streams.subjects(stream_id) >= MOST_SUBJECTS and not tx.signal_streams.named(
            stream_id, [key]
        ):
            return Refusal(Code.FORBIDDEN, f"A stream names at most {MOST_SUBJECTS} subjects.", detail=MANAGE)
        text = json.dumps(subject, sort_keys=True)
        if tx.signal_streams.name_subject(stream_id, key, text, now, included=included):
            record(
                tx,
                deps,
                caller,
                now,
                activity=ADDED if included else REMOVED,
                category="Policy",
                targets=(named(stream),),
                details=(("Subject", text[:500]),),
            )
        return None

    return may(caller, MANAGE) or deps.store.write(caller.tenant_id, work)


def _here(tx: Transaction, subject: Mapping[str, Any]) -> Mapping[str, Any]:
    """A person "of this tenant" is that person: all we tell of are."""
    if subject["format"] == "complex" and subject.get("tenant") == {"format": "opaque", "id": tx.tenant_id}:
        rest = {name: value for name, value in subject.items() if name != "tenant"}
        return rest if len(rest) > 1 else subject
    return subject


def included(tx: Transaction, origin: str, stream: SignalStream, user: User) -> bool:
    """Whether the stream tells of this person: what was last said of him counts, then what was said of everybody, then the
    stream's default. origin: of this server."""
    own_keys = [subject_key(one) for one in _names(tx, origin, user)]
    everybody = subject_key({"format": "complex", "tenant": {"format": "opaque", "id": tx.tenant_id}})
    said = tx.signal_streams.named(stream.id, [*own_keys, everybody])
    of_him = [said[key] for key in own_keys if key in said]
    if of_him:
        return max(of_him, key=lambda one: one[1])[0]
    if everybody in said:
        return said[everybody][0]
    return stream.default_subjects is DefaultSubjects.ALL


def subject_of(tx: Transaction, origin: str, stream: SignalStream, user: User) -> Mapping[str, str]:
    """How the stream's receiver is told who it is: by address where he has one and it asked for that, else by the `iss`
    and `sub` of his ID tokens."""
    if stream.subject_format is SubjectFormat.EMAIL and user.mail:
        return {"format": "email", "email": user.mail}
    return {"format": "iss_sub", "iss": issuer(origin, tx.tenant_id), "sub": user.id}


def _names(tx: Transaction, origin: str, user: User) -> list[dict[str, str]]:
    found = [{"format": "iss_sub", "iss": issuer(origin, tx.tenant_id), "sub": user.id}]
    addresses = {one.lower() for one in (user.mail, user.user_principal_name) if one}
    return found + [{"format": "email", "email": one} for one in sorted(addresses)]
