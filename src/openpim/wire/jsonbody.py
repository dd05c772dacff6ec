"""Reads the JSON object of a request body, and hands out its members by type.

Strict about what could mean two things or break us: size, UTF-8 (also lone surrogates), depth, `NaN`
and infinities, a member given twice (also in another case), a top level that is no object.  Tolerant
where clients differ: member names and words match in any case, unknown members are ignored, null is
as good as absent.

Every fault is a `BodyError` that names the member: `scheduleInfo.expiration.duration: …`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime as DateTime  # noqa: N812
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from openpim.wire import durations, instants
from openpim.wire.durations import Duration
from openpim.wire.enums import lookup
from openpim.wire.errors import WireError, shown
from openpim.wire.ids import is_guid

__all__ = ["Body", "BodyError", "BodyOffsetError", "read_object"]

MAX_BYTES = 1_048_576
MAX_DEPTH = 64
MAX_TEXT = 8_192

Word = TypeVar("Word", bound=StrEnum)
Value = TypeVar("Value")


class BodyError(WireError):
    """The body is at fault; `member` is the path of the member, "" for the whole body."""

    def __init__(self, member: str, problem: str) -> None:
        self.member = member
        self.problem = problem
        super().__init__(f"{member}: {problem}" if member else problem)


class BodyOffsetError(BodyError):
    """A time without a time zone, which Graph answers with a code of its own."""


def read_object(
    data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH, allow_empty: bool = False
) -> Body:
    """Read a body; `allow_empty`: no bytes at all stand for an object without members."""
    if len(data) > max_bytes:
        raise BodyError("", f"the body is longer than {max_bytes} bytes")
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BodyError("", f"the body is not UTF-8: byte {error.start}") from None
    if not text.strip():
        if allow_empty:
            return Body({})
        raise BodyError("", "the body is empty")
    found = _parsed(text, max_depth)
    if not isinstance(found, dict):
        raise BodyError("", "the body is not a JSON object")
    _check(found, max_depth, surrogates="\\u" in text)
    return Body(found)


def _parsed(text: str, max_depth: int) -> object:
    try:
        return json.loads(
            text,
            object_pairs_hook=_members,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_integer,
        )
    except BodyError:
        raise
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BodyError("", f"the body is not JSON: {error.msg} at {where}") from None
    except RecursionError:
        raise BodyError("", f"the body is nested more than {max_depth} deep") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len({name.lower() for name in members}) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name.lower() in seen:
                raise BodyError(name[:60], "is given twice")
            seen.add(name.lower())
    return members


def _no_constant(text: str) -> NoReturn:
    raise BodyError("", f"the body is not JSON: {text} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise BodyError("", f"the body has a number beyond all bounds: {shown(text)}")
    return value


def _integer(text: str) -> int:
    if len(text) > 40:
        raise BodyError("", f"the body has a number beyond all bounds: {shown(text)}")
    return int(text)


def _check(top: dict[str, Any], max_depth: int, *, surrogates: bool) -> None:
    """Refuse what is nested too deep, and texts that are no texts; without recursion."""
    layer: list[object] = [top]
    for _ in range(max_depth):
        below: list[object] = []
        for item in layer:
            if isinstance(item, dict):
                below.extend(item.values())
                if surrogates:
                    below.extend(item)
            elif isinstance(item, list):
                below.extend(item)
            elif surrogates and isinstance(item, str) and not item.isascii():
                _check_text(item)
        if not below:
            return
        layer = below
    if any(isinstance(item, dict | list) for item in layer):
        raise BodyError("", f"the body is nested more than {max_depth} deep")


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise BodyError("", "the body has a text with half a character (a lone surrogate)") from None


class Body:
    """One JSON object of a body; `where` is its own path, for errors.

    The typed getters return None when the member is absent or null; the `need_` ones refuse that.
    """

    __slots__ = ("_lower", "members", "where")

    def __init__(self, members: dict[str, Any], where: str = "") -> None:
        self.members = members
        self.where = where
        self._lower: dict[str, Any] | None = None

    def __iter__(self) -> Iterator[str]:
        """The names of the members, as sent."""
        return iter(self.members)

    def has(self, name: str) -> bool:
        """Whether the member is there, were it null: a PATCH tells the two apart."""
        return name in self.members or name.lower() in self._by_lower_name()

    def get(self, name: str) -> Any:
        """The raw value of the member `name` (in any case), or None."""
        if name in self.members:
            return self.members[name]
        return self._by_lower_name().get(name.lower())

    def _by_lower_name(self) -> dict[str, Any]:
        if self._lower is None:
            self._lower = {key.lower(): value for key, value in self.members.items()}
        return self._lower

    def path(self, name: str) -> str:
        """The full path of the member `name`."""
        return f"{self.where}.{name}" if self.where else name

    def fail(self, name: str, problem: str) -> BodyError:
        """Make the error that blames the member `name`."""
        return BodyError(self.path(name), problem)

    def need(self, name: str, value: Value | None) -> Value:
        """`value`, which a getter gave for `name`; refuses None."""
        if value is None:
            raise self.fail(name, "is required")
        return value

    def text(self, name: str, *, max_length: int = MAX_TEXT) -> str | None:
        """A text of at most `max_length` characters."""
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.fail(name, f"is {_kind(value)}, not a text")
        if len(value) > max_length:
            raise self.fail(name, f"is longer than {max_length} characters")
        if "\x00" in value:
            raise self.fail(name, "has a NUL character")
        return value

    def need_text(self, name: str, *, max_length: int = MAX_TEXT) -> str:
        """A text that is there and not blank."""
        value = self.text(name, max_length=max_length)
        if value is None or not value.strip():
            raise self.fail(name, "is required")
        return value

    def guid(self, name: str) -> str | None:
        """A GUID, in lower case."""
        value = self.text(name)
        if value is None:
            return None
        if not is_guid(value.strip()):
            raise self.fail(name, f"{shown(value)} is not a GUID")
        return value.strip().lower()

    def need_guid(self, name: str) -> str:
        """A GUID that is there."""
        return self.need(name, self.guid(name))

    def boolean(self, name: str) -> bool | None:
        """True or false."""
        value = self.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise self.fail(name, f"is {_kind(value)}, not true or false")

    def integer(self, name: str, *, least: int = -(2**53), most: int = 2**53) -> int | None:
        """A whole number from `least` to `most`; `3.0` counts as one."""
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.fail(name, f"is {_kind(value)}, not a whole number")
        if not least <= value <= most:
            raise self.fail(name, f"is not from {least} to {most}")
        return value

    def choice(self, name: str, words: type[Word]) -> Word | None:
        """One of `words`, spelt in any case."""
        value = self.text(name)
        if value is None:
            return None
        found = lookup(words, value.strip())
        if found is None:
            raise self.fail(name, f"{shown(value)} is none of {', '.join(words)}")
        return found

    def need_choice(self, name: str, words: type[Word]) -> Word:
        """One of `words` that is there."""
        return self.need(name, self.choice(name, words))

    def datetime(self, name: str) -> DateTime | None:
        """A point in time, aware UTC; without a time zone: `BodyOffsetError`."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return instants.parse_datetime(value)
        except instants.MissingOffsetError as error:
            raise BodyOffsetError(self.path(name), str(error)) from None
        except WireError as error:
            raise self.fail(name, str(error)) from None

    def duration(self, name: str) -> Duration | None:
        """A duration in any form a client sends."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return durations.parse(value)
        except WireError as error:
            raise self.fail(name, str(error)) from None

    def object(self, name: str) -> Body | None:
        """A nested object."""
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.fail(name, f"is {_kind(value)}, not an object")
        return Body(value, self.path(name))

    def need_object(self, name: str) -> Body:
        """A nested object that is there."""
        return self.need(name, self.object(name))

    def objects(self, name: str, *, most: int = 1_000) -> list[Body] | None:
        """A list of objects; the path of each has its index: `rules[2].id`."""
        items = self._list(name, most)
        if items is None:
            return None
        found = []
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                raise self.fail(f"{name}[{index}]", f"is {_kind(item)}, not an object")
            found.append(Body(item, f"{self.path(name)}[{index}]"))
        return found

    def texts(self, name: str, *, most: int = 1_000, max_length: int = MAX_TEXT) -> list[str] | None:
        """A list of texts."""
        items = self._list(name, most)
        if items is None:
            return None
        for index, item in enumerate(items):
            if not isinstance(item, str):
                raise self.fail(f"{name}[{index}]", f"is {_kind(item)}, not a text")
            if len(item) > max_length or "\x00" in item:
                raise self.fail(f"{name}[{index}]", "is too long or has a NUL character")
        return list(items)

    def _list(self, name: str, most: int) -> list[Any] | None:
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            raise self.fail(name, f"is {_kind(value)}, not a list")
        if len(value) > most:
            raise self.fail(name, f"has more than {most} items")
        return value


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "an object"
