"""Checks an audit history: the lines of an export, from a file or from the server, against signed checkpoints.

The lines (JSON, one each, in this order):
  {"openpim": "audit-proof", "v": 1, "origin", "tenantId", "size", "madeAt", "keys": [{"key", "endorsement"}]}
  {"checkpoint": number, "note": signed text}             one each
  {"tile": number, "hashes": base64}                      the hashes of 256 leaves as the log has them, and then
  {"position": number, "leaf": the event}                 the events of this run; one that retention removed has no line
  {"position": null, "leaf": the event}                   records beside the log: there must be none
docs/explanation/audit-log.md says what each finding means.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta

from openpim.proof.merkle import HASH, TILE, Growing
from openpim.proof.note import Checkpoint, Key, NoteError, chain, decoded, opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

FORMAT = "audit-proof"
# The names of the events that a check has to know: those that cover a removal, and those that are alarms.
RETENTION = "Remove audit events by retention"
KEPT = (RETENTION, "Change audit log key")  # with the alarms: what a check needs is never removed
ALARMS = (
    "Audit record not made by this server",
    "Audit record gone before it was in the log",
    "Audit checkpoint refused",
)
_MOST_FINDINGS = 1000
_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"
_sha256 = hashlib.sha256


class Finding:
    """kind: changed | removed | inserted | reordered | backdated | outside | hashes | rolled back | checkpoint | key |
    alarm | index. position: in the log, None where it is about no single one."""

    __slots__ = ("kind", "position", "text")

    def __init__(self, kind: str, position: int | None, text: str) -> None:
        self.kind = kind
        self.position = position
        self.text = text

    def __repr__(self) -> str:
        return f"{self.kind} {self.position}: {self.text}"


class UnreadableError(ValueError):
    """It is no export of an audit history, or only a part of one."""


class History:
    """One check. trusted: the verifier key that somebody vouches for; without one the first that is offered is taken.
    remembered: (size, root) that the log must begin with. slack: seconds by which an event may be older than the
    checkpoint before it. accepted: positions of alarms that are known.
    """

    def __init__(
        self,
        *,
        trusted: str = "",
        remembered: tuple[int, bytes] | None = None,
        slack: float = 300,
        accepted: Iterable[int] = (),
    ) -> None:
        self.findings: list[Finding] = []
        self.more = 0
        self.origin = ""
        self.size = 0
        self.events = 0
        self.removed = 0
        self.checkpoints: list[tuple[int, Checkpoint]] = []
        self.keys: list[Key] = []
        self._trusted = trusted
        self._remembered = remembered
        self._slack = timedelta(seconds=slack)
        self._accepted = frozenset(accepted)
        self._headed = False
        self._tree = Growing()
        self._expected: dict[int, list[tuple[str, bytes]]] = {}
        self._good = 0
        self._sizes: list[int] = []
        self._at = 0
        self._low, self._high, self._until = "", "~", -1
        self._tile = -1
        self._stated: list[bytes] = []
        self._found: dict[int, bytes] = {}
        self._lines: dict[int, bytes] = {}
        self._wrong: dict[int, tuple[bytes, bytes, bytes]] = {}
        self._missing: list[list[int]] = []
        self._covered: list[tuple[int, int]] = []

    # ---------------------------------------------------------------- in

    def feed(self, lines: Iterable[bytes]) -> None:
        """Lines of the export, in order, in as many portions as you like. Raises UnreadableError."""
        hashed, found, kept = _sha256, self._found, self._lines
        for raw in lines:
            line = raw.rstrip()
            if line[:12] != b'{"position":':
                self._other(line)
                found, kept = self._found, self._lines
                continue
            cut = line.find(b',"leaf":', 12, 48)
            number = line[12:cut]
            leaf = line[cut + 8 : -1]
            if cut < 0 or not number.isdigit():
                self._beside(line, number, leaf)
                continue
            position = int(number)
            if position in found or not 0 <= position - self._tile * TILE < len(self._stated):
                self.say(
                    "inserted", position, f"{_named(leaf)} stands at position {position}, which is taken"
                )
                continue
            found[position] = hashed(b"\x00" + leaf).digest()
            kept[position] = leaf

    def _other(self, line: bytes) -> None:
        if not line:
            return
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise UnreadableError("a line is no JSON object: the file is damaged, or is not an export")
        if not self._headed:
            self._head(row)
        elif "note" in row and self._tile < 0:
            self._checkpoint(row)
        elif "tile" in row:
            self._settle()
            self._next_tile(row)
        else:
            raise UnreadableError("a line is of a kind that has no place there")

    def _head(self, row: dict[str, Any]) -> None:
        if row.get("openpim") != FORMAT or row.get("v") != 1 or not isinstance(row.get("keys"), list):
            raise UnreadableError(
                "this is not an export made for checking; make one with: pim audit verify --save FILE"
            )
        self._headed = True
        self.origin, self.size = (
            str(row.get("origin")),
            row["size"] if isinstance(row.get("size"), int) else -1,
        )
        if self.size < 0:
            raise UnreadableError("the first line does not say how many events there are")
        offered = [
            (str(one.get("key")), str(one.get("endorsement"))) for one in row["keys"] if isinstance(one, dict)
        ]
        try:
            if self._trusted or offered:
                trusted = Key.parse(self._trusted or offered[0][0])
                self.keys = chain(trusted, offered)
        except NoteError as error:
            self.say("key", None, f"the keys of this log do not follow from the one you trust: {error}")
        if any(key.name != self.origin for key in self.keys):
            self.say("key", None, "a key is that of another log")
        if self._remembered is not None:
            size, root = self._remembered
            if size > self.size:
                self.say(
                    "rolled back", None,
                    f"the log has {self.size} events, and had {size} when it was checked before: it was set back",
                )  # fmt: skip
            else:
                self._expect(size, "what was seen when it was checked before", root)

    def _expect(self, size: int, what: str, root: bytes) -> None:
        self._expected.setdefault(size, []).append((what, root))

    def _checkpoint(self, row: dict[str, Any]) -> None:
        number = row.get("checkpoint")
        name = f"checkpoint {number}"
        if number != (self.checkpoints[-1][0] + 1 if self.checkpoints else 0):
            self.say("checkpoint", None, f"{name} does not follow the one before: some are missing")
        try:
            text, _ = opened(str(row.get("note")), self.keys[::-1])
            made = Checkpoint.parse(text)
            datetime.strptime(made.at, _FORM)  # noqa: DTZ007 - all instants end in Z
        except (NoteError, ValueError) as error:
            self.say("checkpoint", None, f"{name} is not signed by this log: {error}")
            return
        before = self.checkpoints[-1][1] if self.checkpoints else None
        if made.origin != self.origin:
            self.say("checkpoint", None, f"{name} is of another log")
        elif before is not None and (made.size < before.size or made.at < before.at):
            self.say("checkpoint", None, f"{name} is smaller or older than the one before")
        elif made.size > self.size:
            self.say(
                "rolled back", None,
                f"the log has {self.size} events, and {name} was signed over {made.size}: it was set back",
            )  # fmt: skip
        else:
            self._expect(made.size, name, made.root)
            self.checkpoints.append((number if isinstance(number, int) else 0, made))

    # ---------------------------------------------------------------- 256 at a time

    def _next_tile(self, row: dict[str, Any]) -> None:
        if self._tile < 0:
            self._sizes = sorted(self._expected)
            self._check(0)
        if row.get("tile") != self._tile + 1:
            raise UnreadableError(
                f"the hashes after position {(self._tile + 1) * TILE} are missing: a part is cut out"
            )
        self._tile += 1
        try:
            data = decoded(str(row.get("hashes")))
        except NoteError:
            data = b""
        wanted = min(TILE, self.size - self._tile * TILE)
        data = data[: max(0, wanted) * HASH]
        if len(data) != wanted * HASH:
            self.say(
                "hashes", self._tile * TILE, f"the hashes from position {self._tile * TILE} on are not whole"
            )
            data = data.ljust(max(0, wanted) * HASH, b"\x00")
        self._stated = [data[at : at + HASH] for at in range(0, len(data), HASH)]
        self._found, self._lines = {}, {}

    def _settle(self) -> None:
        """All events of the run have been seen."""
        if self._tile < 0:
            return
        first, stated, found = self._tile * TILE, self._stated, self._found
        for number, wanted in enumerate(stated):
            position = first + number
            have = found.get(position)
            if have is None:
                self._skip(position)
                continue
            leaf = self._lines[position]
            if have != wanted:
                self._wrong[position] = (have, wanted, leaf)
            self._look(position, leaf)
        self.events += len(found)
        self._extend(first, stated)

    def _skip(self, position: int) -> None:
        self.removed += 1
        if self._missing and self._missing[-1][1] == position - 1:
            self._missing[-1][1] = position
        else:
            self._missing.append([position, position])

    def _look(self, position: int, leaf: bytes) -> None:
        if position > self._until:
            self._bounds(position)
        begin = leaf.find(b',"at":"') + 7
        at = leaf[begin : begin + 27].decode("ascii", "replace")
        if not self._low <= at <= self._high:
            older = at < self._low
            than = (
                "older than the checkpoint that was signed before it"
                if older
                else "newer than the checkpoint that proves it"
            )
            self.say(
                "backdated",
                position,
                f"{_named(leaf)} is dated {at}, {than} ({self._low if older else self._high})",
            )
        if leaf.startswith(_KNOWN):
            self._event(position, leaf)

    def _event(self, position: int, leaf: bytes) -> None:
        try:
            event = json.loads(leaf)
            details = {one["name"]: one["value"] for one in event.get("details", ())}
            if event["activity"] == RETENTION:
                for part in details["Positions"].split(","):
                    first, _, last = part.partition("-")
                    self._covered.append((int(first), int(last or first)))
            elif (
                event["activity"] in ALARMS
                and event["result"] == "failure"
                and position not in self._accepted
            ):
                about = ", ".join(one["id"] for one in event.get("targets", ()))
                self.say(
                    "alarm",
                    position,
                    f"the server itself noted: {event['activity']} ({about}) {event.get('reason', '')}",
                )
        except (ValueError, KeyError, TypeError, RecursionError):
            self.say("changed", position, f"the event at position {position} cannot be read")

    def _bounds(self, position: int) -> None:
        """Between which instants the events of this position and the next ones must be."""
        while self._at < len(self.checkpoints) and self.checkpoints[self._at][1].size <= position:
            self._at += 1
        before = self.checkpoints[self._at - 1][1] if self._at else None
        after = self.checkpoints[self._at][1] if self._at < len(self.checkpoints) else None
        self._low = self._shifted(before.at, -self._slack) if before else ""
        self._high = self._shifted(after.at, self._slack) if after else "~"
        self._until = after.size - 1 if after else self.size

    @staticmethod
    def _shifted(at: str, by: timedelta) -> str:
        return (datetime.strptime(at, _FORM) + by).strftime(_FORM)  # noqa: DTZ007

    def _extend(self, first: int, stated: list[bytes]) -> None:
        start, end = first, first + len(stated)
        while self._sizes and self._sizes[0] <= end:
            size = self._sizes.pop(0)
            self._tree.extend(stated[start - first : size - first])
            start = max(start, size)
            self._check(size)
        self._tree.extend(stated[start - first :])

    def _check(self, size: int) -> None:
        if size == 0 and self._sizes and self._sizes[0] == 0:
            self._sizes.pop(0)
        for what, root in self._expected.get(size, ()):
            if self._tree.root() == root:
                self._good = size
                continue
            self.say(
                "hashes", size - 1,
                f"the events from position {self._good} to {size - 1} are not those of {what}: the hashes of the log were "
                "changed; at least one event was changed, removed, put in between or moved",
            )  # fmt: skip

    # ---------------------------------------------------------------- out

    def finish(self) -> list[Finding]:
        """All that is wrong, empty when the history is proved. Raises UnreadableError when the export is not whole."""
        if not self._headed:
            raise UnreadableError("the export is empty")
        if self._tile < 0:
            self._sizes = sorted(self._expected)
            self._check(0)
        self._settle()
        if self._tree.size != self.size:
            raise UnreadableError(
                f"the export ends at position {self._tree.size} of {self.size}: it is not whole"
            )
        self._tell_missing(self._tell_wrong())
        return self.findings

    @property
    def proved(self) -> int:
        """How many positions a checkpoint proves."""
        return self.checkpoints[-1][1].size if self.checkpoints else 0

    def root(self) -> bytes:
        """The root over the hashes that the log states."""
        return self._tree.root()

    def _tell_wrong(self) -> set[int]:
        """Events that are not what the log has; the positions whose events stand elsewhere."""
        belongs = {wanted: position for position, (_, wanted, _) in self._wrong.items()}
        moved = set()
        for position, (have, _, leaf) in self._wrong.items():
            home = belongs.get(have)
            if home is not None:
                moved.add(home)
                self.say(
                    "reordered",
                    position,
                    f"{_named(leaf)} stands at position {position} and belongs at {home}",
                )
            else:
                self.say("changed", position, f"{_named(leaf)} at position {position} was changed")
        return moved

    def _tell_missing(self, moved: set[int]) -> None:
        covered = sorted(self._covered)
        for first, last in self._missing:
            for begin, end in _outside(first, last, covered):
                left = [one for one in range(begin, min(end, begin + _MOST_FINDINGS) + 1) if one not in moved]
                if left:
                    where = f"position {begin}" if begin == end else f"positions {begin} to {end}"
                    self.say("removed", begin, f"the event at {where} was removed" if begin == end else
                              f"the events at {where} were removed")  # fmt: skip

    def _beside(self, line: bytes, number: bytes, leaf: bytes) -> None:
        if number != b"null":
            raise UnreadableError("a line has no position")
        self.say("outside", None, f"{_named(leaf)} is in the table and not in the log: somebody put it there")

    def say(self, kind: str, position: int | None, text: str) -> None:
        """Note a finding."""
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(Finding(kind, position, text))
        else:
            self.more += 1


_KNOWN = tuple(b'{"activity":' + json.dumps(name).encode() for name in (RETENTION, *ALARMS))


def _outside(first: int, last: int, covered: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The parts of a range that none of the sorted ranges covers."""
    found = []
    for begin, end in covered:
        if end < first:
            continue
        if begin > last:
            break
        if begin > first:
            found.append((first, begin - 1))
        first = max(first, end + 1)
    if first <= last:
        found.append((first, last))
    return found


def _named(leaf: bytes) -> str:
    """An event in words."""
    try:
        event = json.loads(leaf)
        who = event.get("actorUserPrincipalName") or event.get("actorName") or event.get("actorKind")
        return f"the event {event['id']} ({str(event['at'])[:19]}Z, {event['activity']}, by {who})"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "an event that cannot be read"
