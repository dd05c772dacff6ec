"""The configuration endpoint: POST, GET, PATCH, PUT and DELETE of event streams (SSF 8.1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from openpim.core.refusals import Refusal
from openpim.core.signals import (
    SUPPORTED,
    VERIFY_EVERY,
    DefaultSubjects,
    Method,
    SignalStream,
    SubjectFormat,
)
from openpim.faces.signals.call import Act, Call, answered, bad, empty
from openpim.services.signals import streams
from openpim.services.signals.streams import Wanted
from openpim.services.signin.context import issuer

_OURS: Final = ("iss", "aud", "events_supported", "events_delivered", "min_verification_interval")


def rendered(origin: str, tenant_id: str, stream: SignalStream) -> dict[str, Any]:
    """The configuration as the receiver reads it; its Authorization header stays with us."""
    poll = f"{origin}/ssf/{tenant_id}/poll/{stream.id}"
    found: dict[str, Any] = {
        "stream_id": stream.id,
        "iss": issuer(origin, tenant_id),
        "aud": stream.app_id,
        "delivery": {
            "method": stream.method.value,
            "endpoint_url": stream.endpoint_url if stream.method is Method.PUSH else poll,
        },
        "events_supported": list(SUPPORTED),
        "events_requested": list(stream.requested),
        "events_delivered": list(stream.delivered),
        "min_verification_interval": int(VERIFY_EVERY.total_seconds()),
        "format": stream.subject_format.value,
        "default_subjects": stream.default_subjects.value,
    }
    return found if stream.description is None else {**found, "description": stream.description}


def _create(call: Call) -> Response | Refusal:
    wanted = _read(call.body)
    if isinstance(wanted, Refusal):
        return wanted
    return _shown(call, streams.create(call.deps, call.caller, wanted), 201)


def _get(call: Call) -> Response | Refusal:
    stream_id = call.named()
    if stream_id is not None:
        return _shown(call, streams.get(call.deps, call.caller, stream_id))
    found = streams.all_of(call.deps, call.caller)
    if isinstance(found, Refusal):
        return found
    return answered([_render(call, one) for one in found])


def _update(call: Call) -> Response | Refusal:
    return _change(call, _read(call.body))


def _replace(call: Call) -> Response | Refusal:
    """What is left out of the receiver's own members is deleted."""
    if call.body.get("delivery") is None:
        return bad("delivery", "delivery is missing: a stream has one.")
    clears = frozenset(
        {"events_requested", "description"} - {n for n, v in call.body.items() if v is not None}
    )
    usual = {"format": SubjectFormat.ISS_SUB.value, "default_subjects": DefaultSubjects.ALL.value}
    return _change(call, _read({**usual, **call.body}, clears))


def _change(call: Call, wanted: Wanted | Refusal) -> Response | Refusal:
    stream_id = call.stream_id()
    if isinstance(stream_id, Refusal):
        return stream_id
    if isinstance(wanted, Refusal):
        return wanted

    def unlike(before: SignalStream) -> str | None:
        shown = _render(call, before)
        wrong = next((n for n in _OURS if n in call.body and not _same(call.body[n], shown[n])), None)
        if wrong is not None:
            return f"{wrong} is not what it is. Leave it out, or send it as it was read."
        delivery = call.body.get("delivery")
        if isinstance(delivery, Mapping) and delivery.get("method") == Method.POLL.value:
            where = delivery.get("endpoint_url")
            poll = f"{call.signin.settings.origin}/ssf/{call.caller.tenant_id}/poll/{before.id}"
            if where is not None and where != poll:
                return "The endpoint_url of poll delivery is ours to say. Leave it out."
        return None

    return _shown(call, streams.update(call.deps, call.caller, stream_id, wanted, unlike))


def _delete(call: Call) -> Response | Refusal:
    stream_id = call.named()
    if stream_id is None:
        return bad("stream_id", "stream_id is missing in the query.")
    return streams.delete(call.deps, call.caller, stream_id) or empty(204)


def _same(sent: Any, present: Any) -> bool:
    """Lists of event types are sets."""
    if isinstance(sent, list) and isinstance(present, list):
        return sorted(map(repr, sent)) == sorted(map(repr, present))
    if isinstance(sent, list) and isinstance(present, str):
        return sent == [present]
    return bool(sent == present) and type(sent) is type(present)


def _read(body: Mapping[str, Any], clears: frozenset[str] = frozenset()) -> Wanted | Refusal:
    """What the receiver wants set; members of others are ignored here."""
    method, address, header = None, None, None
    delivery = body.get("delivery")
    if delivery is not None:
        found = _delivery(delivery)
        if isinstance(found, Refusal):
            return found
        method, address, header = found
    requested = body.get("events_requested")
    if requested is not None and (
        not isinstance(requested, list) or not all(isinstance(one, str) for one in requested)
    ):
        return bad("events_requested", "events_requested is not a list of texts.")
    description = body.get("description")
    if description is not None and not isinstance(description, str):
        return bad("description", "description is not a text.")
    kind, default = body.get("format"), body.get("default_subjects")
    if kind is not None and kind not in list(SubjectFormat):
        return bad("format", "format is iss_sub or email.")
    if default is not None and default not in list(DefaultSubjects):
        return bad("default_subjects", "default_subjects is ALL or NONE.")
    return Wanted(
        method=method,
        endpoint_url=address,
        authorization=header,
        requested=None if requested is None else tuple(requested),
        description=description,
        subject_format=None if kind is None else SubjectFormat(kind),
        default_subjects=None if default is None else DefaultSubjects(default),
        clears=clears | ({"description"} if "description" in body and description is None else set()),
    )


def _delivery(delivery: Any) -> tuple[Method, str | None, str | None] | Refusal:
    if not isinstance(delivery, Mapping):
        return bad("delivery", "delivery is not an object.")
    method = delivery.get("method")
    if method not in list(Method):
        return bad("delivery", f"delivery.method is {Method.PUSH} (push) or {Method.POLL} (poll).")
    texts = {}
    for name in ("endpoint_url", "authorization_header"):
        texts[name] = delivery.get(name)
        if texts[name] is not None and not isinstance(texts[name], str):
            return bad("delivery", f"delivery.{name} is not a text.")
    header = texts["authorization_header"]
    if "authorization_header" in delivery and header is None:
        header = ""
    return Method(method), texts["endpoint_url"], header


def _shown(call: Call, found: SignalStream | Refusal, status: int = 200) -> Response | Refusal:
    return found if isinstance(found, Refusal) else answered(_render(call, found), status)


def _render(call: Call, stream: SignalStream) -> dict[str, Any]:
    return rendered(call.signin.settings.origin, call.caller.tenant_id, stream)


ACTS: Final[dict[str, Act]] = {
    "POST": _create,
    "GET": _get,
    "PATCH": _update,
    "PUT": _replace,
    "DELETE": _delete,
}
