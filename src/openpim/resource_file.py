"""The import file of the resource tree, read: JSON Lines, one place a line, so that every fault has a line number.

{"id": "/subscriptions/…/resourceGroups/rg", "displayName": "…", "parentId": "…", "location": "…", "tags": {"…": "…"}}

id is needed, the rest is not. parentId: a management group's id or just its name; "/" is the root. Blank lines and
lines that begin with # are skipped. The order of the lines does not matter.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from openpim.core.resource_plan import Fault
from openpim.core.resources import MANAGEMENT_GROUPS, ROOT, canonical
from openpim.services.resources.importing import Line
from openpim.services.resources.shaping import Wanted

MEMBERS = {
    "id": "Its id in the resource manager.",
    "displayName": "What people read and type; without it the name at the end of the id.",
    "parentId": "The management group a management group or subscription is in: its id or its name; `/` is the root.",
    "location": "The region; it cannot change later.",
    "tags": "Names and values, at most 50; `{}` takes all away.",
}
LONGEST = 64 * 1024
_TEXTS = ("id", "displayName", "parentId", "location")


@dataclass(frozen=True, slots=True)
class ResourceFile:
    """lines: what could be read; faults: what could not. digest: SHA-256 of the whole, in hexadecimal."""

    lines: list[Line]
    faults: list[Fault]
    digest: str


class _LineError(ValueError):
    pass


def read_resources(stream: Iterable[bytes]) -> ResourceFile:
    """Read a whole file; never raises for what is in it."""
    lines: list[Line] = []
    faults: list[Fault] = []
    digest = hashlib.sha256()
    for number, raw in enumerate(stream, start=1):
        digest.update(raw)
        try:
            line = _line(raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw, number)
        except _LineError as error:
            faults.append(Fault(number, str(error)))
            continue
        if line is not None:
            lines.append(line)
    if not lines and not faults:
        faults.append(Fault(0, "there is no place in the file"))
    return ResourceFile(lines, faults, digest.hexdigest())


def _line(raw: bytes, number: int) -> Line | None:
    if len(raw) > LONGEST:
        raise _LineError(f"is longer than {LONGEST} bytes: each place has a line of its own")
    try:
        text = raw.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise _LineError(f"is not UTF-8 (byte {error.start + 1})") from None
    if not text or text.startswith("#"):
        return None
    try:
        value = json.loads(text, object_pairs_hook=_members)
    except json.JSONDecodeError as error:
        raise _LineError(f"is not JSON: {error.msg} (column {error.colno})") from None
    except (ValueError, RecursionError) as error:
        raise _LineError(f"is not JSON that can be read: {error}") from None
    if not isinstance(value, dict):
        raise _LineError('is not an object: write {"id": "…", …}')
    return _read(value, number)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _LineError(f"says {twice[:100]} twice")
    return found


def _read(value: dict[str, Any], number: int) -> Line:
    unknown = sorted(set(value) - set(MEMBERS))
    if unknown:
        named = ", ".join(name[:100] for name in unknown[:5])
        raise _LineError(f"has {named}, which no place has; there are: {', '.join(MEMBERS)}")
    for name in _TEXTS:
        if value.get(name) is not None and not isinstance(value[name], str):
            raise _LineError(f"{name} is not a text")
    if not value.get("id"):
        raise _LineError("has no id")
    wanted = Wanted(
        display_name=value.get("displayName") or None,
        location=value.get("location") or None,
        tags=_tags(value.get("tags")),
        parent_id=_parent(value.get("parentId")),
    )
    return Line(value["id"], wanted, number)


def _tags(given: object) -> tuple[tuple[str, str], ...] | None:
    if given is None:
        return None
    if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
        raise _LineError('tags is not an object of texts: write {"name": "value"}')
    return tuple(given.items())


def _parent(given: str | None) -> str | None:
    if not given:
        return None
    if given == ROOT or given.startswith("/"):
        return canonical(given)
    return canonical(MANAGEMENT_GROUPS + given)
