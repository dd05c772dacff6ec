"""What the server last said, kept in a file, and until when each part of it counts.

Every end is kept as seconds of a clock that nobody sets: setting the time of day back prolongs nothing. After a restart of
the machine nothing counts until the server has been asked again; nobody's session has outlived the restart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from openpim.agent import files

FILE: Final = "lease.json"
MOST_EDGES: Final = 2000
Pair = tuple[str, str]  # user, entitlement


class AnswerError(ValueError):
    """The server's answer is not one that this agent follows. The text says why."""


@dataclass(frozen=True, slots=True)
class Grant:
    """until: the end as the server wrote it; deadline: the same, of the clock `elapsed`. None: no end of its own. timeout:
    seconds between the moment it was heard of and its end."""

    user: str
    entitlement: str
    until: datetime | None
    deadline: float | None
    timeout: int

    @property
    def pair(self) -> Pair:
        return self.user, self.entitlement


@dataclass(frozen=True, slots=True)
class Lease:
    """version: of what the server wants; never goes down. over: of `elapsed`: until then it counts without the server being
    heard again. absent: memberships of others that are to go. given: group memberships that come from here. severing:
    privileges that were taken away and whose processes may still run."""

    boot: str = ""
    version: int = 0
    over: float = 0.0
    grants: tuple[Grant, ...] = ()
    absent: tuple[Pair, ...] = ()
    given: tuple[Pair, ...] = field(default=())
    severing: tuple[Pair, ...] = field(default=())

    def live(self, boot: str, elapsed: float, wall: datetime) -> tuple[Grant, ...]:
        """What counts now."""
        if boot != self.boot or elapsed >= self.over:
            return ()
        return tuple(
            one
            for one in self.grants
            if (one.deadline is None or elapsed < one.deadline) and (one.until is None or wall < one.until)
        )

    def next_end(self, elapsed: float) -> float | None:
        """Seconds until something ends."""
        ends = [one.deadline for one in self.grants if one.deadline is not None and one.deadline > elapsed]
        if self.over > elapsed and self.grants:
            ends.append(self.over)
        return min(ends) - elapsed if ends else None


def heard(old: Lease, answer: Any, boot: str, asked: float) -> Lease:
    """The lease after an answer. asked: `elapsed` when the question left, so that a slow answer prolongs nothing. Raises
    AnswerError."""
    if not isinstance(answer, dict):
        raise AnswerError("the answer is not an object")
    version = _number(answer, "version", 0, 2**53)
    if version < old.version:
        raise AnswerError(
            f"version {version} is older than {old.version}, which is followed here: is it a copy? (enroll anew)"
        )
    server = _moment(answer.get("serverTime"))
    seconds = _number(answer, "leaseSeconds", 1, 30 * 86_400)
    before = {(one.pair, one.until): one for one in old.grants} if old.boot == boot else {}
    grants = []
    for row in _rows(answer, "edges", 3):
        user, entitlement = _text(row[0]), _text(row[1])
        until = _moment(row[2]) if row[2] is not None else None
        left = (until - server) / timedelta(seconds=1) if until is not None else None
        grant = Grant(
            user,
            entitlement,
            until,
            asked + left if left is not None else None,
            int(left or 0) + 1 if left else 0,
        )
        known = before.get((grant.pair, until))
        if known is not None:  # never later than it was once promised
            earlier = [one for one in (known.deadline, grant.deadline) if one is not None]
            grant = Grant(user, entitlement, until, min(earlier, default=None), known.timeout)
        grants.append(grant)
    absent = tuple((_text(row[0]), _text(row[1])) for row in _rows(answer, "absent", 2))
    return Lease(boot, version, asked + seconds, tuple(grants), absent, old.given, old.severing)


def merged(said: Lease, done: Lease) -> Lease:
    """What the server said, and what was done on the host, each by the one who knows."""
    return replace(said, given=done.given, severing=done.severing)


def load(state: str) -> Lease:
    """Raises OSError, UnsafePlaceError; a file that makes no sense counts as none, so everything ends."""
    with files.directory(state) as place:
        content = files.read(place, FILE, 8_000_000)
    try:
        row = json.loads(content or b"{}")
        return Lease(
            boot=str(row.get("boot", "")),
            version=int(row.get("version", 0)),
            over=float(row.get("over", 0)),
            grants=tuple(
                Grant(
                    str(u),
                    str(e),
                    datetime.fromisoformat(t) if t else None,
                    float(d) if d is not None else None,
                    int(s),
                )
                for u, e, t, d, s in row.get("grants", ())
            ),
            absent=_pairs(row.get("absent", ())),
            given=_pairs(row.get("given", ())),
            severing=_pairs(row.get("severing", ())),
        )
    except (ValueError, TypeError, AttributeError):
        return Lease()


def save(state: str, lease: Lease) -> None:
    row = {
        "boot": lease.boot,
        "version": lease.version,
        "over": lease.over,
        "grants": [
            [
                one.user,
                one.entitlement,
                one.until.isoformat() if one.until else None,
                one.deadline,
                one.timeout,
            ]
            for one in lease.grants
        ],
        "absent": lease.absent,
        "given": lease.given,
        "severing": lease.severing,
    }
    with files.directory(state) as place:
        files.replace(place, FILE, json.dumps(row).encode(), 0o600)


def _pairs(rows: Iterable[Any]) -> tuple[Pair, ...]:
    return tuple((str(user), str(entitlement)) for user, entitlement in rows)


def _rows(answer: dict[str, Any], name: str, width: int) -> list[list[Any]]:
    rows = answer.get(name, [])
    if not isinstance(rows, list) or len(rows) > MOST_EDGES:
        raise AnswerError(f"{name} is not a list, or too long")
    if any(not isinstance(row, list) or len(row) != width for row in rows):
        raise AnswerError(f"{name} has rows of another form")
    return rows


def _number(answer: dict[str, Any], name: str, least: int, most: int) -> int:
    value = answer.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise AnswerError(f"{name} is not a number from {least} to {most}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 300:
        raise AnswerError("a name is not a text, or too long")
    return value


def _moment(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise AnswerError("a time is not as ISO 8601 writes it") from error
    if found.tzinfo is None:
        raise AnswerError("a time is without its zone")
    return found
