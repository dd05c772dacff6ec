"""The little of BER that LDAP needs (RFC 4511, 5.1): definite lengths, primitive strings, one tag octet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

INTEGER, OCTETS, ENUMERATED, SEQUENCE, SET = 0x02, 0x04, 0x0A, 0x30, 0x31
_BOOLEAN = 0x01
_LONGEST_LENGTH = 4  # octets of a length: 4 GiB


_SHORT = [bytes((OCTETS, size)) for size in range(0x80)]


class BerError(ValueError):
    """What was read is not BER as LDAP allows it."""


def tlv(tag: int, *parts: bytes) -> bytes:
    """One element, its content given in parts."""
    size = sum(map(len, parts))
    if size < 0x80:
        return b"".join((bytes((tag, size)), *parts))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return b"".join((bytes((tag, 0x80 | len(length))), length, *parts))


def integer(value: int, tag: int = INTEGER) -> bytes:
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octets(value: bytes | str, tag: int = OCTETS) -> bytes:
    return tlv(tag, value.encode() if isinstance(value, str) else value)


def strings(values: Sequence[str]) -> bytes:
    """Each as `octets`; quick, for there may be thousands."""
    return b"".join(
        [
            _SHORT[len(data)] + data if len(data) < 0x80 else tlv(OCTETS, data)
            for data in [value.encode() for value in values]
        ]
    )


def boolean(value: bool) -> bytes:
    return tlv(_BOOLEAN, b"\xff" if value else b"\x00")


def header(data: bytes | bytearray | memoryview, at: int = 0) -> tuple[int, int, int] | None:
    """Of the element that begins here: its tag, and where its content begins and ends (which may be behind the data); None
    when too little has come to tell. Raises BerError."""
    if len(data) < at + 2:
        return None
    tag, size = data[at], data[at + 1]
    start = at + 2
    if tag & 0x1F == 0x1F:
        raise BerError("a tag of more than one octet")
    if size >= 0x80:
        count = size & 0x7F
        if not 0 < count <= _LONGEST_LENGTH:
            raise BerError("a length that LDAP does not use")
        if len(data) < start + count:
            return None
        size = int.from_bytes(data[start : start + count], "big")
        start += count
    return tag, start, start + size


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element in a row. Raises BerError."""
    at, size = 0, len(data)
    while at < size:
        # the short form by hand: a group has thousands of members
        if at + 1 < size and data[at + 1] < 0x80 and data[at] & 0x1F != 0x1F:
            tag, start = data[at], at + 2
            end = start + data[at + 1]
        else:
            found = header(data, at)
            if found is None:
                raise BerError("an element that breaks off")
            tag, start, end = found
        if end > size:
            raise BerError("an element that is longer than what holds it")
        yield tag, data[start:end]
        at = end


def number(content: bytes) -> int:
    if not 0 < len(content) <= 8:
        raise BerError("a number of no size that LDAP uses")
    return int.from_bytes(content, "big", signed=True)
