"""`openPim/auditLog`, an addition of ours: the hash tree over the audit history, its signed checkpoints, and proofs.

Everything that `pim audit verify` needs, and that other tools for transparency logs read. Hashes and binary values are
standard base64. See docs/reference/extensions.md.
"""

from __future__ import annotations

import base64
from typing import Final
from urllib.parse import parse_qsl

from openpim.core.checkpoints import LogKey, SignedCheckpoint
from openpim.faces.graph import grants
from openpim.faces.graph import permissions as p
from openpim.faces.graph.audits import event_key
from openpim.faces.graph.call import Answer, Call
from openpim.faces.graph.faults import Fault, settled
from openpim.faces.graph.resource import Row
from openpim.faces.graph.table import Endpoint
from openpim.proof.note import Checkpoint, NoteError
from openpim.services import audit_proof

PATH: Final = "openPim/auditLog"
PAGE: Final = 100
LINES: Final = {"Content-Type": "application/jsonl; charset=utf-8"}
NEXT: Final = "openpim-next"


def state(call: Call) -> Answer:
    found = audit_proof.state(call.deps, call.caller)
    body = {
        "@odata.context": call.context(PATH),
        "origin": found.origin,
        "size": found.size,
        "fault": found.fault or None,
        "keys": [_key(one) for one in found.keys],
        "latestCheckpoint": _checkpoint(found.latest) if found.latest is not None else None,
    }
    return Answer(200, body)


def _key(one: LogKey) -> Row:
    return {
        "generation": one.generation,
        "verifierKey": one.key,
        "endorsement": one.endorsement or None,
        "createdDateTime": grants.when(one.created_at),
    }


def _checkpoint(one: SignedCheckpoint) -> Row:
    try:
        root = _b64(Checkpoint.parse(one.note.rpartition("\n\n")[0] + "\n").root)
    except NoteError:
        root = None
    return {
        "id": str(one.number),
        "number": one.number,
        "size": one.size,
        "rootHash": root,
        "createdDateTime": grants.when(one.at),
        "note": one.note,
        "timeStamp": _b64(one.stamp) if one.stamp is not None else None,
    }


def checkpoints(call: Call) -> Answer:
    """The newest first."""
    before = _number(call, "before")
    found = audit_proof.checkpoints(call.deps, call.caller, before, PAGE + 1)
    shown = found[:PAGE]
    body = {
        "@odata.context": call.context(f"{PATH}/checkpoints"),
        "value": [_checkpoint(one) for one in shown],
    }
    if len(found) > PAGE:
        body["@odata.nextLink"] = f"{call.root}/{PATH}/checkpoints?before={shown[-1].number}"
    return Answer(200, body)


def checkpoint(call: Call) -> Answer:
    """`latest`, or by its number."""
    key = call.params["id"]
    if key != "latest" and not (key.isascii() and key.isdigit() and len(key) < 16):
        raise Fault("BadRequest", "A checkpoint is named by its number, or `latest`.")
    number = None if key == "latest" else int(key)
    found = settled(audit_proof.checkpoint(call.deps, call.caller, number), key)
    return Answer(200, {"@odata.context": call.context(f"{PATH}/checkpoints/$entity"), **_checkpoint(found)})


def inclusion(call: Call) -> Answer:
    """That an event is in the log: `eventId`, and `size` of the tree (the last checkpoint's)."""
    key = _parameters(call).get("eventid", "")
    event_id = event_key(key)
    if not event_id:
        raise Fault("BadRequest", "Say which event: eventId=…")
    found = settled(audit_proof.inclusion(call.deps, call.caller, event_id, _number(call, "size")), key)
    body = {
        "@odata.context": call.context(f"{PATH}/inclusionProof"),
        "eventId": found.event_id,
        "position": found.position,
        "size": found.size,
        "leaf": found.leaf.decode("utf-8", "replace"),
        "rootHash": _b64(found.root),
        "hashes": [_b64(one) for one in found.hashes],
    }
    return Answer(200, body)


def consistency(call: Call) -> Answer:
    """That the log of `second` events begins with the log of `first` events."""
    first, second = _number(call, "first"), _number(call, "second")
    if first is None or second is None:
        raise Fault("BadRequest", "Say which two sizes: first=…&second=…")
    found = settled(audit_proof.consistency(call.deps, call.caller, first, second), "")
    body = {
        "@odata.context": call.context(f"{PATH}/consistencyProof"),
        "first": found.first,
        "second": found.second,
        "firstRootHash": _b64(found.first_root),
        "secondRootHash": _b64(found.second_root),
        "hashes": [_b64(one) for one in found.hashes],
    }
    return Answer(200, body)


def lines(call: Call) -> Answer:
    """All of the log, in portions of JSON Lines; the header `OpenPim-Next` says what to ask for next."""
    found = settled(audit_proof.lines(call.deps, call.caller, _parameters(call).get("at", "")), "")
    more = {NEXT: found.next} if found.next is not None else {}
    text = b"\n".join((*found.lines, b"")).decode("utf-8", "surrogatepass")
    return Answer(200, text.encode("utf-8", "replace").decode(), LINES | more)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _parameters(call: Call) -> dict[str, str]:
    pairs = parse_qsl(call.raw.query.decode("ascii", "replace"), keep_blank_values=True)
    return {name.lower(): value for name, value in pairs}


def _number(call: Call, name: str) -> int | None:
    text = _parameters(call).get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Fault("BadRequest", f"{name} must be a whole number.")
    return int(text)


ENDPOINTS = (
    Endpoint("GET", PATH, state, p.AUDITS_READ),
    Endpoint("GET", f"{PATH}/checkpoints", checkpoints, p.AUDITS_READ),
    Endpoint("GET", f"{PATH}/checkpoints/{{id}}", checkpoint, p.AUDITS_READ),
    Endpoint("GET", f"{PATH}/consistencyProof", consistency, p.AUDITS_READ),
    Endpoint("GET", f"{PATH}/inclusionProof", inclusion, p.AUDITS_READ),
    Endpoint("GET", f"{PATH}/lines", lines, p.AUDITS_READ),
)
