"""A judge of a transmitter of shared signals, written from the text of the specifications: what is wrong with its metadata,
with the configuration of a stream, and with a security event token. It knows nothing of ours.

Sources: OpenID Shared Signals Framework 1.0 (sections in brackets), CAEP 1.0, CAEP interoperability profile 1.0, RFC 8417,
RFC 9493. Each check returns faults in words; none is a pass.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

PUSH, POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"
CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
SSF = "https://schemas.openid.net/secevent/ssf/event-type/"
CREDENTIALS = {
    "password", "pin", "x509", "fido2-platform", "fido2-roaming", "fido-u2f", "verifiable-credential", "phone-voice",
    "phone-sms", "app", "recovery-codes",
}  # fmt: skip
INITIATORS = {"admin", "user", "policy", "system"}


def metadata_faults(document: Any, url: str) -> Iterator[str]:
    """url: where the document was found."""
    if not isinstance(document, dict):
        yield "metadata: not an object"
        return
    issuer = document.get("issuer")
    if (
        not isinstance(issuer, str)
        or not _https(issuer)
        or urlsplit(issuer).query
        or urlsplit(issuer).fragment
    ):
        yield "7.1 issuer: not an https URL without query and fragment"
    else:
        parts = urlsplit(issuer)
        path = parts.path.rstrip("/")
        if url != f"{parts.scheme}://{parts.netloc}/.well-known/ssf-configuration{path}":
            yield "7.2.1 issuer: the document is not where it says"
    if document.get("spec_version") != "1_0":
        yield "interop 2.3.1 spec_version: not 1_0"
    methods = document.get("delivery_methods_supported")
    if not isinstance(methods, list) or not {PUSH, POLL}.issuperset(methods) or not methods:
        yield "interop 2.3.2 delivery_methods_supported"
    for name in ("jwks_uri", "configuration_endpoint", "status_endpoint", "verification_endpoint"):
        if not _https(document.get(name)):
            yield f"interop 2.3 {name}: missing, or not https"
    for name in ("add_subject_endpoint", "remove_subject_endpoint"):
        if name in document and not _https(document[name]):
            yield f"7.1 {name}: not https"
    if {"spec_urn": "urn:ietf:rfc:6749"} not in (document.get("authorization_schemes") or []):
        yield "interop 2.3.7 authorization_schemes: OAuth is missing"
    if document.get("default_subjects", "ALL") not in {"ALL", "NONE"}:
        yield "7.1 default_subjects: neither ALL nor NONE"
    if document.get("default_subjects") == "NONE":
        yield "interop 2.4.2: receivers assume that all subjects are included"
    if any(value == [] for value in document.values()):
        yield "7.2.3: claims with zero elements are left out"


def stream_faults(config: Any, issuer: str) -> Iterator[str]:
    if not isinstance(config, dict):
        yield "stream: not an object"
        return
    if not isinstance(config.get("stream_id"), str) or not config["stream_id"]:
        yield "8.1.1 stream_id"
    if config.get("iss") != issuer:
        yield "8.1.1 iss: not the issuer of the metadata"
    aud = config.get("aud")
    if not isinstance(aud, (str, list)) or not aud:
        yield "8.1.1 aud: missing"
    lists = {name: config.get(name) for name in ("events_supported", "events_requested", "events_delivered")}
    for name, value in lists.items():
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            yield f"8.1.1 {name}: not a list of URIs"
            return
    both = set(lists["events_supported"] or ()) & set(lists["events_requested"] or ())
    if not both.issuperset(lists["events_delivered"] or ()):
        yield "8.1.1 events_delivered: more than supported and requested"
    delivery = config.get("delivery")
    if not isinstance(delivery, dict) or delivery.get("method") not in {PUSH, POLL}:
        yield "interop 2.3.8.1 delivery: missing, or neither push nor poll"
    elif delivery["method"] == POLL and not _https(delivery.get("endpoint_url")):
        yield "6.1.2 delivery.endpoint_url of poll: not given"
    if "authorization_header" in (delivery or {}):
        yield "the receiver's secret is shown"
    interval = config.get("min_verification_interval", 1)
    if type(interval) is not int or interval < 0:
        yield "8.1.1 min_verification_interval: not a number of seconds"


def set_faults(
    token: str, keys: Sequence[Mapping[str, Any]], issuer: str, audience: str, delivered: Sequence[str]
) -> Iterator[str]:
    """token: as it came. keys: of jwks_uri. delivered: events_delivered of the stream."""
    parts = token.split(".")
    if len(parts) != 3:
        yield "not a signed JWT"
        return
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in parts[:2])
    if header.get("typ") != "secevent+jwt":
        yield "4.1.1 typ: not secevent+jwt"
    if header.get("alg") != "RS256":
        yield "interop 2.6 alg: not RS256"
    key = next((one for one in keys if one.get("kid") == header.get("kid")), None)
    if key is None:
        yield "4.1.4 kid: no such key at jwks_uri"
    elif len(base64.urlsafe_b64decode(str(key["n"]) + "==")) * 8 < 2048:
        yield "interop 2.6: a key of less than 2048 bits"
    else:
        try:
            jws.deserialize_compact(token, KeySet.import_key_set({"keys": [dict(key)]}), algorithms=["RS256"])
        except JoseError as error:
            yield f"signature: {error}"
    if "exp" in claims:
        yield "4.1.7 exp: present"
    if "sub" in claims:
        yield "4.1.2 sub: present"
    if claims.get("iss") != issuer:
        yield "4.1.6 iss: not the issuer"
    if claims.get("aud") not in (audience, [audience]):
        yield "4.1.8 aud: not the stream's"
    if type(claims.get("iat")) is not int:
        yield "RFC 8417 2.2 iat"
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        yield "RFC 8417 2.2 jti"
    if not isinstance(claims.get("txn"), str) or not claims["txn"]:
        yield "4.1.9 txn: missing"
    events = claims.get("events")
    if not isinstance(events, dict) or len(events) != 1:
        yield "interop 2.8.1 events: not exactly one"
        return
    yield from _subject_faults(claims.get("sub_id"))
    ((type_, event),) = events.items()
    if not isinstance(event, dict):
        yield "events: its value is no object"
        return
    if type_ in {f"{SSF}verification", f"{SSF}stream-updated"}:
        if (claims.get("sub_id") or {}).get("format") != "opaque":
            yield "8.1.4.1 sub_id: not the stream"
        return
    if type_ not in delivered:
        yield f"8.1.1: {type_} is not in events_delivered"
    yield from _caep_faults(type_, event)


def _subject_faults(subject: Any) -> Iterator[str]:
    if not isinstance(subject, dict):
        yield "3 sub_id: missing at the top"
        return
    needed = {"email": {"email"}, "iss_sub": {"iss", "sub"}, "opaque": {"id"}}.get(subject.get("format", ""))
    if needed is None:
        yield "interop 2.5 sub_id: neither email, iss_sub nor opaque"
    elif set(subject) != needed | {"format"} or not all(
        isinstance(one, str) and one for one in subject.values()
    ):
        yield "RFC 9493 3.2 sub_id: its members"


def _caep_faults(type_: str, event: Mapping[str, Any]) -> Iterator[str]:
    if type(event.get("event_timestamp")) is not int:
        yield "CAEP 2 event_timestamp: not a number"
    if event.get("initiating_entity") not in INITIATORS:
        yield "CAEP 2 initiating_entity"
    for name in ("reason_admin", "reason_user"):
        reason = event.get(name, {"en": "x"} if name == "reason_user" else None)
        if (
            not isinstance(reason, dict)
            or not reason
            or not all(isinstance(one, str) and one for one in reason.values())
        ):
            yield f"CAEP 2 {name}: not a map of languages to texts"
    if "subject" in event or "sub_id" in event:
        yield "3: the subject is inside the event"
    match type_.removeprefix(CAEP):
        case "token-claims-change":
            if not isinstance(event.get("claims"), dict) or not event["claims"]:
                yield "CAEP 3.2.1 claims: one or more"
        case "credential-change":
            if event.get("credential_type") not in CREDENTIALS:
                yield "CAEP 3.3.1 credential_type"
            if event.get("change_type") not in {"create", "revoke", "update", "delete"}:
                yield "CAEP 3.3.1 change_type"
        case "assurance-level-change":
            if not isinstance(event.get("namespace"), str) or not isinstance(event.get("current_level"), str):
                yield "CAEP 3.4.1 namespace, current_level"
            if "previous_level" in event and event.get("change_direction") not in {"increase", "decrease"}:
                yield "CAEP 3.4.1 change_direction"
        case "session-revoked":
            pass
        case _:
            yield f"CAEP 3: {type_} is no event of it"


def _https(text: Any) -> bool:
    return isinstance(text, str) and text.startswith("https://")
