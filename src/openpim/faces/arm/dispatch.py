"""From a raw request to an answer: find the endpoint, see who is calling, run the handler.

One plain synchronous function, run in one thread hop; `/batch` sends every item of its own through the same function.
Nothing a client sends ends in a 500: what cannot be read is 400, a database that is away is 503.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from openpim.core.caller import Caller, CallerKind
from openpim.core.query import UnknownFieldError
from openpim.core.refusals import Code, Refusal
from openpim.core.resources import ROOT
from openpim.faces.arm.call import Answer, Call, Raw
from openpim.faces.arm.faults import Fault, RefusedError, Style, details, worded
from openpim.faces.arm.table import Match, Miss, Table
from openpim.faces.shared.bearer import challenge, step_up_challenge
from openpim.faces.shared.threads import in_thread, reading
from openpim.ports.deps import Deps
from openpim.ports.store import StoreUnavailableError
from openpim.wire import claims
from openpim.wire.arm_errors import error_body
from openpim.wire.errors import WireError, shown
from openpim.wire.jsonbody import BodyError
from openpim.wire.odata import ARM_FUNCTIONS, STANDARD_FUNCTIONS, ODataError, QueryOptions
from openpim.wire.paths import BadPath, split_path

# (the Authorization header, ip=…, client=…, request_id=…) -> who is calling
Authenticate = Callable[..., Caller | Refusal]

FUNCTIONS = {**STANDARD_FUNCTIONS, **ARM_FUNCTIONS}
# Any version that is well-formed: all of them are one code path.
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(?:-[A-Za-z]+(?:\.\d+)?)?\Z")
# What has a `$filter` in a grammar of its own.
_OWN_FILTER = ("microsoft.insights",)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Everything on this origin."""

    deps: Deps
    authenticate: Authenticate
    table: Table

    def run(self, raw: Raw) -> Answer:
        """The answer to one request. Never raises."""
        style, action, scope = Style.TREE, "", ROOT
        caller: Caller | None = None
        try:
            found = self.find(raw)
            if isinstance(found, Match):
                style, action, scope = found.endpoint.style, found.endpoint.action, found.scope
            public = isinstance(found, Match) and found.endpoint.public
            caller = _NOBODY if public else self._caller(raw)
            if isinstance(found, Fault):
                raise found
            options = _options(raw)
            _check_version(options)
            call = Call(
                deps=self.deps,
                caller=caller,
                raw=raw,
                now=self.deps.clock(),
                scope=found.scope,
                written=found.written,
                params=found.params,
                options=options,
                action=action,
            )
            return found.endpoint.handler(call)
        except RefusedError as error:
            return _answer(self._refused(error.refusal, style, caller, action, scope, raw))
        except Fault as fault:
            return _answer(fault)
        except BodyError as error:
            return _answer(_bad_body(error, style))
        except ODataError as error:
            code = "InvalidFilter" if error.option == "$filter" else "BadRequest"
            return _answer(Fault(code, f"Invalid request: {error}"))
        except (UnknownFieldError, WireError) as error:
            return _answer(Fault("BadRequest", f"Invalid request: {error}"))
        except StoreUnavailableError:
            return _answer(Fault("ServiceUnavailable", headers={"Retry-After": "2"}))
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an error in shape and nothing of ours
            _log.exception("request %s failed", raw.request_id)
            return _answer(Fault("InternalServerError"))

    def hop(self, raw: Raw) -> Callable[..., Awaitable[Answer]]:
        """How it comes to a thread."""
        return reading(self.deps.store) if raw.method == "GET" else in_thread

    def known(self, raw: Raw) -> Answer | None:
        """None for a caller who may ask at all, else the answer that says why not: for the envelope of a batch."""
        try:
            self._caller(raw)
            _check_version(_options(raw))
        except Fault as fault:
            return _answer(fault)
        except ODataError as error:
            return _answer(Fault("BadRequest", f"Invalid request: {error}"))
        except StoreUnavailableError:
            return _answer(Fault("ServiceUnavailable", headers={"Retry-After": "2"}))
        return None

    def find(self, raw: Raw) -> Match | Fault:
        path = split_path(raw.path)
        if isinstance(path, BadPath):
            return Fault("BadRequest", f"The address cannot be read: {path.reason}.")
        found = self.table.find("GET" if raw.method == "HEAD" else raw.method, path.segments)
        if isinstance(found, Miss):
            if found.allowed:
                return Fault("MethodNotAllowed", headers={"Allow": ", ".join(found.allowed)})
            text = "/" + "/".join(path.segments)
            return Fault("InvalidResourceType", f"There is nothing at {shown(text, 200)}.")
        return found

    def _caller(self, raw: Raw) -> Caller:
        found = self.authenticate(
            raw.headers.get("authorization"),
            ip=raw.ip,
            client=raw.headers.get("user-agent", "")[:200] or None,
            request_id=raw.request_id,
        )
        if isinstance(found, Refusal):
            sent = "authorization" in raw.headers
            code = "InvalidAuthenticationToken" if sent else "AuthenticationFailed"
            if found.code is Code.THROTTLED:
                raise worded(found, Style.TREE, None, "", ROOT)
            header = challenge(
                self.deps.settings.origin,
                error="invalid_token" if sent else "",
                description=found.message if sent else "",
            )
            raise Fault(code, found.message if sent else "", headers={"WWW-Authenticate": header})
        return found

    def _refused(
        self, refusal: Refusal, style: Style, caller: Caller | None, action: str, scope: str, raw: Raw
    ) -> Fault:
        fault = worded(refusal, style, caller, action, scope)
        if refusal.code is Code.STEP_UP and caller is not None and "cp1" in caller.capabilities:
            wanted = claims.acrs_request(refusal.detail or "c1")
            header = step_up_challenge(self.deps.settings.origin, wanted)
            return Fault(fault.code, fault.message, status=401, headers={"WWW-Authenticate": header})
        return fault


_NOBODY = Caller("", "", CallerKind.USER)


def _answer(fault: Fault) -> Answer:
    return Answer(fault.status, error_body(fault.code, fault.message, details(fault)), fault.headers)


def _bad_body(error: BodyError, style: Style) -> Fault:
    members = ((error.member, error.problem),) if error.member else ()
    code = {Style.PIM: "InvalidRoleAssignmentRequest", Style.POLICY: "InvalidPolicy"}.get(
        style, "InvalidRequestContent"
    )
    words: dict[str, Any] = {"InvalidPolicy": "The policy is invalid. "}
    return Fault(code, f"{words.get(code, 'The request content was invalid: ')}{error}", members=members)


def _options(raw: Raw) -> QueryOptions:
    query = raw.query
    if any(name.encode() in raw.path.lower() for name in _OWN_FILTER):
        kept = [pair for pair in query.split(b"&") if b"filter" not in pair.partition(b"=")[0].lower()]
        query = b"&".join(kept)
    return QueryOptions.parse(query, functions=FUNCTIONS)


def _check_version(options: QueryOptions) -> None:
    version = options.parameter("api-version")
    if not version:
        raise Fault("MissingApiVersionParameter")
    if not _VERSION.match(version):
        raise Fault("InvalidApiVersionParameter", f"The api-version {shown(version)} is invalid.")
