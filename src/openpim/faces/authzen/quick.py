"""The short way of an evaluation: when the caller is known, the index is new enough, and the answer is a plain yes or no.

Everything else, and everything that is wrong in any way, is None here and goes the long way (dispatch.py), which answers the
same for what this file can answer. It exists because most of the time of a decision was spent on the way.
"""

from __future__ import annotations

from typing import Final

from openpim.core.caller import Caller
from openpim.core.decisions import micros
from openpim.faces.authzen.call import JSON, NO_STORE, Room
from openpim.faces.authzen.wire import EVALUATION, BadRequestError, Evaluation, read
from openpim.faces.shared.short import rendered
from openpim.services.decisions.asking import ACTIVATE, NO, SUBJECTS, answer
from openpim.services.decisions.callers import may_ask_about
from openpim.services.decisions.index import Index


def _answered(body: bytes) -> bytes:
    return rendered([(b"content-type", JSON), NO_STORE, (b"content-length", b"%d" % len(body))], body)


_YES: Final = _answered(b'{"decision":true}')
_FALSE: Final = _answered(b'{"decision":false}')
_ID: Final = 36


def decided(room: Room, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes | None:
    """As faces/shared/short.py wants it."""
    proof = _proof(headers)
    if proof is None:
        return None
    now = room.deps.clock()
    caller = room.callers.known(proof.decode("latin-1"), now)
    if caller is None:
        return None
    index = room.following.fresh(caller.tenant_id, now)
    if index is None:
        return None
    try:
        asked = read(body, EVALUATION)
    except BadRequestError:
        return None
    return _answer(caller, index, asked, micros(now))


def _proof(headers: list[tuple[bytes, bytes]]) -> bytes | None:
    """The Authorization header; None where the headers say anything that has to be looked at."""
    proof = kind = b""
    for name, value in headers:
        if name == b"authorization":
            if proof:
                return None
            proof = value
        elif name == b"content-type":
            kind = value
        elif name == b"x-request-id":
            return None
    return proof if kind == JSON else None


def _answer(caller: Caller, index: Index, asked: Evaluation, now: int) -> bytes | None:
    subject, action, resource = asked.subject, asked.action, asked.resource
    principal = subject.id
    if len(principal) != _ID or "@" in principal:
        principal = index.people.get(principal.lower(), "")
    principal = principal.lower()
    if (
        not principal
        or asked.context is not None
        or action.properties is not None
        or action.name == ACTIVATE
        or subject.type not in SUBJECTS
        or not may_ask_about(caller, principal)
    ):
        return None
    found = answer(index, principal, action.name, resource.type, resource.id, resource.properties, now)
    if found.until:
        return _YES
    return _FALSE if found is NO else None
