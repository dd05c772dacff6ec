"""LDAP messages (RFC 4511): requests as bytes, answers as values. Filters are built of parts and never of text, so there is
nothing that a name could escape from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import islice

from openpim.connectors.ldap.ber import (
    ENUMERATED,
    OCTETS,
    SEQUENCE,
    SET,
    BerError,
    boolean,
    elements,
    integer,
    number,
    octets,
    strings,
    tlv,
)

# What a server may announce (rootDSE), and what we use of it.
START_TLS = "1.3.6.1.4.1.1466.20037"
REFRESH = "1.3.6.1.4.1.1466.101.119.1"  # RFC 2589
ASSERTION = "1.3.6.1.1.12"  # RFC 4528
PAGED = "1.2.840.113556.1.4.319"  # RFC 2696
NOTIFICATION = "1.2.840.113556.1.4.528"
LINK_TTL = "1.2.840.113556.1.4.2309"


class Code(IntEnum):
    """Results that are acted upon (RFC 4511, appendix A)."""

    SUCCESS = 0
    SIZE_LIMIT_EXCEEDED = 4
    STRONGER_AUTH_REQUIRED = 8
    REFERRAL = 10
    ADMIN_LIMIT_EXCEEDED = 11
    UNAVAILABLE_CRITICAL_EXTENSION = 12
    CONFIDENTIALITY_REQUIRED = 13
    NO_SUCH_ATTRIBUTE = 16
    TYPE_OR_VALUE_EXISTS = 20
    NO_SUCH_OBJECT = 32
    INVALID_CREDENTIALS = 49
    INSUFFICIENT_ACCESS = 50
    BUSY = 51
    UNAVAILABLE = 52
    UNWILLING = 53
    OBJECT_CLASS_VIOLATION = 65
    ENTRY_ALREADY_EXISTS = 68
    ASSERTION_FAILED = 122


class Scope(IntEnum):
    BASE = 0
    ONE = 1
    SUBTREE = 2


class Change(IntEnum):
    ADD = 0
    DELETE = 1
    REPLACE = 2


@dataclass(frozen=True, slots=True)
class Request:
    """One operation. answers: the tag of the answer that ends it."""

    body: bytes
    answers: int
    controls: bytes = b""


@dataclass(frozen=True, slots=True)
class Entry:
    """What was found. values: by attribute in lower case, as bytes. size: about how many bytes of memory it takes, which may
    be many times what came."""

    dn: str
    values: Mapping[str, Sequence[bytes]]
    size: int = 0

    def texts(self, attribute: str) -> list[str]:
        return [value.decode("utf-8", "backslashreplace") for value in self.values.get(attribute.lower(), ())]


@dataclass(slots=True)
class Outcome:
    """What became of one operation. code: may be one that `Code` does not name. text: the server's own words. cookie: of a
    paged search that goes on. value: of an extended operation."""

    code: int = -1
    text: str = ""
    entries: list[Entry] = field(default_factory=list)
    cookie: bytes = b""
    value: bytes = b""

    @property
    def ok(self) -> bool:
        return self.code == Code.SUCCESS


# ------------------------------------------------------------------------------------------------ filters


def equals(attribute: str, value: str) -> bytes:
    return tlv(0xA3, octets(attribute), octets(value))


def starts(attribute: str, text: str) -> bytes:
    return tlv(0xA4, octets(attribute), tlv(SEQUENCE, octets(text, 0x80)))


def present(attribute: str) -> bytes:
    return octets(attribute, 0x87)


def both(*filters: bytes) -> bytes:
    return tlv(0xA0, *filters)


def either(*filters: bytes) -> bytes:
    return tlv(0xA1, *filters)


def negated(one: bytes) -> bytes:
    return tlv(0xA2, one)


ANY = present("objectClass")
GROUP_CLASSES = ("groupOfNames", "groupOfUniqueNames", "posixGroup", "groupOfURLs", "group")

# ----------------------------------------------------------------------------------------------- controls


def control(oid: str, value: bytes | None = None, *, critical: bool = True) -> bytes:
    return tlv(SEQUENCE, octets(oid), boolean(critical), b"" if value is None else octets(value))


def asserting(condition: bytes) -> bytes:
    """Do it only if the entry is so now."""
    return control(ASSERTION, condition)


def paged(size: int, cookie: bytes = b"") -> bytes:
    return control(PAGED, tlv(SEQUENCE, integer(size), octets(cookie)))


# ----------------------------------------------------------------------------------------------- requests


def bind(dn: str, password: str) -> Request:
    return Request(tlv(0x60, integer(3), octets(dn), octets(password, 0x80)), 0x61)


def search(
    base: str,
    scope: Scope,
    condition: bytes,
    attributes: Sequence[str],
    *,
    limit: int = 0,
    controls: bytes = b"",
) -> Request:
    """attributes: none asked for means none given. limit: of entries; 0: the server's own."""
    wanted = attributes or ("1.1",)
    body = tlv(
        0x63,
        octets(base),
        integer(scope, ENUMERATED),
        integer(0, ENUMERATED),  # aliases are not followed: they lead out of what was declared
        integer(limit),
        integer(0),
        boolean(False),
        condition,
        tlv(SEQUENCE, *(octets(name) for name in wanted)),
    )
    return Request(body, 0x65, controls)


def modify(
    dn: str, changes: Sequence[tuple[Change, str, Sequence[str]]], *, controls: bytes = b""
) -> Request:
    """All of the changes in this order, or none."""
    made = [
        tlv(
            SEQUENCE,
            integer(kind, ENUMERATED),
            tlv(SEQUENCE, octets(attribute), tlv(SET, strings(values))),
        )
        for kind, attribute, values in changes
    ]
    return Request(tlv(0x66, octets(dn), tlv(SEQUENCE, *made)), 0x67, controls)


def add(dn: str, attributes: Mapping[str, Sequence[str]]) -> Request:
    made = [tlv(SEQUENCE, octets(name), tlv(SET, strings(values))) for name, values in attributes.items()]
    return Request(tlv(0x68, octets(dn), tlv(SEQUENCE, *made)), 0x69)


def delete(dn: str) -> Request:
    return Request(octets(dn, 0x4A), 0x6B)


def extended(oid: str, value: bytes | None = None) -> Request:
    return Request(tlv(0x77, octets(oid, 0x80), b"" if value is None else octets(value, 0x81)), 0x78)


def refresh(dn: str, seconds: int) -> Request:
    """The time to live of a dynamic entry, set anew (RFC 2589)."""
    return extended(REFRESH, tlv(SEQUENCE, octets(dn, 0x80), integer(seconds, 0x81)))


def message(number_: int, request: Request) -> bytes:
    controls = tlv(0xA0, request.controls) if request.controls else b""
    return tlv(SEQUENCE, integer(number_), request.body, controls)


UNBIND = Request(b"\x42\x00", 0)

# ------------------------------------------------------------------------------------------------ answers

ENTRY, REFERENCE, EXTENDED = 0x64, 0x73, 0x78
_MOST_PARTS = 20  # of a result, and controls with it
_MOST_ATTRIBUTES = 1000  # of an entry; we ask for a few
_MOST_VALUES = 1_000_000  # of an attribute: a group with a million members
_PART = 80  # bytes of memory that a value costs besides its own


@dataclass(frozen=True, slots=True)
class Message:
    number: int
    tag: int
    content: bytes
    controls: bytes


def opened(content: bytes) -> Message:
    """The inside of an LDAPMessage. Raises BerError."""
    parts = list(islice(elements(content), 4))
    if not 2 <= len(parts) <= 3 or (len(parts) == 3 and parts[2][0] != 0xA0):
        raise BerError("not a message of LDAP")
    return Message(number(parts[0][1]), *parts[1], parts[2][1] if len(parts) == 3 else b"")


def entry(content: bytes) -> Entry:
    """Raises BerError."""
    (_, dn), (_, attributes) = _exactly(content, 2)
    values: dict[str, Sequence[bytes]] = {}
    size = _PART + len(content)
    for _, attribute in islice(elements(attributes), _MOST_ATTRIBUTES):
        (_, name), (_, found) = _exactly(attribute, 2)
        held = [value for _, value in islice(elements(found), _MOST_VALUES + 1)]
        if len(held) > _MOST_VALUES:
            raise BerError("an attribute with values without end")
        values[_text(name).lower()] = held
        size += _PART * (len(held) + 1)
    return Entry(_text(dn), values, size)


def settle(outcome: Outcome, answer: Message) -> None:
    """Write the result into the outcome. Raises BerError."""
    parts = list(islice(elements(answer.content), _MOST_PARTS))
    if len(parts) < 3 or parts[0][0] != ENUMERATED:
        raise BerError("a result without a code")
    outcome.code = number(parts[0][1])
    outcome.text = _text(parts[2][1])
    outcome.value = next((value for tag, value in parts[3:] if tag == 0x8B), b"")
    for _, one in islice(elements(answer.controls), _MOST_PARTS):
        found = list(islice(elements(one), _MOST_PARTS))
        if found and found[0] == (OCTETS, PAGED.encode()):
            (_, held), *_ = elements(found[-1][1])
            outcome.cookie = _exactly(held, 2)[1][1]


def granted_seconds(value: bytes) -> int:
    """The time to live in the answer to `refresh`. Raises BerError."""
    for _, sequence in elements(value):
        for tag, content in elements(sequence):
            if tag == 0x81:
                return number(content)
    raise BerError("no time to live")


def _exactly(content: bytes, count: int) -> list[tuple[int, bytes]]:
    parts = list(islice(elements(content), count + 1))
    if len(parts) != count:
        raise BerError("a part too many or too few")
    return parts


def _text(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")
