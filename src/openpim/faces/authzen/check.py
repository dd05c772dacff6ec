"""/access/v1/check: what nginx (auth_request), Envoy (ext_authz) and Traefik (ForwardAuth) ask before each request.

200 with who it is, 401, or 403; anything that cannot be decided is an error, and those proxies let nothing through then.

What is asked for comes from the proxy's configuration, and the person behind the request must not be able to change it. So
it stands either all in the query (where the proxy writes the address: nginx, Traefik) or all in headers (where the proxy
sets them: nginx, Envoy, which adds the person's own path and query to the address), never in both, and never twice.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from openpim.core.caller import Caller, CallerKind
from openpim.core.decisions import instant
from openpim.core.refusals import Refusal
from openpim.faces.authzen.call import Answered, Call, HttpError
from openpim.faces.authzen.evaluation import is_name
from openpim.faces.shared.body import BadBody, parse_form
from openpim.faces.shared.threads import in_thread
from openpim.services.decisions.asking import GROUP_TYPE, ROLE, USE, answer
from openpim.services.decisions.callers import may_ask, may_ask_about

NAMES: Final = ("role", "scope", "group", "subject")
HEADERS: Final = {name: f"x-openpim-{name}".encode("ascii") for name in NAMES}
_BASIC: Final = (b"www-authenticate", b'Basic realm="OpenPIM", charset="UTF-8"')


@dataclass(frozen=True, slots=True)
class Asked:
    """One of role (with its scope) and group. subject: for whom an application asks."""

    role: str = ""
    scope: str = "/"
    group: str = ""
    subject: str = ""


async def check(call: Call) -> Answered:
    asked = _asked(call)
    caller = await _caller(call)
    subject = _subject(caller, asked)
    index = await call.index((subject.lower(),) if is_name(subject) else ())
    principal = index.people.get(subject.lower(), "") if is_name(subject) else subject.lower()
    if not may_ask_about(caller, principal) and caller.kind is CallerKind.USER:
        raise HttpError(403, "This access token speaks for somebody else.")
    kind, named = (GROUP_TYPE, asked.group) if asked.group else (ROLE, asked.role)
    properties = {} if asked.group else {"scope": asked.scope}
    found = answer(index, principal, USE, kind, named, properties, call.micros)
    if found.error is not None:
        raise HttpError(400, f"The proxy asks for something that is not there: {found.error[1]}")
    if not found.until:
        reason = b"activation_required" if found.cure is not None else b"not_assigned"
        raise HttpError(
            403, "Not allowed. Activate the role, then try again.", [(b"x-openpim-reason", reason)]
        )
    headers = [(b"x-openpim-user-id", principal.encode("ascii", "replace"))]
    name = (
        caller.user_principal_name
        if caller.kind is CallerKind.USER
        else (subject if is_name(subject) else None)
    )
    if name:
        headers.append((b"x-openpim-user", quote(name, safe="@!$&'*+-.^_`|~").encode("ascii")))
    until = instant(found.until)
    if until is not None:
        headers.append((b"x-openpim-until", until.strftime("%Y-%m-%dT%H:%M:%SZ").encode("ascii")))
    return Answered(b"{}", 200, tuple(headers))


async def _caller(call: Call) -> Caller:
    if call.several(b"authorization") > 1:
        raise HttpError(400, "There are two Authorization headers.")
    header = call.headers.get(b"authorization", b"").decode("latin-1")
    if header[:6].lower() != "basic ":
        caller = await call.authenticate()
    else:
        said: Caller | Refusal | None = call.room.callers.known(header, call.now)
        if said is None:
            said = await in_thread(_by_secret, call, header)
        if isinstance(said, Refusal):
            raise HttpError(401, said.message, [_BASIC])
        caller = call.caller = said
    refusal = may_ask(caller)
    if refusal is not None:
        raise HttpError(403, refusal.message)
    return caller


def _by_secret(call: Call, header: str) -> Caller | Refusal:
    try:
        client, colon, secret = (
            base64.b64decode(header[6:].strip(), validate=True).decode("utf-8").partition(":")
        )
    except (binascii.Error, ValueError):
        client, colon, secret = "", "", ""
    if not colon or not client.isascii() or not client.isprintable() or len(client) > 100:
        raise HttpError(401, "The Authorization header is not a client id and secret.", [_BASIC])
    return call.room.callers.find_by_secret(header, client, secret)


def _subject(caller: Caller, asked: Asked) -> str:
    if caller.kind is CallerKind.USER:
        own = {"", caller.principal_id, (caller.user_principal_name or "").lower()}
        if asked.subject.lower() not in own:
            raise HttpError(403, "This access token speaks for somebody else.")
        return caller.principal_id
    if not asked.subject:
        raise HttpError(400, "An application says whom it asks about: subject, or X-OpenPIM-Subject.")
    return asked.subject


def _asked(call: Call) -> Asked:
    headed = {name: call.headers[header] for name, header in HEADERS.items() if header in call.headers}
    form = parse_form(call.query)
    if headed:
        if any(call.several(HEADERS[name]) > 1 for name in headed):
            raise HttpError(400, "A header of what is asked for is there twice.")
        if any(f"{name}=".encode("ascii") in call.query.lower() for name in NAMES):
            raise HttpError(400, "What is asked for stands in headers and in the address: use one of them.")
        try:
            said: Mapping[str, str] = {name: value.decode("utf-8") for name, value in headed.items()}
        except UnicodeDecodeError:
            raise HttpError(400, "A header of what is asked for is not UTF-8.") from None
        if "role" in said and "scope" not in said:
            raise HttpError(
                400, "X-OpenPIM-Role needs X-OpenPIM-Scope beside it: else anybody could send one."
            )
    elif isinstance(form, BadBody):
        raise HttpError(400, form.message)
    else:
        said = {name: value for name, value in form.items() if name in NAMES}
    if ("role" in said) == ("group" in said):
        raise HttpError(400, "Ask for a role (with its scope) or for a group: role=…&scope=… or group=….")
    if "group" in said and "scope" in said:
        raise HttpError(400, "A group has no scope.")
    values: dict[str, Any] = dict(said)
    return Asked(**values)
