"""From a raw request to an answer: find the endpoint, see who is calling, check the permissions, run the handler.

One plain synchronous function, run in one thread hop; `$batch` sends every item of its own through the same function.
Nothing a client sends ends in a 500: what cannot be read is 400, a database that is away is 503.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from openpim.core.caller import Caller, CallerKind
from openpim.core.query import UnknownFieldError
from openpim.core.refusals import Code, Refusal
from openpim.faces.graph.call import Answer, Call, Raw
from openpim.faces.graph.faults import Fault, RefusedError, Style, worded
from openpim.faces.graph.table import Endpoint, Match, Miss, Table
from openpim.faces.shared.bearer import challenge, step_up_challenge
from openpim.faces.shared.threads import beside, in_thread, reading
from openpim.ports.deps import Deps
from openpim.ports.store import StoreUnavailableError
from openpim.services.signin.context import SignIn
from openpim.wire import claims
from openpim.wire.errors import WireError
from openpim.wire.graph_errors import (
    error_body,
    missing_permission_message,
    missing_scope_message,
    no_segment_message,
    wrapped_error_body,
)
from openpim.wire.jsonbody import BodyError
from openpim.wire.odata import ODataError, QueryOptions
from openpim.wire.paths import BadPath, split_path

# (the Authorization header, ip=…, client=…, request_id=…) -> who is calling
Authenticate = Callable[..., Caller | Refusal]

VERSIONS = {"v1.0": "v1.0", "beta": "beta"}
# A person's token with one of these acts as that person: what he may do is decided by his roles alone. Tools that
# use one token for both APIs send the management API's.
_AS_THE_PERSON = frozenset({"user_impersonation", "Directory.AccessAsUser.All"})
_OURS = b"/openpim/"  # what waits for somebody else's server is among our own additions
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Everything below `/v1.0` and `/beta`."""

    deps: Deps
    authenticate: Authenticate
    table: Table
    signin: SignIn | None = None

    def run(self, raw: Raw) -> Answer:
        """The answer to one request. Never raises."""
        style = Style.DIRECTORY
        caller: Caller | None = None
        try:
            caller = self._caller(raw)
            version, found = self.find(raw)
            style = found.endpoint.style
            self._permitted(found.endpoint, caller)
            call = Call(
                deps=self.deps,
                caller=caller,
                raw=raw,
                version=version,
                now=self.deps.clock(),
                params=found.params,
                args=found.args,
                options=_options(raw, counted=found.counted),
                cast=found.cast,
                signin=self.signin,
            )
            answer = found.endpoint.handler(call)
            return _finished(answer, raw, counted=found.counted)
        except RefusedError as error:
            return self._answer(raw, self._refused(error, style, caller, raw), style)
        except Fault as fault:
            return self._answer(raw, fault, style)
        except BodyError as error:
            return self._answer(raw, _bad_body(error, style), style)
        except (ODataError, UnknownFieldError, WireError) as error:
            member = error.option if isinstance(error, ODataError) else ""
            members = ((member, str(error)),) if member else ()
            return self._answer(raw, Fault("BadRequest", f"Invalid request: {error}", members=members), style)
        except StoreUnavailableError:
            return self._answer(raw, Fault("ServiceUnavailable", headers={"Retry-After": "2"}), style)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets a Graph error and nothing of ours
            _log.exception("request %s failed", raw.request_id)
            return self._answer(raw, Fault("UnknownError"), Style.DIRECTORY)

    def hop(self, raw: Raw) -> Callable[..., Awaitable[Answer]]:
        """How it comes to a thread."""
        usual = reading(self.deps.store) if raw.method == "GET" else in_thread
        if _OURS not in raw.path.lower():
            return usual
        try:
            return beside if self.find(raw)[1].endpoint.waits else usual
        except (Fault, ODataError):
            return usual

    def known(self, raw: Raw) -> Answer | None:
        """None for a caller who may ask at all, else the answer that says why not: for the envelope of a batch."""
        try:
            self._caller(raw)
        except Fault as fault:
            return self._answer(raw, fault, Style.DIRECTORY)
        except StoreUnavailableError:
            return self._answer(
                raw, Fault("ServiceUnavailable", headers={"Retry-After": "2"}), Style.DIRECTORY
            )
        return None

    def find(self, raw: Raw) -> tuple[str, Match]:
        """The version and the endpoint the path means. Raises Fault when there is none."""
        path = split_path(raw.path)
        if isinstance(path, BadPath):
            raise Fault("BadRequest", f"The address cannot be read: {path.reason}.")
        version = VERSIONS.get(path.folded[0]) if path.segments else None
        if version is None:
            raise Fault("BadRequest", f"Invalid version: {path.segments[0] if path.segments else ''}"[:200])
        found = self.table.find(raw.method, path.segments[1:])
        if isinstance(found, Miss):
            if found.allowed:
                raise Fault("MethodNotAllowed", headers={"Allow": ", ".join(found.allowed)})
            raise Fault("BadRequest", no_segment_message(found.segment[:200]))
        return version, found

    def _caller(self, raw: Raw) -> Caller:
        found = self.authenticate(
            raw.headers.get("authorization"),
            ip=raw.ip,
            client=raw.headers.get("user-agent", "")[:200] or None,
            request_id=raw.request_id,
        )
        if isinstance(found, Refusal):
            error = "" if "authorization" not in raw.headers else "invalid_token"
            header = challenge(raw.origin, error=error, description=found.message if error else "")
            fault = worded(found, Style.DIRECTORY)
            raise Fault(
                fault.code,
                fault.message,
                inner=fault.inner,
                headers={**fault.headers, "WWW-Authenticate": header},
            )
        return found

    @staticmethod
    def _permitted(endpoint: Endpoint, caller: Caller) -> None:
        """Any of the endpoint's permissions; what may be *done* with it is the acts' business."""
        if caller.kind is CallerKind.USER:
            if not endpoint.scopes or lets_in(caller, endpoint.scopes):
                return
        elif endpoint.people_only:
            raise Fault("BadRequest", "This address needs a person: an application has no /me.")
        elif not endpoint.app_permissions or caller.permissions.intersection(endpoint.app_permissions):
            return
        wanted = endpoint.scopes if caller.kind is CallerKind.USER else endpoint.app_permissions
        inner = {"requiredPermissions": list(wanted)}
        match endpoint.style:
            case Style.APPROVAL:
                raise Fault("", missing_permission_message(wanted), status=403, inner=inner)
            case Style.PIM | Style.POLICY:
                raise Fault("PermissionScopeNotGranted", missing_scope_message(wanted), inner=inner)
            case Style.DIRECTORY:
                raise Fault("Authorization_RequestDenied", inner=inner)

    def _refused(self, error: RefusedError, style: Style, caller: Caller | None, raw: Raw) -> Fault:
        refusal = error.refusal
        fault = worded(refusal, style, error.subject)
        if refusal.code is Code.STEP_UP and caller is not None and "cp1" in caller.capabilities:
            wanted = claims.acrs_request(refusal.detail or "c1")
            return Fault(
                "InvalidAuthenticationToken",
                refusal.message,
                inner=fault.inner,
                headers={"WWW-Authenticate": step_up_challenge(raw.origin, wanted)},
            )
        return fault

    def _answer(self, raw: Raw, fault: Fault, style: Style) -> Answer:
        body = _error(raw, fault, style, self.deps)
        return Answer(fault.status, body, fault.headers)


def lets_in(caller: Caller, permissions: Collection[str]) -> bool:
    held = caller.scopes if caller.kind is CallerKind.USER else caller.permissions
    as_the_person = caller.kind is CallerKind.USER and bool(caller.scopes & _AS_THE_PERSON)
    return as_the_person or bool(held.intersection(permissions))


def narrowed(call: Call, permissions: tuple[str, ...]) -> None:
    """For an address that serves several kinds of things: what is asked for needs one of these permissions."""
    if not lets_in(call.caller, permissions):
        inner = {"requiredPermissions": list(permissions)}
        raise Fault("PermissionScopeNotGranted", missing_scope_message(permissions), inner=inner)


# Said without a wrapper even where the rest is wrapped: they come from the gateway in front.
_NEVER_WRAPPED = frozenset(
    {
        "InvalidAuthenticationToken",
        "TooManyRequests",
        "ServiceUnavailable",
        "MethodNotAllowed",
        "UnknownError",
    }
)


def _error(raw: Raw, fault: Fault, style: Style, deps: Deps) -> dict[str, Any]:
    inner = dict(fault.inner)
    wrapped = style is Style.POLICY or fault.code == "PermissionScopeNotGranted"
    if wrapped and fault.code not in _NEVER_WRAPPED:
        inner = {"errorCode": fault.code, "reason": fault.message, **inner}
        if fault.members:
            inner["members"] = [{"target": member, "message": message} for member, message in fault.members]
        return wrapped_error_body(
            fault.code, fault.message, raw.request_id, raw.client_request_id, deps.clock(), inner=inner
        )
    details = [
        {"code": "InvalidMember", "target": member, "message": message} for member, message in fault.members
    ]
    return error_body(
        fault.code,
        fault.message,
        raw.request_id,
        raw.client_request_id,
        deps.clock(),
        details=details,
        inner=inner,
    )


def _bad_body(error: BodyError, style: Style) -> Fault:
    members = ((error.member, error.problem),) if error.member else ()
    if not error.member:
        return Fault("BadRequest", f"Unable to read the body: {error}")
    if style is Style.PIM:
        return Fault(
            "InvalidRoleAssignmentRequest",
            f"The role assignment request is invalid. {error}",
            members=members,
        )
    if style is Style.POLICY:
        return Fault("InvalidPolicyRule", f"The policy rule is invalid. {error}", members=members)
    return Fault("Request_BadRequest", f"Invalid value: {error}", members=members)


def _options(raw: Raw, *, counted: bool) -> QueryOptions:
    options = QueryOptions.parse(raw.query)
    return replace(options, count=True, top=1, select=(), expand=()) if counted else options


def _finished(answer: Answer, raw: Raw, *, counted: bool) -> Answer:
    if counted:
        total = answer.body.get("@odata.count") if isinstance(answer.body, dict) else None
        if total is None:
            raise Fault("BadRequest", no_segment_message("$count"))
        return Answer(200, str(total))
    if isinstance(answer.body, dict) and _wants_no_metadata(raw):
        return replace(answer, body=_bare(answer.body))
    return answer


def _wants_no_metadata(raw: Raw) -> bool:
    return "odata.metadata=none" in raw.headers.get("accept", "").lower().replace(" ", "")


_KEPT = frozenset({"@odata.nextLink", "@odata.count"})


def _bare(value: Any) -> Any:
    """Without the annotations that `odata.metadata=none` leaves out."""
    if isinstance(value, dict):
        return {
            name: _bare(inner)
            for name, inner in value.items()
            if name in _KEPT or not (name.startswith("@odata.") or "@odata." in name)
        }
    if isinstance(value, list):
        return [_bare(each) for each in value]
    return value


def location(call: Call, path: str, key: str) -> str:
    """The address of a thing that was just made."""
    return f"{call.root}/{path}/{quote(key, safe='')}"
