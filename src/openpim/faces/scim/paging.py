"""Pages of results, and what of each resource is shown (RFC 7644 3.4.2.4 and 3.4.2.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from scim2_models import Context, InvalidFilterException, SearchRequest

from openpim.core.directory import Group, User
from openpim.core.provisioning import Record
from openpim.core.query import Page, UnknownFieldError
from openpim.core.refusals import Refusal
from openpim.faces.scim.call import Answer, refused
from openpim.faces.scim.models import MOST

T = TypeVar("T")
_FURTHEST: Final = 1 << 31
_LIST: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


def page_of(search: SearchRequest[Any], ask: Callable[[int, int], Page[T] | Refusal]) -> Page[T]:
    """ask: gets how many and how many to skip."""
    limit = MOST if search.count is None else min(search.count, MOST)
    skip = min((search.start_index or 1) - 1, _FURTHEST)
    try:
        found = ask(limit, skip)
    except UnknownFieldError as error:
        raise InvalidFilterException(detail=f"{error}.") from None
    if isinstance(found, Refusal):
        refused(found)
    return found


def listed(search: SearchRequest[Any], page: Page[T], render: Callable[[T], Mapping[str, Any]]) -> Answer:
    return list_of([render(one) for one in page.items], page.total or 0, search.start_index or 1)


def list_of(shown: Sequence[Mapping[str, Any]], total: int, start: int = 1) -> Answer:
    """A ListResponse. start: the place of its first, from 1."""
    body = {
        "schemas": [_LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(shown),
        "Resources": shown,
    }
    return Answer(200, body)


def modified(one: User | Group, record: Record | None) -> datetime:
    """When this client last changed it; changes by others are in its version, not in this."""
    return record.modified_at if record is not None and record.modified_at is not None else one.created_at


def selected(model: Any, doc: Mapping[str, Any], search: SearchRequest[Any]) -> dict[str, Any]:
    """What the client wants to see of it."""
    resource = model.model_validate(doc)
    shown: dict[str, Any] = resource.model_dump(
        scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=search
    )
    return shown
