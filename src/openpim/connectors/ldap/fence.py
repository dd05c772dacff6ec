"""Who wrote last is written into the entry that is changed, in the same change: a server that was paused, and whose lease
somebody else has since, changes nothing any more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from openpim.connectors.ldap.client import Connection
from openpim.connectors.ldap.messages import (
    ANY,
    Change,
    Scope,
    asserting,
    equals,
    modify,
    negated,
    search,
    starts,
)
from openpim.ports.connector import Fault, Fence, TargetError


@dataclass(frozen=True, slots=True)
class Guard:
    """What has to go with a change. changes: to be made before it; controls: conditions."""

    changes: Sequence[tuple[Change, str, Sequence[str]]] = ()
    controls: bytes = b""


class Fencing:
    """attribute: of the entries; "": there is no fence. asserts: whether the server knows conditions (RFC 4528); where it does
    not, taking away what must be there does the same."""

    def __init__(self, attribute: str, target_id: str, host: str) -> None:
        self.attribute = attribute
        self._prefix = f"OpenPIM {target_id} epoch "
        self._form = re.compile(re.escape(self._prefix) + "([0-9]{1,18})", re.ASCII)
        self._host = host
        self._held: dict[str, list[str]] = {}

    def check(self, connection: Connection, dns: Sequence[str], epoch: int) -> None:
        """Before each writing: has somebody later written to any of them? Raises TargetError(FENCED)."""
        if not self.attribute:
            return
        self._held = {}
        requests = [search(dn, Scope.BASE, ANY, [self.attribute]) for dn in dns]
        for dn, outcome in zip(dns, connection.exchange(requests), strict=True):
            values = outcome.entries[0].texts(self.attribute) if outcome.entries else []
            self._held[dn] = sorted(one for one in values if self._form.fullmatch(one))
            if max(map(self._epoch, self._held[dn]), default=-1) > epoch:
                raise self.fenced()

    def guard(self, connection: Connection, dn: str, epoch: int, *, asserts: bool) -> Guard:
        """Whoever writes in between makes the change fail. Raises TargetError(FENCED)."""
        if not self.attribute:
            return Guard()
        if dn not in self._held:
            self.check(connection, [dn], epoch)
        held = self._held[dn]
        own = self.own(epoch)
        if asserts:
            old = [one for one in held if one != own]
            changes = [(Change.DELETE, self.attribute, old)] if old else []
            if own not in held:
                changes.append((Change.ADD, self.attribute, [own]))
            condition = (
                equals(self.attribute, held[0]) if held else negated(starts(self.attribute, self._prefix))
            )
            return Guard(changes, asserting(condition))
        if not held:
            # The first one here leaves a number by itself, so that there is something to take away.
            connection.ask(modify(dn, [(Change.ADD, self.attribute, [own])]))
            self.check(connection, [dn], epoch)
            held = self._held[dn]
        first = [(Change.DELETE, self.attribute, held)] if held else []
        return Guard([*first, (Change.ADD, self.attribute, [own])])

    def own(self, epoch: int) -> str:
        return f"{self._prefix}{epoch}"

    def wrote(self, dn: str, epoch: int) -> None:
        if self.attribute:
            self._held[dn] = [self.own(epoch)]

    def forget(self, dn: str) -> None:
        """It is not as we thought: look again."""
        self._held.pop(dn, None)

    def fenced(self) -> TargetError:
        return TargetError(
            Fault.FENCED,
            f"A later server has written to {self._host}. If OpenPIM was restored from a copy, remove the value "
            f"“{self._prefix}…” of {self.attribute} from the entry.",
        )

    def _epoch(self, value: str) -> int:
        match = self._form.fullmatch(value)
        return int(match[1]) if match else -1


def in_time(fence: Fence, now: datetime) -> None:
    """Before anything is begun. Raises TargetError(FENCED)."""
    if now >= fence.until:
        raise TargetError(Fault.FENCED, "The time in which this server may write is over.")
