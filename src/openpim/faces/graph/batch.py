"""`POST /$batch`: up to twenty requests in one, each found, authorised and answered as its own.

Item addresses are relative (with or without the version) or absolute; `dependsOn` makes an item wait for others, and
fail with 424 when one of them failed. Items run one after the other, in the order that their dependencies allow.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from openpim.faces.graph.call import JSON, Answer, Raw
from openpim.faces.shared.threads import in_thread
from openpim.wire.graph_errors import error_body
from openpim.wire.jsonbody import Body, BodyError, read_object
from openpim.wire.paths import BadPath, split_path

if TYPE_CHECKING:
    from openpim.faces.graph.dispatch import Dispatcher

MOST = 20
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
# Headers of an item that mean something here; everything else comes from the envelope.
_OWN_HEADERS = frozenset({"content-type", "accept", "consistencylevel", "prefer", "if-match"})


@dataclass(frozen=True, slots=True)
class Item:
    id: str
    raw: Raw
    after: tuple[str, ...]


def is_batch(raw: Raw) -> bool:
    path = split_path(raw.path)
    return not isinstance(path, BadPath) and len(path.folded) == 2 and path.folded[1] == "$batch"


async def run(dispatcher: Dispatcher, raw: Raw) -> Answer:
    """The answer to a whole batch. The envelope needs no permission of its own, but a valid token."""
    if raw.method != "POST":
        return _fault(
            dispatcher, raw, "MethodNotAllowed", "A batch is sent with POST.", 405, {"Allow": "POST"}
        )
    known = await in_thread(dispatcher.known, raw)
    if known is not None:
        return known
    kind = raw.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        return _fault(dispatcher, raw, "UnsupportedMediaType", "A batch is sent as application/json.", 415)
    try:
        items = _items(raw)
    except BodyError as error:
        return _fault(dispatcher, raw, "BadRequest", f"Invalid batch: {error}", 400)
    answers: dict[str, Answer] = {}
    for item in _ordered(items):
        failed = [one for one in item.after if answers[one].status >= 400]
        if failed:
            message = f"The request {failed[0]} that this one depends on failed."
            answers[item.id] = _fault(dispatcher, item.raw, "FailedDependency", message, 424)
        else:
            answers[item.id] = await dispatcher.hop(item.raw)(dispatcher.run, item.raw)
    return Answer(200, {"responses": [_shown(item.id, answers[item.id]) for item in items]})


def _shown(id: str, answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = {"id": id, "status": answer.status, "headers": dict(answer.headers)}
    if answer.body is not None:
        kind = JSON if isinstance(answer.body, dict) else "text/plain"
        found["headers"]["Content-Type"] = kind
        found["body"] = answer.body
    return found


def _items(raw: Raw) -> list[Item]:
    body = read_object(raw.body)
    requests = body.objects("requests", most=MOST)
    if not requests:
        raise body.fail("requests", "is required, and has at least one request")
    path = split_path(raw.path)
    version = "beta" if not isinstance(path, BadPath) and path.folded[0] == "beta" else "v1.0"
    items = [_item(raw, version, each) for each in requests]
    ids = [item.id for item in items]
    for index, item in enumerate(items):
        if ids.index(item.id) != index:
            raise requests[index].fail("id", "is given to two requests")
        for one in item.after:
            if one not in ids or one == item.id:
                raise requests[index].fail("dependsOn", f"there is no other request {one[:60]!r}")
    _ordered(items)
    return items


def _item(raw: Raw, version: str, given: Body) -> Item:
    number = given.get("id")
    key = (
        str(number)
        if isinstance(number, int) and not isinstance(number, bool)
        else given.need_text("id", max_length=128)
    )
    method = given.need_text("method", max_length=10).upper()
    if method not in _METHODS:
        raise given.fail("method", f"is none of {', '.join(sorted(_METHODS))}")
    path, query = _address(given, version)
    headers = {name: value for name, value in raw.headers.items() if name not in _OWN_HEADERS}
    own = given.object("headers")
    if own is not None:
        for name in own:
            value = own.get(name)
            if name.lower() in _OWN_HEADERS and isinstance(value, str):
                headers[name.lower()] = value
    body, kind = _body(given, headers.get("content-type", ""))
    if kind:
        headers["content-type"] = kind
    after = given.texts("dependsOn", most=MOST) or given.texts("depends_on", most=MOST) or []
    item = Raw(method, path, query, headers, body, raw.origin, raw.ip, raw.request_id, raw.client_request_id)
    return Item(key, item, tuple(after))


def _address(given: Body, version: str) -> tuple[bytes, bytes]:
    url = given.need_text("url", max_length=40_000).strip()
    if "://" in url.split("?")[0]:
        try:
            parts = urlsplit(url)
        except ValueError:
            raise given.fail("url", "cannot be read as an address") from None
        if parts.scheme not in {"http", "https"}:
            raise given.fail("url", "is not an address of Graph")
        url = parts.path + (f"?{parts.query}" if parts.query else "")
    path, _, query = url.partition("?")
    data = path.encode("utf-8")
    folded = path.lower().lstrip("/")
    if folded.split("/")[0] not in {"v1.0", "beta"}:
        data = f"/{version}/".encode("ascii") + data
    elif not data.startswith(b"/"):
        data = b"/" + data
    if b"$batch" in data.lower() or b"%24batch" in data.lower():
        raise given.fail("url", "a batch cannot hold a batch")
    return data, query.encode("utf-8")


def _body(given: Body, kind: str) -> tuple[bytes, str]:
    """The item's body as bytes: an object as JSON, a text as base64 of whatever it is."""
    value = given.get("body")
    if value is None:
        return b"", kind
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False).encode("utf-8"), kind or "application/json"
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True), kind
        except (binascii.Error, ValueError):
            raise given.fail("body", "is neither an object nor base64") from None
    raise given.fail("body", "is neither an object nor base64")


def _ordered(items: Sequence[Item]) -> list[Item]:
    """The items so that each comes behind those it depends on. Raises BodyError when they go in a circle."""
    done: list[Item] = []
    seen: set[str] = set()
    waiting = list(items)
    while waiting:
        ready = [item for item in waiting if seen.issuperset(item.after)]
        if not ready:
            raise BodyError("requests", "the requests depend on each other in a circle")
        first = ready[0]
        done.append(first)
        seen.add(first.id)
        waiting.remove(first)
    return done


def _fault(
    dispatcher: Dispatcher,
    raw: Raw,
    code: str,
    message: str,
    status: int,
    headers: dict[str, str] | None = None,
) -> Answer:
    body = error_body(code, message, raw.request_id, raw.client_request_id, dispatcher.deps.clock())
    return Answer(status, body, headers or {})
