"""What all endpoints of the stream management have in common: who calls, the tenant in the address, the body, and how a
refusal is said (RFC 6750 3.1 for what concerns the token)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from openpim.core.caller import Caller
from openpim.core.refusals import Code, Refusal
from openpim.faces.shared.bearer import facts
from openpim.faces.shared.body import BadBody, read_body
from openpim.faces.shared.threads import in_thread
from openpim.ports.store import StoreUnavailableError
from openpim.services.recording import storable
from openpim.services.signin.context import SignIn
from openpim.wire.jsonbody import BodyError, read_object

STILL = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_LARGEST = 256 * 1024
_STATUS = {
    Code.INVALID: 400,
    Code.SIGN_IN: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.CONFLICT: 409,
    Code.THROTTLED: 429,
}
_ERRORS = {
    401: "invalid_token",
    403: "insufficient_scope",
    404: "not_found",
    409: "conflict",
    429: "slow_down",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a receiver. body: the members of the JSON object it sent; {} where it sends none."""

    signin: SignIn
    caller: Caller
    request: Request
    body: Mapping[str, Any]

    @property
    def deps(self) -> Any:
        return self.signin.deps

    def stream_id(self) -> str | Refusal:
        """The stream that the body names."""
        found = self.body.get("stream_id")
        if not isinstance(found, str) or not found:
            return bad("stream_id", "stream_id is missing.")
        return found if storable(found) and len(found) <= 100 else ""

    def named(self) -> str | None:
        """The stream that the query names, if it does."""
        found = self.request.query_params.get("stream_id")
        return found if found is None or (storable(found) and len(found) <= 100) else ""

    def text(self, name: str) -> str | Refusal | None:
        """A member that is a text, or is not there."""
        found = self.body.get(name)
        if found is not None and not isinstance(found, str):
            return bad(name, f"{name} is not a text.")
        return found


Act = Callable[[Call], Response | Refusal]  # runs in a thread


def bad(member: str, message: str) -> Refusal:
    return Refusal(Code.INVALID, message, member=member)


class Face:
    """who: finds the caller of a token; see services/signin/bearer.py."""

    def __init__(self, signin: SignIn, who: Callable[..., Caller | Refusal]) -> None:
        self.signin = signin
        self._who = who

    def endpoint(self, acts: Mapping[str, Act]) -> Callable[[Request], Awaitable[Response]]:
        """An address, with what each method does."""

        async def handle(request: Request) -> Response:
            members = await self.members(request)
            if isinstance(members, Response):
                return members
            return await in_thread(
                self._do, request, acts["GET" if request.method == "HEAD" else request.method], members
            )

        return handle

    async def members(self, request: Request) -> Mapping[str, Any] | BodyError | BadBody | Response:
        """What the body says; what is wrong with it is said only to those who may know."""
        if request.method not in {"POST", "PUT", "PATCH"}:
            return {}
        body = await read_body(request, _LARGEST)
        if isinstance(body, BadBody):
            return body
        try:
            return read_object(body).members
        except BodyError as error:
            return error

    def caller(self, request: Request) -> Caller | Refusal:
        """The caller, in the tenant that the address names."""
        found = self._who(request.headers.get("authorization"), **facts(request))
        if isinstance(found, Caller) and found.tenant_id != request.path_params["tenant"].lower():
            return Refusal(
                Code.SIGN_IN,
                "The access token is for another tenant: write the id of its tenant into the address.",
            )
        return found

    def _do(self, request: Request, act: Act, members: Mapping[str, Any] | BodyError | BadBody) -> Response:
        try:
            caller = self.caller(request)
            if isinstance(caller, Refusal):
                return self.refused(request, caller)
            if isinstance(members, (BodyError, BadBody)):
                return unread(members)
            found = act(Call(self.signin, caller, request, members))
        except StoreUnavailableError:
            return said(503, "unavailable", "Try again in a moment.", {"Retry-After": "5"})
        return self.refused(request, found) if isinstance(found, Refusal) else found

    def refused(self, request: Request, refusal: Refusal) -> Response:
        status = _STATUS.get(refusal.code, 400)
        headers: dict[str, str] = {}
        if status in {401, 403}:
            sent = bool(request.headers.get("authorization"))
            headers["WWW-Authenticate"] = _challenge(self.signin, request, refusal, sent=sent)
        if refusal.retry_after is not None:
            headers["Retry-After"] = str(refusal.retry_after)
        return said(status, _ERRORS.get(status, "invalid_request"), refusal.message, headers)


def unread(members: BodyError | BadBody) -> Response:
    if isinstance(members, BadBody):
        return said(members.status, "invalid_request", members.message)
    return said(400, "invalid_request", f"{members}.")


def said(status: int, error: str, description: str, headers: Mapping[str, str] | None = None) -> Response:
    body = {"err": error, "description": description}
    return JSONResponse(body, status, headers={**STILL, **(headers or {})})


def answered(body: Any, status: int = 200) -> Response:
    return JSONResponse(body, status, headers=STILL)


def empty(status: int) -> Response:
    return Response(status_code=status, headers=STILL)


def _challenge(signin: SignIn, request: Request, refusal: Refusal, *, sent: bool) -> str:
    """RFC 6750 3 and RFC 9728 5.1: how to come by what is missing."""
    tenant = request.path_params["tenant"].lower()
    where = f"{signin.settings.origin}/.well-known/oauth-protected-resource/ssf/{tenant}"
    parts = ['Bearer realm="ssf"']
    if refusal.code is Code.FORBIDDEN:
        parts += ['error="insufficient_scope"', f'scope="{refusal.detail or "ssf.manage"}"']
    elif sent:
        parts.append('error="invalid_token"')
    if all(ch.isascii() and (ch.isalnum() or ch == "-") for ch in tenant):
        parts.append(f'resource_metadata="{where}"')
    return ", ".join(parts)
