"""A preview of many assignments on its way through a form: every row with what it asks for or what is wrong with it, sealed
for the session that saw it, so that nothing is kept in between and nothing can be changed.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from openpim.core.ask import Ask
from openpim.core.grants import Action, ExpirationType, Kind, Provider, Ticket, Window
from openpim.faces.portal.call import Call
from openpim.faces.portal.words import t

LARGEST: Final = 3_000_000  # characters of what is sealed: it must fit into a form
_PURPOSE: Final = "portal import"
_LASTS: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it was read. number: of its line in a spreadsheet. ask: None where problem says what is wrong with it.
    done: it has been carried out, as this request."""

    number: int
    role: str
    scope: str
    member: str
    ask: Ask | None = None
    problem: str = ""
    done: str = ""


def sealed(call: Call, lines: Iterable[Line]) -> str:
    rows = json.dumps([_closed(one) for one in lines], separators=(",", ":")).encode()
    body = {
        "s": call.presence.session.id,
        "t": call.caller.tenant_id,
        "at": call.now.isoformat(),
        "n": call.deps.new_id(),
        "rows": base64.b64encode(zlib.compress(rows, 6)).decode(),
    }
    return call.signin.sealer.seal_json(_PURPOSE, body)


def opened(call: Call, text: str) -> tuple[Line, ...] | str:
    """The lines again, or why this preview does not count. The ids of the requests come from the preview, so that what
    is sent twice is done once."""
    held = call.signin.sealer.unseal_json(_PURPOSE, text)
    mine = (call.presence.session.id, call.caller.tenant_id)
    if held is None or (held.get("s"), held.get("t")) != mine:
        return t("This preview was not shown to you in this form. Look at a new one.")
    if call.now - datetime.fromisoformat(held["at"]) > _LASTS:
        return t("This preview is more than an hour old. Look at a new one.")
    rows = json.loads(zlib.decompress(base64.b64decode(held["rows"])))
    nonce = UUID(held["n"])
    return tuple(_line(row, nonce) for row in rows)


def _closed(line: Line) -> list[Any]:
    ask = line.ask
    head = [line.number, line.role, line.scope, line.member, line.problem]
    if ask is None:
        return head
    start, end = ask.window.start, ask.window.end
    return [
        *head, ask.kind.value, ask.provider.value, ask.action.value, ask.principal_id, ask.role_id, ask.scope,
        ask.schedule_id, ask.justification, ask.ticket.number, ask.ticket.system, ask.window.type.value,
        start.isoformat() if start else None, end.isoformat() if end else None,
    ]  # fmt: skip


def _line(row: list[Any], nonce: UUID) -> Line:
    number, role, scope, member, problem, *asked = row
    if not asked:
        return Line(number, role, scope, member, problem=problem)
    kind, provider, action, who, role_id, place, schedule, why, ticket, system, type_, start, end = asked
    window = Window(
        datetime.fromisoformat(start).astimezone(UTC) if start else None,
        ExpirationType(type_),
        end=datetime.fromisoformat(end).astimezone(UTC) if end else None,
    )
    ask = Ask(
        kind=Kind(kind),
        provider=Provider(provider),
        action=Action(action),
        principal_id=who,
        role_id=role_id,
        scope=place,
        schedule_id=schedule,
        justification=why,
        ticket=Ticket(ticket, system),
        window=window,
        request_id=str(uuid5(nonce, str(number))),
    )
    return Line(number, role, scope, member, ask)
