"""Subject, Resource and Action Search (AuthZEN 1.0, 8), page by page.

A page's token says where it ended, and seals what was asked, so that it can only go on with the same question.
"""

from __future__ import annotations

from typing import Any, Final

from openpim.core.caller import CallerKind
from openpim.faces.authzen.call import Answered, Call, HttpError
from openpim.faces.authzen.evaluation import is_name
from openpim.faces.authzen.wire import ACTION_SEARCH, RESOURCE_SEARCH, SUBJECT_SEARCH, Page, Subject, read
from openpim.faces.shared.threads import in_thread
from openpim.services.decisions import searching
from openpim.services.decisions.asking import LONGEST, SUBJECTS
from openpim.services.decisions.callers import may_ask_about
from openpim.services.decisions.index import Index
from openpim.services.decisions.requesting import digest_of
from openpim.services.decisions.searching import Found, Wanted

DEFAULT: Final = 100
MOST: Final = 1_000
_PURPOSE: Final = "decision-search"


async def subjects(call: Call) -> Answered:
    asked = read(call.body, SUBJECT_SEARCH)
    if not may_ask_about(call.caller, ""):
        raise HttpError(403, "Only an application that may ask about everybody can search for subjects.")
    wanted = Wanted(
        asked.action.name,
        asked.resource.type,
        asked.resource.id,
        asked.resource.properties,
        _data(asked.action),
    )
    index = await call.index()
    kind = asked.subject.type
    found = await in_thread(
        searching.subjects, call.room.deps, call.caller.tenant_id, index, kind, wanted, call.now
    )
    question = digest_of("subject", kind, _asked(wanted))
    return _page(call, asked.page, question, found, lambda one: _entity(kind, one))


async def resources(call: Call) -> Answered:
    asked = read(call.body, RESOURCE_SEARCH)
    index, principal = await _principal(call, asked.subject)
    kind = asked.resource.type
    wanted = Wanted(asked.action.name, kind, "", asked.resource.properties, _data(asked.action))
    found = (
        await in_thread(searching.resources, index, principal, kind, wanted, call.now) if principal else []
    )
    question = digest_of("resource", principal, _asked(wanted))
    return _page(call, asked.page, question, found, lambda one: _entity(kind, one))


async def actions(call: Call) -> Answered:
    asked = read(call.body, ACTION_SEARCH)
    index, principal = await _principal(call, asked.subject)
    wanted = Wanted("", asked.resource.type, asked.resource.id, asked.resource.properties)
    found = await in_thread(searching.actions, index, principal, wanted, call.now) if principal else []
    question = digest_of("action", principal, _asked(wanted))
    return _page(call, asked.page, question, found, lambda one: {"name": one.id})


async def _principal(call: Call, subject: Subject) -> tuple[Index, str]:
    """ "" for somebody unknown: nothing is found for him."""
    named = is_name(subject.id)
    index = await call.index((subject.id.lower(),) if named else ())
    principal = index.people.get(subject.id.lower(), "") if named else subject.id.lower()
    if subject.type not in SUBJECTS:
        principal = ""
    if not may_ask_about(call.caller, principal) and call.caller.kind is CallerKind.USER:
        raise HttpError(403, "With this access token you may ask about yourself only.")
    return index, principal


def _data(action: Any) -> bool:
    return action.properties is not None and action.properties.get("data") is True


def _asked(wanted: Wanted) -> list[Any]:
    return [wanted.action, wanted.type, wanted.id, wanted.properties, wanted.data]


def _entity(kind: str, found: Found) -> dict[str, Any]:
    entity: dict[str, Any] = {"type": kind, "id": found.id}
    if found.properties:
        entity["properties"] = found.properties
    return entity


def _page(call: Call, page: Page, question: str, found: list[Found], rendered: Any) -> Answered:
    """A page that goes on may leave its limit out, as the specification's own example does; another one is an error."""
    sealer = call.room.deps.sealer
    mark = digest_of(question, call.caller.tenant_id, call.caller.principal_id)
    asked, after = DEFAULT if page.limit is None else page.limit, ""
    if asked < 0:
        raise HttpError(400, "page.limit is not negative.")
    if page.token:
        said = sealer.unseal_json(_PURPOSE, page.token) if len(page.token) < 10 * LONGEST else None
        if said is None or said.get("q") != mark or page.limit not in {None, said.get("l")}:
            raise HttpError(400, "page.token belongs to another question. Begin again without one.")
        asked, after = int(said["l"]), str(said["k"])
    limit = min(asked, MOST)
    start = next((at for at, one in enumerate(found) if one.key > after), len(found)) if after else 0
    shown = found[start : start + limit]
    more = start + limit < len(found)
    last = shown[-1].key if shown else after
    token = sealer.seal_json(_PURPOSE, {"q": mark, "k": last, "l": asked}) if more else ""
    return Answered(
        {
            "page": {"next_token": token, "count": len(shown), "total": len(found)},
            "results": [rendered(one) for one in shown],
        }
    )
