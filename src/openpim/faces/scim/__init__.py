"""SCIM 2.0 (RFC 7643, RFC 7644): where other systems write people and groups, `/scim/v2`.

scim2-models, which brings pydantic, is used in this folder alone; the folder is loaded by the first request for it. Everything
happens in one thread hop; nothing that is sent gives a 500.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

import msgspec
from pydantic import ValidationError
from scim2_models import Error, SCIMException, ScimProvider
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from openpim.core.caller import Caller
from openpim.core.directory_rules import is_guid
from openpim.core.refusals import Refusal
from openpim.faces.scim.call import BASE, Answer, Call, FaultError, error_body, refused
from openpim.faces.scim.endpoints import ENDPOINTS, Handler
from openpim.faces.scim.models import provider
from openpim.faces.shared.bearer import facts
from openpim.faces.shared.body import BadBody, read_body
from openpim.faces.shared.origin import public_origin
from openpim.faces.shared.threads import in_thread
from openpim.ports.deps import Deps
from openpim.services.provisioning.rules import may_provision

Authenticate: TypeAlias = Callable[..., Caller | Refusal]
_MEDIA = "application/scim+json"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def routes(deps: Deps, who: Authenticate, documentation: str = "") -> list[BaseRoute]:
    """who(header, ip=…, client=…, request_id=…) gives a Caller or a Refusal."""
    described = provider(documentation or f"{deps.settings.origin}/")

    async def handle(request: Request) -> Response:
        body = await read_body(request)
        if isinstance(body, BadBody):
            return _response(Answer(body.status, error_body(body.status, body.message)))
        return _response(await in_thread(_answer, deps, described, who, request, body), request.method)

    return [
        Route(BASE, handle, methods=_METHODS),
        Route(f"{BASE}/{{path:path}}", handle, methods=_METHODS),
    ]


def _answer(deps: Deps, described: ScimProvider, who: Authenticate, request: Request, body: bytes) -> Answer:
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        caller = who(headers.get("authorization"), **facts(request))
        if isinstance(caller, Refusal):
            return Answer(401, error_body(401, caller.message), {"WWW-Authenticate": 'Bearer realm="scim"'})
        refusal = may_provision(caller)
        if refusal is not None:
            refused(refusal)
        call = Call(
            deps,
            described,
            caller,
            public_origin(deps.settings, request.headers.get("host")),
            _query(request.scope.get("query_string", b"")),
            headers,
            body,
        )
        handler, given = _found(request)
        with described:
            return handler(call, *given)
    except FaultError as fault:
        return Answer(fault.status, error_body(fault.status, fault.detail, fault.scim_type))
    except ValidationError as error:
        return _shown(Error.from_validation_errors(error)[0])
    except SCIMException as error:
        return _shown(error.to_error())
    except RecursionError:
        return Answer(400, error_body(400, "It is nested too deeply.", "invalidSyntax"))


def _found(request: Request) -> tuple[Handler, tuple[str, ...]]:
    raw = request.scope.get("raw_path") or request.scope["path"].encode("utf-8", "surrogateescape")
    below = raw.decode("ascii", "replace").split("?")[0].strip("/").split("/")[2:]
    parts = [unquote(one, errors="replace") for one in below if one]
    method = "GET" if request.method == "HEAD" else request.method
    allowed = []
    for (verb, path), handler in ENDPOINTS.items():
        given = _given(path.split("/"), parts)
        if given is None:
            continue
        if verb != method:
            allowed.append(verb)
            continue
        if parts[0].lower() in {"users", "groups"} and given:
            given = (given[0].lower(),)
            if not is_guid(given[0]):
                raise FaultError(404, f"There is nothing with the id {given[0][:100]!r} here.")
        return handler, given
    if allowed:
        raise FaultError(405, f"This address takes {', '.join(sorted(set(allowed)))}.")
    raise FaultError(404, "There is no such address here; see /ResourceTypes.")


def _given(pattern: list[str], parts: list[str]) -> tuple[str, ...] | None:
    """The keys in the path, where it has this pattern."""
    if len(pattern) != len(parts):
        return None
    keys = []
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted == "{id}":
            if part == ".search":
                return None
            keys.append(part)
        elif wanted.lower() != part.lower():
            return None
    return tuple(keys)


def _query(text: bytes) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(
            text.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=100, errors="strict"
        )
    except ValueError:
        raise FaultError(400, "The query of the address cannot be read.", "invalidSyntax") from None
    return dict(pairs)


def _shown(error: Error) -> Answer:
    status = int(error.status or 400)
    detail = (error.detail or "The request cannot be read.")[:500]
    return Answer(status, error_body(status, detail, error.scim_type))


def _response(answer: Answer, method: str = "GET") -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **answer.headers}
    if answer.body is None:
        return Response(status_code=answer.status, headers=headers)
    headers["Content-Type"] = _MEDIA
    content: Any = msgspec.json.encode(answer.body)
    if method == "HEAD":
        headers["Content-Length"] = str(len(content))
        content = b""
    return Response(content, answer.status, headers)
