"""Make the host have what counts now, and nothing else of ours; then look, and say what is there.

Every step may be the last one before a power failure: what is about to be given or taken away is on file first, and each
round begins by looking at the host itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from openpim.agent import lease as leases
from openpim.agent import processes
from openpim.agent.clock import Clock
from openpim.agent.configuration import Configuration
from openpim.agent.files import UnsafePlaceError
from openpim.agent.groups import Accounts, GroupsError, is_person
from openpim.agent.lease import Grant, Lease, Pair
from openpim.agent.names import NameRefusedError, check_user, split_entitlement
from openpim.agent.sudoers import Sudoers, SudoersError, allows, content_of, name_of

_HEAD: Final = re.compile(rb"# sudo:([a-z_][a-z0-9_.-]{0,31}) for ([a-z_][a-z0-9_.-]{0,31}),")
_FAULTS: Final = (NameRefusedError, GroupsError, SudoersError, UnsafePlaceError, OSError)


@dataclass(frozen=True, slots=True)
class Report:
    """version: what it answers. edges: what was found on the host just now, each with its end as the server wrote it (None
    where it is not ours). lingering: whose processes still run. errors: what could not be done, by user and entitlement."""

    version: int
    edges: tuple[tuple[str, str, str | None], ...] = ()
    lingering: tuple[Pair, ...] = ()
    errors: tuple[tuple[str, str, str], ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "edges": [list(one) for one in self.edges],
            "lingering": [list(one) for one in self.lingering],
            "errors": [list(one) for one in self.errors],
        }


@dataclass(slots=True)
class Enforcer:
    """wait: for so many seconds, between two looks at processes. proc: where they are seen."""

    configuration: Configuration
    accounts: Accounts
    sudoers: Sudoers
    clock: Clock
    wait: Callable[[float], object]
    proc: str = "/proc"
    keep: Callable[[Lease], None] | None = None  # what is to be remembered; None: the file, as it is
    _errors: dict[Pair, str] = field(default_factory=dict)

    def enforce(self, lease: Lease) -> tuple[Lease, Report]:
        """The lease as it is on file afterwards, and what is there."""
        self._errors = {}
        boot, elapsed, wall = self.clock.boot(), self.clock.elapsed(), self.clock.wall()
        live = {one.pair: one for one in lease.live(boot, elapsed, wall) if self._may(one)}
        lease = self._sudo(lease, live)
        lease = self._groups(lease, live)
        lease = self._sever(lease, live)
        return lease, self._report(lease, live)

    # ------------------------------------------------------------ who may

    def _may(self, one: Grant) -> bool:
        try:
            check_user(one.user)
            kind, name = split_entitlement(one.entitlement)
            known = self.configuration.sudo if kind == "sudo" else self.configuration.groups
            if name not in known:
                raise NameRefusedError(f"{one.entitlement} is not in this host's configuration")
            account = self.accounts.find(one.user)
            if account is None:
                raise NameRefusedError(f"nobody is called {one.user} on this host")
            if not is_person(account, self.configuration.least_uid):
                raise NameRefusedError(f"{one.user} is an account of the system")
        except _FAULTS as error:
            self._errors[one.pair] = str(error)
            return False
        return True

    # ------------------------------------------------------------ sudo

    def _wanted(self, live: dict[Pair, Grant]) -> dict[str, tuple[Pair, bytes]]:
        """Content of the drop-ins, by name."""
        wanted = {}
        for pair, one in live.items():
            kind, name = split_entitlement(one.entitlement)
            if kind == "sudo":
                rule = self.configuration.sudo[name]
                content = content_of(one.user, name, rule, one.until, one.timeout)
                wanted[name_of(one.user, name)] = pair, content
        return wanted

    def _sudo(self, lease: Lease, live: dict[Pair, Grant]) -> Lease:
        wanted = self._wanted(live)
        try:
            self.sudoers.sweep()
            present = self.sudoers.present()
        except _FAULTS as error:
            self._errors.update({pair: str(error) for pair, _ in wanted.values()})
            return lease
        gone = {name: content for name, content in present.items() if name not in wanted}
        ending = []
        for content in gone.values():
            found = _HEAD.match(content)
            if found:
                ending.append((found[2].decode(), f"sudo:{found[1].decode()}"))
        lease = self._severing(lease, ending)
        for name in gone:
            self._do(("", name), lambda name=name: self.sudoers.remove(name))  # type: ignore[misc]
        for name, (pair, content) in wanted.items():
            if present.get(name) != content:
                self._do(pair, lambda name=name, content=content: self.sudoers.write(name, content))  # type: ignore[misc]
        return lease

    # ------------------------------------------------------------ groups

    def _groups(self, lease: Lease, live: dict[Pair, Grant]) -> Lease:
        wanted = {pair for pair in live if pair[1].startswith("group:")}
        absent = {pair for pair in lease.absent if self._removable(pair)}
        ending = [pair for pair in dict.fromkeys((*lease.given, *absent)) if pair not in wanted]
        ending = [pair for pair in ending if pair in lease.given or self._is_member(pair)]
        lease = self._severing(lease, ending)
        removed = []
        for user, entitlement in ending:
            group = entitlement.partition(":")[2]
            if self._do((user, entitlement), lambda user=user, group=group: self._leave(user, group)):  # type: ignore[misc]
                removed.append((user, entitlement))
        given = [pair for pair in lease.given if pair not in removed]
        new = [pair for pair in sorted(wanted) if pair not in given and not self._is_member(pair)]
        if new or removed:
            lease = self._keep(replace(lease, given=(*given, *new)))
        for pair in sorted(wanted):
            if not self._is_member(pair):
                group = pair[1].partition(":")[2]
                self._do(pair, lambda user=pair[0], group=group: self.accounts.put(user, group, member=True))  # type: ignore[misc]
        return lease

    def _leave(self, user: str, group: str) -> None:
        try:
            self.accounts.members(group)
        except GroupsError:
            return  # the group itself is gone
        self.accounts.put(user, group, member=False)

    def _removable(self, pair: Pair) -> bool:
        """Of others, and in a group that this host lets be managed."""
        kind, _, group = pair[1].partition(":")
        return kind == "group" and group in self.configuration.groups

    def _is_member(self, pair: Pair) -> bool:
        try:
            return pair[0] in self.accounts.members(pair[1].partition(":")[2])
        except _FAULTS:
            return False

    # ------------------------------------------------------------ what lives on

    def _sever(self, lease: Lease, live: dict[Pair, Grant]) -> Lease:
        done = [pair for pair in lease.severing if pair in live or self._severed(pair, live)]
        if not done:
            return lease
        return self._keep(replace(lease, severing=tuple(one for one in lease.severing if one not in done)))

    def _severed(self, pair: Pair, live: dict[Pair, Grant]) -> bool:
        user, entitlement = pair
        kind, _, name = entitlement.partition(":")
        account = self.accounts.find(user)
        if account is None or not is_person(account, self.configuration.least_uid):
            return True  # nobody of this name has ever got anything here
        if kind == "group":
            try:
                gid = self.accounts.gid(name)
            except GroupsError:
                return True
            return not processes.end(processes.in_group(gid, account.uid), self.wait, self.proc)
        kept = {one.partition(":")[2] for who, one in live if who == user and one.startswith("sudo:")}
        chosen = processes.by_sudo(
            account.uid, lambda command: allows(self.configuration.sudo, kept, command)
        )
        return not processes.end(chosen, self.wait, self.proc)

    # ------------------------------------------------------------ on file, and what is there

    def _severing(self, lease: Lease, pairs: list[Pair]) -> Lease:
        new = tuple(pair for pair in dict.fromkeys(pairs) if pair not in lease.severing)
        return self._keep(replace(lease, severing=(*lease.severing, *new))) if new else lease

    def _keep(self, lease: Lease) -> Lease:
        if self.keep is None:
            leases.save(self.configuration.state, lease)
        else:
            self.keep(lease)
        return lease

    def _do(self, pair: Pair, act: Callable[[], object]) -> bool:
        try:
            act()
        except _FAULTS as error:
            self._errors[pair] = str(error)
            return False
        return True

    def _report(self, lease: Lease, live: dict[Pair, Grant]) -> Report:
        """From the host, not from what was done."""
        edges: list[tuple[str, str, str | None]] = []
        wanted = self._wanted(live)
        try:
            for name, content in self.sudoers.present().items():
                pair, expected = wanted.get(name, (("", ""), b""))
                if content == expected:
                    edges.append((*pair, _text(live[pair])))
                    continue
                found = _HEAD.match(content)
                if found:
                    edges.append((found[2].decode(), f"sudo:{found[1].decode()}", None))
        except _FAULTS as error:
            self._errors["", "sudo"] = str(error)
        for group in sorted(self.configuration.groups):
            try:
                members = self.accounts.members(group)
            except _FAULTS as error:
                self._errors["", f"group:{group}"] = str(error)
                continue
            for user in sorted(members):
                one = live.get((user, f"group:{group}"))
                edges.append((user, f"group:{group}", _text(one) if one is not None else None))
        errors = tuple((user, entitlement, text[:300]) for (user, entitlement), text in self._errors.items())
        return Report(lease.version, tuple(edges), lease.severing, errors)


def _text(one: Grant) -> str | None:
    return one.until.isoformat() if one.until is not None else None
