"""Shared signals: what an event stream of a receiver is, which events there are, and how subjects are written.

Sources: OpenID Shared Signals Framework 1.0, CAEP 1.0 and its interoperability profile, RFC 9493 (subject identifiers),
RFC 8935 and 8936 (push and poll delivery).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

MANAGE, READ = "ssf.manage", "ssf.read"
PERMISSIONS: Final = (MANAGE, READ)

_CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
_SSF = "https://schemas.openid.net/secevent/ssf/event-type/"
SESSION_REVOKED: Final = f"{_CAEP}session-revoked"
TOKEN_CLAIMS_CHANGE: Final = f"{_CAEP}token-claims-change"
CREDENTIAL_CHANGE: Final = f"{_CAEP}credential-change"
ASSURANCE_LEVEL_CHANGE: Final = f"{_CAEP}assurance-level-change"
SUPPORTED: Final = (SESSION_REVOKED, TOKEN_CLAIMS_CHANGE, CREDENTIAL_CHANGE, ASSURANCE_LEVEL_CHANGE)
VERIFICATION: Final = f"{_SSF}verification"
STREAM_UPDATED: Final = f"{_SSF}stream-updated"

MOST_OF_ONE: Final = 10  # streams of one receiver
MOST_STREAMS: Final = 50  # of one tenant
MOST_REQUESTED: Final = 100  # event types a receiver may name
MOST_SUBJECTS: Final = 10_000  # named in one stream
MOST_HELD: Final = 100_000  # events that wait in one stream; the oldest go first
HELD_FOR: Final = timedelta(days=7)
LONGEST_TEXT: Final = 1000  # a description, a reason, a state
LONGEST_ADDRESS: Final = 2000
LONGEST_SECRET: Final = 4000
VERIFY_EVERY: Final = timedelta(seconds=6)
VERIFY_MOST: Final = 10  # in a minute
MOST_POLLED: Final = 100  # events in one answer
MOST_ACKNOWLEDGED: Final = 1000  # in one request


class Method(StrEnum):
    PUSH = "urn:ietf:rfc:8935"
    POLL = "urn:ietf:rfc:8936"


class Status(StrEnum):
    ENABLED = "enabled"
    PAUSED = "paused"  # events are held
    DISABLED = "disabled"  # events are not even held


class SubjectFormat(StrEnum):
    """How people are named to a receiver."""

    ISS_SUB = "iss_sub"
    EMAIL = "email"


class DefaultSubjects(StrEnum):
    ALL = "ALL"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class SignalStream:
    """An event stream of one receiver.

    owner_id: the receiver's service principal; app_id: its client id, the `aud` of its events. endpoint_url: of a push
    stream; "" for poll. secret: the endpoint's Authorization header, sealed; "" for none. requested: as the receiver wrote
    them. last_number: of its newest event. next_at: when it is pushed to again. attempt: counts the leases, and fences a
    late one. failures: in a row. error: why the last push failed, or what the receiver said against an event. dropped:
    events that were never delivered: too old, too many, or refused. polled_at: when the receiver last asked for events.
    verified_at, verifications: when the present minute of verification requests began, and how many there were in it.
    """

    id: str
    owner_id: str
    app_id: str
    created_at: datetime
    next_at: datetime
    method: Method = Method.POLL
    endpoint_url: str = ""
    secret: str = ""
    requested: tuple[str, ...] = ()
    description: str | None = None
    subject_format: SubjectFormat = SubjectFormat.ISS_SUB
    default_subjects: DefaultSubjects = DefaultSubjects.ALL
    status: Status = Status.ENABLED
    reason: str | None = None
    last_number: int = 0
    leased_until: datetime | None = None
    attempt: int = 0
    failures: int = 0
    error: str = ""
    error_at: datetime | None = None
    sent_at: datetime | None = None
    sent: int = 0
    dropped: int = 0
    polled_at: datetime | None = None
    verified_at: datetime | None = None
    verifications: int = 0

    @property
    def delivered(self) -> tuple[str, ...]:
        """The event types it gets: asked for, and supported."""
        return tuple(one for one in SUPPORTED if one in self.requested)


@dataclass(frozen=True, slots=True)
class Signal:
    """An event that waits for its receiver. number: its place in the stream. always: delivered even while the stream is
    paused or disabled, because it tells of that. body: the claims of the event's token but for iss, aud and iat; stable,
    however often it is sent."""

    stream_id: str
    number: int
    jti: str
    body: str
    created_at: datetime
    always: bool = False


_MEMBERS: Final[dict[str, tuple[str, ...]]] = {
    "account": ("uri",),
    "did": ("url",),
    "email": ("email",),
    "iss_sub": ("iss", "sub"),
    "jwt_id": ("iss", "jti"),
    "opaque": ("id",),
    "phone_number": ("phone_number",),
    "saml_assertion_id": ("issuer", "assertion_id"),
    "uri": ("uri",),
}
_PARTS: Final = frozenset(
    {"user", "device", "session", "application", "tenant", "org_unit", "group"}
)  # of a complex subject
_LONGEST_SUBJECT: Final = 2000


def subject_fault(subject: Any, *, inner: bool = False) -> str | None:
    """What is wrong with a subject identifier (RFC 9493 3, SSF 3), in a sentence."""
    if not isinstance(subject, Mapping):
        return "subject is not an object."
    kind = subject.get("format")
    if not isinstance(kind, str):
        return "subject has no format."
    if kind == "complex" and not inner:
        parts = [name for name in subject if name != "format"]
        if not parts or not _PARTS.issuperset(parts):
            return "A complex subject names a user, device, session, application, tenant, org_unit or group."
        faults = (subject_fault(subject[name], inner=True) for name in parts)
        return next((fault for fault in faults if fault is not None), None)
    if kind == "aliases" and not inner:
        many = subject.get("identifiers")
        if not isinstance(many, list) or not many:
            return "aliases has no identifiers."
        return next((fault for one in many if (fault := subject_fault(one, inner=True)) is not None), None)
    if kind == "ip-addresses":
        found = subject.get("ip-addresses")
        fine = isinstance(found, list) and found and all(isinstance(one, str) for one in found)
        return None if fine else "ip-addresses is not a list of addresses."
    members = _MEMBERS.get(kind)
    if members is None:
        return "The format of the subject is not one that is known here."
    if any(not isinstance(subject.get(name), str) or not subject[name] for name in members):
        return f"A subject of format {kind} needs {' and '.join(members)}."
    return None


def too_large(subject: Mapping[str, Any]) -> bool:
    return len(json.dumps(subject)) > _LONGEST_SUBJECT


def subject_key(subject: Mapping[str, Any]) -> str:
    """The same for the same subject, however it is written; what comparisons are made with. Email addresses are compared
    without regard to case, as RFC 9493 3.2.2 leaves to us: nobody escapes a removal by writing himself in capitals."""
    kind = subject["format"]
    if kind == "complex":
        person = subject.get("user")
        if isinstance(person, Mapping) and set(subject) == {"format", "user"}:
            return subject_key(person)
    kept = {name: subject[name] for name in _MEMBERS.get(kind, tuple(sorted(subject)))}
    if kind == "email":
        kept = {"email": subject["email"].strip().lower()}
    text = json.dumps({"format": kind, **kept}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
