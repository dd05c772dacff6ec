"""`POST /batch`: up to 500 requests in one, each answered as if it had come alone, in the order they were sent."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from openpim.faces.arm.call import Answer, Raw
from openpim.faces.shared.threads import in_thread
from openpim.wire.arm_errors import ERRORS, error_body
from openpim.wire.jsonbody import Body, BodyError, read_object
from openpim.wire.paths import BadPath, split_path

if TYPE_CHECKING:
    from openpim.faces.arm.dispatch import Dispatcher

MOST = 500
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Item:
    name: str
    raw: Raw


def is_batch(raw: Raw) -> bool:
    path = split_path(raw.path)
    return not isinstance(path, BadPath) and path.folded == ("batch",)


async def run(dispatcher: Dispatcher, raw: Raw) -> Answer:
    """The envelope needs no right of its own, but a valid token."""
    if raw.method != "POST":
        return _fault("MethodNotAllowed", {"Allow": "POST"})
    known = await in_thread(dispatcher.known, raw)
    if known is not None:
        return known
    try:
        items = _items(raw)
    except BodyError as error:
        return Answer(400, error_body("InvalidRequestContent", f"Invalid batch: {error}"))
    responses = []
    for item in items:
        answer = await dispatcher.hop(item.raw)(dispatcher.run, item.raw)
        shown: dict[str, Any] = {
            "name": item.name,
            "httpStatusCode": answer.status,
            "headers": dict(answer.headers),
        }
        if answer.body is not None:
            shown["content"] = answer.body
        responses.append(shown)
    return Answer(200, {"responses": responses})


def _items(raw: Raw) -> list[Item]:
    requests = read_object(raw.body).objects("requests", most=MOST)
    if not requests:
        raise BodyError("requests", "is required, and has at least one request")
    return [_item(raw, each, number) for number, each in enumerate(requests)]


def _item(raw: Raw, given: Body, number: int) -> Item:
    method = (given.text("httpMethod", max_length=10) or "GET").upper()
    if method not in _METHODS:
        raise given.fail("httpMethod", f"is none of {', '.join(sorted(_METHODS))}")
    member = "url" if given.get("url") is not None else "relativeUrl"  # the older name
    url = (given.text(member, max_length=40_000) or "").strip()
    if not url:
        raise given.fail("url", "is required")
    if "://" in url.split("?")[0]:
        try:
            parts = urlsplit(url)
        except ValueError:
            raise given.fail(member, "cannot be read as an address") from None
        url = parts.path + (f"?{parts.query}" if parts.query else "")
    path, _, query = url.partition("?")
    if not path.startswith("/"):
        path = "/" + path
    content = given.get("content")
    body = b"" if content is None else json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
    item = replace(raw, method=method, path=path.encode("utf-8"), query=query.encode("utf-8"), body=body)
    if is_batch(item):
        raise given.fail(member, "a batch cannot hold a batch")
    return Item(given.text("name", max_length=200) or str(number), item)


def _fault(code: str, headers: dict[str, str]) -> Answer:
    known = ERRORS[code]
    return Answer(known.status, error_body(code, known.message), headers)
