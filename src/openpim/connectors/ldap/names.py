"""Names in directories: distinguished names (RFC 4514) and names that people are looked up by. Each has one form here, so that
two ways of writing it are one name; and what cannot be told apart by looking at it is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from openpim.connectors.naming import plain_name
from openpim.ports.connector import BadNameError

MOST_BYTES: Final = 1024
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}|[0-9]{1,9}(\.[0-9]{1,9}){1,20}")
# Nothing in it to take apart: most names of people and groups are so.
_SIMPLE = re.compile(
    r"[a-z]{1,3}=[a-z0-9_]([a-z0-9._@-]|[ ](?![ ,]))*(,[a-z]{1,3}=[a-z0-9_]([a-z0-9._@-]|[ ](?![ ,]))*)*(?<! )",
    re.ASCII,
)
_HEX = frozenset("0123456789abcdefABCDEF")
_ESCAPED = frozenset(' "#+,;<=>\\')
_UNQUOTED = frozenset('";<>\x00')
# The long names and numbers of the attributes that names are made of.
_SHORT: Final = {
    "commonname": "cn", "2.5.4.3": "cn", "surname": "sn", "2.5.4.4": "sn", "countryname": "c", "2.5.4.6": "c",
    "localityname": "l", "2.5.4.7": "l", "stateorprovincename": "st", "2.5.4.8": "st", "streetaddress": "street",
    "2.5.4.9": "street", "organizationname": "o", "2.5.4.10": "o", "organizationalunitname": "ou", "2.5.4.11": "ou",
    "userid": "uid", "0.9.2342.19200300.100.1.1": "uid", "domaincomponent": "dc", "0.9.2342.19200300.100.1.25": "dc",
}  # fmt: skip


def check_name(text: str) -> str:
    """A name that a person is looked up by. Raises BadNameError."""
    return _value(plain_name(text, "a person", 256), "The name of a person")


def check_subject(text: str) -> str:
    """A distinguished name, or a name to look one up by. Raises BadNameError."""
    return check_dn(text) if "=" in text else check_name(text)


def check_role(text: str) -> str:
    """What the entries of activations say they are for. Raises BadNameError."""
    return _value(plain_name(text, "a privilege", 128), "The name of a privilege")


def check_dn(text: str) -> str:
    """The one form of a distinguished name. Raises BadNameError."""
    if len(text) <= MOST_BYTES and _SIMPLE.fullmatch(lower := text.lower()) and text.isascii():
        return lower
    return _whole(text)


@lru_cache(maxsize=4096)
def _whole(text: str) -> str:
    plain_name(text.replace("\n", "\x00"), "an entry", MOST_BYTES)
    parts = _parts(text)
    return ",".join("+".join(sorted(f"{kind}={_escape(value)}" for kind, value in part)) for part in parts)


def written(pattern: str, value: str) -> str:
    """A value as it is put into a pattern of names: one value, whatever is in it, where the pattern is one of DNs."""
    return _escape(value) if "=" in pattern else value


def below(dn: str, base: str) -> bool:
    """Both in their one form. An entry is below itself."""
    return dn == base or not base or dn.endswith(f",{base}")


def parent(dn: str) -> str:
    """Of a name in its one form; "" above the first."""
    at = 0
    while (at := dn.find(",", at)) >= 0:
        before = len(dn[:at]) - len(dn[:at].rstrip("\\"))
        if before % 2 == 0:
            return dn[at + 1 :]
        at += 1
    return ""


def first(dn: str) -> tuple[str, str]:
    """Attribute and value that a name in its one form begins with; ("", "") where it has two, or is none."""
    try:
        part = next(_parts(dn))
    except BadNameError:
        return "", ""
    return part[0] if len(part) == 1 else ("", "")


def child(kind: str, value: str, base: str) -> str:
    return f"{kind}={_escape(value)},{base}"


def known(raw: str) -> str:
    """What a directory wrote, in its one form; as it is where it has none."""
    try:
        return check_dn(raw)
    except BadNameError:
        return raw


def _value(text: str, what: str) -> str:
    """Directories compare without case, and with one space for several; and some take letters for the plain ones that they
    look like. Those are refused here, so that one name is one everywhere."""
    lower = " ".join(text.lower().split(" ")) if "  " not in text else " ".join(text.lower().split())
    if unicodedata.normalize("NFKC", lower) != lower:
        raise BadNameError(f"{what} has letters that a directory takes for others: {text!a}.")
    return lower


def _escape(value: str) -> str:
    out = "".join(f"\\{letter}" if letter in '"+,;<=>\\' else letter for letter in value)
    if out.endswith(" "):
        out = f"{out[:-1]}\\ "
    return f"\\{out}" if out.startswith(("#", " ")) else out


def _parts(text: str) -> Iterator[list[tuple[str, str]]]:
    """Each part of the name, as pairs of attribute and value in their one form."""
    part: list[tuple[str, str]] = []
    at = 0
    while True:
        equal = text.find("=", at)
        kind = text[at:equal].strip(" ").lower() if equal >= 0 else ""
        if not _TYPE.fullmatch(kind):
            raise BadNameError(f"This is not a distinguished name: {text!a}.")
        value, at = _read(text, equal + 1)
        value = plain_name(value, "an entry", MOST_BYTES)
        part.append((_SHORT.get(kind, kind), _value(value, "The name of an entry")))
        if at >= len(text):
            yield part
            return
        if text[at] == ",":
            yield part
            part = []
        at += 1


def _read(text: str, at: int) -> tuple[str, int]:
    """A value, and where it ends: at the end, or at a comma or plus sign."""
    while at < len(text) and text[at] == " ":
        at += 1
    if text[at : at + 1] == "#":
        raise BadNameError(f"Values in hexadecimal form are not taken: {text!a}.")
    out = bytearray()
    kept = 0  # so much of it was escaped, or is no space: what follows may be trimmed
    while at < len(text) and text[at] not in ",+":
        letter = text[at]
        if letter == "\\":
            pair = text[at + 1 : at + 3]
            if len(pair) == 2 and set(pair) <= _HEX:
                out.append(int(pair, 16))
                at += 3
            elif pair[:1] and pair[0] in _ESCAPED:
                out += pair[0].encode()
                at += 2
            else:
                raise BadNameError(f"A backslash escapes nothing here: {text!a}.")
            kept = len(out)
            continue
        if letter in _UNQUOTED:
            raise BadNameError(f"The character {letter!a} has to be escaped: {text!a}.")
        out += letter.encode()
        kept = kept if letter == " " else len(out)
        at += 1
    try:
        return out[:kept].decode(), at
    except UnicodeDecodeError:
        raise BadNameError(f"The name is not UTF-8: {text!a}.") from None
