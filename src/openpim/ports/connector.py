"""What the acts need from a connector, which speaks to one kind of target system. docs/how-to/write-a-connector.md tells how
one is written; tests/connectors/contract.py is what each must pass.

A connector is synchronous, is used by one thread at a time, and keeps no truth of its own: what there is, it reads from the
target. It never decides who gets what.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

from openpim.core.connecting import Edge, Op, Snapshot
from openpim.ports.outbound import Outbound


class Fault(StrEnum):
    UNREACHABLE = "unreachable"
    REFUSED = "refused"  # the target says no: credentials, rights
    FENCED = "fenced"  # somebody with a later lease has written there: stop at once
    BROKEN = "broken"  # it answers nonsense, or not as this connector expects


class TargetError(Exception):
    """The target could not be asked, or said no. message: for administrators, without secrets, saying what to do next."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message


class BadNameError(ValueError):
    """A name that this kind of target cannot have, or that is not safe in it. The text says what is wrong, for people."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """native_end: what ends by itself in the target when it is told the end. grant_live, revoke_live: what a session that is
    open notices. worst_case_after_revoke: how long something that cannot be cut off may live on; None: nothing does.
    per_activation: one object in the target for each activation, not for each person and entitlement. issues: people fetch
    a credential (`issue`)."""

    native_end: Literal["none", "new_logins", "full"] = "none"
    granularity: timedelta = timedelta(seconds=1)
    grant_live: Literal["immediate", "next_login", "next_token"] = "immediate"
    revoke_live: Literal["immediate", "next_login", "session_keeps"] = "immediate"
    worst_case_after_revoke: timedelta | None = None
    sever: Literal["none", "by_subject", "by_activation"] = "none"
    watch: bool = False
    atomic_batch: bool = False
    per_activation: bool = False
    issues: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """A look that changes nothing. lacks: rights it needs and does not have. excess: rights it has and should not.
    Sentences for administrators. version: what the target says it is."""

    reachable: bool
    version: str = ""
    lacks: tuple[str, ...] = ()
    excess: tuple[str, ...] = ()

    @property
    def fit(self) -> bool:
        return self.reachable and not self.lacks


@dataclass(frozen=True, slots=True)
class Fence:
    """Leave to write. epoch: of the lease; a target that can remember the highest one seen refuses a lower one. until: after
    this no operation is begun (and where the target has a clock of its own and transactions, none is committed)."""

    epoch: int
    until: datetime


# Of thousands at once, making them frozen would take longer than all else that a connector does with each.
@dataclass(slots=True)
class Receipt:
    """What became of an operation. Only reading it back proves it; "it is so already" is no error."""

    op: Op
    error: str = ""

    @property
    def ok(self) -> bool:
        return not self.error


@dataclass(slots=True)
class Severed:
    """What became of the live sessions of an edge that has ended. residue_until: something lives on until then, and cannot be
    cut off. error: they could not be ended; it is tried again."""

    edge: Edge
    error: str = ""
    residue_until: datetime | None = None


class Connector(Protocol):
    """Of one target. Every method may raise TargetError, and nothing else for what a target does."""

    def probe(self) -> Probe: ...

    def read(self) -> Snapshot:
        """All edges of the managed entitlements, whoever made them, and their own ends."""
        ...

    def apply(self, ops: Sequence[Op], fence: Fence) -> list[Receipt]:
        """In this order, under the target's own lock where it has one. Safe to repeat. The native end is written before, or
        with, the grant. One receipt for each operation; one that fails does not stop the others."""
        ...

    def sever(self, ended: Sequence[Edge], kept: Collection[Edge], fence: Fence) -> list[Severed]:
        """End what lives on of edges whose grant has just been removed. kept: the edges that stay; what rests on one of them
        alone is not touched where the target can tell."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Watching(Protocol):
    """A connector that is told by its target of changes (Capabilities.watch)."""

    def watch(self, changed: Callable[[], None], stop: threading.Event) -> None:
        """Call `changed` whenever something may have changed, until `stop` is set. In a thread of its own, on a connection
        of its own. Returns or raises TargetError when it can watch no longer."""
        ...


@runtime_checkable
class Issuing(Protocol):
    """A connector whose people fetch a credential (Capabilities.issues): a password, a certificate."""

    def issue(self, edge: Edge, given: Mapping[str, str], fence: Fence) -> Mapping[str, str]:
        """A new credential for an edge that is wanted now; it is valid no longer than the edge. given: what the person sent
        (a public key). Raises BadNameError for what is wrong with that. What comes back is shown once and kept nowhere; of
        it `serial`, `keyId` and `user` go into the history."""
        ...


@dataclass(frozen=True, slots=True)
class Published:
    """content_type: of the body, which anybody may have."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"


@runtime_checkable
class Publishing(Protocol):
    """A connector with things that hosts fetch without a credential: public keys, revocation lists. Nothing secret, and
    nothing that tells who may do what."""

    def publish(self, name: str, given: Mapping[str, str]) -> Published | None:
        """None: there is no such thing. given: what the address carried, unchecked."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of a kind of target. secret: sealed, never shown again. choices: nothing else will do. place: says where the
    secrets go (host, port, how TLS is checked): who changes it gives the secrets again. lines: a text of several lines. stays: what
    was given is found again by it, so it does not change while somebody has something there."""

    name: str
    help: str
    required: bool = False
    secret: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    place: bool = False
    lines: bool = False
    stays: bool = False


class Memory(Protocol):
    """Texts that a connector keeps from one start to the next, in our database (never what the target has: that is read
    there): what a host last reported, the numbers of certificates that were issued."""

    def load(self, name: str) -> str:
        """ "" when there is none."""
        ...

    def save(self, name: str, text: str) -> None:
        """Each name is kept by itself, so that writers of two names do not disturb each other. "" forgets it."""
        ...

    def all(self, prefix: str) -> Mapping[str, str]:
        """By name, those that begin so."""
        ...


@dataclass(frozen=True, slots=True)
class Opening:
    """What a connector is made of. managed: the entitlements it may read and touch, checked. settings and secrets: by name, as
    its kind describes them, the defaults filled in. clock, secret: as in Deps. outbound: the one road to other servers;
    `outbound.connect` gives sockets to judged addresses, `outbound.address` judges one for a library that connects itself.
    """

    tenant_id: str
    target_id: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str]
    managed: tuple[str, ...]
    outbound: Outbound
    clock: Callable[[], datetime]
    secret: Callable[[int], str]
    memory: Memory


@dataclass(frozen=True, slots=True)
class ConnectorKind:
    """One kind of target. Checks raise BadNameError and return the name as the target writes it, so that two ways of writing
    one name are one name (a DN in other case). check_settings: what is wrong with them, by name. make_secrets: secrets that
    are made here and not given (a key to sign with): from those there are ({} for a new target; all of them when they are
    to be rotated), the settings and the time.
    written: how a value of a person is put into a pattern of names, given the pattern and the value, so that it stays one
    value there (a comma in a DN)."""

    name: str
    title: str
    settings: tuple[Setting, ...]
    capabilities: Callable[[Mapping[str, str]], Capabilities]
    open: Callable[[Opening], Connector]
    check_subject: Callable[[str], str]
    check_entitlement: Callable[[str], str]
    check_settings: Callable[[Mapping[str, str]], Mapping[str, str]] = field(default=lambda _settings: {})
    subject: str = "{userPrincipalName}"  # the pattern of a new target
    make_secrets: Callable[[Mapping[str, str], Mapping[str, str], datetime], Mapping[str, str]] | None = None
    written: Callable[[str, str], str] = field(default=lambda _pattern, value: value)


class Kinds(Protocol):
    """The kinds of targets that this server can speak to. Each is loaded when it is asked for."""

    def names(self) -> tuple[str, ...]: ...

    def load(self, name: str) -> ConnectorKind | None:
        """None: there is none of this name, or what it needs is not installed."""
        ...


class NoKinds:
    """For acts that connect to nothing."""

    def names(self) -> tuple[str, ...]:
        return ()

    def load(self, name: str) -> ConnectorKind | None:
        return None
